package breaker

import "time"

// claim is what a breaker of a running set has to do with the fleet. It belongs
// to the breaker's lock.
type claim struct {
	askAt time.Time // when to ask for a probe; zero: not before an operator says so
	until time.Time // a granted probe may begin before then
	busy  bool      // an errand is under way

	// The fleet has given the probe to this process, or may have done so, until
	// heldTo at most.
	held   bool
	heldTo time.Time

	// The probe is to be given back, from owedAt on, with a pause until pauseTo.
	owed            bool
	owedAt, pauseTo time.Time
}

// granted reports whether a probe may begin now.
func (c *claim) granted(now time.Time) bool { return now.Before(c.until) }

// giveBack ends the claim: the next probe of the fleet may follow after the
// pause.
func (c *claim) giveBack(now time.Time, pause time.Duration) {
	c.until = time.Time{}
	if c.held {
		c.held, c.owed, c.owedAt, c.pauseTo = false, true, now, now.Add(pause)
	}
}

// stale reports whether what is owed to the fleet no longer matters to it.
func (c *claim) stale(now time.Time) bool {
	return c.owed && now.After(c.heldTo) && now.After(c.pauseTo)
}

// nextErrand returns when the breaker has something to do with the fleet; false:
// not until it changes.
func (b *Breaker) nextErrand() (time.Time, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := &b.claim
	var at time.Time
	switch {
	case c.busy:
		return at, false
	case b.state == Closed:
	case c.held:
		at = b.afterProbe(c.until)
	default:
		at = b.afterProbe(c.askAt)
	}
	if c.owed && (at.IsZero() || c.owedAt.Before(at)) {
		at = c.owedAt
	}
	return at, !at.IsZero()
}

// afterProbe returns the time, or that at which a probe under way is given up
// when it is later. The zero time stays what it is. The lock is held.
func (b *Breaker) afterProbe(t time.Time) time.Time {
	if b.probing && !t.IsZero() && b.probeUntil.After(t) {
		return b.probeUntil
	}
	return t
}

// errand is what a breaker wants of the fleet.
type errand struct {
	giveBack bool
	pause    time.Duration
	ask      bool
	gen      uint64 // that asks
}

// begin says what is to be done now, and marks the breaker as busy with it.
func (b *Breaker) begin(now time.Time) errand {
	b.mu.Lock()
	c := &b.claim
	var e errand
	b.dropUnused(now)
	if c.stale(now) {
		c.owed = false
	}
	if c.owed && !now.Before(c.owedAt) {
		e.giveBack, e.pause = true, max(0, c.pauseTo.Sub(now))
	}
	told := b.change(b.state, now)
	if b.wants(now) {
		if b.state == ForcedOpen { // the trip has run out
			told.To = Open
			b.become(Open)
			told = b.told(told)
		}
		e.ask, e.gen = true, b.word.Load()>>genShift
	}
	c.busy = e.ask || e.giveBack
	b.mu.Unlock()
	b.tell(told)
	return e
}

// wants reports whether it is time to ask for a probe. The lock is held.
func (b *Breaker) wants(now time.Time) bool {
	c := &b.claim
	at := b.afterProbe(c.askAt)
	return b.state != Closed && !c.held && !at.IsZero() && !now.Before(at)
}

// dropUnused gives a grant up that nobody has used, or whose probe was never
// answered, so that it is another replica's turn. The lock is held.
func (b *Breaker) dropUnused(now time.Time) {
	c := &b.claim
	if b.state != Closed && c.held && !now.Before(b.afterProbe(c.until)) {
		c.giveBack(now, 0)
		c.askAt = now.Add(b.gate.courtesy())
	}
}

// gaveBack notes whether the fleet has heard of what was owed to it.
func (b *Breaker) gaveBack(now time.Time, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.claim.owedAt = now.Add(b.gate.askEvery)
		return
	}
	b.claim.owed = false
}

// done ends an errand.
func (b *Breaker) done() {
	b.mu.Lock()
	b.claim.busy = false
	b.mu.Unlock()
	b.gate.look()
}

// answered takes in what the fleet said to an errand that asked at a certain
// time. A database that does not answer leaves the breaker to itself; it may
// have given us the probe all the same.
func (b *Breaker) answered(e errand, asked time.Time, wait time.Duration, err error) {
	b.mu.Lock()
	c := &b.claim
	now := b.opts.NowFunc()
	current := b.word.Load()>>genShift == e.gen
	c.owed = false // the claim stands in place of what went before
	if err == nil && wait > 0 {
		if current {
			b.probing, b.retryAt = false, now.Add(wait)
			c.askAt = now.Add(b.gate.poll(wait))
		}
		b.mu.Unlock()
		return
	}
	c.held, c.heldTo = true, now.Add(b.gate.hold())
	if !current { // an operator was quicker
		c.giveBack(now, 0)
		b.mu.Unlock()
		return
	}
	if err == nil {
		c.until = asked.Add(useWithin)
	} else {
		c.until = now.Add(useWithin)
	}
	if !b.probing {
		b.retryAt = now
	}
	s := b.state
	b.mu.Unlock()
	b.gate.granted(Change{Name: b.name, From: s, To: s, At: now})
}
