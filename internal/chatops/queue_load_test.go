package chatops_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// queue is a reader of a queue that a test fills.
type queue struct {
	stats              chatops.QueueStats
	fresh              int64
	statsErr, countErr error
	filter             chatops.AlertFilter
}

func (q *queue) QueueStats(context.Context) (*chatops.QueueStats, error) { return &q.stats, q.statsErr }

func (q *queue) CountAlerts(_ context.Context, f chatops.AlertFilter) (int64, error) {
	q.filter = f
	return q.fresh, q.countErr
}

func TestReadQueueLoad_CountsWhatWaitsByTheDatabasesClock(t *testing.T) {
	t.Parallel()
	q := &queue{fresh: 3, stats: chatops.QueueStats{
		Now: midday, OldestWaiting: midday.Add(-7 * time.Minute), OldestFailed: midday.Add(-time.Hour),
		Counts: []chatops.AlertCount{
			{EventType: "a", Status: chatops.AlertQueued, Count: 2}, {EventType: "b", Status: chatops.AlertPending, Count: 5},
			{EventType: "a", Status: chatops.AlertFailed, Count: 90}, {EventType: "a", Status: chatops.AlertDelivered, Count: 4711},
		},
	}}
	load, now, err := chatops.ReadQueueLoad(t.Context(), q)
	if err != nil || !now.Equal(midday) || *load != (chatops.QueueLoad{Waiting: 7, Fresh: 3, Oldest: 7 * time.Minute}) {
		t.Errorf("the load is %+v at %v, %v", load, now, err)
	}
	if !slices.Equal(q.filter.Statuses, []chatops.AlertStatus{chatops.AlertQueued, chatops.AlertPending}) || !q.filter.Since.Equal(midday.Add(-chatops.GrowthWindow)) {
		t.Errorf("fresh ones are counted by %+v", q.filter)
	}
	q.stats.OldestWaiting = midday.Add(time.Second) // written by a clock that is ahead
	if load, _, err = chatops.ReadQueueLoad(t.Context(), q); err != nil || load.Oldest != 0 {
		t.Errorf("one of the future has waited for %s, %v", load.Oldest, err)
	}
	q.stats.OldestWaiting = time.Time{}
	if load, _, err = chatops.ReadQueueLoad(t.Context(), q); err != nil || load.Oldest != 0 {
		t.Errorf("none has waited for %s, %v", load.Oldest, err)
	}
}

func TestReadQueueLoad_IsUnknownWhenEitherPartIs(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, q := range []*queue{{statsErr: broken}, {countErr: broken}} {
		if load, now, err := chatops.ReadQueueLoad(t.Context(), q); !errors.Is(err, broken) || load != nil || !now.IsZero() {
			t.Errorf("load %+v at %v, %v", load, now, err)
		}
	}
}

func TestQueueLimits_EachIsJudgedAtItsEdge(t *testing.T) {
	t.Parallel()
	limits := chatops.QueueLimits{Waiting: 10, Age: 10 * time.Minute, Growth: 2}
	for _, c := range []struct {
		name                           string
		load                           chatops.QueueLoad
		crowded, growing, old, relaxed bool
	}{
		{"nothing", chatops.QueueLoad{}, false, false, false, true},
		{"four fifths of each", chatops.QueueLoad{Waiting: 8, Fresh: 7, Oldest: 8*time.Minute - 1}, false, false, false, true},
		{"one more waits", chatops.QueueLoad{Waiting: 9}, false, false, false, false},
		{"one more was added", chatops.QueueLoad{Waiting: 8, Fresh: 8}, false, false, false, false},
		{"a moment older", chatops.QueueLoad{Waiting: 1, Oldest: 8 * time.Minute}, false, false, false, false},
		{"as many as may wait", chatops.QueueLoad{Waiting: 10}, false, false, false, false},
		{"too many", chatops.QueueLoad{Waiting: 11}, true, false, false, false},
		{"nearly too fast", chatops.QueueLoad{Waiting: 9, Fresh: 9}, false, false, false, false},
		{"too fast", chatops.QueueLoad{Waiting: 10, Fresh: 10}, false, true, false, false},
		{"too old", chatops.QueueLoad{Waiting: 1, Oldest: 10 * time.Minute}, false, false, true, false},
		{"all of it", chatops.QueueLoad{Waiting: 99, Fresh: 99, Oldest: time.Hour}, true, true, true, false},
	} {
		if got := limits.Crowded(&c.load); got != c.crowded {
			t.Errorf("%s: crowded %t", c.name, got)
		}
		if got := limits.Growing(&c.load); got != c.growing {
			t.Errorf("%s: growing %t", c.name, got)
		}
		if got := limits.Old(c.load.Oldest); got != c.old {
			t.Errorf("%s: old %t", c.name, got)
		}
		if got := limits.Exceeded(&c.load); got != (c.crowded || c.growing || c.old) {
			t.Errorf("%s: exceeded %t", c.name, got)
		}
		if got := limits.Relaxed(&c.load); got != c.relaxed {
			t.Errorf("%s: relaxed %t", c.name, got)
		}
	}
}

func TestQueueLimits_ALimitThatIsOffChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		load := chatops.QueueLoad{
			Waiting: rapid.Int64Range(0, 1000).Draw(t, "waiting"), Fresh: rapid.Int64Range(0, 1000).Draw(t, "fresh"),
			Oldest: time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "oldest")),
		}
		limits := chatops.QueueLimits{Waiting: 100, Age: 15 * time.Minute, Growth: 20}
		off := limits
		var said bool
		switch rapid.IntRange(0, 2).Draw(t, "off") {
		case 0:
			off.Waiting, said = 0, limits.Growing(&load) || limits.Old(load.Oldest)
		case 1:
			off.Age, said = 0, limits.Crowded(&load) || limits.Growing(&load)
		default:
			off.Growth, said = 0, limits.Crowded(&load) || limits.Old(load.Oldest)
		}
		if off.Exceeded(&load) != said {
			t.Fatalf("%+v exceeds %+v: %t", load, off, !said)
		}
		if off.Exceeded(&load) && off.Relaxed(&load) {
			t.Fatalf("%+v exceeds %+v and is relaxed", load, off)
		}
		if limits.Relaxed(&load) && !off.Relaxed(&load) {
			t.Fatalf("%+v is relaxed for %+v and not without one of them", load, limits)
		}
	})
}

func TestQueueAlarm_WordsThatSomebodyWasFaster(t *testing.T) {
	t.Parallel()
	err := chatops.QueueAlarmChanged()
	if chatops.ErrorCode(err) != chatops.CodeConflict || err.Error() != "alarm of the queue: somebody else has changed it: look again" {
		t.Errorf("it says %v", err)
	}
}

func TestBoundGroups_OrdersEqualOnesByAgeThenName(t *testing.T) {
	t.Parallel()
	group := func(name string, pending, failed int64, last time.Duration) chatops.AlertGroup {
		return chatops.AlertGroup{Fingerprint: name, Pending: pending, Failed: failed, Last: midday.Add(last)}
	}
	got := chatops.BoundGroups([]chatops.AlertGroup{
		group("old", 1, 1, 0), group("b", 0, 2, time.Hour), group("a", 2, 0, time.Hour), group("large", 3, 0, 0), group("empty", 0, 0, time.Hour),
	}, 5, 10, 100)
	var names []string
	for i := range got.Groups {
		names = append(names, got.Groups[i].Fingerprint)
	}
	if !slices.Equal(names, []string{"large", "a", "b", "old"}) || got.Causes != 5 || got.More {
		t.Errorf("the order is %q, of %d causes, more: %t", names, got.Causes, got.More)
	}
}

func TestBoundGroups_CountsAlertsWithoutACauseAsOneMore(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		unexplained   int64
		causes, limit int
		want          int
		more          bool
		groups        int
	}{
		{"all explained", 0, 1, 2, 1, false, 1},
		{"some are not", 5, 1, 2, 2, false, 2},
		{"none is, by a cause", 5, 0, 2, 1, false, 2},
		{"as many as are looked at", 0, 8, 2, 8, false, 1},
		{"one more", 0, 9, 2, 8, true, 1},
		{"one more, and some are not", 5, 9, 2, 9, true, 2},
		{"cut off", 5, 1, 1, 2, false, 1},
		{"no room", 5, 0, 0, 1, false, 0},
	} {
		read := []chatops.AlertGroup{{Fingerprint: "", Failed: c.unexplained}, {Fingerprint: "f", Pending: 1}}
		got := chatops.BoundGroups(read, c.causes, c.limit, 100)
		if got.Causes != c.want || got.More != c.more || len(got.Groups) != c.groups {
			t.Errorf("%s: %d causes, more %t, %d groups; want %d, %t, %d", c.name, got.Causes, got.More, len(got.Groups), c.want, c.more, c.groups)
		}
	}
}

func TestBoundGroups_StopsCountingAtTheBound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pending, failed         int64
		wantPending, wantFailed int64
		more                    bool
	}{{10, 10, 10, 10, false}, {11, 0, 10, 0, true}, {0, 11, 0, 10, true}, {11, 3, 10, 3, true}, {11, 11, 10, 10, true}} {
		g := chatops.BoundGroups([]chatops.AlertGroup{{Fingerprint: "f", Pending: c.pending, Failed: c.failed}}, 1, 5, 10).Groups[0]
		if g.Pending != c.wantPending || g.Failed != c.wantFailed || g.More != c.more || g.Total() != c.wantPending+c.wantFailed {
			t.Errorf("%d pending and %d failed, counted to 10, are %+v", c.pending, c.failed, g)
		}
	}
}
