package jobs

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"chatops/internal/chatops"
)

// local is a job of each process: a timer of this one.
type local struct {
	job  *Job
	log  *slog.Logger
	wake chan struct{}

	mu        sync.Mutex
	report    chatops.JobReport
	seen      bool // what the store knows of the job was read before
	requested time.Time
}

func newLocal(j *Job, log *slog.Logger) *local {
	return &local{
		job: j, log: log.With("job", j.Name), wake: make(chan struct{}, 1),
		report: chatops.JobReport{Name: j.Name, NextRun: time.Now().UTC().Add(j.Schedule.every)},
	}
}

// run does the job each interval, and when it is asked to, until the context
// ends.
func (l *local) run(ctx context.Context) {
	every := l.job.Schedule.every
	timer := time.NewTimer(every)
	defer timer.Stop()
	l.announce(every)
	for {
		asked := false
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
			asked = true
		case <-timer.C:
		}
		if asked || !l.paused() {
			l.once(ctx)
		}
		timer.Reset(every)
		l.announce(every)
	}
}

func (l *local) once(ctx context.Context) {
	start := time.Now().UTC()
	result, err := l.job.call(ctx, l.log)
	if err != nil {
		l.log.Warn("jobs: a run failed", "err", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.report.LastRun, l.report.LastResult = start, word(result, err)
}

// announce says when the job runs next.
func (l *local) announce(wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.report.NextRun = time.Now().UTC().Add(wait)
}

// obey takes over what operators have ordered. A request from before this
// process was there is not for it.
func (l *local) obey(state chatops.JobState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.report.Paused = state.Paused
	if l.seen && !state.Requested.Equal(l.requested) && !state.Requested.IsZero() {
		select {
		case l.wake <- struct{}{}:
		default: // it will run anyway
		}
	}
	l.seen, l.requested = true, state.Requested
}

func (l *local) paused() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.report.Paused
}

func (l *local) reported() chatops.JobReport {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.report
}
