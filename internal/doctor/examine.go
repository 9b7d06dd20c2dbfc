package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"chatops/internal/chatops"
)

// Check is one symptom that is looked for.
type Check struct {
	Name     string
	About    string // what it looks for, in a line
	Database Need

	runFunc func(ctx context.Context, p *Patient) (Result, error)
}

// Need is what a check wants of the database.
type Need int

// The needs. Who Uses the database has something to say without it too, if only
// that it does not answer; who Needs it can find out nothing.
const (
	Ignores Need = iota
	Uses
	Needs
)

// Checks lists every check, in the order in which an engineer mends things.
func Checks() []Check {
	return []Check{
		{"config", "settings that are wrong or surprise", Ignores, checkSettings},
		{NameDatabase, "whether the database answers, its version and size", Uses, checkDatabase},
		{"migrations", "migrations that are pending, or unknown to this program", Needs, checkMigrations},
		{"disk", "room for an embedded database", Ignores, checkDisk},
		{"replicas", "replicas that are missing, silent, of another version, or disobey", Needs, checkReplicas},
		{"clocks", "clocks of this host, the database and the replicas that disagree", Needs, checkClocks},
		{"breakers", "circuit breakers that are open or tripped", Needs, checkBreakers},
		{"integrations", "whether the integrations can be reached; with --probe", Ignores, checkIntegrations},
		{"unconfigured", "alerts that are held because their integration is not configured", Needs, checkUnconfigured},
		{"queue", "alerts that pile up", Needs, checkQueue},
		{"queue_age", "alerts that wait too long", Needs, checkQueueAge},
		{"failed_alerts", "alerts that were given up and wait for a decision", Needs, checkFailed},
		{"escalation", "whether anybody is told of alerts that fail", Ignores, checkEscalation},
		{"limits", "rate limits that refuse many, overrides and blocks", Needs, checkLimits},
		{"redis", "whether Redis answers, and every replica uses it", Uses, checkRedis},
		{"jobs", "jobs that are late, paused, interrupted or fail", Needs, checkJobs},
		{"followups", "uq_conversation_followup, and follow-ups that exist twice", Needs, checkDuplicates},
		{"uncertain_followups", "follow-ups of which nobody knows whether they were sent", Needs, checkUncertain},
		{"consent", "texts and keys that consent needs", Needs, checkConsent},
		{"consent_audit", "whether the record of consent is what was written", Needs, checkChain},
	}
}

// NameDatabase is the check whose problem means that nothing else is known.
const NameDatabase = "database"

// Names are the names of all checks.
func Names() []string {
	all := Checks()
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = c.Name
	}
	return names
}

// Choose returns the named checks in the order of Checks; all without names. The
// second value are names that there are not, the empty one among them; then nothing
// is chosen.
func Choose(names []string) (chosen []Check, unknown []string) {
	for _, name := range names {
		if !slices.Contains(Names(), name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		return nil, unknown
	}
	return slices.DeleteFunc(Checks(), func(c Check) bool { return len(names) > 0 && !slices.Contains(names, c.Name) }), nil
}

// Examine runs the checks side by side, each for so long at most, and returns
// their results in the same order.
func Examine(ctx context.Context, p *Patient, checks []Check, timeout time.Duration) []Result {
	timed := *p
	timed.timeout = timeout
	if p.Store != nil {
		timed.Store = newMemory(p.Store)
	}
	results := make([]Result, len(checks))
	turns := make(chan struct{}, cmp.Or(p.AtOnce, max(1, len(checks))))
	var wg sync.WaitGroup
	for i := range checks {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			results[i] = examine(ctx, &timed, &checks[i])
		})
	}
	wg.Wait()
	return results
}

// examine runs one check. Whatever goes wrong makes it unknown.
func examine(ctx context.Context, p *Patient, c *Check) Result {
	start := time.Now()
	r := Result{State: Unknown, Text: "needs the database, which does not answer"}
	if c.Database != Needs || p.Store != nil {
		ctx, cancel := context.WithTimeout(ctx, p.timeout)
		defer cancel()
		var err error
		if r, err = c.run(ctx, p); err != nil {
			r = Result{State: Unknown, Text: "could not be found out: " + wordError(ctx, err, p.timeout)}
		}
	}
	r.Name, r.Took = c.Name, time.Since(start)
	return r
}

// run looks once. A panic is an error of this check alone: a serving process
// examines itself too. The runtime's texts hold no data, others may.
func (c *Check) run(ctx context.Context, p *Patient) (r Result, err error) {
	defer func() {
		if v := recover(); v != nil {
			text := fmt.Sprintf("%T", v)
			if broken, ok := v.(runtime.Error); ok {
				text = broken.Error()
			}
			err = chatops.Errorf(chatops.CodeInternal, "the check is broken: %s", text)
		}
	}()
	return c.runFunc(ctx, p)
}

// wordError is an error in one harmless line.
func wordError(ctx context.Context, err error, timeout time.Duration) string {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return "no answer within " + chatops.Span(timeout)
	}
	return chatops.Harmless(chatops.ErrorMessage(err))
}
