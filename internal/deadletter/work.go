package deadletter

import (
	"context"
	"time"

	"chatops/internal/chatops"
)

// maxFreshRun is how many batches of fresh alerts go first while retries wait,
// so that a flood of new alerts does not starve them.
const maxFreshRun = 8

// work serves a lane batch after batch until nothing of it may be claimed.
func (e *Engine) work(lf *life, l *lane) {
	claimed, failed := 0, false
	freshRun := 0
	var batch *chatops.Batch
	for goOn := true; goOn; {
		if batch == nil || len(batch.Alerts) == 0 {
			req := e.nextRequest(lf, l, &freshRun)
			if req == nil {
				break
			}
			var err error
			if batch, err = e.opts.Queue.Claim(lf.claims, *req); err != nil {
				if failed = lf.claims.Err() == nil; failed {
					e.noteError("claim alerts", err)
				}
				break
			}
			e.noteClaim(l, batch)
			if len(batch.Alerts) == 0 {
				continue
			}
		}
		claimed += len(batch.Alerts)
		if l.service == served && (!batch.Request.Fresh || !e.parks(l)) {
			batch, goOn = e.deliver(lf, l, batch, &freshRun)
		} else {
			batch, goOn = e.turnAway(lf, l, batch, &freshRun)
		}
	}
	e.leave(l, claimed, failed)
}

// leave ends a worker. A lane that failed, or showed due alerts and gave none,
// rests for a moment so that nobody spins.
func (e *Engine) leave(l *lane, claimed int, failed bool) {
	e.mu.Lock()
	l.workers--
	e.active--
	if claimed > 0 {
		l.barren = 0
	} else {
		switch d := min(10*time.Millisecond<<min(l.barren, 7), time.Second); {
		case failed:
			l.rest(e.now().Add(e.trouble(l.barren)), false, 0)
		case e.now().Add(d).After(l.restUntil):
			l.rest(e.now().Add(d), true, e.wakes.Load())
		}
		l.barren++
	}
	e.mu.Unlock()
	e.look()
}

// nextRequest says what the lane should claim next: fresh alerts first. Nil
// when nothing is due as far as is known, or nothing may be claimed.
func (e *Engine) nextRequest(lf *life, l *lane, freshRun *int) *chatops.ClaimRequest {
	limit := e.opts.BatchMax
	parks := e.parks(l)
	if l.service == served && !parks {
		limit = min(l.batchSize(e.opts.BatchMax), l.ramp.batch(e.now()))
		probes, _ := l.probes()
		if probes >= 0 {
			limit = min(limit, probes)
		}
	}
	if lf.claims.Err() != nil || limit == 0 || e.rests(l) {
		return nil
	}
	wakes := e.wakes.Load()
	pending := l.pendingDue.Load() && l.service != unconfigured && !parks
	fresh := l.freshDue.Load() || l.seenWakes.Load() != wakes
	switch {
	case fresh && (!pending || *freshRun < maxFreshRun):
		l.freshDue.Store(false)
		l.seenWakes.Store(wakes)
		*freshRun++
	case pending:
		fresh = false
		l.pendingDue.Store(false)
		*freshRun = 0
	default:
		return nil
	}
	return &chatops.ClaimRequest{
		Lane: l.name, Fresh: fresh, Limit: limit,
		Owner: e.opts.Replica, Lease: e.opts.Lease, Exclusive: l.policy.Serial,
	}
}

// rests reports whether the lane has been told to rest, hard, by any worker.
func (e *Engine) rests(l *lane) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !l.restSoft && l.restUntil.After(e.now())
}

// noteClaim remembers that a class has more when a batch came full, and lets
// another worker join in.
func (e *Engine) noteClaim(l *lane, b *chatops.Batch) {
	if len(b.Alerts) == 0 || len(b.Alerts) < b.Request.Limit {
		return
	}
	if b.Request.Fresh {
		l.freshDue.Store(true)
	} else {
		l.pendingDue.Store(true)
	}
	if e.opts.Workers > 1 && !l.policy.Serial {
		e.mu.Lock()
		alone := l.workers-l.tailing < e.opts.Workers
		e.mu.Unlock()
		if alone {
			e.look()
		}
	}
}

// record stores outcomes, again and again while the database is away: an
// outcome that is lost is an alert sent twice. It returns the next batch when
// one was asked for, and false when the lease was lost or the outcomes had to
// be given up.
func (e *Engine) record(lf *life, l *lane, rec chatops.Record, leaseEnd func() time.Time) (*chatops.Batch, bool) {
	for n := 0; ; n++ {
		ctx, cancel := context.WithTimeout(lf.records, recordTimeout)
		next, err := e.opts.Queue.Record(ctx, rec)
		cancel()
		switch code := chatops.ErrorCode(err); {
		case err == nil:
			if next != nil {
				e.noteClaim(l, next)
			}
			return next, true
		case code == chatops.CodeConflict:
			e.met.lostLeases.Inc()
			e.log.Warn("delivery: lease lost, another process takes over",
				"lane", l.label, "lease", rec.Batch.LeaseID, "outcomes_dropped", len(rec.Outcomes))
			return nil, false
		case code != chatops.CodeUnavailable && e.now().After(leaseEnd()):
			e.noteError("record outcomes, given up with the lease", err)
			return nil, false
		}
		e.noteError("record outcomes", err)
		if n == 0 {
			e.unstored.Add(1)
			defer e.unstored.Add(-1)
		}
		if rec.Next != nil && lf.claims.Err() != nil {
			rec.Next = nil
		}
		if !chatops.Sleep(lf.records, e.trouble(n)) {
			e.noteError("record outcomes, given up at the end", err)
			return nil, false
		}
	}
}

// recordTimeout bounds one call; the store's own limits are tighter.
const recordTimeout = 15 * time.Second

// turnAway settles alerts that cannot be delivered here: those of an
// integration that is not configured or whose breaker is open are parked, those
// of no integration at all fail.
func (e *Engine) turnAway(lf *life, l *lane, b *chatops.Batch, freshRun *int) (*chatops.Batch, bool) {
	leaseEnd := e.now().Add(b.Request.Lease)
	rec := chatops.Record{Batch: b, Done: true, Outcomes: make([]chatops.Outcome, len(b.Alerts))}
	o := chatops.Outcome{Kind: chatops.OutcomeParked, Error: "integration " + Redact(l.integration) + " is not configured: waiting until it is"}
	switch l.service {
	case unconfigured:
	case served:
		o.Error = l.openText()
	case unknown:
		o.Kind = chatops.OutcomeFailed
		o.Error = "no integration delivers to targets of the kind " + l.label
		o.Fingerprint = Fingerprint(l.label, "unknown_target", o.Error)
	}
	for i := range b.Alerts {
		o.AlertID = b.Alerts[i].ID
		rec.Outcomes[i] = o
		if o.Kind == chatops.OutcomeFailed {
			rec.Enqueue = e.escalate(rec.Enqueue, &b.Alerts[i], l.label, &o)
		}
	}
	rec.Next = e.nextRequest(lf, l, freshRun)
	next, ok := e.record(lf, l, rec, func() time.Time { return leaseEnd })
	if !ok {
		return nil, false
	}
	e.log.Warn("delivery: alerts cannot be sent here", "lane", l.label, "alerts", len(b.Alerts), "reason", o.Error)
	if len(rec.Enqueue) > 0 {
		e.Wake()
	}
	return next, true
}
