package breaker

import "time"

// Trip keeps the breaker open until the given time, after which a probe is
// admitted; the zero time means until Reset or Auto. A time that has passed
// already changes nothing.
func (b *Breaker) Trip(until time.Time) {
	b.mu.Lock()
	now := b.opts.NowFunc()
	if !until.IsZero() && !until.After(now) {
		b.mu.Unlock()
		return
	}
	from := b.state
	if from == Closed {
		b.failCount = int(b.word.Load() >> failShift & failMask)
		b.openedAt = now
	}
	if from != ForcedOpen {
		b.opened++
	}
	b.probing, b.retryAt = false, until
	b.become(ForcedOpen)
	b.mu.Unlock()
	b.tell(from, ForcedOpen, now)
}

// Reset closes the breaker and forgets its failures, whatever state it is in.
func (b *Breaker) Reset() {
	b.mu.Lock()
	from, now := b.state, b.opts.NowFunc()
	b.close()
	b.mu.Unlock()
	b.tell(from, Closed, now)
}

// Auto gives a tripped breaker back to its own judgement: the next call is its
// probe. A breaker that is not tripped stays as it is.
func (b *Breaker) Auto() {
	b.mu.Lock()
	if b.state != ForcedOpen {
		b.mu.Unlock()
		return
	}
	now := b.opts.NowFunc()
	b.retryAt = now
	b.become(HalfOpen)
	b.mu.Unlock()
	b.tell(ForcedOpen, HalfOpen, now)
}

// Snapshot is a breaker as it stands at one moment.
type Snapshot struct {
	Name         string
	State        State
	FailCount    int // consecutive failures
	FailMax      int
	ResetTimeout time.Duration
	OpenedAt     time.Time // zero while closed
	// RetryAt is when a probe is admitted: zero while closed, and while
	// tripped without an end.
	RetryAt time.Time
	Probing bool // a probe is out and not answered yet

	// Counts since the process started.
	Failures uint64 // answers that were failures
	Rejected uint64 // calls that were not allowed
	Opened   uint64 // times the breaker opened or was tripped
}

// Snapshot returns the state now. A breaker whose time to retry has come is
// half open, even before the first call comes along.
func (b *Breaker) Snapshot() Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := Snapshot{
		Name: b.name, State: b.state, FailCount: b.failCount,
		FailMax: b.opts.FailMax, ResetTimeout: b.opts.ResetTimeout,
		OpenedAt: b.openedAt, RetryAt: b.retryAt,
		Failures: b.failures.Load(), Rejected: b.rejected.Load(), Opened: b.opened,
	}
	if s.State == Closed {
		s.FailCount = int(b.word.Load() >> failShift & failMask)
		return s
	}
	due := b.probeDue(b.opts.NowFunc())
	s.Probing = b.probing && !due
	if due {
		s.State = HalfOpen
	}
	return s
}

// State returns the state now, as Snapshot does, without a lock while the
// breaker is closed.
func (b *Breaker) State() State {
	if b.word.Load()&closedBit != 0 {
		return Closed
	}
	return b.Snapshot().State
}
