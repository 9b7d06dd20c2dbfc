package deadletter

import (
	"time"

	"chatops/internal/chatops"
)

const (
	// lookGap is the least time between two looks at the lanes: a burst of
	// wake-ups costs one look.
	lookGap = 2 * time.Millisecond
	// maxWorkers bounds the goroutines that unforeseen lanes can cause.
	maxWorkers = 64
	// soon is how long a lane may be blocked and still count as busy.
	soon = 5 * time.Second
)

// coordinate looks at the lanes whenever it is told to, when something falls
// due, and every SweepEvery, and starts workers for what may be claimed.
func (e *Engine) coordinate(l *life) {
	failures := 0
	for {
		wait, err := e.plan(l)
		switch {
		case l.claims.Err() != nil:
			return
		case err != nil:
			e.healthySince.Store(0)
			e.noteError("look at the lanes", err)
			if !chatops.Sleep(l.claims, e.trouble(failures)) {
				return
			}
			failures++
			continue
		}
		failures = 0
		e.healthySince.CompareAndSwap(0, e.now().UnixNano())
		if !chatops.Sleep(l.claims, lookGap) {
			return
		}
		t := time.NewTimer(min(max(wait-lookGap, 0), e.opts.SweepEvery))
		select {
		case <-l.claims.Done():
			t.Stop()
			return
		case <-e.poke:
		case <-t.C:
		}
		t.Stop()
	}
}

// plan asks for the lanes' state, starts what may start and returns how long
// to wait for the next thing that falls due.
func (e *Engine) plan(lf *life) (time.Duration, error) {
	e.mu.Lock()
	e.looks++
	look := e.looks
	// A worker that ends while the states are read has shown them its lease.
	busy := e.active > 0
	e.mu.Unlock()
	states, err := e.opts.Queue.Lanes(lf.claims)
	if err != nil {
		return 0, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range e.lanes {
		l.freshState, l.retryState, l.blocked = chatops.LaneState{}, chatops.LaneState{}, time.Time{}
	}
	seen := make([]*lane, 0, len(states))
	for _, s := range states {
		if e.opts.FreshOnly && !s.Fresh {
			continue
		}
		l := e.laneOf(s.Lane)
		if l.freshState.Lane == "" && l.retryState.Lane == "" {
			seen = append(seen, l)
		}
		if s.Fresh {
			l.freshState = s
		} else {
			l.retryState = s
		}
	}
	wait := e.opts.SweepEvery
	busy = busy || e.active > 0
	for _, l := range seen {
		w, working := e.consider(lf, l)
		wait = min(wait, w)
		busy = busy || working
	}
	e.forget(seen)
	if !busy {
		e.releaseIdle(look)
	}
	return wait, nil
}

// consider starts a worker for a lane when one may claim now. It returns when
// to look again, and whether the lane is being worked on or will be in a moment.
func (e *Engine) consider(lf *life, l *lane) (time.Duration, bool) {
	now := e.now()
	fresh, retry := l.freshState, l.retryState
	if l.service == unconfigured {
		if e.opts.LeaveUnconfigured {
			return e.opts.SweepEvery, false
		}
		retry = chatops.LaneState{} // parked alerts stay where they are
	}
	if l.workers == 0 {
		l.freshDue.Store(false)
		l.pendingDue.Store(false)
	}
	wait := e.opts.SweepEvery
	due, claimable := false, false
	for _, s := range []chatops.LaneState{fresh, retry} {
		if s.Lane == "" {
			continue
		}
		if s.BlockedFor > 0 {
			l.blocked = now.Add(s.BlockedFor)
		}
		switch w := max(s.DueIn, s.BlockedFor); {
		case w > 0:
			wait = min(wait, w)
			due = due || s.DueIn <= 0 && w < soon
		case s.Fresh:
			l.freshDue.Store(true)
			claimable = true
		default:
			l.pendingDue.Store(true)
			claimable = true
		}
	}
	if !claimable {
		return wait, due
	}
	mayPark := l.freshDue.Load() && e.parks(l) && !e.resting(l, now)
	if hold := e.heldFor(l, now); hold > 0 && !mayPark {
		return min(wait, hold), due || l.service == served && l.restSoft && hold < soon
	}
	if !e.mayStart(l) {
		return wait, true
	}
	l.workers++
	e.active++
	lf.workers.Go(func() { e.work(lf, l) })
	return wait, true
}

// heldFor is how long this process must leave the lane alone: it rests, or its
// breaker is open. The lock is held.
func (e *Engine) heldFor(l *lane, now time.Time) time.Duration {
	if e.resting(l, now) {
		return l.restUntil.Sub(now)
	}
	if l.service != served {
		return 0
	}
	limit, retryAt := l.probes()
	switch {
	case limit < 0, limit == 1 && e.integrationIdle(l.integration):
		return 0
	case retryAt.After(now):
		return retryAt.Sub(now)
	}
	return e.opts.SweepEvery
}

// resting reports whether the lane was told to wait, and no wake-up has ended
// that. The lock is held.
func (e *Engine) resting(l *lane, now time.Time) bool {
	return l.restUntil.After(now) && (!l.restSoft || l.restWakes == e.wakes.Load())
}

// integrationIdle reports whether no lane of the integration has a worker: a
// half-open breaker wants one probe, not one per lane. The lock is held.
func (e *Engine) integrationIdle(integration string) bool {
	for _, l := range e.lanes {
		if l.integration == integration && l.workers > 0 {
			return false
		}
	}
	return true
}

// mayStart reports whether another worker may be started. The lock is held.
func (e *Engine) mayStart(l *lane) bool {
	switch {
	case e.active >= maxWorkers:
		return false
	case l.service != served || l.policy.Serial:
		return l.workers == 0
	}
	// One that finds every slot taken would only keep alerts from others.
	return l.workers == 0 || len(l.slots) < cap(l.slots) &&
		l.workers-l.tailing < e.opts.Workers && l.workers < e.opts.Workers+l.policy.Parallel
}

// forget drops lanes that nothing waits in and nobody serves, so that made-up
// targets do not pile up. The lock is held.
func (e *Engine) forget(seen []*lane) {
	if len(e.lanes) <= len(seen)+maxWorkers {
		return
	}
	for name, l := range e.lanes {
		if l.service != served && l.workers == 0 && l.freshState.Lane == "" && l.retryState.Lane == "" {
			delete(e.lanes, name)
		}
	}
}
