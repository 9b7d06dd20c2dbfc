package breaker

import (
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// State is what a breaker does with calls.
type State string

// The states.
const (
	Closed     State = "closed"      // calls go through
	Open       State = "open"        // calls are rejected until the retry time
	HalfOpen   State = "half_open"   // one probe goes through, other calls are rejected
	ForcedOpen State = "forced_open" // an operator tripped it; calls are rejected
)

// Defaults of Options.
const (
	DefaultFailMax      = 5
	DefaultResetTimeout = 60 * time.Second
	DefaultProbeTimeout = 60 * time.Second
)

// Options configure a breaker. The zero value is usable.
type Options struct {
	// FailMax is how many consecutive failures open the breaker; values below
	// 1 mean DefaultFailMax.
	FailMax int
	// ResetTimeout is how long it stays open before a probe; 0 or less means
	// DefaultResetTimeout.
	ResetTimeout time.Duration
	// MaxOpen bounds the open time, which doubles while the integration flaps;
	// 0 or less means ten times ResetTimeout, and ResetTimeout is the least.
	MaxOpen time.Duration
	// SlowCall is the duration from which a successful call counts as a
	// failure; 0 or less means never.
	SlowCall time.Duration
	// ProbeTimeout is how long a probe may stay unanswered before another one
	// is admitted; 0 or less means DefaultProbeTimeout. Give it more than the
	// timeout of one call.
	ProbeTimeout time.Duration
	// Fleet hands out the probes of a Set that runs; nil: its breakers admit
	// them by themselves. Holder is the name of this process there.
	Fleet  Fleet
	Holder string
	// NowFunc is the clock; nil means time.Now.
	NowFunc func() time.Time
	// ChangeFunc is told of every change of state, after it happened and
	// without a lock held, by the goroutine that caused it. Two changes that
	// follow each other at once may be told in either order.
	ChangeFunc func(Change)
}

// Change is one change of a breaker's state.
type Change struct {
	Name     string
	From, To State
	At       time.Time
	Reason   string        // why it is not closed; redacted
	OpenFor  time.Duration // of an opening: when a probe follows at the earliest
}

// The word of a breaker holds all that a closed breaker needs: whether it is
// closed, the consecutive failures and the generation. Every change of state
// starts a new generation; a permit answers only for the one it was given in.
const (
	closedBit = 1
	failShift = 1
	failBits  = 20
	failMask  = 1<<failBits - 1
	genShift  = failShift + failBits
)

// Breaker guards one integration. Its methods are safe for concurrent use.
type Breaker struct {
	word atomic.Uint64

	name string
	opts Options
	gate *gate // of a set with a fleet

	failures atomic.Uint64
	slow     atomic.Uint64
	rejected atomic.Uint64

	mu         sync.Mutex // held by every change of state; the fields below belong to it
	state      State
	failCount  int // while not closed
	reason     string
	openedAt   time.Time
	closedAt   time.Time     // of the last closing; zero: it has never been anything else
	openFor    time.Duration // of the last opening; 0: forgotten
	retryAt    time.Time     // when a probe may be admitted; zero: not before an operator says so
	probing    bool
	probeUntil time.Time
	probes     uint64
	opened     uint64
	claim      claim
}

// complete fills in the defaults.
func (o *Options) complete() {
	if o.FailMax < 1 {
		o.FailMax = DefaultFailMax
	}
	o.FailMax = min(o.FailMax, failMask)
	if o.ResetTimeout <= 0 {
		o.ResetTimeout = DefaultResetTimeout
	}
	if o.MaxOpen <= 0 {
		o.MaxOpen = growFactor * o.ResetTimeout
	}
	o.MaxOpen = max(o.MaxOpen, o.ResetTimeout)
	if o.ProbeTimeout <= 0 {
		o.ProbeTimeout = DefaultProbeTimeout
	}
	if o.NowFunc == nil {
		o.NowFunc = time.Now
	}
}

// New returns a closed breaker of its own, which asks no fleet. The name is
// that of the integration.
func New(name string, opts Options) *Breaker {
	opts.complete()
	b := &Breaker{name: name, opts: opts, state: Closed}
	b.word.Store(closedBit)
	return b
}

// Name returns the name of the integration.
func (b *Breaker) Name() string { return b.name }

// Allow asks whether a call may be made now. When it may, the caller answers
// the permit exactly once, with Success, Failure, Cancel or their variants. It
// never waits.
func (b *Breaker) Allow() (Permit, bool) {
	if w := b.word.Load(); w&closedBit != 0 {
		return Permit{b: b, gen: w >> genShift}, true
	}
	return b.allowProbe()
}

// allowProbe admits the one probe of a breaker that is due for it.
func (b *Breaker) allowProbe() (Permit, bool) {
	b.mu.Lock()
	w := b.word.Load()
	if w&closedBit != 0 { // closed meanwhile
		b.mu.Unlock()
		return Permit{b: b, gen: w >> genShift}, true
	}
	now := b.opts.NowFunc()
	if !b.ready(now) {
		b.mu.Unlock()
		b.rejected.Add(1)
		return Permit{}, false
	}
	c := b.change(HalfOpen, now)
	b.probing, b.probeUntil = true, now.Add(b.opts.ProbeTimeout)
	b.probes++
	gen := b.become(HalfOpen)
	b.mu.Unlock()
	b.tell(c)
	return Permit{b: b, gen: gen}, true
}

// due reports whether the time of a breaker that is not closed has come: it is
// over, or its probe is given up.
func (b *Breaker) due(now time.Time) bool {
	if b.probing {
		return !now.Before(b.probeUntil)
	}
	return !b.retryAt.IsZero() && !now.Before(b.retryAt)
}

// ready reports whether a breaker that is not closed would admit a probe.
func (b *Breaker) ready(now time.Time) bool {
	return b.due(now) && (!b.gate.running() || b.claim.granted(now))
}

// become starts a new generation in a state and returns it. The lock is held.
func (b *Breaker) become(s State) uint64 {
	b.state = s
	b.gate.look()
	for {
		w := b.word.Load()
		gen := w>>genShift + 1
		next := gen << genShift
		if s == Closed {
			next |= closedBit
		}
		if b.word.CompareAndSwap(w, next) {
			return gen
		}
	}
}

// open rejects calls until the open time has passed. The lock is held.
func (b *Breaker) open(now time.Time, failCount int, reason string) {
	if b.state == Closed {
		b.forget(now)
	}
	b.grow()
	if b.reason = clip(reason); reason == "" {
		b.reason = strconv.Itoa(failCount) + " failures in a row"
	}
	b.failCount, b.openedAt, b.retryAt = failCount, now, now.Add(b.openFor)
	b.probing = false
	b.opened++
	b.claim.giveBack(now, b.openFor)
	b.claim.askAt = b.retryAt
	if b.state == HalfOpen {
		b.claim.askAt = b.retryAt.Add(b.gate.courtesy())
	}
	b.become(Open)
}

// close lets calls through again. The lock is held.
func (b *Breaker) close(now time.Time) {
	b.failCount, b.openedAt, b.retryAt, b.reason = 0, time.Time{}, time.Time{}, ""
	b.closedAt = now
	b.probing = false
	b.claim.giveBack(now, 0)
	b.become(Closed)
}

// change describes a change that is about to happen. The lock is held.
func (b *Breaker) change(to State, now time.Time) Change {
	return Change{Name: b.name, From: b.state, To: to, At: now}
}

// told completes a change that has happened. The lock is held.
func (b *Breaker) told(c Change) Change {
	c.Reason = b.reason
	if c.To == Open {
		c.OpenFor = b.openFor
	}
	return c
}

func (b *Breaker) tell(c Change) {
	if b.opts.ChangeFunc != nil && c.From != c.To {
		b.opts.ChangeFunc(c)
	}
}

// maxReason bounds a reason, in bytes: it is shown in lists and stored with
// every heartbeat.
const maxReason = 300

// clip cuts a reason that is too long, between two characters.
func clip(reason string) string {
	if len(reason) <= maxReason {
		return reason
	}
	end := maxReason
	for end > 0 && reason[end]&0xC0 == 0x80 {
		end--
	}
	return reason[:end] + "..."
}
