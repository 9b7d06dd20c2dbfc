package storetest

import (
	"time"

	"chatops/internal/chatops"
)

func laneCases() []testCase {
	return []testCase{
		{"Lanes_NameEachLaneAndClassThatWaits", lanesListed},
		{"Lanes_SayWhenTheEarliestAlertIsDue", lanesDueIn},
		{"Lanes_OfLeasedAlerts_AreNotDue", lanesLeased},
		{"Lanes_SayWhoIsBlocked", lanesBlocked},
		{"PauseLane_KeepsEverybodyAway", pauseLane},
		{"PauseLane_LeavesOtherLanesAlone", pauseOneLane},
	}
}

// lane returns the state of a lane and class, nil when it is not reported.
func (e *env) lane(name string, fresh bool) *chatops.LaneState {
	e.t.Helper()
	lanes, err := e.store.Lanes(e.ctx)
	e.must(err)
	var found *chatops.LaneState
	for i, l := range lanes {
		if l.Lane != name || l.Fresh != fresh {
			continue
		}
		if found != nil {
			e.t.Fatalf("lane %s (fresh %v) is reported twice", name, fresh)
		}
		found = &lanes[i]
	}
	return found
}

// ready reports whether the engine would claim from the lane now.
func ready(l *chatops.LaneState) bool { return l != nil && l.DueIn <= 0 && l.BlockedFor <= 0 }

func lanesListed(e *env) {
	if lanes, err := e.store.Lanes(e.ctx); err != nil || len(lanes) != 0 {
		e.t.Fatalf("an empty queue has lanes %v (%v)", lanes, err)
	}
	e.enqueue(slackLane, 2)
	e.enqueue("mailto:a@example.pl", 1)
	e.enqueue("mailto:b@example.pl", 1)
	e.settle(e.claim(request(slackLane, true, 1)), chatops.OutcomeRetry)
	for _, want := range []struct {
		lane  string
		fresh bool
		ready bool
	}{{slackLane, true, true}, {slackLane, false, true}, {"mailto", true, true}, {"mailto", false, false}, {mondayLane, true, false}} {
		if got := e.lane(want.lane, want.fresh); ready(got) != want.ready {
			e.t.Errorf("lane %s (fresh %v) is %+v, want ready %v", want.lane, want.fresh, got, want.ready)
		}
	}
}

func lanesDueIn(e *env) {
	e.enqueue(slackLane, 2)
	b := e.claim(request(slackLane, true, 2))
	list := outcomes(chatops.OutcomeRetry, ids(b)...)
	list[0].Delay, list[1].Delay = time.Hour, 10*time.Minute
	e.record(chatops.Record{Batch: b, Outcomes: list, Done: true})
	got := e.lane(slackLane, false)
	if got == nil || got.DueIn > 10*time.Minute || got.DueIn < 9*time.Minute {
		e.t.Fatalf("lane is %+v, want due in just under 10 minutes", got)
	}
	e.clock.Advance(11 * time.Minute)
	if got := e.lane(slackLane, false); !ready(got) {
		e.t.Fatalf("lane is %+v, want it due", got)
	}
}

func lanesLeased(e *env) {
	e.enqueue(slackLane, 3)
	b := e.claim(request(slackLane, true, 3))
	if got := e.lane(slackLane, true); ready(got) {
		e.t.Fatalf("lane is %+v although all its alerts are in flight", got)
	}
	e.record(chatops.Record{Batch: b, Done: true})
	if got := e.lane(slackLane, true); !ready(got) {
		e.t.Fatalf("lane is %+v after its alerts were given back", got)
	}
}

func lanesBlocked(e *env) {
	e.enqueue(mondayLane, 3)
	b := e.claim(exclusive(mondayLane, true, 1))
	got := e.lane(mondayLane, true)
	if got == nil || got.BlockedFor <= 0 || got.BlockedFor > lease {
		e.t.Fatalf("serial lane held by a lease is %+v", got)
	}
	e.record(chatops.Record{Batch: b, Outcomes: outcomes(chatops.OutcomeHeld, ids(b)...), Done: true, PauseLane: 5 * time.Minute})
	got = e.lane(mondayLane, true)
	if got == nil || got.BlockedFor <= 4*time.Minute || got.BlockedFor > 5*time.Minute {
		e.t.Fatalf("paused lane is %+v, want it blocked for just under 5 minutes", got)
	}
	e.clock.Advance(6 * time.Minute)
	if got := e.lane(mondayLane, true); !ready(got) {
		e.t.Fatalf("lane is %+v after its pause", got)
	}
}

func pauseLane(e *env) {
	made := e.enqueue(slackLane, 4)
	e.settle(e.claim(request(slackLane, true, 1)), chatops.OutcomeRetry)
	b := e.claim(request(slackLane, true, 1))
	next := request(slackLane, true, 1)
	got := e.record(chatops.Record{
		Batch: b, Outcomes: outcomes(chatops.OutcomeHeld, ids(b)...), Done: true, PauseLane: time.Minute, Next: &next,
	})
	e.wantIDs("next batch of a lane just paused", ids(got), nil)
	other := e.open()
	for _, fresh := range []bool{true, false} {
		e.wantIDs("claim of a paused lane", ids(e.claim(request(slackLane, fresh, 10))), nil)
		e.wantIDs("claim by another process", ids(e.claimFrom(other, request(slackLane, fresh, 10))), nil)
		e.wantIDs("exclusive claim", ids(e.claim(exclusive(slackLane, fresh, 10))), nil)
	}
	late := e.enqueue(slackLane, 1)
	e.wantIDs("claim of an alert queued in the pause", ids(e.claim(request(slackLane, true, 10))), nil)
	e.clock.Advance(time.Minute + time.Second)
	if b := e.claim(request(slackLane, true, 10)); len(b.Alerts) != 4 {
		e.t.Fatalf("claimed %v after the pause, want %v and %v", ids(b), made[1:], late)
	}
	e.wantIDs("pending ones after the pause", ids(e.claimFrom(other, request(slackLane, false, 10))), made[:1])
}

func pauseOneLane(e *env) {
	e.enqueue(slackLane, 1)
	made := e.enqueue(mondayLane, 1)
	b := e.claim(request(slackLane, true, 1))
	e.record(chatops.Record{Batch: b, PauseLane: time.Hour, Done: true})
	e.wantIDs("claim of another lane", ids(e.claim(request(mondayLane, true, 1))), made)
}
