package runbook

import (
	"context"
	"fmt"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// obeyTimeout is how long a command waits for the replicas to obey, unless
// --timeout says otherwise, and obeyPoll how often it looks. A replica that can
// read its orders obeys within a second.
const (
	obeyTimeout = 3 * time.Second
	obeyPoll    = 100 * time.Millisecond
)

// wait looks at the replicas until every one that reports has obeyed, or until
// the time is over. It returns how long it took.
func (r *orderRun) wait(ctx context.Context, revision int64) (time.Duration, error) {
	start := time.Now()
	waiting, cancel := r.env.timeout(ctx, obeyTimeout)
	defer cancel()
	tick := time.NewTicker(obeyPoll)
	defer tick.Stop()
	for {
		replicas, err := r.store.Instances(waiting)
		switch {
		case ctx.Err() != nil:
			return 0, r.interrupted(ctx)
		case waiting.Err() != nil:
			return time.Since(start), nil
		case err != nil:
			return 0, hint(err, "the order is stored; see who obeys with: chatops breaker status, chatops limiter status")
		}
		r.count(replicas, revision)
		if len(r.res.Waiting) == 0 {
			return time.Since(start), nil
		}
		select {
		case <-waiting.Done():
		case <-tick.C:
		}
	}
}

// interrupted is the error of a wait that was cut short.
func (r *orderRun) interrupted(ctx context.Context) error {
	return chatops.WrapError(chatops.CodeInterrupted, ctx.Err(), fmt.Sprintf(
		"interrupted: the order is stored, and obeyed by %d of %s so far", r.res.Obeyed, chatops.Count(r.res.Replicas, "replica")))
}

// count sorts the replicas that report into those that have obeyed and those
// that have not. A negative revision counts only how many there are.
func (r *orderRun) count(replicas []chatops.Instance, revision int64) {
	r.res.Replicas, r.res.Obeyed, r.res.Waiting = 0, 0, []string{}
	for _, i := range chatops.Live(replicas) {
		r.res.Replicas++
		switch {
		case revision < 0:
		case i.Revision >= revision:
			r.res.Obeyed++
		default:
			r.res.Waiting = append(r.res.Waiting, i.Name)
		}
	}
}

// verdict tells who obeyed, and whether all did.
func (r *orderRun) verdict(took time.Duration) (string, error) {
	res := r.res
	if res.Replicas == 0 {
		r.env.notef("no replica is running: the order is stored; %s", r.plan.idle)
		return "stored; no replica was running", nil
	}
	text := fmt.Sprintf("obeyed by %d of %s", res.Obeyed, chatops.Count(res.Replicas, "replica"))
	if len(res.Waiting) > 0 {
		err := chatops.Errorf(chatops.CodePartial, "%s within %s; not by %s", text, chatops.Span(took), strings.Join(res.Waiting, ", "))
		return "", hint(err, "a replica obeys as soon as it can read the database; look at it, and stop it if it cannot")
	}
	r.env.notef("%s in %.1f s", text, took.Seconds())
	return text, nil
}

// dryOrders stands in for a store in a dry run: it changes nothing.
type dryOrders struct{ now time.Time }

// BeginAction writes nothing down.
func (dryOrders) BeginAction(context.Context, *chatops.OperatorAction) error { return nil }

// FinishAction writes nothing down.
func (dryOrders) FinishAction(context.Context, int64, string) error { return nil }

// end is when an order that was given now would end.
func (d dryOrders) end(lasts time.Duration) time.Time {
	if lasts == 0 {
		return time.Time{}
	}
	return d.now.Add(lasts)
}

// OrderBreaker tells the end of the order.
func (d dryOrders) OrderBreaker(_ context.Context, o *chatops.BreakerOrder) error {
	o.Until = d.end(o.For)
	return nil
}

// SetLimitOverride tells the end of the override.
func (d dryOrders) SetLimitOverride(_ context.Context, o *chatops.LimitOverride) error {
	o.Until = d.end(o.For)
	return nil
}

// UnsetLimitOverride does nothing.
func (dryOrders) UnsetLimitOverride(context.Context, string) (int64, error) { return 0, nil }

// BlockClient tells the end of the block.
func (d dryOrders) BlockClient(_ context.Context, b *chatops.ClientBlock) error {
	b.Until = d.end(b.For)
	return nil
}

// UnblockClient does nothing.
func (dryOrders) UnblockClient(context.Context, string) (int64, error) { return 0, nil }
