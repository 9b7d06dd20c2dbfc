package chatops_test

import (
	"testing"
	"time"

	"chatops/internal/chatops"
)

func TestJobState_ConditionAtItsEdges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		job  chatops.JobState
		want string
	}{
		{"new", chatops.JobState{}, chatops.JobIdle},
		{"not due", chatops.JobState{NextRun: midday.Add(1)}, chatops.JobIdle},
		{"due for two minutes", chatops.JobState{NextRun: midday.Add(-2 * time.Minute)}, chatops.JobIdle},
		{"due for longer", chatops.JobState{NextRun: midday.Add(-2*time.Minute - 1)}, chatops.JobLate},
		{"held", chatops.JobState{Holder: "r1", LeaseUntil: midday.Add(1)}, chatops.JobRunning},
		{"held until now", chatops.JobState{Holder: "r1", LeaseUntil: midday}, chatops.JobInterrupted},
		{"paused in the middle", chatops.JobState{Holder: "r1", LeaseUntil: midday.Add(1), Paused: true}, chatops.JobRunning},
		{"paused after its replica died", chatops.JobState{Holder: "r1", LeaseUntil: midday, Paused: true}, chatops.JobPaused},
		{"paused and requested", chatops.JobState{Requested: midday, Paused: true}, chatops.JobPaused},
		{"requested, and its replica died", chatops.JobState{Requested: midday, Holder: "r1"}, chatops.JobInterrupted},
		{"requested and late", chatops.JobState{Requested: midday, NextRun: midday.Add(-time.Hour)}, chatops.JobRequested},
		{"paused and late", chatops.JobState{Paused: true, NextRun: midday.Add(-time.Hour)}, chatops.JobPaused},
	} {
		if got := c.job.Condition(midday); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestFleetJob_FailsUnlessItsResultIsOk(t *testing.T) {
	t.Parallel()
	for result, want := range map[string]bool{"": false, "ok": false, "ok: 3 deleted": false, "failed: disk": true, "OK": true, "o": true, " ok": true} {
		if got := (&chatops.FleetJob{LastResult: result}).Failed(); got != want {
			t.Errorf("%q has failed: %t", result, got)
		}
	}
}

func TestFleetLimit_TheValueIsThatOfMostLiveReplicas(t *testing.T) {
	t.Parallel()
	at := func(value, source string, age time.Duration) chatops.Instance {
		return replicaOf(value, age, chatops.BreakerReport{}, chatops.LimitReport{Name: "chat", Value: value, Source: source})
	}
	override := []chatops.LimitOverride{{Name: "chat", Value: "7 per minute"}}
	for _, c := range []struct {
		name          string
		replicas      []chatops.Instance
		overrides     []chatops.LimitOverride
		value, source string
		fresh, same   int
	}{
		{"nobody", nil, nil, "", "", 0, 0},
		{"nobody, and an order", nil, override, "7 per minute", "override", 0, 0},
		{"silent ones do not vote", []chatops.Instance{at("a", "default", 0), at("b", "config", time.Hour), at("b", "config", time.Hour)}, nil, "a", "default", 1, 1},
		{"silent ones alone", []chatops.Instance{at("b", "config", time.Hour)}, override, "7 per minute", "override", 0, 0},
		{"of equal ones the first", []chatops.Instance{at("a", "default", 0), at("b", "config", 0)}, nil, "a", "default", 2, 1},
		{"the most", []chatops.Instance{at("a", "default", 0), at("b", "config", 0), at("b", "config", 0)}, nil, "b", "config", 3, 2},
		{"an order on its way", []chatops.Instance{at("a", "default", 0)}, override, "a", "default", 1, 1},
		{"one value of two sources", []chatops.Instance{at("a", "default", 0), at("a", "config", 0)}, nil, "a", "default", 2, 2},
	} {
		f := &chatops.Fleet{Controls: &chatops.Controls{Now: midday, Overrides: c.overrides}, Replicas: c.replicas}
		l := f.Limit("chat")
		if l.Value != c.value || l.Source != c.source || (l.Override == nil) != (c.overrides == nil) {
			t.Errorf("%s: %q of %q, override %v", c.name, l.Value, l.Source, l.Override)
		}
		if fresh, same := l.Agreeing(); fresh != c.fresh || same != c.same {
			t.Errorf("%s: %d of %d agree, want %d of %d", c.name, same, fresh, c.same, c.fresh)
		}
	}
}

func TestFleetBreaker_IsOnlyOverruledByATrip(t *testing.T) {
	t.Parallel()
	closed := chatops.BreakerReport{Name: "slack", State: chatops.StateClosed}
	for _, mode := range []chatops.BreakerMode{chatops.BreakerAuto, chatops.BreakerReset, chatops.BreakerTripped} {
		f := &chatops.Fleet{
			Controls: &chatops.Controls{Now: midday, Breakers: []chatops.BreakerOrder{{Name: "slack", Mode: mode, Reason: "r", CreatedAt: midday, Until: midday.Add(time.Hour)}}},
			Replicas: []chatops.Instance{replicaOf("a", 0, closed, chatops.LimitReport{})},
		}
		b := f.Breaker("slack")
		tripped := mode == chatops.BreakerTripped
		if (b.State == chatops.StateForced) != tripped || (b.Reason == "r") != tripped || b.OpenedAt.IsZero() == tripped || b.RetryAt.IsZero() == tripped {
			t.Errorf("ordered %s, it is %+v", mode, b)
		}
		if b.Order == nil || b.Order.Mode != mode {
			t.Errorf("ordered %s, the order is %+v", mode, b.Order)
		}
	}
}

func TestInstances_LiveLeavesTheListAlone(t *testing.T) {
	t.Parallel()
	list := []chatops.Instance{{Name: "gone", Age: chatops.StaleAfter + 1}, {Name: "late", Age: chatops.StaleAfter}, {Name: "here"}}
	live := chatops.Live(list)
	if len(live) != 2 || live[0].Name != "late" || live[1].Name != "here" {
		t.Errorf("live are %+v", live)
	}
	if list[0].Name != "gone" || list[2].Name != "here" {
		t.Errorf("the list has become %+v", list)
	}
}

func TestHarmless_ShowsWhatWouldMoveATerminal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                   "",
		"Zażółć gęślą 🏠 a b": "Zażółć gęślą 🏠 a b",
		"a\nb\r\tc":          `a\nb\r\tc`,
		"\x1b[31mred\x07":    `\x1b[31mred\x07`,
		"\x00\x7f":           `\x00\x7f`,
		"\u009b31m":          `\u009b31m`,
		"\u202eabc\u2066":    `\u202eabc\u2066`,
		"\u200b\ufeff":       `\u200b\ufeff`,
		"\u2028":             `\u2028`,
		"\U000e0041":         `\U000e0041`,
		"\u3164":             `\u3164`,
		"a\xff\xfeb":         `a\xff\xfeb`,
		"\ufffd":             "\ufffd",
		`\n`:                 `\n`,
	} {
		if got := chatops.Harmless(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

func TestSpan_WordsLengthsForPeople(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Hour: "0s", 0: "0s", 1: "0.1s", 149 * time.Millisecond: "0.1s", 150 * time.Millisecond: "0.2s", 949 * time.Millisecond: "0.9s",
		950 * time.Millisecond: "1s", 1999 * time.Millisecond: "1s", 59 * time.Second: "59s", time.Minute: "1m", 61 * time.Second: "1m 1s",
		time.Hour: "1h", time.Hour + 59*time.Second: "1h", time.Hour + time.Minute: "1h 1m", 24 * time.Hour: "1d", 25*time.Hour + 59*time.Minute: "1d 1h",
		24*time.Hour + 59*time.Minute: "1d", 1000 * 24 * time.Hour: "1000d",
	} {
		if got := chatops.Span(d); got != want {
			t.Errorf("%d ns is %q, want %q", int64(d), got, want)
		}
	}
}
