package storetest

import (
	"time"

	"chatops/internal/chatops"
)

func recordCases() []testCase {
	return []testCase{
		{"Record_Delivered_IsFinal", recordDelivered},
		{"Record_Retry_CountsRetriesAfterTheFirstAttempt", recordRetry},
		{"Record_Failed_CountsTheRetryThatFailed", recordFailed},
		{"Record_Held_BurnsNoRetry", recordHeld},
		{"Record_Parked_BecomesPendingWithAReason", recordParked},
		{"Record_Cancelled_IsNeverClaimedAgain", recordCancelled},
		{"Record_Delay_PostponesTheNextAttempt", recordDelay},
		{"Record_PartOfABatch_ThenDone", recordPartial},
		{"Record_UnrecordedAlertsOfADoneBatch_AreClaimableAtOnce", recordUnrecorded},
		{"Record_KeepsEveryAttempt", recordAttempts},
		{"Record_Next_ClaimsInTheSameTrip", recordNext},
		{"Record_Enqueue_StoresTheAlertsItCauses", recordEnqueue},
		{"Record_ForeignAlert_IsLeftAlone", recordForeign},
	}
}

func recordDelivered(e *env) {
	made := e.enqueue(slackLane, 1)
	b := e.claim(request(slackLane, true, 1))
	before := e.clock.Peek()
	e.settle(b, chatops.OutcomeDelivered)
	a := e.alert(made[0])
	if a.Status != chatops.AlertDelivered || a.DeliveredAt.Before(before) || a.DeliveredAt.After(e.clock.Peek()) || a.LastAttemptAt.IsZero() {
		e.t.Fatalf("delivered alert is %+v", *a)
	}
	e.clock.Advance(24 * time.Hour)
	e.sweep(0)
	for _, fresh := range []bool{true, false} {
		e.wantIDs("claim of a delivered alert", ids(e.claim(request(slackLane, fresh, 1))), nil)
	}
}

func recordRetry(e *env) {
	made := e.enqueue(slackLane, 1)
	e.settle(e.claim(request(slackLane, true, 1)), chatops.OutcomeRetry)
	for retries := range 4 {
		e.wantStatus(made[0], chatops.AlertPending, retries)
		a := e.alert(made[0])
		if a.ErrorMessage != "slack answered 503" || a.Fingerprint != "slack:503" || a.LastAttemptAt.IsZero() {
			e.t.Fatalf("alert after a failed attempt is %+v", *a)
		}
		b := e.claim(request(slackLane, false, 1))
		if len(b.Alerts) != 1 || b.Alerts[0].RetryCount != retries {
			e.t.Fatalf("claimed %+v, want the alert with retry_count %d", b.Alerts, retries)
		}
		e.settle(b, chatops.OutcomeRetry)
	}
	e.settle(e.claim(request(slackLane, false, 1)), chatops.OutcomeDelivered)
	e.wantStatus(made[0], chatops.AlertDelivered, 4)
}

func recordFailed(e *env) {
	made := e.enqueue(slackLane, 2)
	b := e.claim(request(slackLane, true, 2))
	list := append(outcomes(chatops.OutcomeFailed, made[0]), outcomes(chatops.OutcomeRetry, made[1])...)
	e.record(chatops.Record{Batch: b, Outcomes: list, Done: true})
	e.wantStatus(made[0], chatops.AlertFailed, 0)
	e.settle(e.claim(request(slackLane, false, 1)), chatops.OutcomeFailed)
	e.wantStatus(made[1], chatops.AlertFailed, 1)
	a := e.alert(made[1])
	if a.ErrorMessage != "slack answered 503" || a.Fingerprint != "slack:503" || !a.DeliveredAt.IsZero() {
		e.t.Fatalf("failed alert is %+v", *a)
	}
	e.clock.Advance(24 * time.Hour)
	e.sweep(0)
	e.wantIDs("claim of failed alerts", ids(e.claim(request(slackLane, false, 10))), nil)
}

func recordHeld(e *env) {
	made := e.enqueue(slackLane, 2)
	b := e.claim(request(slackLane, true, 2))
	e.record(chatops.Record{Batch: b, Done: true, Outcomes: []chatops.Outcome{
		{AlertID: made[0], Kind: chatops.OutcomeHeld, Delay: time.Minute},
		{AlertID: made[1], Kind: chatops.OutcomeRetry, Error: "first", Fingerprint: "one", Attempt: attempt(made[1], "transient", 500, "first")},
	}})
	e.wantStatus(made[0], chatops.AlertQueued, 0)
	if a := e.alert(made[0]); a.ErrorMessage != "" || !a.LastAttemptAt.IsZero() {
		e.t.Fatalf("held alert is %+v", *a)
	}
	b = e.claim(request(slackLane, false, 1))
	e.record(chatops.Record{Batch: b, Done: true, Outcomes: []chatops.Outcome{{AlertID: made[1], Kind: chatops.OutcomeHeld}}})
	e.wantStatus(made[1], chatops.AlertPending, 0)
	if a := e.alert(made[1]); a.ErrorMessage != "first" || a.Fingerprint != "one" {
		e.t.Fatalf("holding an alert changed its error to %q (%q)", a.ErrorMessage, a.Fingerprint)
	}
	b = e.claim(request(slackLane, false, 1))
	e.record(chatops.Record{Batch: b, Done: true, Outcomes: []chatops.Outcome{{
		AlertID: made[1], Kind: chatops.OutcomeHeld, Error: "slack asked to wait", Fingerprint: "slack:429",
		Attempt: attempt(made[1], "rate_limited", 429, "slack asked to wait"),
	}}})
	e.wantStatus(made[1], chatops.AlertPending, 0)
	if a := e.alert(made[1]); a.ErrorMessage != "slack asked to wait" {
		e.t.Fatalf("error_message %q", a.ErrorMessage)
	}
	e.wantIDs("claim before the hold ends", ids(e.claim(request(slackLane, true, 10))), nil)
	e.clock.Advance(2 * time.Minute)
	e.wantIDs("claim after the hold", ids(e.claim(request(slackLane, true, 10))), made[:1])
}

func recordParked(e *env) {
	made := e.enqueue(mondayLane, 1)
	b := e.claim(request(mondayLane, true, 1))
	for range 2 {
		e.record(chatops.Record{Batch: b, Done: true, Outcomes: []chatops.Outcome{{
			AlertID: made[0], Kind: chatops.OutcomeParked, Delay: time.Minute, Error: "monday is not configured", Fingerprint: "monday:unconfigured",
		}}})
		e.wantStatus(made[0], chatops.AlertPending, 0)
		if a := e.alert(made[0]); a.ErrorMessage != "monday is not configured" || a.Fingerprint != "monday:unconfigured" {
			e.t.Fatalf("parked alert is %+v", *a)
		}
		e.wantIDs("claim of a parked alert", ids(e.claim(request(mondayLane, false, 1))), nil)
		e.clock.Advance(2 * time.Minute)
		b = e.claim(request(mondayLane, false, 1))
		e.wantIDs("claim after its delay", ids(b), made)
	}
}

func recordCancelled(e *env) {
	made := e.enqueue(slackLane, 2)
	e.settle(e.claim(request(slackLane, true, 1)), chatops.OutcomeRetry)
	e.clock.Advance(time.Minute)
	for i, fresh := range []bool{false, true} {
		b := e.claim(request(slackLane, fresh, 1))
		e.record(chatops.Record{Batch: b, Done: true, Outcomes: []chatops.Outcome{{
			AlertID: made[i], Kind: chatops.OutcomeCancelled, Error: "consent was withdrawn", Fingerprint: "email:withdrawn",
			Attempt: attempt(made[i], string(chatops.FailCancelled), 0, "consent was withdrawn"),
		}}})
		e.wantStatus(made[i], chatops.AlertCancelled, 0)
		if a := e.alert(made[i]); a.ErrorMessage != "consent was withdrawn" || a.LastAttemptAt.IsZero() {
			e.t.Fatalf("cancelled alert is %+v", *a)
		}
		e.clock.Advance(time.Hour)
		e.wantIDs("claim of a cancelled alert", ids(e.claim(request(slackLane, fresh, 1))), nil)
	}
}

func recordDelay(e *env) {
	made := e.enqueue(slackLane, 1)
	b := e.claim(request(slackLane, true, 1))
	list := outcomes(chatops.OutcomeRetry, made...)
	list[0].Delay = 5 * time.Minute
	before := e.clock.Peek()
	e.record(chatops.Record{Batch: b, Outcomes: list, Done: true})
	due := e.alert(made[0]).NextAttemptAt
	if due.Before(before.Add(5*time.Minute)) || due.After(e.clock.Peek().Add(5*time.Minute)) {
		e.t.Fatalf("next_attempt_at %v at %v, want 5 minutes later", due, before)
	}
	e.wantIDs("claim too early", ids(e.claim(request(slackLane, false, 1))), nil)
	e.clock.Advance(5*time.Minute + time.Second)
	e.wantIDs("claim when due", ids(e.claim(request(slackLane, false, 1))), made)
}

func recordPartial(e *env) {
	made := e.enqueue(slackLane, 3)
	b := e.claim(request(slackLane, true, 3))
	e.record(chatops.Record{Batch: b, Outcomes: outcomes(chatops.OutcomeDelivered, made[0])})
	e.wantStatus(made[0], chatops.AlertDelivered, 0)
	e.wantStatus(made[1], chatops.AlertQueued, 0)
	e.wantIDs("claim of the rest of a live batch", ids(e.claim(request(slackLane, true, 10))), nil)
	e.record(chatops.Record{Batch: b, Outcomes: outcomes(chatops.OutcomeRetry, made[1])})
	e.record(chatops.Record{Batch: b, Outcomes: outcomes(chatops.OutcomeDelivered, made[2]), Done: true})
	e.wantStatus(made[1], chatops.AlertPending, 0)
	e.wantStatus(made[2], chatops.AlertDelivered, 0)
	e.wantIDs("pending ones", ids(e.claim(request(slackLane, false, 10))), made[1:2])
}

func recordUnrecorded(e *env) {
	made := e.enqueue(slackLane, 5)
	for _, next := range []*chatops.ClaimRequest{nil, {Lane: slackLane, Fresh: true, Limit: 10, Owner: "replica-1", Lease: lease}} {
		b := e.claim(request(slackLane, true, 4))
		if len(b.Alerts) != 4 {
			e.t.Fatalf("claimed %v", ids(b))
		}
		again := e.record(chatops.Record{Batch: b, Done: true, Next: next})
		if next != nil {
			e.record(chatops.Record{Batch: again, Done: true})
		}
	}
	seen := map[int64]bool{}
	for _, id := range ids(e.claim(request(slackLane, true, 10))) {
		seen[id] = true
	}
	if len(seen) != len(made) {
		e.t.Fatalf("%d alerts are claimable after their batches were given back, want %d", len(seen), len(made))
	}
	for _, id := range made {
		e.wantStatus(id, chatops.AlertQueued, 0)
	}
}

func recordAttempts(e *env) {
	made := e.enqueue(slackLane, 1)
	b := e.claim(request(slackLane, true, 1))
	first := attempt(made[0], "transient", 503, "slack answered 503")
	e.record(chatops.Record{Batch: b, Done: true, Outcomes: []chatops.Outcome{
		{AlertID: made[0], Kind: chatops.OutcomeRetry, Error: first.Error, Attempt: first},
	}})
	second := attempt(made[0], "delivered", 200, "")
	second.StartedAt, second.Duration, second.Replica = first.StartedAt.Add(time.Minute), 1500*time.Microsecond, "replica-2"
	b = e.claim(request(slackLane, false, 1))
	e.record(chatops.Record{Batch: b, Done: true, Outcomes: []chatops.Outcome{
		{AlertID: made[0], Kind: chatops.OutcomeDelivered, Attempt: second},
	}})
	_, attempts, err := e.store.Alert(e.ctx, made[0])
	e.must(err)
	if len(attempts) != 2 || attempts[0] != *first || attempts[1] != *second {
		e.t.Fatalf("attempts\n%+v, want\n%+v\n%+v", attempts, *first, *second)
	}
	_, _, err = e.store.Alert(e.ctx, 987654)
	e.wantCode(err, chatops.CodeNotFound)
}

func recordNext(e *env) {
	made := e.enqueue(slackLane, 4)
	b := e.claim(request(slackLane, true, 2))
	next := request(slackLane, true, 2)
	next.Owner = "replica-9"
	b2 := e.record(chatops.Record{Batch: b, Outcomes: outcomes(chatops.OutcomeDelivered, made[:2]...), Done: true, Next: &next})
	e.wantIDs("next batch", ids(b2), made[2:])
	if b2.Request != next || b2.LeaseID == b.LeaseID || b2.LeaseID == 0 {
		e.t.Fatalf("next batch has lease %d after %d, request %+v", b2.LeaseID, b.LeaseID, b2.Request)
	}
	b3 := e.record(chatops.Record{Batch: b2, Outcomes: outcomes(chatops.OutcomeDelivered, made[2:]...), Done: true, Next: &next})
	e.wantIDs("next batch of an empty lane", ids(b3), nil)
	if b3.LeaseID != 0 {
		e.t.Fatalf("an empty batch has lease %d", b3.LeaseID)
	}
}

func recordEnqueue(e *env) {
	made := e.enqueue(slackLane, 2)
	for i, id := range made {
		b := e.claim(request(slackLane, true, 1))
		escalation := newAlert("mailto:ops@example.pl", "escalation:slack:503:2026-03-01T10")
		e.record(chatops.Record{
			Batch: b, Outcomes: outcomes(chatops.OutcomeFailed, id), Done: true, Enqueue: []chatops.NewAlert{escalation},
		})
		if n := len(e.alerts(chatops.AlertFilter{Targets: []string{"mailto:ops@example.pl"}})); n != 1 {
			e.t.Fatalf("%d escalations after %d failures, want 1", n, i+1)
		}
	}
	if b := e.claim(request("mailto", true, 5)); len(b.Alerts) != 1 {
		e.t.Fatalf("claimed %d escalations", len(b.Alerts))
	}
}

func recordForeign(e *env) {
	made := e.enqueue(slackLane, 2)
	b := e.claim(request(slackLane, true, 1))
	other := e.claim(request(slackLane, true, 1))
	_, err := e.store.Record(e.ctx, chatops.Record{Batch: b, Outcomes: outcomes(chatops.OutcomeDelivered, made[1]), Done: true})
	if code := chatops.ErrorCode(err); code != "" && code != chatops.CodeInvalid && code != chatops.CodeConflict {
		e.t.Fatalf("an outcome for somebody else's alert gave %v", err)
	}
	e.wantStatus(made[1], chatops.AlertQueued, 0)
	e.settle(other, chatops.OutcomeDelivered)
	e.wantStatus(made[1], chatops.AlertDelivered, 0)
}
