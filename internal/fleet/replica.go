package fleet

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"chatops/internal/chatops"
)

// Store is what a replica needs of the database.
type Store interface {
	Controls(ctx context.Context) (*chatops.Controls, error)
	WatchControls(ctx context.Context, wake func()) error
	Heartbeat(ctx context.Context, i *chatops.Instance) error
	RemoveInstance(ctx context.Context, name string) error
	RemoveStaleInstances(ctx context.Context, age time.Duration) (int, error)
}

// Options make a Replica. Store and Name are required.
type Options struct {
	Store   Store
	Name    string // of this process among the others
	Version string
	// ApplyFunc is given every order that is in force, once a second and soon
	// after each new one, by one goroutine. It must be cheap.
	ApplyFunc func(*chatops.Controls)
	// ReportFunc describes this process for its heartbeat.
	ReportFunc func() chatops.InstanceReport
	// HeartbeatEvery is how often the replica reports; 0: chatops.HeartbeatEvery.
	HeartbeatEvery time.Duration
	// ForgetAfter is the age at which the last heartbeat of a replica that did
	// not say goodbye is deleted; 0: 15 min. It may hold addresses of clients.
	ForgetAfter time.Duration
	Log         *slog.Logger     // nil: silent
	NowFunc     func() time.Time // nil: time.Now
}

const (
	standardForgetAfter = 15 * time.Minute
	// patience bounds one conversation with the database: after that the orders
	// that are known stay in force.
	patience = 2 * time.Second
)

// JobForget is the name of the job that calls Forget.
const JobForget = "instance_cleanup"

// Replica is this process among the others of the service.
type Replica struct {
	opts     Options
	started  time.Time
	wake     chan struct{}
	revision atomic.Int64
	deaf     bool // the last look at the orders did not work; Run's goroutine only
	mute     bool // nor did the last heartbeat
}

// New makes a replica. Nothing happens before Run.
func New(o Options) (*Replica, error) {
	if o.Store == nil || o.Name == "" {
		return nil, chatops.Errorf(chatops.CodeInvalid, "make replica: no store or no name")
	}
	if o.HeartbeatEvery <= 0 {
		o.HeartbeatEvery = chatops.HeartbeatEvery
	}
	if o.ForgetAfter <= 0 {
		o.ForgetAfter = standardForgetAfter
	}
	if o.ApplyFunc == nil {
		o.ApplyFunc = func(*chatops.Controls) {}
	}
	if o.ReportFunc == nil {
		o.ReportFunc = func() chatops.InstanceReport { return chatops.InstanceReport{} }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.NowFunc == nil {
		o.NowFunc = time.Now
	}
	return &Replica{opts: o, started: o.NowFunc(), wake: make(chan struct{}, 1)}, nil
}

// Revision is that of the newest orders that are obeyed.
func (r *Replica) Revision() int64 { return r.revision.Load() }

// Run obeys orders and reports until the context ends, then takes this replica
// off the list and returns nil. Trouble with the database is logged and outlived.
func (r *Replica) Run(ctx context.Context) error {
	var watching sync.WaitGroup
	watching.Go(func() { r.watch(ctx) })
	defer watching.Wait()
	defer r.leave(ctx)

	r.obey(ctx)
	r.beat(ctx)
	beat := time.NewTicker(r.opts.HeartbeatEvery)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-r.wake:
			if r.obey(ctx) {
				r.beat(ctx) // whoever gave the order waits for this
			}
		case <-beat.C:
			r.beat(ctx)
		}
	}
}

// watch pokes Run whenever there may be orders.
func (r *Replica) watch(ctx context.Context) {
	for ctx.Err() == nil {
		err := r.opts.Store.WatchControls(ctx, func() {
			select {
			case r.wake <- struct{}{}:
			default: // it is awake already
			}
		})
		if err != nil && ctx.Err() == nil {
			r.opts.Log.Warn("fleet: watching for orders was interrupted", "err", err)
			chatops.Sleep(ctx, patience)
		}
	}
}

// obey applies what is in force, and reports whether it is new.
func (r *Replica) obey(ctx context.Context) bool {
	asking, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := r.opts.Store.Controls(asking)
	if !r.note(ctx, &r.deaf, "orders", err) {
		return false
	}
	r.opts.ApplyFunc(c)
	return r.revision.Swap(c.Revision) != c.Revision
}

// beat reports.
func (r *Replica) beat(ctx context.Context) {
	telling, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r.note(ctx, &r.mute, "heartbeat", r.opts.Store.Heartbeat(telling, &chatops.Instance{
		Name: r.opts.Name, Version: r.opts.Version, StartedAt: r.started,
		Revision: r.Revision(), Report: r.opts.ReportFunc(),
	}))
}

// note logs when something stops working and when it works again, and reports
// whether it works.
func (r *Replica) note(ctx context.Context, broken *bool, what string, err error) bool {
	switch {
	case err != nil && ctx.Err() != nil: // we are stopping: that is no trouble
	case err != nil && !*broken:
		*broken = true
		r.opts.Log.Warn("fleet: "+what+" cannot be exchanged with the database, the last ones stay in force", "err", err)
	case err == nil && *broken:
		*broken = false
		r.opts.Log.Info("fleet: " + what + " are exchanged with the database again")
	}
	return err == nil
}

// Forget deletes the heartbeats of replicas that are long gone, of all of them,
// and says how many those were.
func (r *Replica) Forget(ctx context.Context) (string, error) {
	n, err := r.opts.Store.RemoveStaleInstances(ctx, r.opts.ForgetAfter)
	if err != nil {
		return "", err
	}
	if n > 0 {
		r.opts.Log.Info("fleet: forgot replicas that stopped reporting", "count", n)
	}
	return chatops.Count(n, "replica"), nil
}

// leave takes this replica off the list: it is not missing, it has ended.
func (r *Replica) leave(ctx context.Context) {
	leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := r.opts.Store.RemoveInstance(leaving, r.opts.Name); err != nil {
		r.opts.Log.Warn("fleet: this replica could not be taken off the list", "err", err)
	}
}
