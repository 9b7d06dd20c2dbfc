package breaker

import "time"

// Trip keeps the breaker open until the given time, after which a probe is
// admitted; the zero time means until Reset or Auto. No answer of the
// integration ends it. A time that has passed already changes nothing. The
// reason is shown while it lasts.
func (b *Breaker) Trip(until time.Time, reason string) {
	b.mu.Lock()
	now := b.opts.NowFunc()
	if !until.IsZero() && !until.After(now) {
		b.mu.Unlock()
		return
	}
	c := b.change(ForcedOpen, now)
	if b.state == Closed {
		b.forget(now)
		b.failCount = int(b.word.Load() >> failShift & failMask)
		b.openedAt = now
	}
	if b.state != ForcedOpen {
		b.opened++
	}
	if b.reason = clip(reason); reason == "" {
		b.reason = "tripped by an operator"
	}
	b.probing, b.retryAt = false, until
	b.claim.giveBack(now, 0)
	b.claim.askAt = until
	b.become(ForcedOpen)
	c = b.told(c)
	b.mu.Unlock()
	b.tell(c)
}

// Reset closes the breaker and forgets its failures and its open time, whatever
// state it is in.
func (b *Breaker) Reset() {
	b.mu.Lock()
	now := b.opts.NowFunc()
	c := b.change(Closed, now)
	b.close(now)
	b.openFor = 0
	b.mu.Unlock()
	b.tell(c)
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
	c := b.change(HalfOpen, now)
	b.retryAt, b.claim.askAt = now, now
	b.reason = "given back by an operator: the next call decides"
	b.become(HalfOpen)
	c = b.told(c)
	b.mu.Unlock()
	b.tell(c)
}
