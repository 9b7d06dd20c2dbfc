package cache

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"chatops/internal/chatops"
)

// JobName is what the purge is called in health and reports.
const JobName = "cache_cleanup"

// Job purges memory again and again.
type Job struct {
	every  time.Duration
	log    *slog.Logger
	purges []func(context.Context) int

	mu     sync.Mutex
	report chatops.JobReport
}

// NewJob makes a job that calls the purges, each of which returns how many
// entries it removed, so often. log may be nil.
func NewJob(every time.Duration, log *slog.Logger, purges ...func(context.Context) int) *Job {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Job{every: every, log: log, purges: purges, report: chatops.JobReport{Name: JobName}}
}

// Run purges until the context ends, and returns nil then.
func (j *Job) Run(ctx context.Context) error {
	tick := time.NewTicker(j.every)
	defer tick.Stop()
	j.note(func(r *chatops.JobReport) { r.NextRun = time.Now().UTC().Add(j.every) })
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			j.purge(ctx)
		}
	}
}

func (j *Job) purge(ctx context.Context) {
	start := time.Now().UTC()
	removed := 0
	for _, purge := range j.purges {
		removed += purge(ctx)
	}
	took := time.Since(start)
	j.log.Info("cache cleanup", "removed", removed, "ms", took.Milliseconds())
	j.note(func(r *chatops.JobReport) {
		r.LastRun, r.NextRun = start, start.Add(j.every)
		r.LastResult = fmt.Sprintf("ok: %d entries removed", removed)
	})
}

func (j *Job) note(change func(*chatops.JobReport)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	change(&j.report)
}

// Report tells when the job ran, what came of it, and when it runs next.
func (j *Job) Report() chatops.JobReport {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.report
}
