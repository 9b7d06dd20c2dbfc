package storetest

import (
	"fmt"
	"time"

	"chatops/internal/chatops"
)

func alertGroupCases() []testCase {
	return []testCase{
		{"AlertGroups_AreTheCausesOfTrouble_LargestFirst", groupsLargestFirst},
		{"AlertGroups_AreBounded", groupsBounded},
	}
}

// cause gives rows made by hand a cause.
func (e *env) cause(fingerprint string, ids ...int64) {
	e.t.Helper()
	for _, id := range ids {
		e.exec(fmt.Sprintf(`UPDATE dead_letter_queue SET fingerprint = '%s' WHERE id = %d`, fingerprint, id))
	}
}

func (e *env) groups(limit, countTo int) []chatops.AlertGroup {
	e.t.Helper()
	groups, err := e.store.AlertGroups(e.ctx, limit, countTo)
	e.must(err)
	return groups.Groups
}

// knows fails unless so many causes are known.
func (e *env) knows(limit, causes int, more bool) {
	e.t.Helper()
	g, err := e.store.AlertGroups(e.ctx, limit, 10)
	e.must(err)
	if g.Causes != causes || g.More != more {
		e.t.Fatalf("of the largest %d: %d causes, more %t; want %d, %t", limit, g.Causes, g.More, causes, more)
	}
}

func groupsLargestFirst(e *env) {
	if groups := e.groups(10, 10); len(groups) != 0 {
		e.t.Fatalf("groups of an empty queue: %+v", groups)
	}
	now := e.clock.Peek().Truncate(time.Second)
	hours := func(n int) time.Time { return now.Add(-time.Duration(n) * time.Hour) }
	e.cause("slack:503",
		e.insertRaw(slackLane, "pending", "oldest", hours(9)),
		e.insertRaw(slackLane, "failed", "it failed", hours(8)),
		e.insertRaw(slackLane, "pending", "newest", hours(1)))
	e.cause("monday:limit", e.insertRaw(mondayLane, "pending", "waits", hours(3)))
	e.cause("slack:503", e.insertRaw(slackLane, "delivered", "", hours(20)), e.insertRaw(slackLane, "queued", "", hours(30)))
	e.cause("gone", e.insertRaw(slackLane, "discarded", "", hours(20)))
	e.insertRaw(mondayLane, "failed", "nobody knows", hours(4))
	e.insertRaw(mondayLane, "failed", "nobody knows either", hours(2))
	want := []chatops.AlertGroup{
		{
			Fingerprint: "slack:503", Pending: 2, Failed: 1, First: hours(9), Last: hours(1),
			EventType: eventType(slackLane), Target: slackLane, Sample: "it failed",
		},
		{Failed: 2, First: hours(4), Last: hours(2), EventType: eventType(mondayLane), Target: mondayLane, Sample: "nobody knows either"},
		{
			Fingerprint: "monday:limit", Pending: 1, First: hours(3), Last: hours(3),
			EventType: eventType(mondayLane), Target: mondayLane, Sample: "waits",
		},
	}
	if got := e.groups(10, 10); fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		e.t.Fatalf("groups\n%+v\nwant\n%+v", got, want)
	}
}

func groupsBounded(e *env) {
	at := e.clock.Peek().Truncate(time.Second)
	for i, n := range []int{1, 3, 2} {
		for range n {
			e.cause(fmt.Sprint("cause:", i), e.insertRaw(slackLane, "failed", "x", at))
		}
	}
	groups := e.groups(10, 2)
	if len(groups) != 3 || groups[0].Total() != 2 || groups[1].Total() != 2 || groups[2].Total() != 1 {
		e.t.Fatalf("groups counted up to 2: %+v", groups)
	}
	for _, g := range groups {
		if g.More != (g.Fingerprint == "cause:1") {
			e.t.Fatalf("more is %t for %+v", g.More, g)
		}
	}
	if groups := e.groups(2, 10); len(groups) != 2 || groups[0].Fingerprint != "cause:1" || groups[1].Fingerprint != "cause:2" {
		e.t.Fatalf("at most two groups, and those the largest: %+v", groups)
	}
	e.knows(2, 3, false) // of 8 that may be looked at
	e.knows(3, 3, false)
	for i := range 9 {
		e.cause(fmt.Sprint("single:", i), e.insertRaw(slackLane, "pending", "x", at))
	}
	e.knows(2, 8, true)
	e.insertRaw(slackLane, "pending", "x", at) // without a cause, which is one more
	e.knows(2, 9, true)
	e.knows(3, 13, false)
	if groups := e.groups(0, 10); len(groups) != 0 {
		e.t.Fatalf("no groups: %+v", groups)
	}
}
