package storetest

import (
	"time"

	"chatops/internal/chatops"
)

func sweepCases() []testCase {
	return []testCase{
		{"Sweep_FindsRowsInsertedByHand", sweepInserted},
		{"Sweep_FindsRowsRequeuedByTheOldRunbook", sweepRequeued},
		{"Sweep_LeavesEverythingElseAlone", sweepIdle},
		{"Sweep_RowDeletedInFlight_IsNoTrouble", sweepDeleted},
		{"Sweep_ByManyAtOnce_FreesEachAlertOnce", sweepParallel},
	}
}

// sweepAny sweeps without caring whether anything had been left behind: an
// engine may need no help to see what was changed by hand.
func (e *env) sweepAny() {
	e.t.Helper()
	_, err := e.store.Sweep(e.ctx)
	e.must(err)
}

func sweepInserted(e *env) {
	e.settle(e.claimAfter(e.enqueue(slackLane, 2), slackLane), chatops.OutcomeDelivered)
	old := e.clock.Peek().Add(-48 * time.Hour)
	first := e.insertRaw(slackLane, "pending", "timeout", old)
	second := e.insertRaw(slackLane, "queued", "", old)
	third := e.insertRaw("webhook:never-seen", "pending", "", old)
	e.clock.Advance(time.Second)
	e.sweepAny()
	e.wantIDs("pending row inserted by hand", ids(e.claim(request(slackLane, false, 10))), []int64{first})
	e.wantIDs("queued row inserted by hand", ids(e.claim(request(slackLane, true, 10))), []int64{second})
	if got := e.lane("webhook:never-seen", false); !ready(got) {
		e.t.Fatalf("the lane of a row inserted by hand is %+v", got)
	}
	e.wantIDs("row of a new lane", ids(e.claim(request("webhook:never-seen", false, 10))), []int64{third})
}

// claimAfter claims what was just made.
func (e *env) claimAfter(made []int64, lane string) *chatops.Batch {
	e.t.Helper()
	b := e.claim(request(lane, true, len(made)))
	e.wantIDs("claim", ids(b), made)
	return b
}

func sweepRequeued(e *env) {
	failed := e.fail(slackLane, 3)
	live := e.enqueue(slackLane, 2)
	b := e.claim(request(slackLane, true, 2))
	e.settle(b, chatops.OutcomeRetry)
	inFlight := e.claim(request(slackLane, false, 10))
	e.wantIDs("pending ones", ids(inFlight), live)

	n := e.exec(`UPDATE dead_letter_queue SET retry_count=0, status='pending' WHERE status='failed' AND event_type='slack_alert'`)
	if n != 3 {
		e.t.Fatalf("the old runbook changed %d rows, want 3", n)
	}
	e.clock.Advance(time.Second)
	e.sweepAny()
	again := e.claim(request(slackLane, false, 10))
	e.wantIDs("claim of requeued rows", ids(again), failed)
	if again.Alerts[0].RetryCount != 0 {
		e.t.Fatalf("retry_count %d", again.Alerts[0].RetryCount)
	}
	e.settle(again, chatops.OutcomeDelivered)
	e.settle(inFlight, chatops.OutcomeDelivered)
	if n := e.count(`SELECT COUNT(*) FROM dead_letter_queue WHERE status='pending'`); n != 0 {
		e.t.Fatalf("%d rows are still pending", n)
	}
}

func sweepIdle(e *env) {
	e.sweep(0)
	e.enqueue(slackLane, 2)
	e.fail(mondayLane, 2)
	late := newAlert(slackLane, "later")
	late.Delay = time.Hour
	_, err := e.store.Enqueue(e.ctx, []chatops.NewAlert{late})
	e.must(err)
	b := e.claim(request(slackLane, true, 1))
	e.sweep(0)
	e.settle(b, chatops.OutcomeRetry)
	e.sweep(0)
	if b := e.claim(request(slackLane, true, 10)); len(b.Alerts) != 1 {
		e.t.Fatalf("claimed %v, want the one alert that is due", ids(b))
	}
}

func sweepDeleted(e *env) {
	made := e.enqueue(slackLane, 2)
	b := e.claim(request(slackLane, true, 2))
	e.exec(`DELETE FROM dead_letter_queue WHERE status = 'queued'`)
	e.settle(b, chatops.OutcomeDelivered)
	e.sweep(0)
	for _, id := range made {
		_, _, err := e.store.Alert(e.ctx, id)
		e.wantCode(err, chatops.CodeNotFound)
	}
}

func sweepParallel(e *env) {
	e.enqueue(slackLane, 20)
	for range 4 {
		e.claim(request(slackLane, true, 5))
	}
	e.clock.Advance(lease + time.Second)
	stores := []chatops.Store{e.store, e.open()}
	type result struct {
		n   int
		err error
	}
	results := make(chan result, 6)
	for i := range 6 {
		go func() {
			n, err := stores[i%2].Sweep(e.ctx)
			results <- result{n, err}
		}()
	}
	sum := 0
	for range 6 {
		r := <-results
		e.must(r.err)
		sum += r.n
	}
	if sum != 20 {
		e.t.Fatalf("six sweeps at once freed %d alerts, want 20", sum)
	}
	if b := e.claim(request(slackLane, true, 50)); len(b.Alerts) != 20 {
		e.t.Fatalf("claimed %d of 20", len(b.Alerts))
	}
}
