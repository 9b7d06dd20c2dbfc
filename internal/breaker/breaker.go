package breaker

import (
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
	DefaultProbeTimeout = 30 * time.Second
)

// Options configure a breaker. The zero value is usable.
type Options struct {
	// FailMax is how many consecutive failures open the breaker; values below
	// 1 mean DefaultFailMax.
	FailMax int
	// ResetTimeout is how long it stays open before a probe; 0 or less means
	// DefaultResetTimeout.
	ResetTimeout time.Duration
	// ProbeTimeout is how long a probe may stay unanswered before another one
	// is admitted; 0 or less means DefaultProbeTimeout. Give it more than the
	// timeout of one call.
	ProbeTimeout time.Duration
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

	failures atomic.Uint64
	rejected atomic.Uint64

	mu         sync.Mutex // held by every change of state; the fields below belong to it
	state      State
	failCount  int // while not closed
	openedAt   time.Time
	retryAt    time.Time // when a probe is admitted; zero: not before an operator says so
	probing    bool
	probeUntil time.Time
	opened     uint64
}

// New returns a closed breaker. The name is that of the integration.
func New(name string, opts Options) *Breaker {
	if opts.FailMax < 1 {
		opts.FailMax = DefaultFailMax
	}
	opts.FailMax = min(opts.FailMax, failMask)
	if opts.ResetTimeout <= 0 {
		opts.ResetTimeout = DefaultResetTimeout
	}
	if opts.ProbeTimeout <= 0 {
		opts.ProbeTimeout = DefaultProbeTimeout
	}
	if opts.NowFunc == nil {
		opts.NowFunc = time.Now
	}
	b := &Breaker{name: name, opts: opts, state: Closed}
	b.word.Store(closedBit)
	return b
}

// Name returns the name of the integration.
func (b *Breaker) Name() string { return b.name }

// Allow asks whether a call may be made now. When it may, the caller answers
// the permit exactly once, with Success, Failure or Cancel.
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
	if !b.probeDue(now) {
		b.mu.Unlock()
		b.rejected.Add(1)
		return Permit{}, false
	}
	from := b.state
	b.probing, b.probeUntil = true, now.Add(b.opts.ProbeTimeout)
	gen := b.become(HalfOpen)
	b.mu.Unlock()
	b.tell(from, HalfOpen, now)
	return Permit{b: b, gen: gen}, true
}

// probeDue reports whether a breaker that is not closed would admit a probe.
func (b *Breaker) probeDue(now time.Time) bool {
	if b.probing {
		return !now.Before(b.probeUntil)
	}
	return !b.retryAt.IsZero() && !now.Before(b.retryAt)
}

// become starts a new generation in a state and returns it. The lock is held.
func (b *Breaker) become(s State) uint64 {
	b.state = s
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

// open rejects calls until the reset timeout has passed. The lock is held.
func (b *Breaker) open(now time.Time, failCount int) {
	b.failCount, b.openedAt, b.retryAt = failCount, now, now.Add(b.opts.ResetTimeout)
	b.probing = false
	b.opened++
	b.become(Open)
}

// close lets calls through again. The lock is held.
func (b *Breaker) close() {
	b.failCount, b.openedAt, b.retryAt = 0, time.Time{}, time.Time{}
	b.probing = false
	b.become(Closed)
}

func (b *Breaker) tell(from, to State, at time.Time) {
	if b.opts.ChangeFunc != nil && from != to {
		b.opts.ChangeFunc(Change{Name: b.name, From: from, To: to, At: at})
	}
}
