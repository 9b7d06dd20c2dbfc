package storetest

import (
	"fmt"
	"time"

	"chatops/internal/chatops"
)

func retentionCases() []testCase {
	return []testCase{
		{"Cleanup_DeletesOldSettledAlertsOnly", cleanupAge},
		{"Cleanup_DeletesTheirAttempts", cleanupAttempts},
		{"Cleanup_KeepsToItsLimit", cleanupLimit},
		{"CleanupRemarks_DeletesWhatIsSaidOfCausesThatAreGone", cleanupCauses},
		{"CleanupRemarks_DeletesLinksOfAlertsThatAreBothGone", cleanupLinks},
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

// wantRemarks cleans up what was said longer ago than an hour.
func (e *env) wantRemarks(what string, deleted int) {
	e.t.Helper()
	n, err := e.store.CleanupRemarks(e.ctx, time.Hour)
	e.must(err)
	if n != deleted {
		e.t.Fatalf("%s: %d remarks are deleted, want %d", what, n, deleted)
	}
}

func cleanupCauses(e *env) {
	held := []string{}
	for _, status := range chatops.AlertStatuses() { // whatever has become of its alert
		cause := "slack:" + string(status)
		e.cause(cause, e.insertRaw(slackLane, string(status), "it fails", e.clock.Peek()))
		held = append(held, cause)
	}
	said := []chatops.CauseOrder{
		{Verb: chatops.CauseNote, Text: "known"}, {Verb: chatops.CauseAck},
		{Verb: chatops.CauseMute, Text: "at night", For: 30 * time.Minute}, {Verb: chatops.CauseUnmute},
	}
	for i, o := range said {
		for _, cause := range append(held, "gone:"+string(o.Verb)) {
			o.Fingerprint = cause
			if i == 0 || cause == "gone:"+string(o.Verb) {
				e.say(o)
			}
		}
	}
	e.say(chatops.CauseOrder{Verb: chatops.CauseMute, Fingerprint: "gone:muted", Text: "until it is mended", For: 3 * time.Hour})
	e.wantRemarks("at once", 1) // nothing is left of the one that was unmuted
	e.clock.Advance(59 * time.Minute)
	e.wantRemarks("within an hour", 0)
	e.say(chatops.CauseOrder{Verb: chatops.CauseNote, Fingerprint: "gone:note", Text: "still known"})
	e.clock.Advance(40 * time.Minute)
	e.wantRemarks("after more than an hour", 2) // the acknowledgement and the mute that has ended
	e.clock.Advance(time.Hour)
	e.wantRemarks("after two hours", 1) // the note that was renewed
	e.clock.Advance(time.Hour)
	e.wantRemarks("while a mute lasts or has ended just now", 0)
	e.clock.Advance(time.Hour)
	e.wantRemarks("an hour after the mute", 1)
	for _, cause := range held {
		if e.causeState(cause).Note != "known" {
			e.t.Errorf("what was said of %s is gone", cause)
		}
	}
	e.exec(`DELETE FROM dead_letter_queue`)
	e.wantRemarks("without alerts", len(held))
	if n := e.count(`SELECT COUNT(*) FROM dlq_cause`); n != 0 {
		e.t.Errorf("%d remarks are left", n)
	}
}

func cleanupLinks(e *env) {
	alerts := e.fail(slackLane, 3)
	made := make([]int64, len(alerts))
	for i, id := range alerts {
		made[i] = e.replace(id, "corrected")
	}
	e.wantRemarks("while both are there", 0)
	e.exec(fmt.Sprintf(`DELETE FROM dead_letter_queue WHERE id IN (%d, %d, %d)`, alerts[0], alerts[1], made[2]))
	e.wantRemarks("while one is there", 0)
	e.exec(fmt.Sprintf(`DELETE FROM dead_letter_queue WHERE id IN (%d, %d)`, made[0], alerts[2]))
	e.wantRemarks("when both are gone", 2)
	e.wantLineage(made[1], alerts[1], 0)
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
