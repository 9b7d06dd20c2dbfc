package storetest

import (
	"time"

	"chatops/internal/chatops"
)

func claimCases() []testCase {
	return []testCase{
		{"Claim_TakesDueAlertsInTheOrderInWhichTheyFellDue", claimOrder},
		{"Claim_OfDifferentDueTimes_TakesTheEarliestFirst", claimDueTimes},
		{"Claim_GivesWholeAlerts", claimWhole},
		{"Claim_SeparatesFreshFromPending", claimClasses},
		{"Claim_LeavesAlertsThatAreNotDue", claimNotDue},
		{"Claim_OfNothing_GivesAnEmptyBatch", claimNothing},
		{"Claim_NeverGivesAnAlertTwice", claimOnce},
		{"Claim_Exclusive_WaitsForTheOtherLease", claimExclusive},
		{"Claim_Exclusive_TakesOverAfterTheLeaseEnded", claimExclusiveExpired},
		{"Claim_OfMailto_TakesEveryAddress", claimMailto},
		{"Claim_ByManyAtOnce_SharesTheAlertsOut", claimParallel},
	}
}

func claimOrder(e *env) {
	made := e.enqueue(slackLane, 7)
	e.enqueue(mondayLane, 3)
	first := e.claim(request(slackLane, true, 3))
	e.wantIDs("first claim", ids(first), made[:3])
	second := e.claimFrom(e.open(), request(slackLane, true, 3))
	e.wantIDs("second claim, by another process", ids(second), made[3:6])
	e.wantIDs("third claim", ids(e.claim(request(slackLane, true, 3))), made[6:])
	if first.LeaseID == second.LeaseID {
		e.t.Fatalf("two batches share lease %d", first.LeaseID)
	}
}

func claimDueTimes(e *env) {
	made := e.enqueue(slackLane, 3)
	b := e.claim(request(slackLane, true, 3))
	list := outcomes(chatops.OutcomeRetry, made...)
	list[0].Delay, list[1].Delay, list[2].Delay = 3*time.Minute, time.Minute, 2*time.Minute
	e.record(chatops.Record{Batch: b, Outcomes: list, Done: true})
	e.clock.Advance(10 * time.Minute)
	e.wantIDs("first claim", ids(e.claim(request(slackLane, false, 1))), []int64{made[1]})
	e.wantIDs("second claim", ids(e.claim(request(slackLane, false, 10))), []int64{made[2], made[0]})
}

func claimWhole(e *env) {
	want := newAlert("webhook:crm", "whole")
	_, err := e.store.Enqueue(e.ctx, []chatops.NewAlert{want})
	e.must(err)
	req := request("webhook:crm", true, 5)
	b := e.claim(req)
	if len(b.Alerts) != 1 || b.Request != req {
		e.t.Fatalf("claimed %d alerts for %+v", len(b.Alerts), b.Request)
	}
	a := b.Alerts[0]
	if a.EventType != want.EventType || a.Target != want.Target || a.IdempotencyKey != want.IdempotencyKey ||
		a.Status != chatops.AlertQueued || a.RetryCount != 0 || canonical(e, a.Payload) != canonical(e, want.Payload) {
		e.t.Fatalf("claimed %+v, want %+v", a, want)
	}
	listed := e.alert(a.ID)
	if !a.CreatedAt.Equal(listed.CreatedAt) || a.CreatedAt.IsZero() || a.CreatedAt.Location() != time.UTC {
		e.t.Fatalf("created_at %v, listed as %v", a.CreatedAt, listed.CreatedAt)
	}
	e.settle(b, chatops.OutcomeRetry)
	a = e.claim(request("webhook:crm", false, 5)).Alerts[0]
	if a.Status != chatops.AlertPending || a.ErrorMessage != "slack answered 503" || a.LastAttemptAt.IsZero() {
		e.t.Fatalf("claimed again as %+v", a)
	}
}

func claimClasses(e *env) {
	made := e.enqueue(slackLane, 4)
	b := e.claim(request(slackLane, true, 2))
	e.settle(b, chatops.OutcomeRetry)
	e.wantIDs("pending ones", ids(e.claim(request(slackLane, false, 10))), made[:2])
	e.wantIDs("fresh ones", ids(e.claim(request(slackLane, true, 10))), made[2:])
}

func claimNotDue(e *env) {
	late := newAlert(slackLane, "late")
	late.Delay = time.Hour
	_, err := e.store.Enqueue(e.ctx, []chatops.NewAlert{late})
	e.must(err)
	now := e.enqueue(slackLane, 1)
	e.wantIDs("claim before the delayed alert is due", ids(e.claim(request(slackLane, true, 10))), now)
	e.clock.Advance(59 * time.Minute)
	e.wantIDs("claim a minute early", ids(e.claim(request(slackLane, true, 10))), nil)
	e.clock.Advance(2 * time.Minute)
	if b := e.claim(request(slackLane, true, 10)); len(b.Alerts) != 1 || b.Alerts[0].IdempotencyKey != "late" {
		e.t.Fatalf("claimed %v, want the delayed alert", ids(b))
	}
}

func claimNothing(e *env) {
	e.wantIDs("claim of an unknown lane", ids(e.claim(request("slack:nowhere", true, 10))), nil)
	e.enqueue(slackLane, 1)
	e.wantIDs("claim of pending ones", ids(e.claim(request(slackLane, false, 10))), nil)
	e.settle(e.claim(request(slackLane, true, 10)), chatops.OutcomeDelivered)
	e.wantIDs("claim after delivery", ids(e.claim(request(slackLane, true, 10))), nil)
}

func claimOnce(e *env) {
	made := e.enqueue(slackLane, 2)
	e.wantIDs("claim", ids(e.claim(request(slackLane, true, 10))), made)
	e.wantIDs("claim of leased alerts", ids(e.claim(request(slackLane, true, 10))), nil)
	if _, err := e.store.Sweep(e.ctx); err != nil {
		e.t.Fatal(err)
	}
	e.wantIDs("claim after a sweep", ids(e.claim(request(slackLane, true, 10))), nil)
}

func exclusive(lane string, fresh bool, limit int) chatops.ClaimRequest {
	req := request(lane, fresh, limit)
	req.Exclusive = true
	return req
}

func claimExclusive(e *env) {
	made := e.enqueue(mondayLane, 3)
	e.enqueue(slackLane, 1)
	first := e.claim(exclusive(mondayLane, true, 1))
	e.wantIDs("first claim", ids(first), made[:1])
	other := exclusive(mondayLane, true, 1)
	other.Owner = "replica-2"
	e.wantIDs("claim by another replica", ids(e.claimFrom(e.open(), other)), nil)
	e.wantIDs("claim by the same replica", ids(e.claim(exclusive(mondayLane, true, 1))), nil)
	if got := e.claim(exclusive(slackLane, true, 1)); len(got.Alerts) != 1 {
		e.t.Fatal("another lane was blocked too")
	}

	next := exclusive(mondayLane, true, 1)
	second := e.record(chatops.Record{
		Batch: first, Outcomes: outcomes(chatops.OutcomeRetry, made[0]), Done: true, Next: &next,
	})
	e.wantIDs("next batch of the holder", ids(second), made[1:2])
	e.wantIDs("pending ones while the lane is held", ids(e.claim(exclusive(mondayLane, false, 1))), nil)
	e.settle(second, chatops.OutcomeDelivered)
	e.wantIDs("claim of a free lane", ids(e.claimFrom(e.open(), other)), made[2:])
}

func claimExclusiveExpired(e *env) {
	made := e.enqueue(mondayLane, 2)
	e.claim(exclusive(mondayLane, true, 1))
	e.clock.Advance(lease + time.Second)
	if _, err := e.store.Sweep(e.ctx); err != nil {
		e.t.Fatal(err)
	}
	got := map[int64]bool{}
	for range made {
		b := e.claim(exclusive(mondayLane, true, 1))
		for _, id := range ids(b) {
			got[id] = true
		}
		e.settle(b, chatops.OutcomeDelivered)
	}
	if len(got) != 2 {
		e.t.Fatalf("%d alerts delivered after the holder died, want 2", len(got))
	}
}

func claimMailto(e *env) {
	e.enqueue("mailto:a@example.pl", 1)
	e.enqueue("mailto:b@example.pl", 1)
	if b := e.claim(request("mailto", true, 10)); len(b.Alerts) != 2 {
		e.t.Fatalf("claimed %d of 2 mails", len(b.Alerts))
	}
}

func claimParallel(e *env) {
	made := e.enqueue(slackLane, 60)
	stores := []chatops.Store{e.store, e.open()}
	batches := make(chan *chatops.Batch, 100)
	errs := make(chan error, 6)
	for i := range 6 {
		go func() {
			for {
				b, err := stores[i%2].Claim(e.ctx, request(slackLane, true, 7))
				if err != nil || len(b.Alerts) == 0 {
					errs <- err
					return
				}
				batches <- b
			}
		}()
	}
	for range 6 {
		e.must(<-errs)
	}
	close(batches)
	seen := map[int64]bool{}
	for b := range batches {
		for _, id := range ids(b) {
			if seen[id] {
				e.t.Fatalf("alert %d was claimed twice", id)
			}
			seen[id] = true
		}
	}
	if len(seen) != len(made) {
		e.t.Fatalf("%d of %d alerts were claimed", len(seen), len(made))
	}
}
