package storetest

import (
	"time"

	"chatops/internal/chatops"
)

func retentionCases() []testCase {
	return []testCase{
		{"Cleanup_DeletesOldSettledAlertsOnly", cleanupAge},
		{"Cleanup_DeletesTheirAttempts", cleanupAttempts},
		{"Cleanup_KeepsToItsLimit", cleanupLimit},
		{"FailureDigest_CountsTheFailedOfACause", failureDigest},
	}
}

func cleanupAge(e *env) {
	now := e.clock.Peek()
	day := 24 * time.Hour
	kept := map[int64]string{}
	for _, s := range chatops.AlertStatuses() {
		kept[e.insertRaw(slackLane, string(s), "", now.Add(-29*day))] = "young " + string(s)
		id := e.insertRaw(slackLane, string(s), "", now.Add(-31*day))
		if s == chatops.AlertQueued || s == chatops.AlertPending || s == chatops.AlertFailed {
			kept[id] = "old " + string(s)
		}
	}
	n, err := e.store.Cleanup(e.ctx, 30*day, 100)
	e.must(err)
	if n != 3 {
		e.t.Fatalf("Cleanup deleted %d alerts, want 3", n)
	}
	for id, name := range kept {
		if _, _, err := e.store.Alert(e.ctx, id); err != nil {
			e.t.Errorf("the %s alert is gone: %v", name, err)
		}
	}
	n, err = e.store.Cleanup(e.ctx, 30*day, 100)
	e.must(err)
	if n != 0 {
		e.t.Fatalf("a second Cleanup deleted %d", n)
	}
}

func cleanupAttempts(e *env) {
	old := e.enqueue(slackLane, 2)
	e.settle(e.claimAfter(old, slackLane), chatops.OutcomeDelivered)
	e.clock.Advance(time.Hour)
	young := e.enqueue(slackLane, 1)
	e.settle(e.claimAfter(young, slackLane), chatops.OutcomeDelivered)
	n, err := e.store.Cleanup(e.ctx, 30*time.Minute, 100)
	e.must(err)
	if left := e.count(`SELECT COUNT(*) FROM delivery_attempt`); n != 2 || left != 1 {
		e.t.Fatalf("Cleanup deleted %d alerts and left %d attempts, want 2 and 1", n, left)
	}
	_, attempts, err := e.store.Alert(e.ctx, young[0])
	e.must(err)
	if len(attempts) != 1 {
		e.t.Fatalf("the young alert has %d attempts left", len(attempts))
	}
}

func cleanupLimit(e *env) {
	old := e.clock.Peek().Add(-time.Hour)
	for range 5 {
		e.insertRaw(slackLane, "delivered", "", old)
	}
	for _, want := range []int{2, 2, 1, 0} {
		n, err := e.store.Cleanup(e.ctx, time.Minute, 2)
		e.must(err)
		if n != want {
			e.t.Fatalf("Cleanup with limit 2 deleted %d, want %d", n, want)
		}
	}
}

func failureDigest(e *env) {
	d, err := e.store.FailureDigest(e.ctx, "slack:503")
	e.must(err)
	if d.Failed != 0 || d.Fingerprint != "slack:503" || !d.First.IsZero() || !d.Last.IsZero() {
		e.t.Fatalf("digest of nothing is %+v", *d)
	}
	made := e.fail(slackLane, 3)
	e.enqueue(slackLane, 1)
	e.settle(e.claim(request(slackLane, true, 1)), chatops.OutcomeRetry) // same cause, not failed
	d, err = e.store.FailureDigest(e.ctx, "slack:503")
	e.must(err)
	want := chatops.FailureDigest{
		Fingerprint: "slack:503", Failed: 3, First: e.alert(made[0]).CreatedAt, Last: e.alert(made[2]).CreatedAt,
		EventType: chatops.EventSlackAlert, Target: slackLane, Sample: "slack answered 503",
	}
	if *d != want {
		e.t.Fatalf("digest\n%+v, want\n%+v", *d, want)
	}
}
