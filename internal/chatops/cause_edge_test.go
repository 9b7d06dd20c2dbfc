package chatops

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestCauseMark_GrowthIsBounded(t *testing.T) {
	t.Parallel()
	for seen, want := range map[int64]int64{0: 10, 1: 10, 10: 10, 11: 11, 99: 99, 100: 100, 101: 100, 1_000_000: 100} {
		if got := (&CauseMark{SeenSize: seen}).Growth(); got != want {
			t.Errorf("of %d it has to grow by %d, want %d", seen, got, want)
		}
	}
}

func TestCauseMark_GrowsByItsSizeOrByWhatCameSince(t *testing.T) {
	t.Parallel()
	seen := CauseMark{SeenAt: alarmStart, SeenSize: 20}
	for _, c := range []struct {
		name        string
		mark        CauseMark
		size, since int64
		want        bool
	}{
		{"nothing came", seen, 20, 0, false},
		{"nearly", seen, 39, 19, false},
		{"by its size", seen, 40, 0, true},
		{"emptied and filled again", seen, 20, 20, true},
		{"emptied and nearly filled", seen, 19, 19, false},
		{"emptied", seen, 0, 0, false},
		{"nobody has looked at it", CauseMark{}, 5000, 5000, false},
		{"it was empty", CauseMark{SeenAt: alarmStart}, 9, 9, false},
		{"it was empty, and ten came", CauseMark{SeenAt: alarmStart}, 10, 10, true},
	} {
		if got := c.mark.Grown(c.size, c.since); got != c.want {
			t.Errorf("%s: grown %t", c.name, got)
		}
	}
}

func TestCauseMark_EndsAtItsMoment(t *testing.T) {
	t.Parallel()
	m := CauseMark{MutedUntil: alarmStart, AckAt: alarmStart}
	for after, want := range map[time.Duration]struct{ muted, acknowledged bool }{
		-1: {true, true}, 0: {false, true}, AckHolds - 1: {false, true}, AckHolds: {false, false},
	} {
		at := alarmStart.Add(after)
		if m.Muted(at) != want.muted || m.Acknowledged(at) != want.acknowledged {
			t.Errorf("%s after it, muted %t and acknowledged %t", after, m.Muted(at), m.Acknowledged(at))
		}
	}
	if m = (CauseMark{}); m.Muted(alarmStart) || m.Acknowledged(time.Time{}) {
		t.Error("what nobody has said anything about is muted or acknowledged")
	}
}

func TestCauseState_OnlyWhatIsQuietIsNotTold(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		hours := func(what string) time.Time {
			h := rapid.IntRange(-50, 50).Draw(t, what)
			if h == -50 {
				return time.Time{}
			}
			return alarmStart.Add(time.Duration(h) * time.Hour)
		}
		s := CauseState{Now: alarmStart, Size: rapid.Int64Range(0, 300).Draw(t, "size"), Since: rapid.Int64Range(0, 300).Draw(t, "since")}
		s.MutedUntil, s.AckAt, s.SeenAt = hours("muted until"), hours("acknowledged"), hours("seen")
		s.SeenSize = rapid.Int64Range(0, 300).Draw(t, "seen size")
		marked := s.Muted(s.Now) || s.Acknowledged(s.Now)
		switch standing := s.Standing(); {
		case (standing == StandingOpen) == marked:
			t.Fatalf("%+v is %s", s, standing)
		case (standing == StandingGrowing) != (marked && s.Grown(s.Size, s.Since)):
			t.Fatalf("%+v is %s", s, standing)
		case s.Quiet() != (marked && standing != StandingGrowing):
			t.Fatalf("%+v is %s and quiet: %t", s, standing, s.Quiet())
		}
	})
}

func TestCauseOrder_AtItsBounds(t *testing.T) {
	t.Parallel()
	for _, verb := range []CauseVerb{CauseNote, CauseAck, CauseMute, CauseUnmute} {
		o := CauseOrder{Fingerprint: strings.Repeat("f", 64), Verb: verb, Text: strings.Repeat("x", 2000), For: 1}
		if err := o.Validate(); err != nil {
			t.Errorf("%s of the longest fields: %v", verb, err)
		}
		o.For = 0
		if err := o.Validate(); (err != nil) != (verb == CauseMute) {
			t.Errorf("%s without an end: %v", verb, err)
		}
	}
	for _, c := range []struct {
		o    CauseOrder
		want string
	}{
		{CauseOrder{Verb: CauseAck}, "fingerprint of 0 characters: must have 1 to 64"},
		{CauseOrder{Fingerprint: "f", Verb: CauseMute, For: -time.Second}, "a mute needs an end"},
		{CauseOrder{Fingerprint: "f", Verb: CauseNote, Text: strings.Repeat("ż", 1001)}, "text of 2002 bytes: at most 2000"},
		{CauseOrder{Fingerprint: "f"}, `nothing is known to "" a cause`},
	} {
		if err := c.o.Validate(); ErrorCode(err) != CodeInvalid || ErrorMessage(err) != c.want {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}
