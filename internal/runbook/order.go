package runbook

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

// orders is a command that orders something of every replica: what `breaker
// trip`, `limiter set` and their like share.
type orders struct {
	period string // --for
	dryRun bool
}

// register adds the flags. lasting: the orders may have an end.
func (c *orders) register(cmd *cobra.Command, lasting bool) {
	if lasting {
		cmd.Flags().StringVar(&c.period, "for", "", "how long, such as 10m or 2h (default until another order)")
	}
	dryRunFlag(cmd, &c.dryRun)
}

// order is one order to every replica.
type order struct {
	name  string // of the breaker or limit, or a network
	mode  string
	value string
	// giveFunc stores the order, and returns its revision and end.
	giveFunc func(ctx context.Context, to orderTaker) (revision int64, until time.Time, err error)
}

// orderPlan is what a command is about to order.
type orderPlan struct {
	orders   []order
	change   string   // the whole of it, for the question
	filter   any      // for the record
	idle     string   // what becomes of it when no replica runs
	needless string   // what to say when there is nothing to order
	notes    []string // lines to read before answering the question
}

// orderTaker is what a command needs to give orders.
type orderTaker interface {
	actionLog
	OrderBreaker(ctx context.Context, o *chatops.BreakerOrder) error
	SetLimitOverride(ctx context.Context, o *chatops.LimitOverride) error
	UnsetLimitOverride(ctx context.Context, name string) (int64, error)
	BlockClient(ctx context.Context, b *chatops.ClientBlock) error
	UnblockClient(ctx context.Context, network string) (int64, error)
}

// run plans, asks, gives the orders and waits until they are obeyed.
func (c *orders) run(ctx context.Context, env *Env, planFunc func(*config.Config, *fleet) (*orderPlan, error)) error {
	if _, err := env.settingsForChange(c.dryRun); err != nil {
		return err
	}
	store, cfg, err := env.openStore(ctx)
	if err != nil {
		return err
	}
	defer env.closing(store)
	f, err := env.look(ctx, store)
	if err != nil {
		return unreachable(cfg, err)
	}
	p, err := planFunc(cfg, f)
	if err != nil {
		return err
	}
	r := &orderRun{env: env, store: store, plan: p, to: store, res: &orderResult{Orders: []orderView{}, Waiting: []string{}, DryRun: c.dryRun}}
	r.count(f.Replicas, -1)
	if c.dryRun {
		r.to = dryOrders{now: f.Controls.Now}
	}
	err = r.run(ctx, cfg, f)
	if len(r.res.Orders) < len(p.orders) && err != nil {
		return unreachable(cfg, err)
	}
	if errRender := env.render(r.res); errRender != nil && err == nil {
		return errRender
	}
	return unreachable(cfg, err)
}

// orderRun is one run of such a command.
type orderRun struct {
	env   *Env
	store fleetStore
	to    orderTaker // the store, or its stand-in in a dry run
	plan  *orderPlan
	res   *orderResult
}

// run asks and carries the orders out.
func (r *orderRun) run(ctx context.Context, cfg *config.Config, f *fleet) error {
	if len(r.plan.orders) == 0 {
		r.env.notef("%s", r.plan.needless)
		return nil
	}
	for _, note := range r.plan.notes {
		r.env.notef("%s", note)
	}
	if gone := stale(f.Replicas); len(gone) > 0 {
		r.env.notef("note: %s stopped reporting and will not be waited for: %s", chatops.Count(len(gone), "replica"), strings.Join(gone, ", "))
	}
	if !r.res.DryRun {
		change := r.plan.change + " on " + chatops.Count(r.res.Replicas, "replica")
		if err := r.env.confirm(ctx, cfg, change); err != nil {
			return err
		}
	}
	return r.env.record(ctx, r.to, r.plan.filter, func() (string, error) { return r.give(ctx) })
}

// give stores every order and waits for the replicas. It returns the result for
// the record.
func (r *orderRun) give(ctx context.Context) (string, error) {
	var newest int64
	for _, o := range r.plan.orders {
		revision, until, err := r.giveOne(ctx, o)
		if err != nil {
			return "", r.cutShort(err)
		}
		view := orderView{Name: o.name, Mode: o.mode, Value: o.value, Until: timestamp(until)}
		if !r.res.DryRun {
			view.Revision = &revision
		}
		newest = max(newest, revision)
		r.res.Orders = append(r.res.Orders, view)
	}
	if r.res.DryRun {
		return "dry run", nil
	}
	took, err := r.wait(ctx, newest)
	if err != nil {
		return "", err
	}
	return r.verdict(took)
}

// giveOne stores one order.
func (r *orderRun) giveOne(ctx context.Context, o order) (int64, time.Time, error) {
	ctx, cancel := r.env.timeout(ctx, readTimeout)
	defer cancel()
	return o.giveFunc(ctx, r.to)
}

// cutShort names the orders that were stored before one could not be.
func (r *orderRun) cutShort(err error) error {
	if len(r.res.Orders) == 0 {
		return err
	}
	var given []string
	for _, o := range r.res.Orders {
		given = append(given, o.Name)
	}
	return hint(err, "stored were only the orders for %s; giving all of them again does no harm", strings.Join(given, ", "))
}
