package jobs

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"chatops/internal/chatops"
)

// errLost ends a run whose lease is another's by now, or may be.
var errLost = errors.New("the lease of the job was lost")

// run is one run of a fleet job under its lease.
type run struct {
	store chatops.JobStore
	log   *slog.Logger
	job   *Job
	claim *chatops.JobRun
	guard *time.Timer // loses the run when the lease is not extended in time
	lose  context.CancelCauseFunc
	since time.Time // before it was claimed
}

func newRun(s *Scheduler, j *Job, r *chatops.JobRun, since time.Time) *run {
	log := s.log.With("job", j.Name, "slot", r.Slot.Format(time.RFC3339), "run", r.Fence)
	return &run{store: s.opts.Store, log: log, job: j, claim: r, since: since}
}

// beatsPerLease is how often a lease is extended while it lasts.
const beatsPerLease = 4

// carryOut does the job, keeps its lease alive meanwhile and stores the result.
func (r *run) carryOut(ctx context.Context) {
	if r.claim.TakenOver != "" {
		r.log.Warn("jobs: a run that was not finished is begun anew", "from", r.claim.TakenOver)
	}
	owned, lose := context.WithCancelCause(context.WithoutCancel(ctx))
	r.lose = lose
	r.guard = time.AfterFunc(r.guarded(r.since), func() { lose(errLost) })
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		r.keep(owned)
	}()
	defer func() {
		lose(nil)
		r.guard.Stop()
		<-kept
	}()

	working, stop := context.WithCancelCause(owned)
	defer stop(nil)
	defer context.AfterFunc(ctx, func() { stop(ctx.Err()) })()
	begun := time.Now()
	result, err := r.job.call(working, r.log)
	switch {
	case owned.Err() != nil:
		r.log.Warn("jobs: a run lost its lease and was stopped", "cause", context.Cause(owned))
	case ctx.Err() != nil && err != nil:
		r.giveUp(owned)
	default:
		text := word(result, err)
		if err != nil {
			r.log.Warn("jobs: a run failed", "err", err)
		} else {
			r.log.Debug("jobs: run finished", "result", text, "ms", time.Since(begun).Milliseconds())
		}
		r.finish(ctx, owned, text)
	}
}

// guarded is how long a lease that was asked for at a moment is relied upon: a
// little less than it lasts.
func (r *run) guarded(asked time.Time) time.Duration {
	return r.job.Lease - r.job.Lease/10 - time.Since(asked)
}

// keep extends the lease until the run has ended or is lost.
func (r *run) keep(owned context.Context) {
	every := r.job.Lease / beatsPerLease
	for chatops.Sleep(owned, every) {
		asked := time.Now()
		asking, cancel := context.WithTimeout(owned, every)
		err := r.store.ExtendJob(asking, r.claim, r.job.Lease)
		cancel()
		switch {
		case err == nil:
			r.guard.Reset(r.guarded(asked))
		case gone(err):
			r.lose(errLost)
		case owned.Err() == nil:
			r.log.Warn("jobs: the lease of a run could not be extended", "err", err)
		}
	}
}

// giveUp lets another replica begin the run anew.
func (r *run) giveUp(owned context.Context) {
	telling, cancel := context.WithTimeout(owned, patience)
	defer cancel()
	if err := r.store.ExtendJob(telling, r.claim, 0); err != nil {
		r.log.Warn("jobs: an interrupted run could not be given up, its lease has to pass", "err", err)
		return
	}
	r.log.Info("jobs: a run was interrupted and given up")
}

// finish stores the result, as long as the lease lasts. A process that stops
// tries once.
func (r *run) finish(ctx, owned context.Context, text string) {
	for {
		telling, cancel := context.WithTimeout(owned, patience)
		err := r.store.FinishJob(telling, r.claim, text)
		cancel()
		if err == nil {
			return
		}
		r.log.Warn("jobs: the result of a run could not be stored", "err", err)
		if gone(err) || !chatops.Sleep(ctx, time.Second) || owned.Err() != nil {
			return
		}
	}
}

// gone reports that the job belongs to another, or to nobody.
func gone(err error) bool {
	code := chatops.ErrorCode(err)
	return code == chatops.CodeConflict || code == chatops.CodeNotFound
}
