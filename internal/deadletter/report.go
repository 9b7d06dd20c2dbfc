package deadletter

import (
	"slices"
	"strings"
	"time"

	"chatops/internal/breaker"
	"chatops/internal/chatops"
)

// LaneStatus is what the engine does with a lane.
type LaneStatus string

// The states of a lane.
const (
	LaneIdle         LaneStatus = "idle"         // nothing is due
	LaneDelivering   LaneStatus = "delivering"   // a batch is in flight
	LaneWaiting      LaneStatus = "waiting"      // paused by a rate limit, resting, or served by another replica
	LaneBreakerOpen  LaneStatus = "breaker_open" // its integration's breaker is not closed
	LaneUnconfigured LaneStatus = "unconfigured" // this process has no sender for it
	LaneUnknown      LaneStatus = "unknown"      // no integration of the program delivers there
)

// LaneReport is a lane as it stands.
type LaneReport struct {
	Lane         string // holds no secret: shortened where the target is not one of ours
	Integration  string
	State        LaneStatus
	Workers      int
	BlockedUntil time.Time     // zero: not blocked
	FreshLag     time.Duration // how long the most overdue alert has been due; 0: none is
	RetryLag     time.Duration
}

// Report is the engine as it stands, for health checks and screens.
type Report struct {
	Running bool
	Lanes   []LaneReport // by name
	// Breakers of every integration that was asked for, by name.
	Breakers []breaker.Snapshot
	// Unconfigured lists integrations without a sender that alerts wait for,
	// Misconfigured those that reject our credentials or address.
	Unconfigured  []string
	Misconfigured []string
	// Digest is the newest mail about alerts that failed for good; without a name
	// when nobody is told of them.
	Digest chatops.JobReport
	// LastError is the newest trouble with the queue, redacted; empty: none
	// since the start.
	LastError   string
	LastErrorAt time.Time
}

// Report returns the engine's state as of its last look at the lanes. It does
// not touch the database.
func (e *Engine) Report() Report {
	r := Report{Running: e.running.Load(), Breakers: e.opts.Breakers.Snapshots()}
	now := e.now()
	e.mu.Lock()
	r.LastError, r.LastErrorAt = e.lastErr, e.lastErrT
	if e.opts.EscalationEmail != "" {
		r.Digest = e.digest
	}
	for _, l := range e.lanes {
		lr := l.report(now)
		r.Lanes = append(r.Lanes, lr)
		switch {
		case lr.State == LaneUnconfigured && (l.freshState.Lane != "" || l.retryState.Lane != ""):
			r.Unconfigured = append(r.Unconfigured, lr.Integration)
		case l.misconfigured.Load():
			r.Misconfigured = append(r.Misconfigured, lr.Integration)
		}
	}
	e.mu.Unlock()
	slices.SortFunc(r.Lanes, func(a, b LaneReport) int { return strings.Compare(a.Lane, b.Lane) })
	for _, names := range []*[]string{&r.Unconfigured, &r.Misconfigured} {
		slices.Sort(*names)
		*names = slices.Compact(*names)
	}
	return r
}

// report describes the lane. The engine's lock is held.
func (l *lane) report(now time.Time) LaneReport {
	r := LaneReport{
		Lane: l.label, Integration: l.integration, State: LaneIdle, Workers: l.workers,
		FreshLag: max(0, -l.freshState.DueIn), RetryLag: max(0, -l.retryState.DueIn),
	}
	if l.restUntil.After(now) && !l.restSoft {
		r.BlockedUntil = l.restUntil
	}
	if l.blocked.After(now) && l.blocked.After(r.BlockedUntil) {
		r.BlockedUntil = l.blocked
	}
	switch {
	case l.service == unconfigured:
		r.State = LaneUnconfigured
	case l.service == unknown:
		r.State, r.Integration = LaneUnknown, l.label
	case l.workers > 0:
		r.State = LaneDelivering
	case l.breaker.State() != breaker.Closed:
		r.State = LaneBreakerOpen
	case !r.BlockedUntil.IsZero():
		r.State = LaneWaiting
	}
	return r
}
