package jobs

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"chatops/internal/chatops"
)

// Options make a Scheduler. Store and Instance are required.
type Options struct {
	Store    chatops.JobStore
	Instance string // names this process among the others
	Jobs     []Job
	// Fleet: jobs of the fleet are run here. Otherwise they are left to other
	// replicas.
	Fleet bool
	// PollEvery is how often the store is asked what is due; 0: 1 s. A tenth is
	// added or taken at random, so that replicas do not ask in step.
	PollEvery time.Duration
	Log       *slog.Logger // nil: silent
	// RandFunc returns a random number in [0, n); nil: math/rand/v2.
	RandFunc func(n int64) int64
}

// patience bounds one conversation with the store.
const patience = 5 * time.Second

// Scheduler runs the jobs of one process.
type Scheduler struct {
	opts  Options
	log   *slog.Logger
	local []*local
	runs  sync.WaitGroup

	mu    sync.Mutex
	busy  map[string]bool             // fleet jobs that run here
	fleet map[string]chatops.JobState // what the store said last
	deaf  bool                        // the store did not answer last
}

// New makes a scheduler; nothing runs before Run. CodeInvalid when a job cannot
// work.
func New(o Options) (*Scheduler, error) {
	if o.Store == nil || o.Instance == "" {
		return nil, chatops.Errorf(chatops.CodeInvalid, "make scheduler: no store or no name of the instance")
	}
	if o.PollEvery <= 0 {
		o.PollEvery = time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.RandFunc == nil {
		o.RandFunc = rand.Int64N
	}
	o.Jobs = slices.Clone(o.Jobs)
	s := &Scheduler{opts: o, log: o.Log, busy: map[string]bool{}, fleet: map[string]chatops.JobState{}}
	names := map[string]bool{}
	for i := range o.Jobs {
		j := &o.Jobs[i]
		if err := j.validate(); err != nil {
			return nil, err
		}
		if names[j.Name] {
			return nil, chatops.Errorf(chatops.CodeInvalid, "make scheduler: there are two jobs %s", j.Name)
		}
		names[j.Name] = true
		if j.Lease == 0 {
			j.Lease = DefaultLease
		}
		if j.EachProcess {
			s.local = append(s.local, newLocal(j, o.Log))
		}
	}
	return s, nil
}

// Run runs jobs until the context ends, waits for those that run, whose context
// has ended with it, and returns nil. Fleet jobs that were interrupted are given
// up, so that another replica begins them anew at once. Trouble with the store
// is logged and outlived.
func (s *Scheduler) Run(ctx context.Context) error {
	defer s.runs.Wait()
	for _, l := range s.local {
		s.runs.Go(func() { l.run(ctx) })
	}
	for {
		s.poll(ctx)
		if !chatops.Sleep(ctx, s.jitter(s.opts.PollEvery)) {
			return nil
		}
	}
}

// jitter moves a time by up to a tenth.
func (s *Scheduler) jitter(d time.Duration) time.Duration {
	tenth := int64(d / 10)
	return d + time.Duration(s.opts.RandFunc(2*tenth+1)-tenth)
}

// poll asks the store what is known and begins what is due.
func (s *Scheduler) poll(ctx context.Context) {
	asking, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	list, err := s.opts.Store.Jobs(asking)
	if !s.note(ctx, err) {
		return
	}
	known := make(map[string]chatops.JobState, len(list.Jobs))
	for _, j := range list.Jobs {
		known[j.Name] = j
	}
	s.mu.Lock()
	s.fleet = known
	s.mu.Unlock()
	for _, l := range s.local {
		l.obey(known[l.job.Name])
	}
	for i := range s.opts.Jobs {
		j := &s.opts.Jobs[i]
		if !j.EachProcess && !s.opts.Fleet {
			continue
		}
		c := s.claim(j, list.Now)
		state, ok := known[j.Name]
		if ok {
			if run, changed := state.Claim(&c, list.Now); run == nil && !changed {
				continue
			}
		}
		s.begin(ctx, j, c)
	}
}

// claim asks for the run that is due at a moment of the store's clock.
func (s *Scheduler) claim(j *Job, now time.Time) chatops.JobClaim {
	return chatops.JobClaim{
		Name: j.Name, Instance: s.opts.Instance, Slot: j.Schedule.Slot(now), Next: j.Schedule.Next(now),
		Lease: j.Lease, EachProcess: j.EachProcess,
	}
}

// begin claims a run beside everything else and carries it out.
func (s *Scheduler) begin(ctx context.Context, j *Job, c chatops.JobClaim) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[j.Name] {
		return
	}
	s.busy[j.Name] = true
	s.runs.Go(func() {
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.busy, j.Name)
		}()
		since := time.Now()
		asking, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		r, err := s.opts.Store.ClaimJob(asking, c)
		if s.note(ctx, err) && r != nil {
			newRun(s, j, r, since).carryOut(ctx)
		}
	})
}

// note logs when the store stops answering and when it answers again, and
// reports whether it does.
func (s *Scheduler) note(ctx context.Context, err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil && ctx.Err() != nil: // we are stopping: that is no trouble
	case err != nil && !s.deaf:
		s.deaf = true
		s.log.Warn("jobs: the database does not say what is due, fleet jobs wait", "err", err)
	case err == nil && s.deaf:
		s.deaf = false
		s.log.Info("jobs: the database says again what is due")
	}
	return err == nil
}

// Report describes every job that this process runs or may run, by name.
func (s *Scheduler) Report() []chatops.JobReport {
	s.mu.Lock()
	fleet := s.fleet
	s.mu.Unlock()
	all := make([]chatops.JobReport, 0, len(s.opts.Jobs))
	for _, l := range s.local {
		all = append(all, l.reported())
	}
	for i := range s.opts.Jobs {
		j := &s.opts.Jobs[i]
		if j.EachProcess || !s.opts.Fleet {
			continue
		}
		state := fleet[j.Name]
		all = append(all, chatops.JobReport{
			Name: j.Name, LastRun: state.LastStarted, LastResult: state.LastResult, NextRun: state.NextRun,
			Holder: state.Holder, Paused: state.Paused,
		})
	}
	slices.SortFunc(all, func(a, b chatops.JobReport) int { return strings.Compare(a.Name, b.Name) })
	return all
}
