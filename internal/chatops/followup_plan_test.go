package chatops_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestFollowupPlan_MustHaveANumberOfItsScheduleAndAnAddress(t *testing.T) {
	t.Parallel()
	mail := chatops.NewAlert{EventType: chatops.EventFollowup, Target: chatops.TargetFollowups, Payload: json.RawMessage(`{}`)}
	for _, tt := range []struct {
		number int
		email  string
		mail   chatops.NewAlert
		want   string // empty: valid
	}{
		{1, "jan@przyklad.pl", mail, ""},
		{3, "jan@przyklad.pl", mail, ""},
		{0, "jan@przyklad.pl", mail, "plan follow-up 0: the schedule has 3"},
		{4, "jan@przyklad.pl", mail, "plan follow-up 4: the schedule has 3"},
		{-1, "jan@przyklad.pl", mail, "plan follow-up -1"},
		{2, "", mail, "plan follow-up 2: no address"},
		{2, "jan@przyklad.pl", chatops.NewAlert{}, "event type"},
	} {
		p := chatops.FollowupPlan{Number: tt.number, Email: tt.email, Schedule: followupSchedule, Mail: tt.mail}
		err := p.Validate()
		if tt.want == "" && err != nil {
			t.Errorf("number %d: %v", tt.number, err)
		}
		if tt.want != "" && (chatops.ErrorCode(err) != chatops.CodeInvalid || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "@")) {
			t.Errorf("number %d: %v, want %s", tt.number, err, tt.want)
		}
	}
}

func TestFollowupHistory_MergesWhateverTheOrder(t *testing.T) {
	t.Parallel()
	history := rapid.Custom(func(t *rapid.T) chatops.FollowupHistory {
		h := chatops.FollowupHistory{Last: rapid.IntRange(0, 5).Draw(t, "last")}
		if h.Last > 0 {
			h.LastAt = jobNoon.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "minute")) * time.Minute)
		}
		return h
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := history.Draw(t, "a"), history.Draw(t, "b"), history.Draw(t, "c")
		if a.Merge(b) != b.Merge(a) || a.Merge(b).Merge(c) != a.Merge(b.Merge(c)) || a.Merge(a) != a {
			t.Fatalf("merging %+v, %+v, %+v depends on the order", a, b, c)
		}
		if m := a.Merge(b); m.Last < max(a.Last, b.Last) || m.LastAt.Before(a.LastAt) || m.LastAt.Before(b.LastAt) {
			t.Fatalf("%+v and %+v became %+v", a, b, m)
		}
		if a.Merge(chatops.FollowupHistory{}) != a {
			t.Fatalf("nothing changes %+v", a)
		}
	})
}

// A store selects people by the window alone before it asks the rule, so nobody
// to whom something is due may stand outside it.
func TestFollowupWindow_HoldsEverybodyToWhomSomethingIsDue(t *testing.T) {
	t.Parallel()
	if least, most := chatops.FollowupWindow(nil); least != 0 || most != 0 {
		t.Errorf("no schedule has the window %s to %s", least, most)
	}
	rapid.Check(t, func(t *rapid.T) {
		least, most := chatops.FollowupWindow(followupSchedule)
		offset := rapid.OneOf(rapid.Int64Range(-1, 1), rapid.Int64Range(-int64(300*time.Hour), int64(300*time.Hour))).Draw(t, "from the edge")
		silent := rapid.SampledFrom([]time.Duration{least, most}).Draw(t, "edge") + time.Duration(offset)
		had := chatops.FollowupHistory{Last: rapid.IntRange(0, 4).Draw(t, "last")}
		if had.Last > 0 {
			had.LastAt = jobNoon.Add(-time.Duration(rapid.IntRange(0, 300).Draw(t, "hours")) * time.Hour)
		}
		n, at, due := chatops.NextFollowup(followupSchedule, jobNoon.Add(-silent), jobNoon, had)
		if due && (silent < least || silent > most || n < 1 || n > len(followupSchedule)) {
			t.Fatalf("number %d is due at %v after a silence of %s, outside %s to %s", n, at, silent, least, most)
		}
		if had.Last == 0 && due != (silent >= least && silent <= most) {
			t.Fatalf("the first is due: %v, after %s", due, silent)
		}
	})
}

func TestFollowupErrors_NameTheAlertAndSayWhetherToTryAgain(t *testing.T) {
	t.Parallel()
	for code, err := range map[chatops.Code]error{
		chatops.CodeRefused: chatops.FollowupRefused(71), chatops.CodeConflict: chatops.FollowupLost(71),
	} {
		if chatops.ErrorCode(err) != code || !strings.Contains(err.Error(), "alert 71:") {
			t.Errorf("error is %v, want %s", err, code)
		}
	}
}
