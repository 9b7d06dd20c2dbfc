package storetest

import (
	"strings"
	"sync"
	"time"

	"chatops/internal/chatops"
)

func operationCases() []testCase {
	return []testCase{
		{"Operation_Retry_RequeuesWhatItSelected", operationRetry},
		{"Operation_Retry_SendsWhatWasNeverTriedAsWell", operationRetryOfQueued},
		{"Operation_Discard_SelectsWaitingAndFailed", operationDiscard},
		{"Operation_SelectionIsFrozen", operationFrozen},
		{"Operation_KeepsItsFilter", operationRoundTrip},
		{"Operation_SkipsAlertsInFlight", operationInFlight},
		{"Operation_SkipsWhatOthersChanged", operationChangedSince},
		{"Operation_SteppedByTwoProcesses_ChangesEachAlertOnce", operationParallel},
		{"Operation_OverlappingAnother_ChangesEachAlertOnce", operationOverlap},
		{"OperationProgress_FollowsTheAlerts", operationProgress},
		{"OperationProgress_LeavesTakenAlertsToTheLaterOperation", operationTaken},
		{"Operation_OfNothing_IsDoneAtOnce", operationEmpty},
		{"Operation_Unknown_IsNotFound", operationUnknown},
		{"Operation_OfAnUnknownKind_IsInvalid", operationKind},
	}
}

// operate creates an operation.
func (e *env) operate(kind chatops.OperationKind, f chatops.AlertFilter) *chatops.Operation {
	e.t.Helper()
	op := &chatops.Operation{Kind: kind, Filter: f, Actor: "ola", Reason: "Slack is back"}
	e.must(e.store.CreateOperation(e.ctx, op))
	if !strings.HasPrefix(op.ID, "op_") || op.CreatedAt.IsZero() {
		e.t.Fatalf("created operation %q at %v", op.ID, op.CreatedAt)
	}
	return op
}

// finish steps an operation to its end.
func (e *env) finish(id string, limit int) *chatops.Operation {
	e.t.Helper()
	for range 100 {
		op, err := e.store.StepOperation(e.ctx, id, limit)
		e.must(err)
		if op.DoneAt.IsZero() {
			continue
		}
		if op.Matched != op.Changed+op.Skipped {
			e.t.Fatalf("finished operation matched %d, changed %d and skipped %d", op.Matched, op.Changed, op.Skipped)
		}
		return op
	}
	e.t.Fatalf("operation %s is not done after 100 steps", id)
	return nil
}

func (e *env) wantOperation(op *chatops.Operation, matched, changed, skipped int64) {
	e.t.Helper()
	if op.Matched != matched || op.Changed != changed || op.Skipped != skipped {
		e.t.Fatalf("operation matched %d, changed %d, skipped %d; want %d, %d, %d",
			op.Matched, op.Changed, op.Skipped, matched, changed, skipped)
	}
}

func operationRetry(e *env) {
	failed := e.fail(slackLane, 3)
	e.clock.Advance(time.Second)
	e.exec(`UPDATE dead_letter_queue SET retry_count = 5`)
	pending := e.enqueue(slackLane, 2)
	b := e.claim(request(slackLane, true, 2))
	list := outcomes(chatops.OutcomeRetry, pending...)
	list[0].Delay, list[1].Delay = time.Hour, time.Hour
	e.record(chatops.Record{Batch: b, Outcomes: list, Done: true})
	fresh := e.enqueue(slackLane, 1)
	done := e.enqueue(mondayLane, 1)
	e.settle(e.claim(request(mondayLane, true, 1)), chatops.OutcomeDelivered)

	unhappy := []chatops.AlertStatus{chatops.AlertPending, chatops.AlertFailed}
	op := e.operate(chatops.OperationRetry, chatops.AlertFilter{Statuses: unhappy})
	e.wantOperation(op, 5, 0, 0)
	step, err := e.store.StepOperation(e.ctx, op.ID, 2)
	e.must(err)
	if step.Changed != 2 || !step.DoneAt.IsZero() {
		e.t.Fatalf("first step of two: %+v", *step)
	}
	e.wantOperation(e.finish(op.ID, 2), 5, 5, 0)
	for _, id := range append(append([]int64{}, failed...), pending...) {
		a := e.alert(id)
		if a.Status != chatops.AlertPending || a.RetryCount != 0 || a.OperationID != op.ID || a.NextAttemptAt.After(e.clock.Peek()) {
			e.t.Fatalf("retried alert is %+v", *a)
		}
	}
	e.wantStatus(fresh[0], chatops.AlertQueued, 0)
	e.wantStatus(done[0], chatops.AlertDelivered, 0)
	if b := e.claim(request(slackLane, false, 10)); len(b.Alerts) != 5 {
		e.t.Fatalf("%d of 5 retried alerts are claimable at once", len(b.Alerts))
	}
	again, err := e.store.StepOperation(e.ctx, op.ID, 100)
	e.must(err)
	e.wantOperation(again, 5, 5, 0)
}

// operationRetryOfQueued is about alerts that nobody has tried because no
// server runs: an operator sends them as well.
func operationRetryOfQueued(e *env) {
	failed := e.fail(slackLane, 1)
	fresh := e.enqueue(slackLane, 2)
	op := e.operate(chatops.OperationRetry, chatops.AlertFilter{})
	e.wantOperation(op, 3, 0, 0)
	e.wantOperation(e.finish(op.ID, 10), 3, 3, 0)
	e.wantStatus(failed[0], chatops.AlertPending, 0)
	for _, id := range fresh {
		if a := e.alert(id); a.Status != chatops.AlertQueued || a.OperationID != op.ID {
			e.t.Fatalf("retried alert that was never tried is %+v, want it queued still", *a)
		}
	}
	if b := e.claim(request(slackLane, true, 10)); len(b.Alerts) != 2 {
		e.t.Fatalf("%d of 2 queued alerts are claimable after the retry", len(b.Alerts))
	}
}

func operationDiscard(e *env) {
	failed := e.fail(slackLane, 2)
	e.enqueue(slackLane, 1)
	e.settle(e.claim(request(slackLane, true, 1)), chatops.OutcomeRetry)
	e.enqueue(slackLane, 1)
	e.enqueue(mondayLane, 1)
	e.settle(e.claim(request(mondayLane, true, 1)), chatops.OutcomeDelivered)
	op := e.operate(chatops.OperationDiscard, chatops.AlertFilter{Types: []string{"slack_alert", "monday_item"}})
	e.wantOperation(e.finish(op.ID, 100), 4, 4, 0)
	if a := e.alert(failed[0]); a.Status != chatops.AlertDiscarded || a.OperationID != op.ID {
		e.t.Fatalf("discarded alert is %+v", *a)
	}
	for _, fresh := range []bool{true, false} {
		e.wantIDs("claim after discarding", ids(e.claim(request(slackLane, fresh, 10))), nil)
	}
}

func operationFrozen(e *env) {
	before := e.fail(slackLane, 2)
	waiting := e.enqueue(mondayLane, 2)
	op := e.operate(chatops.OperationRetry, chatops.AlertFilter{Statuses: []chatops.AlertStatus{chatops.AlertFailed}})
	e.wantOperation(op, 2, 0, 0)
	e.settle(e.claim(request(mondayLane, true, 2)), chatops.OutcomeFailed) // older rows that fail later
	later := e.fail(slackLane, 2)                                          // newer rows
	e.wantOperation(e.finish(op.ID, 1), 2, 2, 0)
	for _, id := range before {
		e.wantStatus(id, chatops.AlertPending, 0)
	}
	for _, id := range append(waiting, later...) {
		e.wantStatus(id, chatops.AlertFailed, 0)
	}
}

func operationRoundTrip(e *env) {
	f := chatops.AlertFilter{
		Statuses: []chatops.AlertStatus{"failed"}, Types: []string{"slack_alert"}, Targets: []string{slackLane},
		Error: `100% \ "x"`, Fingerprint: "slack:503", Since: e.clock.Peek().Add(-time.Hour).Truncate(time.Microsecond),
		MinAttempts: 2, IDs: []int64{1, 2, 3},
	}
	made := e.operate(chatops.OperationRetry, f)
	got, err := e.store.Operation(e.ctx, made.ID)
	e.must(err)
	if got.Kind != made.Kind || got.Actor != "ola" || got.Reason != "Slack is back" || !got.CreatedAt.Equal(made.CreatedAt) ||
		got.Filter.Error != f.Error || !got.Filter.Since.Equal(f.Since) || len(got.Filter.IDs) != 3 || got.Filter.MinAttempts != 2 {
		e.t.Fatalf("stored\n%+v, made\n%+v", *got, *made)
	}
	if second := e.operate(chatops.OperationRetry, f); second.ID <= made.ID {
		e.t.Fatalf("operation ids do not sort: %s then %s", made.ID, second.ID)
	}
}

func operationInFlight(e *env) {
	made := e.enqueue(slackLane, 3)
	e.settle(e.claim(request(slackLane, true, 3)), chatops.OutcomeRetry)
	b := e.claim(request(slackLane, false, 2))
	op := e.operate(chatops.OperationDiscard, chatops.AlertFilter{})
	e.wantOperation(e.finish(op.ID, 10), 3, 1, 2)
	e.wantStatus(made[2], chatops.AlertDiscarded, 0)
	e.settle(b, chatops.OutcomeDelivered)
	e.wantStatus(made[0], chatops.AlertDelivered, 0)
	e.wantStatus(made[1], chatops.AlertDelivered, 0)
}

func operationChangedSince(e *env) {
	made := e.fail(slackLane, 4)
	op := e.operate(chatops.OperationRetry, chatops.AlertFilter{Statuses: []chatops.AlertStatus{"failed"}})
	other := e.operate(chatops.OperationDiscard, chatops.AlertFilter{IDs: made[:1]})
	e.finish(other.ID, 10)
	e.exec(`DELETE FROM dead_letter_queue WHERE id = (SELECT MAX(id) FROM dead_letter_queue)`)
	e.wantOperation(e.finish(op.ID, 10), 4, 2, 2)
	e.wantStatus(made[0], chatops.AlertDiscarded, 0)
	e.wantStatus(made[1], chatops.AlertPending, 0)
}

func operationParallel(e *env) {
	made := e.fail(slackLane, 40)
	op := e.operate(chatops.OperationRetry, chatops.AlertFilter{})
	stores := []chatops.Store{e.store, e.open()}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range 100 {
				got, err := stores[i%2].StepOperation(e.ctx, op.ID, 3)
				if err != nil {
					e.t.Errorf("step: %v", err)
					return
				}
				if !got.DoneAt.IsZero() {
					return
				}
			}
			e.t.Errorf("not done after 100 steps")
		})
	}
	wg.Wait()
	got, err := e.store.Operation(e.ctx, op.ID)
	e.must(err)
	e.wantOperation(got, 40, 40, 0)
	b := e.claim(request(slackLane, false, 100))
	if len(b.Alerts) != len(made) {
		e.t.Fatalf("claimed %d of %d retried alerts", len(b.Alerts), len(made))
	}
}

func operationOverlap(e *env) {
	e.fail(slackLane, 10)
	first := e.operate(chatops.OperationRetry, chatops.AlertFilter{})
	second := e.operate(chatops.OperationRetry, chatops.AlertFilter{})
	_, err := e.store.StepOperation(e.ctx, first.ID, 4)
	e.must(err)
	two := e.finish(second.ID, 3)
	one := e.finish(first.ID, 3)
	if one.Matched != 10 || two.Matched != 10 || one.Changed+two.Changed != 10 {
		e.t.Fatalf("two operations over 10 alerts changed %d and %d, skipped %d and %d",
			one.Changed, two.Changed, one.Skipped, two.Skipped)
	}
	if b := e.claim(request(slackLane, false, 100)); len(b.Alerts) != 10 {
		e.t.Fatalf("claimed %d of 10", len(b.Alerts))
	}
}

func operationProgress(e *env) {
	e.fail(slackLane, 5)
	op := e.operate(chatops.OperationRetry, chatops.AlertFilter{})
	e.finish(op.ID, 10)
	e.wantProgress(op.ID, chatops.OperationProgress{Waiting: 5})
	b := e.claim(request(slackLane, false, 4))
	list := outcomes(chatops.OutcomeDelivered, ids(b)[:2]...)
	list = append(list, outcomes(chatops.OutcomeFailed, ids(b)[2])...)
	list = append(list, outcomes(chatops.OutcomeRetry, ids(b)[3])...)
	list[3].Delay = time.Hour
	e.record(chatops.Record{Batch: b, Outcomes: list, Done: true})
	e.wantProgress(op.ID, chatops.OperationProgress{Delivered: 2, Failed: 1, Pending: 1, Waiting: 1})
}

func (e *env) wantProgress(id string, want chatops.OperationProgress) {
	e.t.Helper()
	got, err := e.store.OperationProgress(e.ctx, id)
	e.must(err)
	if *got != want {
		e.t.Fatalf("progress %+v, want %+v", *got, want)
	}
}

func operationTaken(e *env) {
	e.fail(slackLane, 5)
	first := e.operate(chatops.OperationRetry, chatops.AlertFilter{})
	e.finish(first.ID, 10)
	e.settle(e.claim(request(slackLane, false, 1)), chatops.OutcomeDelivered)
	second := e.operate(chatops.OperationDiscard, chatops.AlertFilter{OperationID: first.ID})
	e.wantOperation(e.finish(second.ID, 10), 4, 4, 0)
	e.wantProgress(first.ID, chatops.OperationProgress{Delivered: 1, Other: 4})
	e.wantProgress(second.ID, chatops.OperationProgress{Other: 4})
}

func operationEmpty(e *env) {
	op := e.operate(chatops.OperationRetry, chatops.AlertFilter{Types: []string{"none"}})
	e.wantOperation(op, 0, 0, 0)
	got, err := e.store.StepOperation(e.ctx, op.ID, 10)
	e.must(err)
	if got.DoneAt.IsZero() {
		e.t.Fatal("an operation over nothing is not done after a step")
	}
	e.wantProgress(op.ID, chatops.OperationProgress{})
}

func operationUnknown(e *env) {
	_, err := e.store.Operation(e.ctx, "op_nothing")
	e.wantCode(err, chatops.CodeNotFound)
	_, err = e.store.StepOperation(e.ctx, "op_nothing", 10)
	e.wantCode(err, chatops.CodeNotFound)
	_, err = e.store.OperationProgress(e.ctx, "op_nothing")
	e.wantCode(err, chatops.CodeNotFound)
}

func operationKind(e *env) {
	e.wantCode(e.store.CreateOperation(e.ctx, &chatops.Operation{Kind: "explode"}), chatops.CodeInvalid)
}
