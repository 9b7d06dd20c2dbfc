package storetest

import (
	"time"

	"chatops/internal/chatops"
)

func leaseCases() []testCase {
	return []testCase{
		{"Lease_ThatRanOut_IsFreedBySweep", leaseExpires},
		{"Lease_ThatRanOut_ShowsThatItsAlertsMayHaveBeenSent", leaseMaybeSent},
		{"Lease_StillRunning_SurvivesSweep", leaseSurvives},
		{"Lease_Expired_RejectsTheLateOutcome", leaseFence},
		{"Lease_IsExtendedByRecord", leaseExtended},
		{"Lease_OfAnEmptyBatch_IsNoLease", leaseOfNothing},
		{"Lease_GivenUp_RejectsASecondRecord", leaseGivenUp},
	}
}

// sweep sweeps once with work to do and once without.
func (e *env) sweep(want int) {
	e.t.Helper()
	n, err := e.store.Sweep(e.ctx)
	e.must(err)
	if n != want {
		e.t.Fatalf("Sweep freed %d alerts, want %d", n, want)
	}
	n, err = e.store.Sweep(e.ctx)
	e.must(err)
	if n != 0 {
		e.t.Fatalf("a second Sweep freed %d alerts more", n)
	}
}

func leaseExpires(e *env) {
	made := e.enqueue(slackLane, 3)
	b := e.claim(request(slackLane, true, 3))
	e.record(chatops.Record{Batch: b, Outcomes: outcomes(chatops.OutcomeDelivered, made[1])})
	e.clock.Advance(lease + time.Second)
	e.wantIDs("claim before the sweep", ids(e.claim(request(slackLane, true, 10))), nil)
	e.sweep(2)
	again := e.claimFrom(e.open(), request(slackLane, true, 10))
	e.wantIDs("claim after the sweep", ids(again), []int64{made[0], made[2]})
	if again.LeaseID == b.LeaseID {
		e.t.Fatalf("lease %d was given out twice", b.LeaseID)
	}
}

// leaseMaybeSent: the owner died, perhaps after the receiver's yes. Whoever
// takes over must see that, and no retry is used up. An alert that had failed
// before shows it anyway and keeps the time of that attempt, by which an
// operation knows that it still waits.
func leaseMaybeSent(e *env) {
	fresh := e.enqueue(slackLane, 1)
	retried := e.enqueue(mondayLane, 1)
	e.settle(e.claim(request(mondayLane, true, 1)), chatops.OutcomeRetry)
	before := e.alert(retried[0]).LastAttemptAt
	e.clock.Advance(time.Hour)
	e.claim(request(slackLane, true, 1))
	e.wantIDs("claim of the retry", ids(e.claim(request(mondayLane, false, 1))), retried)
	e.clock.Advance(lease + time.Second)
	e.sweep(2)
	e.wantStatus(fresh[0], chatops.AlertQueued, 0)
	if a := e.alert(fresh[0]); a.LastAttemptAt.IsZero() {
		e.t.Fatal("an alert that may have been sent looks as if nobody had tried it")
	}
	if after := e.alert(retried[0]).LastAttemptAt; !after.Equal(before) {
		e.t.Fatalf("the last attempt of a pending alert moved from %v to %v", before, after)
	}
}

func leaseSurvives(e *env) {
	e.enqueue(slackLane, 2)
	b := e.claim(request(slackLane, true, 2))
	e.clock.Advance(lease - 5*time.Second)
	e.sweep(0)
	e.wantIDs("claim of leased alerts", ids(e.claim(request(slackLane, true, 10))), nil)
	e.settle(b, chatops.OutcomeDelivered)
}

func leaseFence(e *env) {
	made := e.enqueue(slackLane, 2)
	late := e.claim(request(slackLane, true, 2))
	e.clock.Advance(lease + time.Second)
	e.sweep(2)
	current := e.claimFrom(e.open(), request(slackLane, true, 2))

	next := request(slackLane, true, 2)
	rec := chatops.Record{
		Batch: late, Outcomes: outcomes(chatops.OutcomeFailed, made...), Done: true, PauseLane: time.Hour,
		Enqueue: []chatops.NewAlert{newAlert("mailto:ops@example.pl", "escalation")}, Next: &next,
	}
	_, err := e.store.Record(e.ctx, rec)
	e.wantCode(err, chatops.CodeConflict)
	_, attempts, err := e.store.Alert(e.ctx, made[0])
	e.must(err)
	if len(attempts) != 0 || len(e.alerts(chatops.AlertFilter{})) != 2 {
		e.t.Fatalf("a rejected record left %d attempts and %d alerts", len(attempts), len(e.alerts(chatops.AlertFilter{})))
	}
	e.wantStatus(made[0], chatops.AlertQueued, 0)
	e.settle(current, chatops.OutcomeDelivered)
	e.wantStatus(made[0], chatops.AlertDelivered, 0)
	e.enqueue(slackLane, 1)
	if b := e.claim(request(slackLane, true, 1)); len(b.Alerts) != 1 {
		e.t.Fatal("the rejected record paused the lane")
	}
}

func leaseExtended(e *env) {
	made := e.enqueue(slackLane, 3)
	b := e.claim(request(slackLane, true, 3))
	for i := range 3 {
		e.clock.Advance(lease * 3 / 4)
		e.record(chatops.Record{Batch: b, Outcomes: outcomes(chatops.OutcomeDelivered, made[i])})
		e.sweep(0)
	}
	e.wantIDs("claim of alerts under an extended lease", ids(e.claim(request(slackLane, true, 3))), nil)
	e.record(chatops.Record{Batch: b, Done: true})
	for _, id := range made {
		e.wantStatus(id, chatops.AlertDelivered, 0)
	}
}

func leaseOfNothing(e *env) {
	b := e.claim(request(slackLane, true, 3))
	_, err := e.store.Record(e.ctx, chatops.Record{Batch: b, Done: true})
	e.wantCode(err, chatops.CodeConflict)
	ghost := &chatops.Batch{LeaseID: 987654, Request: request(slackLane, true, 3)}
	_, err = e.store.Record(e.ctx, chatops.Record{Batch: ghost})
	e.wantCode(err, chatops.CodeConflict)
}

func leaseGivenUp(e *env) {
	made := e.enqueue(slackLane, 1)
	b := e.claim(request(slackLane, true, 1))
	e.settle(b, chatops.OutcomeRetry)
	_, err := e.store.Record(e.ctx, chatops.Record{Batch: b, Outcomes: outcomes(chatops.OutcomeDelivered, made...), Done: true})
	e.wantCode(err, chatops.CodeConflict)
	e.wantStatus(made[0], chatops.AlertPending, 0)
}
