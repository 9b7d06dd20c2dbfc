package storetest

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func statsCases() []testCase {
	return []testCase{
		{"QueueStats_OfAnEmptyQueue", statsEmpty},
		{"QueueStats_NameTheOldest", statsOldest},
		{"QueueStats_AlwaysEqualTheTable", statsProperty},
	}
}

func statsEmpty(e *env) {
	s, err := e.store.QueueStats(e.ctx)
	e.must(err)
	if len(s.Counts) != 0 || !s.OldestWaiting.IsZero() || !s.OldestFailed.IsZero() {
		e.t.Fatalf("stats of an empty queue: %+v", *s)
	}
	if d := e.clock.Peek().Sub(s.Now); d < 0 || d > time.Second || s.Now.Location() != time.UTC {
		e.t.Fatalf("now is %v, the clock says %v", s.Now, e.clock.Peek())
	}
}

func statsOldest(e *env) {
	now := e.clock.Peek().Truncate(time.Second)
	hours := func(n int) time.Time { return now.Add(-time.Duration(n) * time.Hour) }
	e.insertRaw(slackLane, "queued", "", hours(2))
	e.insertRaw(slackLane, "pending", "x", hours(5))
	e.insertRaw(slackLane, "pending", "x", hours(3))
	e.insertRaw(mondayLane, "failed", "x", hours(7))
	e.insertRaw(mondayLane, "failed", "x", hours(1))
	e.insertRaw(mondayLane, "delivered", "", hours(100))
	s, err := e.store.QueueStats(e.ctx)
	e.must(err)
	if s.OldestWaiting != hours(5) || s.OldestFailed != hours(7) {
		e.t.Fatalf("oldest waiting %v and failed %v, want %v and %v", s.OldestWaiting, s.OldestFailed, hours(5), hours(7))
	}
	if s.Total(chatops.AlertPending) != 2 || s.Total(chatops.AlertFailed) != 2 || s.Total(chatops.AlertStatuses()...) != 6 {
		e.t.Fatalf("counts %+v", s.Counts)
	}
}

// wantStats compares the stats with what the table holds.
func (e *env) wantStats() {
	e.t.Helper()
	s, err := e.store.QueueStats(e.ctx)
	e.must(err)
	got := map[string]int64{}
	for _, c := range s.Counts {
		key := c.EventType + "/" + string(c.Status)
		if _, twice := got[key]; twice || c.Count <= 0 {
			e.t.Fatalf("counts hold %s twice or with %d", key, c.Count)
		}
		got[key] = c.Count
	}
	rows, err := e.harness.SQL.QueryContext(e.ctx, `SELECT event_type, status, COUNT(*) FROM dead_letter_queue GROUP BY event_type, status`)
	e.must(err)
	defer func() { _ = rows.Close() }()
	want := map[string]int64{}
	for rows.Next() {
		var eventType, status string
		var n int64
		e.must(rows.Scan(&eventType, &status, &n))
		want[eventType+"/"+status] = n
	}
	e.must(rows.Err())
	if fmt.Sprint(got) != fmt.Sprint(want) {
		e.t.Fatalf("stats %v, table %v", got, want)
	}
}

var byHand = []string{
	`UPDATE dead_letter_queue SET retry_count=0, status='pending' WHERE status='failed'`,
	`UPDATE dead_letter_queue SET status='discarded' WHERE id % 5 = 1`,
	`UPDATE dead_letter_queue SET status='failed', event_type='slack_alert' WHERE id % 7 = 2`,
	`UPDATE dead_letter_queue SET event_type='webhook_event' WHERE event_type='monday_item'`,
	`UPDATE dead_letter_queue SET error_message='seen' WHERE status='failed'`,
	`UPDATE dead_letter_queue SET target='slack:other' WHERE id % 4 = 0`,
	`DELETE FROM dead_letter_queue WHERE id % 3 = 0`,
	`DELETE FROM dead_letter_queue WHERE status='delivered'`,
	`DELETE FROM dead_letter_queue`,
	`INSERT INTO dead_letter_queue (event_type, target, payload) SELECT event_type, target, payload FROM dead_letter_queue WHERE id % 2 = 0`,
}

// statsProperty plays random changes, by the store and by hand, and compares
// after each.
func statsProperty(e *env) {
	rapid.Check(e.t, func(t *rapid.T) {
		e := *e
		e.t = t
		targets := rapid.SampledFrom([]string{slackLane, mondayLane, "webhook:crm"})
		t.Repeat(map[string]func(*rapid.T){
			"": func(*rapid.T) { e.wantStats() },
			"enqueue": func(t *rapid.T) {
				var list []chatops.NewAlert
				for range rapid.IntRange(1, 5).Draw(t, "alerts") {
					list = append(list, newAlert(targets.Draw(t, "target"), ""))
				}
				_, err := e.store.Enqueue(e.ctx, list)
				e.must(err)
			},
			"deliver": func(t *rapid.T) {
				kind := rapid.SampledFrom([]chatops.OutcomeKind{"delivered", "retry", "failed", "held", "parked"}).Draw(t, "outcome")
				b := e.claim(request(targets.Draw(t, "lane"), rapid.Bool().Draw(t, "fresh"), 4))
				if len(b.Alerts) > 0 {
					e.settle(b, kind)
				}
			},
			"by hand": func(t *rapid.T) { e.exec(rapid.SampledFrom(byHand).Draw(t, "statement")) },
			"cleanup": func(*rapid.T) {
				e.clock.Advance(time.Minute)
				_, err := e.store.Cleanup(e.ctx, time.Second, 3)
				e.must(err)
			},
			"operation": func(t *rapid.T) {
				op := &chatops.Operation{
					Kind: rapid.SampledFrom([]chatops.OperationKind{"retry", "discard"}).Draw(t, "kind"), Actor: "test",
				}
				e.must(e.store.CreateOperation(e.ctx, op))
				for range 2 {
					_, err := e.store.StepOperation(e.ctx, op.ID, 3)
					e.must(err)
				}
			},
		})
	})
}
