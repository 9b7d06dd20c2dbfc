package breaker

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"chatops/internal/chatops"
)

// Fleet hands out the probes of an integration to the processes of a fleet, one
// at a time. chatops.InstanceStore fills it, and describes it.
type Fleet interface {
	ClaimProbe(ctx context.Context, integration, holder string, hold time.Duration) (wait time.Duration, err error)
	EndProbe(ctx context.Context, integration, holder string, pause time.Duration) error
}

const (
	// useWithin is how long a granted probe may wait for a call. Then it is
	// another replica's turn, which may have one.
	useWithin = 10 * time.Second
	// answerWithin bounds a question to the fleet.
	answerWithin = 2 * time.Second
	// maxAskEvery is the time between two questions while another replica makes
	// its probe: a successful one ends sooner than it must.
	maxAskEvery = time.Second
	minAskEvery = 10 * time.Millisecond
)

// gate is what the breakers of a set share. A nil gate is that of a breaker on
// its own.
type gate struct {
	fleet        Fleet
	holder       string
	askEvery     time.Duration
	probeTimeout time.Duration
	runs         atomic.Bool
	poke         chan struct{}
	tellFunc     func(Change)
}

// init makes the gate of a set with complete options.
func (g *gate) init(o *Options, tell func(Change)) {
	g.fleet, g.holder, g.probeTimeout, g.tellFunc = o.Fleet, o.Holder, o.ProbeTimeout, tell
	g.askEvery = min(max(o.ResetTimeout/20, minAskEvery), maxAskEvery)
	g.poke = make(chan struct{}, 1)
}

// running reports whether probes are asked of the fleet.
func (g *gate) running() bool { return g != nil && g.runs.Load() }

// look makes Run look at the breakers now.
func (g *gate) look() {
	if g == nil {
		return
	}
	select {
	case g.poke <- struct{}{}:
	default:
	}
}

// granted tells of a probe that may begin.
func (g *gate) granted(c Change) { g.tellFunc(c) }

// hold is how long the fleet keeps a probe for this process: until it begins at
// the latest, and as long as it may take.
func (g *gate) hold() time.Duration { return useWithin + g.probeTimeout }

// courtesy is how much later a process asks whose probe has failed or was not
// used, so that another one is served first: a sick replica must not be the
// only one that ever tries.
func (g *gate) courtesy() time.Duration {
	if g == nil {
		return 0
	}
	return 2 * g.askEvery
}

// poll is when to ask again after the fleet said to wait so long. What takes
// longer than a probe is a pause and does not end sooner.
func (g *gate) poll(wait time.Duration) time.Duration {
	if left := wait - g.hold(); left > g.askEvery {
		return left
	}
	return min(wait, g.askEvery)
}

// Run asks the fleet for the probes of breakers whose open time is over, and
// tells it how they went, until the context ends; it returns nil then. Without
// Options.Fleet it does nothing. CodeConflict when it runs already.
func (s *Set) Run(ctx context.Context) error {
	if s.gate.fleet == nil {
		<-ctx.Done()
		return nil
	}
	if !s.gate.runs.CompareAndSwap(false, true) {
		return chatops.Errorf(chatops.CodeConflict, "run breakers: they run already")
	}
	var errands sync.WaitGroup
	for ctx.Err() == nil {
		wait := time.NewTimer(s.dispatch(ctx, &errands))
		select {
		case <-ctx.Done():
		case <-wait.C:
		case <-s.gate.poke:
		}
		wait.Stop()
	}
	errands.Wait()
	s.gate.runs.Store(false)
	s.leave(context.WithoutCancel(ctx))
	return nil
}

// dispatch starts what the breakers want of the fleet now, and returns how long
// nothing more will be wanted.
func (s *Set) dispatch(ctx context.Context, errands *sync.WaitGroup) time.Duration {
	wait := time.Hour
	for _, b := range s.all() {
		at, ok := b.nextErrand()
		now := s.opts.NowFunc()
		if ok && at.After(now) {
			wait = min(wait, at.Sub(now))
			continue
		}
		if !ok {
			continue
		}
		if e := b.begin(now); e.ask || e.giveBack {
			errands.Go(func() {
				s.gate.run(ctx, b, e)
				b.done()
			})
		} else {
			s.gate.look() // it has put something off
		}
	}
	return wait
}

// run does an errand.
func (g *gate) run(ctx context.Context, b *Breaker, e errand) {
	now := b.opts.NowFunc
	if e.giveBack {
		call, cancel := context.WithTimeout(ctx, answerWithin)
		err := g.fleet.EndProbe(call, b.name, g.holder, e.pause)
		cancel()
		b.gaveBack(now(), err)
	}
	if !e.ask || ctx.Err() != nil {
		return
	}
	asked := now()
	call, cancel := context.WithTimeout(ctx, answerWithin)
	wait, err := g.fleet.ClaimProbe(call, b.name, g.holder, g.hold())
	cancel()
	b.answered(e, asked, wait, err)
}

// leave gives back what this process has been granted and will not use, or has
// not given back yet, when the set stops.
func (s *Set) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	for _, b := range s.all() {
		if pause, ok := b.surrender(s.opts.NowFunc()); ok {
			// A hold ends by itself.
			_ = s.gate.fleet.EndProbe(ctx, b.name, s.gate.holder, pause)
		}
	}
}

// surrender takes what a breaker owes the fleet, and its grant unless the probe
// is under way.
func (b *Breaker) surrender(now time.Time) (pause time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.probing {
		b.claim.giveBack(now, 0)
	}
	ok, pause = b.claim.owed, max(0, b.claim.pauseTo.Sub(now))
	b.claim.owed = false
	return pause, ok
}
