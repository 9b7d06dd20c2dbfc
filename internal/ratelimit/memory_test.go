package ratelimit

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// clock stands still until it is moved.
type clock struct{ at time.Time }

func newClock() *clock { return &clock{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time { return c.at }

func (c *clock) move(d time.Duration) { c.at = c.at.Add(d) }

func newMemory(tb rapid.TB, c *clock, text string, maxKeys int) *Memory {
	tb.Helper()
	limit, err := Parse(text)
	if err != nil {
		tb.Fatal(err)
	}
	return NewMemory(limit, MemoryOptions{MaxKeys: maxKeys, NowFunc: c.now})
}

// model is the obvious limiter: it keeps every allowed moment and counts.
type model struct {
	limit   Limit
	allowed map[string][]time.Time
}

func (m *model) within(key string, r Rule, now time.Time) (n int, oldest time.Time) {
	for _, at := range m.allowed[key] {
		if now.Sub(at) < r.Window {
			if n == 0 {
				oldest = at
			}
			n++
		}
	}
	return n, oldest
}

func (m *model) allow(key string, now time.Time) bool {
	for _, r := range m.limit {
		if n, _ := m.within(key, r, now); n >= r.Count {
			return false
		}
	}
	m.allowed[key] = append(m.allowed[key], now)
	return true
}

func TestMemory_AgreesWithTheObviousModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		limit := drawLimit(t, 12, 20)
		m := NewMemory(limit, MemoryOptions{NowFunc: c.now})
		want := &model{limit, map[string][]time.Time{}}
		for range rapid.IntRange(1, 200).Draw(t, "events") {
			c.move(rapid.SampledFrom([]time.Duration{0, 0, 1, time.Millisecond, 500 * time.Millisecond, time.Second, 7 * time.Second}).Draw(t, "pause"))
			key := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "key")
			ok := want.allow(key, c.at)
			d := m.Allow(key)
			if d.Allowed != ok {
				t.Fatalf("at %s: allowed %v, want %v", c.at, d.Allowed, ok)
			}
			checkDecision(t, want, key, c.at, d)
		}
	})
}

// checkDecision compares the numbers of a decision with the model's.
func checkDecision(t *rapid.T, want *model, key string, now time.Time, d Decision) {
	t.Helper()
	n, oldest := want.within(key, d.Rule, now)
	if d.Remaining != d.Rule.Count-n {
		t.Fatalf("remaining %d of %v, want %d", d.Remaining, d.Rule, d.Rule.Count-n)
	}
	if reset := oldest.Add(d.Rule.Window).Sub(now); d.Reset != reset {
		t.Fatalf("reset %s, want %s", d.Reset, reset)
	}
	if d.Allowed {
		if d.RetryAfter != 0 {
			t.Fatalf("allowed and told to wait %s", d.RetryAfter)
		}
		for _, r := range want.limit {
			if n, _ := want.within(key, r, now); r.Count-n < d.Remaining {
				t.Fatalf("remaining %d, but %v allows %d", d.Remaining, r, r.Count-n)
			}
		}
		return
	}
	// Whoever waits as told is let in, and a nanosecond less is too little.
	for wait, ok := range map[time.Duration]bool{d.RetryAfter: true, d.RetryAfter - 1: false} {
		full := false
		for _, r := range want.limit {
			n, _ := want.within(key, r, now.Add(wait))
			full = full || n >= r.Count
		}
		if full == ok {
			t.Fatalf("refused for %s, but after %s full is %v", d.RetryAfter, wait, full)
		}
	}
}

func TestMemory_NeverAllowsMoreInAnyWindow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		limit := drawLimit(t, 8, 10)
		m := NewMemory(limit, MemoryOptions{NowFunc: c.now})
		var allowed []time.Time
		for _, pause := range rapid.SliceOfN(rapid.IntRange(0, 3000), 1, 300).Draw(t, "pauses") {
			c.move(time.Duration(pause) * time.Millisecond)
			if m.Allow("a").Allowed {
				allowed = append(allowed, c.at)
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

func TestMemory_AClockThatGoesBackGivesNothingAway(t *testing.T) {
	t.Parallel()
	c := newClock()
	m := newMemory(t, c, "2 per minute", 0)
	m.Allow("a")
	m.Allow("a")
	c.move(-time.Hour)
	if m.Allow("a").Allowed {
		t.Error("a third event is allowed after the clock went back")
	}
	c.move(time.Hour + time.Minute)
	if !m.Allow("a").Allowed {
		t.Error("refused when the window is over")
	}
}

func TestMemory_BoundsItsKeysAndForgetsTheOldest(t *testing.T) {
	t.Parallel()
	c := newClock()
	m := newMemory(t, c, "1 per minute", 3)
	for _, key := range []string{"a", "b", "c"} {
		m.Allow(key)
	}
	if m.Allow("a").Allowed { // asked about again: it stays
		t.Fatal("a second event is allowed")
	}
	m.Allow("d")
	if len(m.keys) != 3 || m.keys["b"] != nil {
		t.Errorf("keys %v, want b forgotten", m.keys)
	}
	if m.Allow("a").Allowed || m.Allow("c").Allowed || m.Allow("d").Allowed {
		t.Error("a key that was to be remembered is forgotten")
	}
}

func TestMemory_ShrinksWhenTheWindowsAreOver(t *testing.T) {
	t.Parallel()
	c := newClock()
	m := newMemory(t, c, "5 per minute", 0)
	for i := range 100 {
		m.Allow(fmt.Sprint("key", i))
	}
	c.move(time.Minute)
	for range 60 {
		m.Allow("a")
	}
	if len(m.keys) != 1 {
		t.Errorf("%d keys are kept, want 1", len(m.keys))
	}
}

func TestMemory_RemembersNoMoreThanTheGreatestCount(t *testing.T) {
	t.Parallel()
	c := newClock()
	m := newMemory(t, c, "100 per second;1000 per hour", 0)
	for range 5000 {
		m.Allow("a")
		c.move(10 * time.Millisecond)
	}
	if n := len(m.keys["a"].at); n != 1000 {
		t.Errorf("room for %d moments, want 1000", n)
	}
	m.Allow("b")
	if n := len(m.keys["b"].at); n > 8 {
		t.Errorf("room for %d moments after one event", n)
	}
}

func TestMemory_CountsConcurrentEventsExactly(t *testing.T) {
	t.Parallel()
	c := newClock()
	m := newMemory(t, c, "50 per hour", 0)
	var mu sync.Mutex
	var wg sync.WaitGroup
	allowed := 0
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if m.Allow("a").Allowed {
					mu.Lock()
					allowed++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if allowed != 50 {
		t.Errorf("%d of 800 events are allowed, want 50", allowed)
	}
}

func TestMemory_AllocatesNothingForAKnownKey(t *testing.T) { //nolint:paralleltest // it counts the allocations of the process
	c := newClock()
	m := newMemory(t, c, "50 per second;100 per minute", 0)
	for range 200 {
		m.Allow("a")
		c.move(20 * time.Millisecond)
	}
	if n := testing.AllocsPerRun(1000, func() {
		m.Allow("a")
		c.move(700 * time.Millisecond)
	}); n != 0 {
		t.Errorf("%v allocations for each event", n)
	}
}

func BenchmarkAllow(b *testing.B) {
	for _, text := range []string{"30 per minute", "50 per minute;200 per hour"} {
		b.Run(text, func(b *testing.B) {
			limit, err := Parse(text)
			if err != nil {
				b.Fatal(err)
			}
			m := NewMemory(limit, MemoryOptions{})
			b.ReportAllocs()
			for b.Loop() {
				m.Allow("203.0.113.7")
			}
		})
	}
}
