package operation

import (
	"context"
	"log/slog"
	"reflect"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"chatops/internal/chatops"
)

// Store is what a carrier needs of the database.
type Store interface {
	ClaimOperations(ctx context.Context, c chatops.OperationClaim) ([]chatops.Operation, error)
	ReleaseOperation(ctx context.Context, r chatops.OperationRelease) (*chatops.Operation, error)
	OperationOutcomes(ctx context.Context, id string) (*chatops.OperationOutcomes, error)
	StepOperation(ctx context.Context, id string, limit int) (*chatops.Operation, error)
	Announce(ctx context.Context) error
}

// Options make a Carrier. Store and Holder are required.
type Options struct {
	Store  Store
	Holder string // this process among the others
	// OpenFunc names the integrations whose circuit breakers let nothing through;
	// nil: none.
	OpenFunc func() []string
	// WakeFunc tells this process's delivery engine of released alerts; nil: it
	// finds them by itself.
	WakeFunc func()
	Window   time.Duration // of the pace; 0: chatops.PaceWindow
	Lease    time.Duration // 0: 10 s
	// Idle is how long nobody must have stepped an operation without a pace
	// before it is taken over; 0: 30 s.
	Idle       time.Duration
	Only       string // the one operation to carry; "": any
	Registerer prometheus.Registerer
	Log        *slog.Logger     // nil: silent
	NowFunc    func() time.Time // nil: time.Now
}

const (
	claimEvery = time.Second
	// stepSize is how many alerts of an operation without a pace are changed in
	// one transaction, as its command line does.
	stepSize = 5000
	// patience bounds one conversation with the database.
	patience = 10 * time.Second
)

// Carrier carries operations while it runs.
type Carrier struct {
	opts    Options
	tick    time.Duration
	met     *metrics
	mine    map[string]*load
	claimed time.Time // when it last asked for operations
	deaf    bool      // the last conversation with the database did not work
}

// load is an operation that this process carries.
type load struct {
	op      chatops.Operation
	pacer   *chatops.Pacer // nil: it has no pace
	renewed time.Time
	stored  chatops.OperationRun
}

// New makes a carrier that does nothing until Run.
func New(o Options) (*Carrier, error) {
	if o.Store == nil || o.Holder == "" {
		return nil, chatops.Errorf(chatops.CodeInvalid, "make carrier of operations: no store or no holder")
	}
	defaultTo(&o.Window, chatops.PaceWindow)
	defaultTo(&o.Lease, 10*time.Second)
	defaultTo(&o.Idle, 30*time.Second)
	if o.OpenFunc == nil {
		o.OpenFunc = func() []string { return nil }
	}
	if o.WakeFunc == nil {
		o.WakeFunc = func() {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.NowFunc == nil {
		o.NowFunc = time.Now
	}
	met, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, chatops.WrapError(chatops.CodeInvalid, err, "make carrier of operations: register metrics")
	}
	return &Carrier{
		opts: o, met: met, mine: map[string]*load{},
		tick: min(max(o.Window/10, 50*time.Millisecond), 500*time.Millisecond),
	}, nil
}

func defaultTo(d *time.Duration, standard time.Duration) {
	if *d <= 0 {
		*d = standard
	}
}

// Run carries operations until the context ends; then it gives its leases up, so
// that another process goes on at once. Trouble with the database is logged and
// outlived.
func (c *Carrier) Run(ctx context.Context) error {
	tick := time.NewTicker(c.tick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			c.letGo(ctx)
			return nil
		case <-tick.C:
			c.look(ctx)
		}
	}
}

// look makes one step of every operation that is carried, and asks for more now
// and then.
func (c *Carrier) look(ctx context.Context) {
	if now := c.opts.NowFunc(); now.Sub(c.claimed) >= claimEvery || now.Before(c.claimed) {
		c.claimed = now
		c.claim(ctx)
	}
	var open []string
	if len(c.mine) > 0 {
		open = c.opts.OpenFunc()
	}
	for id, l := range c.mine {
		if ctx.Err() != nil {
			return
		}
		goOn, err := c.step(ctx, l, open)
		switch code := chatops.ErrorCode(err); {
		case err == nil && goOn:
			c.well(ctx)
			continue
		case err == nil:
		case code == chatops.CodeConflict || code == chatops.CodeNotFound:
			c.opts.Log.InfoContext(ctx, "operation is carried by somebody else, or stopped", "operation", id)
		default:
			c.trouble(ctx, err)
			continue // the lease tells whether it is still ours
		}
		delete(c.mine, id)
	}
	c.met.carries(c.mine)
}

func (c *Carrier) claim(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ops, err := c.opts.Store.ClaimOperations(ctx, chatops.OperationClaim{
		Holder: c.opts.Holder, Lease: c.opts.Lease, Idle: c.opts.Idle, Only: c.opts.Only,
	})
	if err != nil {
		c.trouble(ctx, err)
		return
	}
	c.well(ctx)
	for i := range ops {
		l := &load{op: ops[i], renewed: c.opts.NowFunc(), stored: ops[i].Run}
		if ops[i].Pace != nil {
			l.pacer = &chatops.Pacer{Pace: *ops[i].Pace, Run: ops[i].Run, Window: c.opts.Window}
		}
		c.mine[ops[i].ID] = l
		c.opts.Log.InfoContext(ctx, "carrying an operation", "operation", ops[i].ID, "left", ops[i].Left())
	}
}

// step makes one step of an operation; false: it needs no more.
func (c *Carrier) step(ctx context.Context, l *load, open []string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if l.pacer == nil {
		return c.stepAll(ctx, l)
	}
	outcomes, err := c.opts.Store.OperationOutcomes(ctx, l.op.ID)
	if err != nil {
		return false, err
	}
	now := c.opts.NowFunc()
	s := l.pacer.Next(now, outcomes, open)
	news := s.Release > 0 || s.Halt != "" || !reflect.DeepEqual(l.pacer.Run, l.stored)
	if !news && now.Sub(l.renewed) < c.opts.Lease/3 {
		return true, nil
	}
	before := l.op.Changed
	op, err := c.opts.Store.ReleaseOperation(ctx, chatops.OperationRelease{
		ID: l.op.ID, Fence: l.op.Fence, Lease: c.opts.Lease, Limit: s.Release, Run: l.pacer.Run, Halt: s.Halt,
	})
	if err != nil {
		return false, err
	}
	l.op, l.renewed, l.stored = *op, now, l.pacer.Run
	l.pacer.Pace = *op.Pace
	c.released(ctx, op.Changed-before)
	if s.Halt != "" {
		c.met.halts.Inc()
		c.opts.Log.WarnContext(ctx, "operation halted by itself", "operation", op.ID, "reason", s.Halt)
	}
	return op.State == chatops.OperationRunning, nil
}

// stepAll finishes what a command line has left.
func (c *Carrier) stepAll(ctx context.Context, l *load) (bool, error) {
	op, err := c.opts.Store.StepOperation(ctx, l.op.ID, stepSize)
	if err != nil {
		return false, err
	}
	if op.Kind == chatops.OperationRetry {
		c.released(ctx, op.Changed-l.op.Changed)
	}
	l.op = *op
	return op.State == chatops.OperationRunning, nil
}

// released wakes whoever delivers.
func (c *Carrier) released(ctx context.Context, n int64) {
	if n <= 0 {
		return
	}
	c.met.released.Add(float64(n))
	c.opts.WakeFunc()
	if err := c.opts.Store.Announce(ctx); err != nil { // the sweep finds them later
		c.opts.Log.DebugContext(ctx, "announce released alerts", "err", err)
	}
}

// letGo gives the leases up.
func (c *Carrier) letGo(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	for id, l := range c.mine {
		if l.pacer != nil {
			_, err := c.opts.Store.ReleaseOperation(ctx, chatops.OperationRelease{ID: id, Fence: l.op.Fence, Run: l.stored})
			if err != nil {
				c.opts.Log.DebugContext(ctx, "give an operation up", "operation", id, "err", err)
			}
		}
	}
	clear(c.mine)
	c.met.carries(c.mine)
}

// trouble is told once, until it is over.
func (c *Carrier) trouble(ctx context.Context, err error) {
	if !c.deaf {
		c.deaf = true
		c.opts.Log.WarnContext(ctx, "operations are not carried at present", "err", chatops.ErrorMessage(err))
	}
}

func (c *Carrier) well(ctx context.Context) {
	if c.deaf {
		c.deaf = false
		c.opts.Log.InfoContext(ctx, "operations are carried again")
	}
}
