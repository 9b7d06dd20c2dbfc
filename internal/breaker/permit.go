package breaker

import "time"

// Permit is the leave to make one call. Answer it exactly once; the answer to a
// permit of an earlier generation is ignored. The zero Permit ignores answers.
type Permit struct {
	b   *Breaker
	gen uint64
}

// Success says that the integration answered. It ends a row of failures, and
// closes the breaker when the call was its probe.
func (p Permit) Success() {
	b := p.b
	if b == nil {
		return
	}
	for {
		w := b.word.Load()
		switch {
		case w>>genShift != p.gen:
			return
		case w&closedBit == 0:
			p.answerProbe(true, "")
			return
		case w>>failShift&failMask == 0:
			return
		case b.word.CompareAndSwap(w, p.gen<<genShift|closedBit):
			return
		}
	}
}

// SuccessIn says that the integration answered, after so long. A slow answer
// (Options.SlowCall) counts as a failure.
func (p Permit) SuccessIn(d time.Duration) {
	if p.b == nil || p.b.opts.SlowCall <= 0 || d < p.b.opts.SlowCall {
		p.Success()
		return
	}
	p.b.slow.Add(1)
	p.FailureBecause("slow: answered after " + d.Round(100*time.Millisecond).String())
}

// Failure says that the integration was in trouble: no connection, a timeout,
// a 5xx answer. The last of FailMax in a row opens the breaker, and so does a
// failed probe.
func (p Permit) Failure() { p.FailureBecause("") }

// FailureBecause is Failure with its reason, which is shown to operators while
// the breaker is open: a redacted text.
func (p Permit) FailureBecause(reason string) {
	b := p.b
	if b == nil {
		return
	}
	b.failures.Add(1)
	for {
		w := b.word.Load()
		if w>>genShift != p.gen {
			return
		}
		if w&closedBit == 0 {
			p.answerProbe(false, reason)
			return
		}
		fails := int(w>>failShift&failMask) + 1
		if fails >= b.opts.FailMax {
			p.trip(fails, reason)
			return
		}
		if b.word.CompareAndSwap(w, p.gen<<genShift|uint64(fails)<<failShift|closedBit) {
			return
		}
	}
}

// Cancel says that the call tells nothing about the integration: it was not
// made, or was given up by our own side. A cancelled probe may be repeated at
// once.
func (p Permit) Cancel() {
	b := p.b
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	w := b.word.Load()
	if w>>genShift != p.gen || w&closedBit != 0 {
		return
	}
	b.probing, b.retryAt = false, b.opts.NowFunc()
	b.become(HalfOpen)
}

// trip opens a closed breaker unless another answer has changed it already.
func (p Permit) trip(fails int, reason string) {
	b := p.b
	b.mu.Lock()
	if b.word.Load()>>genShift != p.gen {
		b.mu.Unlock()
		return
	}
	now := b.opts.NowFunc()
	c := b.change(Open, now)
	b.open(now, fails, reason)
	c = b.told(c)
	b.mu.Unlock()
	b.tell(c)
}

// answerProbe closes or opens the breaker, unless the probe was given up.
func (p Permit) answerProbe(ok bool, reason string) {
	b := p.b
	b.mu.Lock()
	if b.word.Load()>>genShift != p.gen || b.state != HalfOpen {
		b.mu.Unlock()
		return
	}
	now := b.opts.NowFunc()
	c := b.change(Closed, now)
	if ok {
		b.close(now)
	} else {
		c.To = Open
		b.open(now, b.failCount+1, reason)
	}
	c = b.told(c)
	b.mu.Unlock()
	b.tell(c)
}
