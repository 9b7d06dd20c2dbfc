package deadletter

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"chatops/internal/breaker"
	"chatops/internal/chatops"
)

// Engine delivers the alerts of a queue. Its methods are safe for concurrent
// use.
type Engine struct {
	opts    Options
	log     *slog.Logger
	senders map[string]chatops.AlertSender
	ramps   map[string]*ramp // by integration
	met     *metrics

	running atomic.Bool
	wakes   atomic.Uint64 // how often somebody said that there may be fresh alerts
	poke    chan struct{} // makes the coordinator look at the lanes now

	unstored     atomic.Int64 // records that are being repeated
	healthySince atomic.Int64 // when looks at the lanes began to succeed, ns since 1970; 0: they fail

	mu       sync.Mutex
	lanes    map[string]*lane
	active   int // workers running, over all lanes
	waiters  []*idleWaiter
	looks    uint64            // looks at the lanes that have begun
	digest   chatops.JobReport // of the newest escalation
	lastErr  string
	lastErrT time.Time
}

// New returns an engine that does nothing until Run. CodeInvalid when the
// options cannot work.
func New(opts Options) (*Engine, error) {
	if err := opts.complete(); err != nil {
		return nil, err
	}
	e := &Engine{
		opts: opts, log: opts.Log,
		senders: make(map[string]chatops.AlertSender, len(opts.Senders)),
		ramps:   make(map[string]*ramp, len(opts.Senders)),
		poke:    make(chan struct{}, 1),
		lanes:   make(map[string]*lane),
		digest:  chatops.JobReport{Name: JobEscalation},
	}
	for _, s := range opts.Senders {
		name := s.Integration()
		if _, twice := e.senders[name]; twice {
			return nil, chatops.Errorf(chatops.CodeInvalid, "make delivery engine: two senders for %q", name)
		}
		e.senders[name] = s
		e.ramps[name] = &ramp{}
		opts.Breakers.Get(name)
	}
	var err error
	if e.met, err = newMetrics(e, opts.Registerer); err != nil {
		return nil, chatops.WrapError(chatops.CodeInvalid, err, "make delivery engine: register metrics")
	}
	return e, nil
}

// Wake says that alerts may have been queued. It never blocks and may be called
// at any time, running or not.
func (e *Engine) Wake() {
	e.wakes.Add(1)
	e.look()
}

// look makes the coordinator ask for the lanes' state now.
func (e *Engine) look() {
	select {
	case e.poke <- struct{}{}:
	default:
	}
}

// breakerChanged looks again at once when a breaker lets calls or its probe
// through, and has retries begin slowly at a receiver that has recovered.
func (e *Engine) breakerChanged(c breaker.Change) {
	if c.To == breaker.Closed && e.ramps[c.Name] != nil {
		e.ramps[c.Name].begin(e.now())
	}
	if c.To != breaker.Open || c.From == c.To {
		e.look()
	}
}

// life is the time of one Run, as its workers need it.
type life struct {
	claims   context.Context //nolint:containedctx // a worker needs all four; ends when Run is asked to stop: claim and start nothing more
	attempts context.Context //nolint:containedctx // ends with the grace period: attempts are cut off
	abandon  context.Context //nolint:containedctx // ends a little later: attempts that will not end are left alone
	records  context.Context // ends last: outcomes that could not be stored are given up
	workers  sync.WaitGroup
}

// The time that follows the grace period when Run stops.
const (
	abandonAfter = time.Second
	recordWithin = 5 * time.Second
)

// Run delivers until the context ends. Then it claims nothing more, lets
// attempts in flight finish within the grace period, stores their outcomes,
// gives its leases up and returns nil. Trouble with the queue is logged and
// outlived, not returned. CodeConflict when the engine runs already; it may be
// run again after it has stopped.
func (e *Engine) Run(ctx context.Context) error {
	if !e.running.CompareAndSwap(false, true) {
		return chatops.Errorf(chatops.CodeConflict, "run delivery engine: it runs already")
	}
	defer e.running.Store(false)
	if ctx.Err() != nil {
		return nil
	}
	defer e.opts.Breakers.Watch(e.breakerChanged)()
	l := &life{claims: ctx}
	base := context.WithoutCancel(ctx)
	var cutOff, leave, giveUp context.CancelFunc
	l.attempts, cutOff = context.WithCancel(base)
	l.abandon, leave = context.WithCancel(base)
	l.records, giveUp = context.WithCancel(base)
	defer cutOff()
	defer leave()
	defer giveUp()

	var upkeep sync.WaitGroup
	upkeep.Go(func() { e.coordinate(l) }) //nolint:contextcheck // attempts outlive the context of the claims
	if !e.opts.FreshOnly {
		upkeep.Go(func() { e.sweep(ctx) })
	}
	upkeep.Go(func() { e.watch(ctx) })
	upkeep.Go(func() { e.refreshStats(ctx) })
	<-ctx.Done()

	defer time.AfterFunc(e.opts.Grace, cutOff).Stop()
	defer time.AfterFunc(e.opts.Grace+abandonAfter, leave).Stop()
	defer time.AfterFunc(e.opts.Grace+abandonAfter+recordWithin, giveUp).Stop()
	upkeep.Wait() // the coordinator is one of them: no worker starts after it
	l.workers.Wait()
	return nil
}

func (e *Engine) now() time.Time { return e.opts.NowFunc() }

// noteError keeps the newest trouble for Report and logs it.
func (e *Engine) noteError(doing string, err error) {
	text := Redact(err.Error())
	e.mu.Lock()
	e.lastErr, e.lastErrT = doing+": "+text, e.now()
	e.mu.Unlock()
	e.log.Warn("delivery: "+doing, "error", text, "code", string(chatops.ErrorCode(err)))
}
