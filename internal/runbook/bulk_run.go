package runbook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

// bulkRun is one run of a bulk change.
type bulkRun struct {
	*bulk
	env        *Env
	cfg        *config.Config
	store      chatops.Store
	changes    alertChanger // the store, or its stand-in in a dry run
	ineligible int64        // alerts named by id that the operation cannot change
	op         *chatops.Operation
	progress   *chatops.OperationProgress // set when it waited for the outcomes
	preview    *previewView               // of a dry run
	flights    flights                    // what it skipped and waits for
}

// run chooses, asks, and carries the operation through. It leaves r.op set as
// soon as there is something to report.
func (r *bulkRun) run(ctx context.Context, p *plan) error {
	if r.operation != "" {
		return r.resume(ctx)
	}
	if err := r.narrow(ctx, p); err != nil {
		return err
	}
	count, err := r.count(ctx, p)
	if err != nil {
		return err
	}
	op := &chatops.Operation{Kind: r.kind, Filter: p.filter, Actor: r.env.Actor, Reason: r.env.opts.reason, Pace: r.pace}
	if count == 0 {
		r.op = op
		if r.ineligible == 0 {
			r.env.notef("no alerts match: nothing to %s", r.doing)
		}
		return nil
	}
	if !r.dryRun {
		change := fmt.Sprintf("%s %s (%s)", r.doing, chatops.Count(count, "alert"), describe(p.filter)) + wordPace(r.pace, count)
		if err := r.env.confirm(ctx, r.cfg, change); err != nil {
			return err
		}
	}
	return r.env.record(ctx, r.changes, p.filter, func() (string, error) {
		if err := r.changes.CreateOperation(ctx, op); err != nil {
			return "", err
		}
		r.op = op
		if r.dryRun && r.kind == chatops.OperationRetry {
			var err error
			if r.preview, err = r.tell(ctx, p.filter); err != nil {
				return "", err
			}
		}
		if !r.dryRun { // whatever happens from here, the operator knows its name
			r.env.notef("operation    %s", op.ID)
		}
		switch {
		case r.dryRun || op.Matched == count:
		case len(op.Besides) > 0:
			r.env.notef("note: it has %d of %d: the others belong to %s", op.Matched, count, strings.Join(op.Besides, ", "))
		default:
			r.env.notef("note: %d match by now, not %d", op.Matched, count)
		}
		return r.carry(ctx)
	})
}

// narrow turns ids and --limit into the ids of alerts that can be changed.
func (r *bulkRun) narrow(ctx context.Context, p *plan) error {
	if r.limit > 0 {
		list, _, err := r.store.Alerts(ctx, p.filter, chatops.AlertCursor{}, r.limit)
		if err != nil {
			return err
		}
		p.ids = nil
		for i := range list {
			p.ids = append(p.ids, list[i].ID)
		}
		p.filter = chatops.AlertFilter{IDs: p.ids}
		return nil
	}
	if len(p.ids) == 0 {
		return nil
	}
	found := map[int64]chatops.AlertStatus{}
	for chunk := range slices.Chunk(p.ids, maxPage) {
		list, _, err := r.store.Alerts(ctx, chatops.AlertFilter{IDs: chunk}, chatops.AlertCursor{}, maxPage)
		if err != nil {
			return err
		}
		for i := range list {
			found[list[i].ID] = list[i].Status
		}
	}
	var able []int64
	var missing []string
	for _, id := range p.ids {
		switch status, ok := found[id]; {
		case !ok:
			missing = append(missing, fmt.Sprint(id))
		case r.can(status):
			able = append(able, id)
		default:
			r.ineligible++
			r.env.notef("alert %d is %s: skipped, %s changes only %s alerts", id, status, r.doing, joinStatuses(r.eligible))
		}
	}
	if len(missing) > 0 {
		return hint(chatops.Errorf(chatops.CodeNotFound, "alert %s: not found; nothing was changed", strings.Join(missing, ", ")), "see: chatops dlq list --status all")
	}
	p.ids, p.filter = able, chatops.AlertFilter{IDs: able, Statuses: r.eligible}
	return nil
}

// count is how many alerts the operation will select.
func (r *bulkRun) count(ctx context.Context, p *plan) (int64, error) {
	if len(p.filter.IDs) == 0 && (r.limit > 0 || r.ineligible > 0) {
		return 0, nil // an empty list of ids would select everything
	}
	return r.store.CountAlerts(ctx, p.filter)
}

// resume goes on with an operation that was interrupted.
func (r *bulkRun) resume(ctx context.Context) error {
	op, err := findOperation(ctx, r.store, r.operation)
	if err != nil {
		return err
	}
	if op.Kind != r.kind {
		return hint(chatops.Errorf(chatops.CodeUsage, "operation %s is a %s", op.ID, op.Kind), "go on with: chatops dlq %s --operation %s", op.Kind, op.ID)
	}
	if s := op.State; s == chatops.OperationPaused || s == chatops.OperationHalted || s == chatops.OperationCancelled {
		err := chatops.Errorf(chatops.CodeRefused, "operation %s is %s", op.ID, s)
		if s == chatops.OperationCancelled {
			return err
		}
		return hint(err, "let it go on with: chatops dlq operations resume %s", op.ID)
	}
	left := op.Left()
	if op.DoneAt.IsZero() && !r.dryRun {
		if err := r.env.confirm(ctx, r.cfg, fmt.Sprintf("%s %s left of operation %s", r.doing, chatops.Count(left, "alert"), op.ID)); err != nil {
			return err
		}
	}
	if !op.DoneAt.IsZero() && !r.now {
		r.op = op
		r.env.notef("operation %s is done", op.ID)
		return nil
	}
	return r.env.record(ctx, r.changes, op.Filter, func() (string, error) {
		r.op = op
		return r.carry(ctx)
	})
}

// carry takes the operation to its end, in steps, and then waits for the
// outcomes when that was asked for. It returns the result for the record.
func (r *bulkRun) carry(ctx context.Context) (string, error) {
	if r.op.Pace != nil && !r.dryRun {
		return r.hand(ctx)
	}
	err := r.steps(ctx)
	if err == nil && r.now && !r.dryRun {
		if r.op.Skipped > 0 {
			err = r.follow(ctx)
		}
		if err == nil && (r.op.Changed > 0 || len(r.flights.ids) > 0) {
			err = r.wait(ctx)
		}
	}
	result := fmt.Sprintf("operation %s: %s %d, skipped %d of %d", r.op.ID, r.done, r.op.Changed, r.op.Skipped, r.op.Matched)
	if p := r.progress; p != nil {
		result += fmt.Sprintf("; delivered %d, failed %d, pending %d", p.Delivered, p.Failed, p.Pending+p.Waiting)
	}
	if err == nil || r.op.ID == "" {
		return result, err
	}
	if ctx.Err() != nil {
		err = chatops.WrapError(chatops.CodeInterrupted, err, "interrupted: "+result)
	}
	if code := chatops.ErrorCode(err); code == chatops.CodeInterrupted || code == chatops.CodeUnavailable {
		err = hint(err, "go on with: %s", r.resumeCommand())
	}
	return "", err
}

// resumeCommand is what goes on with the operation.
func (r *bulkRun) resumeCommand() string {
	command := fmt.Sprintf("chatops dlq %s --operation %s", r.kind, r.op.ID)
	if r.kind == chatops.OperationRetry {
		command += " --now"
	}
	return command
}

// stopped reports that somebody has paused or cancelled the operation meanwhile.
func (r *bulkRun) stopped() error {
	by := ""
	if r.op.ChangedBy != "" {
		by = " " + wordPause(r.op.ChangedBy, r.op.Note)
	}
	switch r.op.State {
	case chatops.OperationPaused, chatops.OperationHalted:
		err := chatops.Errorf(chatops.CodePartial, "operation %s was %s%s: %s %d of %d", r.op.ID, r.op.State, by, r.done, r.op.Changed, r.op.Matched)
		return hint(err, "go on with: chatops dlq operations resume %s", r.op.ID)
	case chatops.OperationCancelled:
		return chatops.Errorf(chatops.CodePartial, "operation %s was cancelled%s: %s %d of %d, the rest stays as it was", r.op.ID, by, r.done, r.op.Changed, r.op.Matched)
	case chatops.OperationRunning, chatops.OperationDone, "":
	}
	return nil
}

// steps changes the operation's alerts, a batch in each transaction.
func (r *bulkRun) steps(ctx context.Context) error {
	meter := r.env.newMeter(r.done, r.op.Matched)
	defer meter.finish()
	for r.op.DoneAt.IsZero() {
		op, err := r.changes.StepOperation(ctx, r.op.ID, stepSize)
		if err != nil {
			return err
		}
		stuck := op.DoneAt.IsZero() && op.Changed == r.op.Changed && op.Skipped == r.op.Skipped
		r.op = op
		if err := r.stopped(); err != nil {
			return err
		}
		if stuck {
			return chatops.Errorf(chatops.CodeInternal, "operation %s makes no progress", op.ID)
		}
		meter.set(op.Changed + op.Skipped)
		if err := r.changes.Announce(ctx); err != nil { // the sweep finds them later
			r.env.logger().DebugContext(ctx, "announce requeued alerts", "err", err)
		}
	}
	return nil
}

// pollEvery is how often the outcomes are counted while waiting.
const pollEvery = 200 * time.Millisecond

// waitTimeout bounds waiting for the outcomes when --timeout does not.
const waitTimeout = 5 * time.Minute

// stallTimeout is how long nothing may move while waiting, unless --timeout
// says how long to wait: longer than an attempt hangs and than the pause after a
// 429 that names none. What is left then waits behind an open breaker, a longer
// pause, or for an integration that is configured nowhere.
const stallTimeout = 35 * time.Second

// wait delivers in this process, besides any that serves, until every alert of
// the operation has been tried.
func (r *bulkRun) wait(ctx context.Context) error {
	if r.op.Changed > 0 {
		r.env.notef("waiting for the outcomes of %s", chatops.Count(r.op.Changed, "alert"))
	}
	deliverCtx, stop := r.env.timeout(ctx, waitTimeout)
	engine := make(chan error, 1)
	go func() { engine <- r.env.DeliverFunc(deliverCtx, r.cfg, r.env.logger(), r.store) }()
	ended, err := r.poll(deliverCtx, engine)
	if deliverCtx.Err() != nil { // what then went wrong was our own end
		err = nil
	}
	stop()
	if !ended {
		if errEngine := <-engine; err == nil && errEngine != nil && !errors.Is(errEngine, context.Canceled) {
			err = errEngine
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishTimeout)
	defer cancel()
	if p, errLast := r.outcomes(last); errLast == nil {
		r.progress = p
	} else if err == nil {
		err = errLast
	}
	if err != nil || ctx.Err() != nil {
		return errors.Join(err, ctx.Err())
	}
	return r.verdict()
}

// poll watches the outcomes until every alert has been tried, the context ends
// or the engine fails. Ended reports that the engine has returned.
func (r *bulkRun) poll(ctx context.Context, engine <-chan error) (ended bool, err error) {
	meter := r.env.newMeter("tried", r.op.Changed)
	defer meter.finish()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	moved := time.Now()
	for {
		under := len(r.flights.ids)
		if err := r.land(ctx); err != nil {
			return false, err
		}
		p, err := r.outcomes(ctx)
		if err != nil {
			return false, err
		}
		if r.progress == nil || *p != *r.progress || len(r.flights.ids) != under {
			moved = time.Now()
		}
		r.progress = p
		meter.set(r.op.Changed + r.flights.retried() - p.Waiting)
		if p.Waiting == 0 && len(r.flights.ids) == 0 || r.env.opts.timeout == 0 && time.Since(moved) >= stallTimeout {
			return false, nil
		}
		select {
		case <-ctx.Done():
			return false, nil
		case err := <-engine:
			if err == nil {
				err = chatops.Errorf(chatops.CodeInternal, "the delivery engine stopped early")
			}
			return true, err
		case <-tick.C:
		}
	}
}

// verdict tells the outcome in one line, and whether all was delivered.
func (r *bulkRun) verdict() error {
	p := r.progress
	text := fmt.Sprintf("delivered %d, failed %d, pending %d", p.Delivered, p.Failed, p.Pending+p.Waiting)
	if p.Other > 0 {
		text += fmt.Sprintf(", changed by somebody else %d", p.Other)
	}
	if n := len(r.flights.ids); n > 0 {
		text += fmt.Sprintf(", still in flight %d", n)
	}
	if p.Failed+p.Pending+p.Waiting+p.Other+int64(len(r.flights.ids)) == 0 {
		r.env.notef("%s", text)
		return nil
	}
	err := chatops.Errorf(chatops.CodePartial, "not every alert was delivered: %s", text)
	if p.Waiting > 0 {
		return hint(err, "%d not tried: paused, behind an open breaker, or not configured; see why with chatops dlq list, wait on with: %s", p.Waiting, r.resumeCommand())
	}
	return hint(err, "see why: chatops dlq list")
}
