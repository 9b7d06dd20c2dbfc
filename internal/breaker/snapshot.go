package breaker

import (
	"time"

	"chatops/internal/chatops"
)

// Snapshot is a breaker as it stands at one moment.
type Snapshot struct {
	Name         string
	State        State
	FailCount    int // consecutive failures
	FailMax      int
	ResetTimeout time.Duration
	OpenFor      time.Duration // of the present opening; 0 while closed, and while tripped from closed
	OpenedAt     time.Time     // zero while closed
	// RetryAt is when a probe may be admitted: zero while closed, and while
	// tripped without an end.
	RetryAt time.Time
	// Ready: a call would be admitted as the probe now. A half-open breaker is
	// not while a probe is out or the fleet has not granted one yet.
	Ready   bool
	Probing bool   // a probe is out and not answered yet
	Reason  string // why it is not closed; empty while closed

	// Counts since the process started.
	Failures uint64 // answers that were failures
	Slow     uint64 // of these, answers that came too late
	Rejected uint64 // calls that were not allowed
	Opened   uint64 // times the breaker opened or was tripped
	Probes   uint64 // probes that were admitted
}

// Snapshot returns the state now. A breaker whose time to retry has come is
// half open, even before the first call comes along.
func (b *Breaker) Snapshot() Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.opts.NowFunc()
	s := Snapshot{
		Name: b.name, State: b.shown(now), FailCount: b.failCount,
		FailMax: b.opts.FailMax, ResetTimeout: b.opts.ResetTimeout,
		OpenedAt: b.openedAt, RetryAt: b.retryAt, Reason: b.reason,
		Failures: b.failures.Load(), Slow: b.slow.Load(), Rejected: b.rejected.Load(),
		Opened: b.opened, Probes: b.probes,
	}
	if s.State == Closed {
		s.FailCount = int(b.word.Load() >> failShift & failMask)
		return s
	}
	s.OpenFor, s.Ready = b.openFor, b.ready(now)
	s.Probing = b.probing && !b.due(now)
	return s
}

// shown is the state as others see it. The lock is held.
func (b *Breaker) shown(now time.Time) State {
	switch {
	case b.state == Closed, b.state == ForcedOpen && !b.due(now):
		return b.state
	case b.probing, b.due(now):
		return HalfOpen
	}
	return Open
}

// State returns the state now, as Snapshot does, without a lock while the
// breaker is closed.
func (b *Breaker) State() State {
	if b.word.Load()&closedBit != 0 {
		return Closed
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.shown(b.opts.NowFunc())
}

// Report returns the breaker for the heartbeat of this process.
func (s *Snapshot) Report() chatops.BreakerReport {
	timeout := s.ResetTimeout
	if s.OpenFor > 0 {
		timeout = s.OpenFor
	}
	return chatops.BreakerReport{
		Name: s.Name, State: string(s.State), FailCount: s.FailCount, FailMax: s.FailMax,
		ResetTimeoutSeconds: timeout.Seconds(), OpenedAt: s.OpenedAt, RetryAt: s.RetryAt, Reason: s.Reason,
	}
}
