package breaker

import "time"

// growFactor is what DefaultMaxOpen is in times of ResetTimeout.
const growFactor = 10

// The open time of a breaker follows one rule. The first opening lasts
// ResetTimeout. Each further one lasts twice as long as the one before, up to
// MaxOpen, when the integration has not recovered in between: the probe failed,
// or the breaker was closed for less time than it had been kept open before. A
// breaker that was closed for at least as long as it was last kept open has
// recovered, forgets, and starts over with ResetTimeout; so does one that an
// operator resets.

// forget drops the open time when the breaker has been closed for as long
// as that. It is called when a closed breaker opens. The lock is held.
func (b *Breaker) forget(now time.Time) {
	if now.Sub(b.closedAt) >= b.openFor {
		b.openFor = 0
	}
}

// grow sets the time of a new opening. The lock is held.
func (b *Breaker) grow() {
	if b.openFor == 0 {
		b.openFor = b.opts.ResetTimeout
		return
	}
	b.openFor = min(2*b.openFor, b.opts.MaxOpen)
}
