package chatops

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestCause_MuteDoesNotHideGrowth(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		was := rapid.Int64Range(0, 1_000_000).Draw(t, "was")
		came := rapid.Int64Range(0, 1_000_000).Draw(t, "came")
		gone := rapid.Int64Range(0, was).Draw(t, "retried or discarded meanwhile")
		s := CauseState{
			CauseMark: CauseMark{MutedAt: at, MutedUntil: at.Add(time.Hour), SeenAt: at, SeenSize: was},
			Size:      was - gone + came, Since: came, Now: at.Add(time.Minute),
		}
		standing := s.Standing()
		switch {
		case came >= 100 && standing != StandingGrowing:
			t.Fatalf("%d came and it is %s", came, standing)
		case came >= was && came >= 10 && standing != StandingGrowing:
			t.Fatalf("%d doubled and it is %s", was, standing)
		case came < 10 && standing != StandingMuted:
			t.Fatalf("%d came to %d and it is %s", came, was, standing)
		case s.Quiet() != (standing == StandingMuted):
			t.Fatalf("%s is quiet: %t", standing, s.Quiet())
		}
	})
}

func TestCauseState_StandingFollowsTheClock(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	seen := CauseMark{SeenAt: at, SeenSize: 50}
	muted, acked := seen, seen
	muted.MutedUntil, acked.AckAt = at.Add(time.Hour), at
	both := muted
	both.AckAt = at
	for _, tt := range []struct {
		name  string
		mark  CauseMark
		size  int64
		after time.Duration
		want  Standing
	}{
		{"nobody said anything", CauseMark{}, 5000, 0, StandingOpen},
		{"muted", muted, 99, time.Minute, StandingMuted},
		{"muted and doubled", muted, 100, time.Minute, StandingGrowing},
		{"the mute is over", muted, 5000, time.Hour, StandingOpen},
		{"acknowledged", acked, 50, 23 * time.Hour, StandingAcknowledged},
		{"acknowledged and grown", acked, 150, time.Hour, StandingGrowing},
		{"acknowledged a day ago", acked, 5000, AckHolds, StandingOpen},
		{"muted after it was acknowledged", both, 50, time.Minute, StandingMuted},
		{"only the mute is over", both, 50, 2 * time.Hour, StandingAcknowledged},
	} {
		s := CauseState{CauseMark: tt.mark, Size: tt.size, Now: at.Add(tt.after)}
		if got := s.Standing(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestCauseOrder_RefusesWhatCannotBeStored(t *testing.T) {
	t.Parallel()
	for says, o := range map[string]CauseOrder{
		"":                                     {Fingerprint: "f", Verb: CauseMute, For: time.Second},
		"fingerprint of 0 characters":          {Verb: CauseAck},
		"fingerprint of 65 characters":         {Fingerprint: strings.Repeat("f", 65), Verb: CauseAck},
		"text of 2001 bytes":                   {Fingerprint: "f", Verb: CauseNote, Text: strings.Repeat("x", 2001)},
		"a mute needs an end":                  {Fingerprint: "f", Verb: CauseMute},
		`nothing is known to "forget" a cause`: {Fingerprint: "f", Verb: "forget"},
	} {
		err := o.Validate()
		if got := ""; err != nil {
			got = ErrorMessage(err)
			if says == "" || !strings.HasPrefix(got, says) || ErrorCode(err) != CodeInvalid {
				t.Errorf("%+v: %v, want %q", o, err, says)
			}
		} else if says != got {
			t.Errorf("%+v is taken, want %q", o, says)
		}
	}
}

func TestCause_TotalAddsEveryStatus(t *testing.T) {
	t.Parallel()
	c := Cause{Counts: map[AlertStatus]int64{AlertPending: 2, AlertFailed: 40}}
	if c.Total() != 42 {
		t.Errorf("total %d", c.Total())
	}
}
