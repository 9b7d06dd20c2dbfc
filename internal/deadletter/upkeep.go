package deadletter

import (
	"context"
	"time"

	"chatops/internal/chatops"
)

const (
	cleanupBatch = 2000
	cleanupPause = 20 * time.Millisecond
	// remarksTimeout bounds the reading of all alerts that may need.
	remarksTimeout = 2 * time.Minute
	statsEvery     = 10 * time.Second
)

// recovery is how long after the database came back outcomes may take to be
// stored before the sweep goes on without them.
const recovery = 2 * maxTrouble

// sweep frees what crashed processes have left, again and again. After the
// database was away our own leases may have run out: outcomes that wait to be
// stored go first, so that what was delivered is not sent again.
func (e *Engine) sweep(ctx context.Context) {
	failures := 0
	for chatops.Sleep(ctx, e.opts.SweepEvery) {
		if e.outcomesFirst() {
			continue
		}
		_, err := e.Sweep(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			e.noteError("sweep the queue", err)
			if !chatops.Sleep(ctx, e.trouble(failures)) {
				return
			}
			failures++
		default:
			failures = 0
		}
	}
}

// outcomesFirst reports whether a sweep has to wait for outcomes.
func (e *Engine) outcomesFirst() bool {
	since := e.healthySince.Load()
	return e.unstored.Load() > 0 && (since == 0 || e.now().UnixNano()-since < int64(recovery))
}

// Sweep frees what crashed processes have left now, delivers it, and returns how
// many alerts that are. Run does so again and again; a job of the fleet backs it
// up.
func (e *Engine) Sweep(ctx context.Context) (int, error) {
	if e.outcomesFirst() {
		return 0, nil
	}
	n, err := e.opts.Queue.Sweep(ctx)
	if n > 0 {
		e.log.Info("delivery: alerts made claimable again", "alerts", n)
		e.Wake()
	}
	return n, err
}

// watch passes on the wake-ups of other processes.
func (e *Engine) watch(ctx context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		start := e.now()
		err := e.opts.Queue.Watch(ctx, e.Wake)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = chatops.Errorf(chatops.CodeUnavailable, "the watch ended")
		}
		e.noteError("watch the queue", err)
		if e.now().Sub(start) > time.Minute {
			n = 0
		}
		if !chatops.Sleep(ctx, e.trouble(n)) {
			return
		}
		e.Wake() // something may have been missed
	}
}

// Cleanup deletes delivered, discarded and cancelled alerts older than
// CleanupAge now, in batches with pauses between them, and returns how many; then
// what was said about alerts that are gone. It deletes nothing when CleanupAge is
// 0.
func (e *Engine) Cleanup(ctx context.Context) (int, error) {
	total := 0
	for e.opts.CleanupAge > 0 {
		n, err := e.opts.Queue.Cleanup(ctx, e.opts.CleanupAge, cleanupBatch)
		total += n
		if err == nil && n == 0 && total > 0 {
			e.log.Info("delivery: old alerts deleted", "alerts", total)
		}
		if err == nil && n == 0 {
			err = e.cleanupRemarks(ctx)
		}
		if err != nil || n == 0 {
			return total, err
		}
		if !chatops.Sleep(ctx, cleanupPause) {
			return total, ctx.Err()
		}
	}
	return total, nil
}

// cleanupRemarks may read all of a long queue, and has time for it.
func (e *Engine) cleanupRemarks(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, remarksTimeout)
	defer cancel()
	n, err := e.opts.Queue.CleanupRemarks(ctx, e.opts.CleanupAge)
	if n > 0 {
		e.log.Info("delivery: remarks about alerts that are gone deleted", "remarks", n)
	}
	return err
}

// refreshStats keeps the counts among the metrics fresh.
func (e *Engine) refreshStats(ctx context.Context) {
	if e.opts.Stats == nil {
		return
	}
	for {
		s, err := e.opts.Stats.QueueStats(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			e.noteError("count alerts", err)
		default:
			e.met.stats.Store(s)
		}
		if !chatops.Sleep(ctx, statsEvery) {
			return
		}
	}
}
