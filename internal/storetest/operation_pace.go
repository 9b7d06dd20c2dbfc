package storetest

import (
	"slices"
	"time"

	"chatops/internal/chatops"
)

func paceCases() []testCase {
	return []testCase{
		{"Pace_ReleasesWhatTheCarrierAsksForAndNoMore", paceRelease},
		{"Pace_IsNotStepped", paceNotStepped},
		{"Pace_LeavesQueuedAlertsAlone", paceQueued},
		{"Pace_ALostFenceChangesNothing", paceFence},
		{"Pace_IsCarriedByOneAndPassesOnWithItsLease", paceLease},
		{"Pace_HaltsWithItsReason", paceHalt},
		{"Pace_OutcomesFollowTheAlerts", paceOutcomes},
		{"Pace_WhatItSelectedIsNobodyElses", paceOverlap},
		{"Pace_WhatItLeavesWhenCancelledIsNotSweptIn", paceCancelledLater},
		{"Change_PausesResumesAndCancels", changeStates},
		{"Change_CancelKeepsTheRestAsItWas", changeCancel},
		{"Change_OfTheRateIsSeenByTheCarrier", changeRate},
		{"Change_RefusesWhatCannotBe", changeRefused},
		{"Claim_TakesWhatItsCommandLineHasLeft", claimAbandoned},
		{"Operations_ListsTheNewestFirst", operationList},
	}
}

// pace creates a paced retry of the failed alerts.
func (e *env) pace(p chatops.OperationPace) *chatops.Operation {
	e.t.Helper()
	op := &chatops.Operation{
		Kind: chatops.OperationRetry, Pace: &p, Actor: "ola",
		Filter: chatops.AlertFilter{Statuses: []chatops.AlertStatus{chatops.AlertFailed}},
	}
	e.must(e.store.CreateOperation(e.ctx, op))
	return op
}

func (e *env) claimOperations(s chatops.Store, holder string) []chatops.Operation {
	e.t.Helper()
	list, err := s.ClaimOperations(e.ctx, chatops.OperationClaim{Holder: holder, Lease: lease, Idle: time.Minute})
	e.must(err)
	return list
}

// carry claims the one operation that there is to claim.
func (e *env) carry(holder string) *chatops.Operation {
	e.t.Helper()
	list := e.claimOperations(e.store, holder)
	if len(list) != 1 || list[0].Holder != holder {
		e.t.Fatalf("claimed %+v, want one operation", list)
	}
	return &list[0]
}

func (e *env) release(op *chatops.Operation, limit int) *chatops.Operation {
	e.t.Helper()
	got, err := e.store.ReleaseOperation(e.ctx, chatops.OperationRelease{ID: op.ID, Fence: op.Fence, Lease: lease, Limit: limit, Run: op.Run})
	e.must(err)
	return got
}

func (e *env) change(op *chatops.Operation, to chatops.OperationState) *chatops.Operation {
	e.t.Helper()
	got, err := e.store.ChangeOperation(e.ctx, chatops.OperationChange{ID: op.ID, To: to, Actor: "ewa", Reason: "because"})
	e.must(err)
	return got
}

// waitingOf is how many alerts of an operation wait.
func (e *env) waitingOf(op *chatops.Operation) int {
	e.t.Helper()
	return len(e.alerts(chatops.AlertFilter{OperationID: op.ID, Statuses: []chatops.AlertStatus{chatops.AlertPending}}))
}

func paceRelease(e *env) {
	e.fail(slackLane, 5)
	made := e.pace(chatops.OperationPace{Rate: 50, Canary: 1, MaxFailures: 0.2})
	if made.Matched != 5 || made.State != chatops.OperationRunning {
		e.t.Fatalf("created %+v", *made)
	}
	op := e.carry("r1")
	if op.Pace == nil || *op.Pace != (chatops.OperationPace{Rate: 50, Canary: 1, MaxFailures: 0.2}) {
		e.t.Fatalf("stored pace %+v", op.Pace)
	}
	op.Run = chatops.OperationRun{Rate: 25, Waits: "for nothing", Integrations: []string{"slack"}}
	op = e.release(op, 2)
	if op.Changed != 2 || op.Run.Rate != 25 || op.Run.Waits != "for nothing" || e.waitingOf(op) != 2 {
		e.t.Fatalf("after a release of two: %+v", *op)
	}
	if later := e.fail(slackLane, 1); e.release(op, 0).Changed != 2 || e.alert(later[0]).OperationID != "" {
		e.t.Fatal("a release of none changed something")
	}
	op = e.release(op, 100)
	if op.Changed != 5 || op.State != chatops.OperationDone || op.DoneAt.IsZero() || e.waitingOf(op) != 5 {
		e.t.Fatalf("after the last release: %+v", *op)
	}
}

func paceNotStepped(e *env) {
	e.fail(slackLane, 2)
	op := e.pace(chatops.OperationPace{Canary: 1})
	got, err := e.store.StepOperation(e.ctx, op.ID, 100)
	e.must(err)
	if got.Changed != 0 || !got.DoneAt.IsZero() {
		e.t.Fatalf("a step changed a paced operation: %+v", *got)
	}
}

func paceQueued(e *env) {
	e.enqueue(slackLane, 2)
	op := &chatops.Operation{Kind: chatops.OperationRetry, Pace: &chatops.OperationPace{Rate: 1}}
	e.must(e.store.CreateOperation(e.ctx, op))
	if op.Matched != 0 {
		e.t.Fatalf("a paced operation selected %d queued alerts", op.Matched)
	}
	bad := &chatops.Operation{Kind: chatops.OperationDiscard, Pace: &chatops.OperationPace{Rate: 1}}
	e.wantCode(e.store.CreateOperation(e.ctx, bad), chatops.CodeInvalid)
}

func paceFence(e *env) {
	e.fail(slackLane, 3)
	e.pace(chatops.OperationPace{Rate: 10})
	op := e.carry("r1")
	late := chatops.OperationRelease{ID: op.ID, Fence: op.Fence, Lease: lease, Limit: 1}
	e.clock.Advance(2 * lease)
	next := e.carry("r2")
	_, err := e.store.ReleaseOperation(e.ctx, late)
	e.wantCode(err, chatops.CodeConflict)
	if e.waitingOf(op) != 0 {
		e.t.Fatal("a late release made an alert due")
	}
	e.change(next, chatops.OperationPaused)
	late.Fence = next.Fence
	_, err = e.store.ReleaseOperation(e.ctx, late)
	e.wantCode(err, chatops.CodeConflict)
	late.ID = "op_nothing"
	_, err = e.store.ReleaseOperation(e.ctx, late)
	e.wantCode(err, chatops.CodeNotFound)
	_, err = e.store.OperationOutcomes(e.ctx, "op_nothing")
	e.wantCode(err, chatops.CodeNotFound)
}

func paceLease(e *env) {
	e.fail(slackLane, 3)
	e.pace(chatops.OperationPace{Rate: 10})
	op := e.carry("r1")
	other := e.open()
	if list := e.claimOperations(other, "r2"); len(list) != 0 {
		e.t.Fatalf("a second process claimed %+v", list)
	}
	e.clock.Advance(lease / 2)
	e.release(op, 1) // renews the lease
	e.clock.Advance(lease * 3 / 4)
	if list := e.claimOperations(other, "r2"); len(list) != 0 {
		e.t.Fatal("a renewed lease was taken over")
	}
	e.clock.Advance(lease)
	list := e.claimOperations(other, "r2")
	if len(list) != 1 || list[0].Fence <= op.Fence || list[0].Changed != 1 {
		e.t.Fatalf("after the lease has passed: %+v", list)
	}
	only, err := e.store.ClaimOperations(e.ctx, chatops.OperationClaim{Holder: "r3", Lease: lease, Only: "op_other"})
	e.must(err)
	if len(only) != 0 {
		e.t.Fatalf("claimed %+v, wanted another", only)
	}
	_, err = e.store.ClaimOperations(e.ctx, chatops.OperationClaim{})
	e.wantCode(err, chatops.CodeInvalid)
}

func paceHalt(e *env) {
	e.fail(slackLane, 3)
	e.pace(chatops.OperationPace{Rate: 10})
	op := e.carry("r1")
	got, err := e.store.ReleaseOperation(e.ctx, chatops.OperationRelease{ID: op.ID, Fence: op.Fence, Lease: lease, Limit: 3, Halt: "9 of 10 failed"})
	e.must(err)
	if got.State != chatops.OperationHalted || got.Note != "9 of 10 failed" || got.Changed != 0 || got.ChangedBy != "r1" || got.Holder != "" {
		e.t.Fatalf("halted operation is %+v", *got)
	}
	if list := e.claimOperations(e.store, "r2"); len(list) != 0 {
		e.t.Fatalf("a halted operation was claimed: %+v", list)
	}
	if got = e.change(op, chatops.OperationRunning); got.State != chatops.OperationRunning {
		e.t.Fatalf("resumed operation is %+v", *got)
	}
	e.carry("r2")
}

func paceOutcomes(e *env) {
	e.fail(slackLane, 4)
	e.fail(mondayLane, 2)
	e.pace(chatops.OperationPace{Rate: 10})
	op := e.release(e.carry("r1"), 100)
	want := func(when string, w chatops.OperationOutcomes) {
		got, err := e.store.OperationOutcomes(e.ctx, op.ID)
		e.must(err)
		if got.Released != w.Released || got.Failed != w.Failed || got.Waiting != w.Waiting || !slices.Equal(got.Lanes, w.Lanes) {
			e.t.Fatalf("%s: %+v, want %+v", when, *got, w)
		}
	}
	want("at first", chatops.OperationOutcomes{Released: 6, Waiting: 6, Lanes: []string{mondayLane, slackLane}})
	b := e.claim(request(slackLane, false, 3))
	list := outcomes(chatops.OutcomeDelivered, ids(b)[0])
	list = append(list, outcomes(chatops.OutcomeFailed, ids(b)[1])...)
	list = append(list, outcomes(chatops.OutcomeRetry, ids(b)[2])...)
	e.record(chatops.Record{Batch: b, Outcomes: list, Done: true})
	parked := e.claim(request(mondayLane, false, 2))
	e.settle(parked, chatops.OutcomeParked)
	want("after attempts", chatops.OperationOutcomes{Released: 6, Failed: 2, Waiting: 3, Lanes: []string{mondayLane, slackLane}})
}

func paceOverlap(e *env) {
	made := e.fail(slackLane, 4)
	first := e.pace(chatops.OperationPace{Rate: 10})
	op := e.release(e.carry("r1"), 1)
	e.change(op, chatops.OperationPaused)
	e.fail(mondayLane, 1)
	second := e.operate(chatops.OperationRetry, chatops.AlertFilter{})
	named := e.operate(chatops.OperationDiscard, chatops.AlertFilter{IDs: made})
	if second.Matched != 1 || named.Matched != 0 || !slices.Equal(second.Besides, []string{first.ID}) {
		e.t.Fatalf("beside %s, others selected %d and %d", first.ID, second.Matched, named.Matched)
	}
	e.wantOperation(e.finish(second.ID, 2), 1, 1, 0)
	e.wantOperation(e.finish(named.ID, 2), 0, 0, 0)
	e.change(first, chatops.OperationRunning)
	got := e.release(e.carry("r1"), 100)
	e.wantOperation(got, 4, 4, 0)
}

func paceCancelledLater(e *env) {
	e.fail(slackLane, 4)
	first := e.pace(chatops.OperationPace{Rate: 10})
	e.fail(mondayLane, 2)
	second := e.operate(chatops.OperationRetry, chatops.AlertFilter{})
	e.change(first, chatops.OperationCancelled)
	e.wantOperation(e.finish(second.ID, 1), 2, 2, 0)
	third := e.operate(chatops.OperationRetry, chatops.AlertFilter{Targets: []string{slackLane}})
	e.wantOperation(e.finish(third.ID, 10), 4, 4, 0)
}

func changeStates(e *env) {
	e.fail(slackLane, 3)
	op := e.operate(chatops.OperationRetry, chatops.AlertFilter{})
	_, err := e.store.StepOperation(e.ctx, op.ID, 1)
	e.must(err)
	got := e.change(op, chatops.OperationPaused)
	if got.State != chatops.OperationPaused || got.Note != "because" || got.ChangedBy != "ewa" || !got.ChangedAt.After(got.CreatedAt) {
		e.t.Fatalf("paused operation is %+v", *got)
	}
	got, err = e.store.StepOperation(e.ctx, op.ID, 10)
	e.must(err)
	if got.Changed != 1 || !got.DoneAt.IsZero() {
		e.t.Fatalf("a paused operation was stepped: %+v", *got)
	}
	e.change(op, chatops.OperationRunning)
	e.wantOperation(e.finish(op.ID, 10), 3, 3, 0)
	if got, err = e.store.Operation(e.ctx, op.ID); err != nil || got.State != chatops.OperationDone {
		e.t.Fatalf("finished operation is %+v, %v", got, err)
	}
}

func changeCancel(e *env) {
	made := e.fail(slackLane, 3)
	before := e.alert(made[2])
	e.pace(chatops.OperationPace{Rate: 10})
	op := e.release(e.carry("r1"), 1)
	got := e.change(op, chatops.OperationCancelled)
	if got.State != chatops.OperationCancelled || got.DoneAt.IsZero() || got.Left() != 2 {
		e.t.Fatalf("cancelled operation is %+v", *got)
	}
	untouched := 0
	for _, id := range made {
		if a := e.alert(id); a.OperationID == "" && a.Status == before.Status && a.RetryCount == before.RetryCount &&
			a.ErrorMessage == before.ErrorMessage {
			untouched++
		}
	}
	if untouched != 2 {
		e.t.Fatalf("%d of 2 alerts are as they were", untouched)
	}
	e.wantCode(func() error {
		_, err := e.store.ReleaseOperation(e.ctx, chatops.OperationRelease{ID: op.ID, Fence: op.Fence, Lease: lease, Limit: 1})
		return err
	}(), chatops.CodeConflict)
}

func changeRate(e *env) {
	e.fail(slackLane, 3)
	e.pace(chatops.OperationPace{Rate: 10, MaxFailures: 0.2})
	op := e.carry("r1")
	rate, most := 2.5, 0.5
	_, err := e.store.ChangeOperation(e.ctx, chatops.OperationChange{ID: op.ID, Rate: &rate, MaxFailures: &most, Actor: "ewa"})
	e.must(err)
	if got := e.release(op, 1); got.Pace.Rate != 2.5 || got.Pace.MaxFailures != 0.5 || got.Changed != 1 {
		e.t.Fatalf("the carrier sees %+v", *got.Pace)
	}
}

func changeRefused(e *env) {
	e.fail(slackLane, 1)
	op := e.operate(chatops.OperationRetry, chatops.AlertFilter{})
	rate := 5.0
	_, err := e.store.ChangeOperation(e.ctx, chatops.OperationChange{ID: op.ID, Rate: &rate})
	e.wantCode(err, chatops.CodeRefused)
	e.finish(op.ID, 10)
	_, err = e.store.ChangeOperation(e.ctx, chatops.OperationChange{ID: op.ID, To: chatops.OperationCancelled})
	e.wantCode(err, chatops.CodeRefused)
	_, err = e.store.ChangeOperation(e.ctx, chatops.OperationChange{ID: "op_nothing", To: chatops.OperationPaused})
	e.wantCode(err, chatops.CodeNotFound)
}

func claimAbandoned(e *env) {
	e.fail(slackLane, 3)
	op := e.operate(chatops.OperationRetry, chatops.AlertFilter{})
	_, err := e.store.StepOperation(e.ctx, op.ID, 1)
	e.must(err)
	e.clock.Advance(30 * time.Second)
	if list := e.claimOperations(e.store, "r1"); len(list) != 0 {
		e.t.Fatalf("claimed %+v from under its command line", list)
	}
	e.clock.Advance(time.Minute)
	if got := e.carry("r1"); got.ID != op.ID {
		e.t.Fatalf("claimed %s, want %s", got.ID, op.ID)
	}
	e.wantOperation(e.finish(op.ID, 10), 3, 3, 0)
}

func operationList(e *env) {
	e.fail(slackLane, 1)
	var made []string
	for range 3 {
		made = append([]string{e.operate(chatops.OperationRetry, chatops.AlertFilter{}).ID}, made...)
		e.clock.Advance(time.Second)
	}
	e.finish(made[1], 10)
	read := func(live bool, limit int) []string {
		list, err := e.store.Operations(e.ctx, live, limit)
		e.must(err)
		var ids []string
		for i := range list {
			ids = append(ids, list[i].ID)
		}
		return ids
	}
	if got := read(false, 2); !slices.Equal(got, made[:2]) {
		e.t.Fatalf("the newest two are %v, want %v", got, made[:2])
	}
	if got := read(true, 10); !slices.Equal(got, []string{made[0], made[2]}) {
		e.t.Fatalf("live are %v of %v", got, made)
	}
}
