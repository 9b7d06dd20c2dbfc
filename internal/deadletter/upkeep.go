package deadletter

import (
	"context"
	"time"

	"chatops/internal/chatops"
)

const (
	cleanupBatch = 2000
	cleanupPause = 20 * time.Millisecond
	cleanupEvery = 24 * time.Hour
	cleanupFirst = 10 * time.Minute // at most so long after the start
	statsEvery   = 10 * time.Second
)

// recovery is how long after the database came back outcomes may take to be
// stored before the sweep goes on without them.
const recovery = 2 * maxTrouble

// sweep frees what crashed processes have left, again and again. After the
// database was away our own leases may have run out: outcomes that wait to be
// stored go first, so that what was delivered is not sent again.
func (e *Engine) sweep(ctx context.Context) {
	failures := 0
	for sleep(ctx, e.opts.SweepEvery) {
		since := e.healthySince.Load()
		if e.unstored.Load() > 0 && (since == 0 || e.now().UnixNano()-since < int64(recovery)) {
			continue
		}
		n, err := e.opts.Queue.Sweep(ctx)
		e.noteJob(JobRetry, n, err, e.opts.SweepEvery)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			e.noteError("sweep the queue", err)
			if !sleep(ctx, e.trouble(failures)) {
				return
			}
			failures++
		case n > 0:
			e.log.Info("delivery: alerts made claimable again", "alerts", n)
			fallthrough
		default:
			failures = 0
		}
		if n > 0 {
			e.Wake()
		}
	}
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
		if !sleep(ctx, e.trouble(n)) {
			return
		}
		e.Wake() // something may have been missed
	}
}

// cleanupDaily runs Cleanup once a day, the first time soon after the start.
func (e *Engine) cleanupDaily(ctx context.Context) {
	if e.opts.CleanupAge <= 0 {
		return
	}
	wait := time.Duration(e.opts.RandFunc(int64(cleanupFirst)))
	e.announceJob(JobCleanup, wait)
	for sleep(ctx, wait) {
		wait = cleanupEvery
		n, err := e.Cleanup(ctx)
		if err != nil {
			wait = cleanupFirst
		}
		e.noteJob(JobCleanup, n, err, wait)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			e.noteError("clean the queue up", err)
		case n > 0:
			e.log.Info("delivery: old alerts deleted", "alerts", n)
		}
	}
}

// Cleanup deletes delivered, discarded and cancelled alerts older than
// CleanupAge now, in batches with pauses between them, and returns how many.
// It deletes nothing when CleanupAge is 0.
func (e *Engine) Cleanup(ctx context.Context) (int, error) {
	total := 0
	for e.opts.CleanupAge > 0 {
		n, err := e.opts.Queue.Cleanup(ctx, e.opts.CleanupAge, cleanupBatch)
		total += n
		if err != nil || n == 0 {
			return total, err
		}
		if !sleep(ctx, cleanupPause) {
			return total, ctx.Err()
		}
	}
	return total, nil
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
		if !sleep(ctx, statsEvery) {
			return
		}
	}
}
