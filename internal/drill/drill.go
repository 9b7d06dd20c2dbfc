package drill

import (
	"context"
	"time"

	"chatops/internal/chatops"
)

// Drill is one exercise.
type Drill struct {
	Name    string
	Symptom string // what the engineer is told
	// Settings are those of the installation, besides the ones of the receivers.
	Settings map[string]string
	Redis    bool // it has a Redis
	// Postgres: its database is a PostgreSQL, and its service, which may not start,
	// is begun again whenever it ends.
	Postgres bool
	Before   []string // commands that prepare the database, before the service begins
	// breakFunc breaks the running installation and returns when the symptom is
	// there. What it returns is shown to the engineer.
	breakFunc func(ctx context.Context, r *Range) (evidence string, err error)
	// leftFunc says what is still to be done, "" when all is repaired. Its error is
	// spoilt when nothing helps any more.
	leftFunc func(ctx context.Context, r *Range) (left string, err error)
}

// All lists every drill.
func All() []Drill {
	return []Drill{
		slackOutage(), manyCauses(), refusedPayload(), slowReceiver(), mondayErrors(), breakerStuck(), limiterStorm(), redisLoss(),
		jobFailed(), personAsks(), personForgotten(), optOutRace(), duplicateFollowups(), uncertainFollowup(), jobPaused(),
		serveRefuses(),
	}
}

// Find returns a drill by its name.
func Find(name string) (Drill, bool) {
	for _, d := range All() {
		if d.Name == name {
			return d, true
		}
	}
	return Drill{}, false
}

// Names are the names of all drills.
func Names() []string {
	var names []string
	for _, d := range All() {
		names = append(names, d.Name)
	}
	return names
}

// Break breaks the installation, and returns what there is to be seen of it.
func (d *Drill) Break(ctx context.Context, r *Range) (evidence string, err error) {
	return d.breakFunc(ctx, r)
}

// Left says what is still to be done, "" when all is repaired. See Spoilt.
func (d *Drill) Left(ctx context.Context, r *Range) (string, error) { return d.leftFunc(ctx, r) }

// spoilt is the error of a look at what cannot be repaired any more.
func spoilt(format string, args ...any) error {
	return chatops.Errorf(chatops.CodeFinding, format, args...)
}

// Spoilt reports whether an error of Left says that nothing is left to repair: it
// was done wrongly, and what was done cannot be taken back.
func Spoilt(err error) bool { return chatops.ErrorCode(err) == chatops.CodeFinding }

// lookEvery is the pause between two looks at an installation.
const lookEvery = 50 * time.Millisecond

// await looks until something is so, or the context ends.
func await(ctx context.Context, what string, is func() (bool, error)) error {
	for {
		ok, err := is()
		switch {
		case err != nil && ctx.Err() == nil:
			return err
		case ok:
			return nil
		}
		if !chatops.Sleep(ctx, lookEvery) {
			return chatops.Errorf(chatops.CodeUnavailable, "drill: %s did not happen", what)
		}
	}
}

// statuses counts the alerts that have one of the statuses.
func (r *Range) statuses(ctx context.Context, list ...chatops.AlertStatus) (int64, error) {
	s, err := r.Store.QueueStats(ctx)
	if err != nil {
		return 0, err
	}
	return s.Total(list...), nil
}
