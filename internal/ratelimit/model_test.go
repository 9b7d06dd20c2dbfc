package ratelimit

import (
	"context"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// clock stands still until it is moved.
type clock struct{ at time.Time }

func newClock() *clock { return &clock{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time { return c.at }

func (c *clock) move(d time.Duration) { c.at = c.at.Add(d) }

func mustParse(tb rapid.TB, text string) Limit {
	tb.Helper()
	limit, err := Parse(text)
	if err != nil {
		tb.Fatal(err)
	}
	return limit
}

func newLimits(tb rapid.TB, o Options) *Limits {
	tb.Helper()
	l, err := New(o)
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// single is limits of which one is called "chat".
func single(tb rapid.TB, c *clock, text string, maxKeys int) *Limits {
	tb.Helper()
	return newLimits(tb, Options{Limits: map[string]Limit{"chat": mustParse(tb, text)}, MaxKeys: maxKeys, NowFunc: c.now})
}

// chat asks for one event of the limit "chat".
func (l *Limits) chat(tb interface{ Context() context.Context }, key string) Decision {
	return l.Allow(tb.Context(), key, Check{"chat", key})
}

// model is the obvious limiter: it keeps every allowed moment and counts.
type model struct {
	limits  map[string]Limit
	allowed map[Check][]time.Time
}

func newModel(limits map[string]Limit) *model {
	return &model{limits, map[Check][]time.Time{}}
}

func (m *model) within(c Check, r Rule, now time.Time) (n int, oldest time.Time) {
	for _, at := range m.allowed[c] {
		if now.Sub(at) < r.Window {
			if n == 0 {
				oldest = at
			}
			n++
		}
	}
	return n, oldest
}

func (m *model) full(checks []Check, now time.Time) bool {
	for _, c := range checks {
		for _, r := range m.limits[c.Limit] {
			if n, _ := m.within(c, r, now); n >= r.Count {
				return true
			}
		}
	}
	return false
}

func (m *model) allow(checks []Check, now time.Time) bool {
	if m.full(checks, now) {
		return false
	}
	for _, c := range checks {
		m.allowed[c] = append(m.allowed[c], now)
	}
	return true
}

// check compares the numbers of a decision with the model's.
func (m *model) check(t *rapid.T, checks []Check, now time.Time, d Decision) {
	t.Helper()
	var c Check
	for _, other := range checks {
		if other.Limit == d.Limit {
			c = other
		}
	}
	n, oldest := m.within(c, d.Rule, now)
	if d.Remaining != max(0, d.Rule.Count-n) {
		t.Fatalf("remaining %d of %v, want %d", d.Remaining, d.Rule, d.Rule.Count-n)
	}
	if d.Allowed {
		if reset := oldest.Add(d.Rule.Window).Sub(now); d.Reset != reset || d.RetryAfter != 0 {
			t.Fatalf("reset %s, retry after %s, want %s and none", d.Reset, d.RetryAfter, reset)
		}
		for _, c := range checks {
			for _, r := range m.limits[c.Limit] {
				if n, _ := m.within(c, r, now); r.Count-n < d.Remaining {
					t.Fatalf("remaining %d, but %v allows %d", d.Remaining, r, r.Count-n)
				}
			}
		}
		return
	}
	// Whoever waits as told is let in, and a nanosecond less is too little.
	if m.full(checks, now.Add(d.RetryAfter)) || !m.full(checks, now.Add(d.RetryAfter-1)) {
		t.Fatalf("refused for %s, which is not when the event would be allowed", d.RetryAfter)
	}
}

// drawChecks asks one or two of the limits, for keys of their own.
func drawChecks(t *rapid.T) []Check {
	key := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "key")
	return rapid.SampledFrom([][]Check{
		{{"chat", key}}, {{"api", key}}, {{"chat", key}, {"api", key}}, {{"api", key}, {"chat", "both"}},
	}).Draw(t, "checks")
}

func TestAllow_AgreesWithTheObviousModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		limits := map[string]Limit{"chat": drawLimit(t, 12, 20), "api": drawLimit(t, 12, 20)}
		l := newLimits(t, Options{Limits: limits, NowFunc: c.now})
		want := newModel(limits)
		for range rapid.IntRange(1, 200).Draw(t, "events") {
			c.move(rapid.SampledFrom([]time.Duration{
				0, 0, tick, 3 * tick, 500 * time.Millisecond, time.Second, 7 * time.Second,
			}).Draw(t, "pause"))
			checks := drawChecks(t)
			ok := want.allow(checks, c.at)
			d := l.Allow(t.Context(), "a", checks...)
			if d.Allowed != ok {
				t.Fatalf("at %s: allowed %v, want %v", c.at, d.Allowed, ok)
			}
			want.check(t, checks, c.at, d)
		}
	})
}

// The override has no longer window than the configuration here: of an older past
// than that nothing is known.
func TestAllow_AgreesWithTheModelWhileLimitsChange(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		base := append(drawLimit(t, 12, 10), Rule{Count: rapid.IntRange(1, 20).Draw(t, "hour"), Window: 10 * time.Second})
		other := drawLimit(t, 30, 10)
		l := newLimits(t, Options{Limits: map[string]Limit{"chat": base}, NowFunc: c.now})
		want := newModel(map[string]Limit{"chat": base})
		checks := []Check{{"chat", "a"}}
		for range rapid.IntRange(1, 200).Draw(t, "events") {
			c.move(time.Duration(rapid.IntRange(0, 1000).Draw(t, "pause")) * tick)
			switch rapid.IntRange(0, 9).Draw(t, "order") {
			case 0:
				want.limits["chat"] = other
				l.Apply(&chatops.Controls{Overrides: []chatops.LimitOverride{{Name: "chat", Value: other.String()}}})
			case 1:
				want.limits["chat"] = base
				l.Apply(&chatops.Controls{})
			}
			ok := want.allow(checks, c.at)
			d := l.Allow(t.Context(), "a", checks...)
			if d.Allowed != ok {
				t.Fatalf("at %s under %v: allowed %v, want %v", c.at, want.limits["chat"], d.Allowed, ok)
			}
			if n, _ := want.within(checks[0], d.Rule, c.at); d.Remaining != max(0, d.Rule.Count-n) {
				t.Fatalf("remaining %d of %v with %d in the window", d.Remaining, d.Rule, n)
			}
		}
	})
}

func TestAllow_NeverAllowsMoreInAnyWindow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		limit := drawLimit(t, 8, 10)
		l := newLimits(t, Options{Limits: map[string]Limit{"chat": limit}, NowFunc: c.now})
		var allowed []time.Time
		for _, pause := range rapid.SliceOfN(rapid.IntRange(0, 3_000_000_000), 1, 300).Draw(t, "pauses") {
			c.move(time.Duration(pause)) // between two ticks
			d := l.chat(t, "a")
			if d.Allowed {
				allowed = append(allowed, c.at)
				continue
			}
			// The rounding keeps nobody out for longer than a tick.
			if d.RetryAfter > tick && !newModelOf(limit, allowed).full([]Check{{"chat", "a"}}, c.at.Add(d.RetryAfter-tick)) {
				t.Fatalf("must wait %s, by more than %s too long", d.RetryAfter, tick)
			}
		}
		for _, r := range limit {
			for i := r.Count; i < len(allowed); i++ {
				if allowed[i].Sub(allowed[i-r.Count]) < r.Window {
					t.Fatalf("%d events within %s, limit %v", r.Count+1, allowed[i].Sub(allowed[i-r.Count]), r)
				}
			}
		}
	})
}

func newModelOf(limit Limit, allowed []time.Time) *model {
	return &model{map[string]Limit{"chat": limit}, map[Check][]time.Time{{"chat", "a"}: allowed}}
}
