package chatops_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

var followupSchedule = []time.Duration{24 * time.Hour, 72 * time.Hour, 168 * time.Hour}

func TestNextFollowup_FollowsTheSchedule(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	ago := func(hours int) time.Time { return now.Add(-time.Duration(hours) * time.Hour) }
	for _, tt := range []struct {
		name   string
		silent int
		last   int
		lastAt int
		want   int // 0: none
	}{
		{"too early", 23, 0, 0, 0},
		{"to the second", 24, 0, 0, 1},
		{"after an outage the first one comes first", 170, 0, 0, 1},
		{"the second in time", 72, 1, 48, 2},
		{"the second, the first was late", 72, 1, 25, 2},
		{"the second, the first was very late", 80, 1, 23, 0},
		{"the third in time", 168, 2, 96, 3},
		{"the third, the second was very late", 168, 2, 47, 0},
		{"no fourth", 300, 3, 100, 0},
		{"whoever wrote again waits again", 10, 1, 40, 0},
		{"at the horizon", 336, 0, 0, 1},
		{"silent for too long", 337, 0, 0, 0},
	} {
		n, at, due := chatops.NextFollowup(followupSchedule, ago(tt.silent), now, chatops.FollowupHistory{Last: tt.last, LastAt: ago(tt.lastAt)})
		if due != (tt.want > 0) || due && (n != tt.want || at.After(now)) {
			t.Errorf("%s: %d at %v, %v; want %d", tt.name, n, at, due, tt.want)
		}
	}
	if _, _, due := chatops.NextFollowup(followupSchedule, time.Time{}, now, chatops.FollowupHistory{}); due {
		t.Error("something is due to somebody who never wrote")
	}
	if _, _, due := chatops.NextFollowup(nil, ago(30), now, chatops.FollowupHistory{}); due {
		t.Error("something is due without a schedule")
	}
}

// Whatever the delays and however irregular the planner runs: numbers come in
// order, each once, none early, and never two of them in one run.
func TestNextFollowup_NumbersComeInOrderAndNeverEarly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		hours := rapid.SliceOfNDistinct(rapid.IntRange(1, 200), 1, 5, rapid.ID).Draw(t, "hours")
		slices.Sort(hours)
		schedule := make([]time.Duration, len(hours))
		for i, h := range hours {
			schedule[i] = time.Duration(h) * time.Hour
		}
		start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		now, had := start, chatops.FollowupHistory{}
		for _, minutes := range rapid.SliceOf(rapid.IntRange(0, 6000)).Draw(t, "runs") {
			now = now.Add(time.Duration(minutes) * time.Minute)
			n, _, due := chatops.NextFollowup(schedule, start, now, had)
			if !due {
				continue
			}
			if n != had.Last+1 || now.Sub(start) < schedule[n-1] {
				t.Fatalf("number %d after %v, the last was %d", n, now.Sub(start), had.Last)
			}
			if n > 1 && now.Sub(had.LastAt) < (schedule[n-1]-schedule[n-2])/2 {
				t.Fatalf("number %d follows after %v", n, now.Sub(had.LastAt))
			}
			had = had.Merge(chatops.FollowupHistory{Last: n, LastAt: now})
		}
	})
}

func TestFollowupBegun_TellsWhatMayHappen(t *testing.T) {
	t.Parallel()
	for status, want := range map[chatops.FollowupStatus]chatops.Code{
		chatops.FollowupSending: "", chatops.FollowupSent: "", chatops.FollowupUncertain: chatops.CodeConflict,
		chatops.FollowupCancelled: chatops.CodeRefused, "": chatops.CodeRefused, "future": chatops.CodeConflict,
	} {
		fence, err := chatops.FollowupBegun(7, status, 3)
		if chatops.ErrorCode(err) != want || (fence == 3) != (status == chatops.FollowupSending) {
			t.Errorf("%q: fence %d, %v", status, fence, err)
		}
	}
}

func TestFollowupStatuses_AreKnown(t *testing.T) {
	t.Parallel()
	for _, s := range chatops.FollowupStatuses() {
		if !s.Valid() || s.Endable() == (s == chatops.FollowupSending || s == chatops.FollowupCancelled) {
			t.Errorf("%s: valid %v, endable %v", s, s.Valid(), s.Endable())
		}
	}
	if s := chatops.FollowupStatus("nope"); s.Valid() || s.Endable() {
		t.Error("a status that does not exist is valid")
	}
}
