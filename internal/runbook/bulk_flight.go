package runbook

import (
	"context"
	"slices"
	"time"

	"chatops/internal/chatops"
)

// flights are the alerts that a retry skipped because an attempt of them was
// under way. Who waits for outcomes waits for theirs too, and those that come
// back undelivered are sent again: a receiver that was repaired a moment ago may
// still have kept earlier attempts hanging.
type flights struct {
	ids    []int64              // under way
	tried  map[int64]time.Time  // when they were last tried, of those that are under way again
	landed []*chatops.Operation // what sent those again that had come back
}

// follow finds what is in flight, once the operation has skipped something.
// Alerts that another operation has taken meanwhile are that one's concern.
func (r *bulkRun) follow(ctx context.Context) error {
	f := r.op.Filter
	if len(f.Statuses) == 0 {
		f.Statuses = r.eligible
	}
	if f.Until.IsZero() || f.Until.After(r.op.CreatedAt) {
		f.Until = r.op.CreatedAt
	}
	list, _, err := r.store.Alerts(ctx, f, chatops.AlertCursor{}, maxPage)
	if err != nil {
		return err
	}
	r.flights.tried = map[int64]time.Time{}
	concern := map[string]bool{"": true, r.op.ID: false}
	for i := range list {
		id := list[i].OperationID
		ours, known := concern[id]
		if !known {
			o, err := r.store.Operation(ctx, id)
			if err != nil {
				return err
			}
			ours = !o.DoneAt.IsZero() && o.DoneAt.Before(r.op.CreatedAt)
			concern[id] = ours
		}
		if ours {
			r.flights.ids = append(r.flights.ids, list[i].ID)
		}
	}
	if n := len(r.flights.ids); n > 0 {
		r.env.notef("waiting for %s in flight", chatops.Count(n, "alert"))
	}
	return nil
}

// land looks which alerts are not in flight any more, and sends those again that
// were not delivered.
func (r *bulkRun) land(ctx context.Context) error {
	if len(r.flights.ids) == 0 {
		return nil
	}
	list, _, err := r.store.Alerts(ctx, chatops.AlertFilter{IDs: r.flights.ids, Statuses: r.eligible}, chatops.AlertCursor{}, maxPage)
	if err != nil {
		return err
	}
	var back, under []int64
	for i := range list {
		id, at := list[i].ID, list[i].LastAttemptAt
		before := r.op.CreatedAt
		if again, ok := r.flights.tried[id]; ok {
			before = again
		}
		if !at.After(before) {
			under = append(under, id)
			continue
		}
		back = append(back, id)
		r.flights.tried[id] = at
	}
	r.flights.ids = under
	if len(back) == 0 {
		return nil
	}
	op := &chatops.Operation{Kind: r.kind, Filter: chatops.AlertFilter{IDs: back}, Actor: r.env.Actor, Reason: r.env.opts.reason}
	if err := r.changes.CreateOperation(ctx, op); err != nil {
		return err
	}
	for op.DoneAt.IsZero() {
		if op, err = r.changes.StepOperation(ctx, op.ID, stepSize); err != nil {
			return err
		}
	}
	r.flights.landed = append(r.flights.landed, op)
	if op.Skipped > 0 { // some are on their way again
		r.flights.ids = slices.Concat(under, back)
	}
	return r.changes.Announce(ctx)
}

// outcomes counts what became of the alerts of the operation, and of those that
// it sent again after they had landed.
func (r *bulkRun) outcomes(ctx context.Context) (*chatops.OperationProgress, error) {
	sum, err := r.store.OperationProgress(ctx, r.op.ID)
	for _, op := range r.flights.landed {
		if err != nil {
			break
		}
		var p *chatops.OperationProgress
		if p, err = r.store.OperationProgress(ctx, op.ID); err == nil {
			sum.Delivered, sum.Failed, sum.Pending = sum.Delivered+p.Delivered, sum.Failed+p.Failed, sum.Pending+p.Pending
			sum.Waiting, sum.Other = sum.Waiting+p.Waiting, sum.Other+p.Other
		}
	}
	return sum, err
}

// retried is how many alerts were sent again after they had landed.
func (f *flights) retried() (n int64) {
	for _, op := range f.landed {
		n += op.Changed
	}
	return n
}
