package ratelimit

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestAllow_AClockThatGoesBackGivesNothingAway(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := single(t, c, "2 per minute", 0)
	l.chat(t, "a")
	l.chat(t, "a")
	c.move(-time.Hour)
	if l.chat(t, "a").Allowed {
		t.Error("a third event is allowed after the clock went back")
	}
	c.move(time.Hour + time.Minute)
	if !l.chat(t, "a").Allowed {
		t.Error("refused when the window is over")
	}
}

func TestAllow_RefusedEventsAreNotCounted(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := single(t, c, "2 per minute", 0)
	for range 120 {
		l.chat(t, "a")
		c.move(500 * time.Millisecond)
	}
	if d := l.chat(t, "a"); !d.Allowed {
		t.Errorf("refused for %s a minute after the first event", d.RetryAfter)
	}
}

func TestAllow_CountsInAllChecksOrInNone(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := newLimits(t, Options{NowFunc: c.now, Limits: map[string]Limit{
		"api": mustParse(t, "3 per minute"), "consent": mustParse(t, "1 per minute"),
	}})
	ask := func() Decision {
		return l.Allow(t.Context(), "a", Check{"api", "a"}, Check{"consent", "a"}, Check{"api", "a"}, Check{"unknown", "a"})
	}
	if d := ask(); !d.Allowed || d.Limit != "consent" || d.Remaining != 0 {
		t.Errorf("first: %+v", d)
	}
	for range 5 {
		if d := ask(); d.Allowed || d.Limit != "consent" || d.RetryAfter != time.Minute {
			t.Errorf("one more: %+v", d)
		}
	}
	// Asked about twice, counted once; refused by another limit, not counted.
	if d := l.Allow(t.Context(), "a", Check{"api", "a"}); !d.Allowed || d.Remaining != 1 || d.Limit != "api" {
		t.Errorf("the other limit alone: %+v", d)
	}
}

func TestAllow_IsOffForUnknownLimitsAndWhenDisabled(t *testing.T) {
	t.Parallel()
	c := newClock()
	if d := single(t, c, "1 per minute", 0).Allow(t.Context(), "a", Check{"other", "a"}); !d.Allowed || !d.Off {
		t.Errorf("unknown limit: %+v", d)
	}
	l := newLimits(t, Options{Limits: map[string]Limit{"chat": mustParse(t, "1 per minute")}, Disabled: true})
	for range 3 {
		if d := l.chat(t, "a"); !d.Allowed || !d.Off {
			t.Errorf("disabled: %+v", d)
		}
	}
	if l.Report().Enabled {
		t.Error("it reports that it is enabled")
	}
}

func TestAllow_ForgetsTheKeyThatUsedLeast(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := single(t, c, "3 per minute", 4)
	for range 3 {
		l.chat(t, "full")
	}
	for i := range 1000 {
		l.chat(t, fmt.Sprint("passing", i))
		c.move(10 * time.Millisecond)
		if n := l.memory.size(); n > 4 {
			t.Fatalf("%d keys are kept, want 4 at most", n)
		}
	}
	if l.chat(t, "full").Allowed {
		t.Error("a thousand other keys made a used-up limit forgotten")
	}
}

func TestAllow_BoundsItsKeysInAllShards(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := single(t, c, "3 per minute", 10_000)
	for i := range 30_000 {
		l.chat(t, fmt.Sprint(i))
	}
	if n := l.memory.size(); n > 10_000 || n < 9_000 {
		t.Errorf("%d keys are kept, want 10000", n)
	}
}

func TestAllow_GivesBackTheRoomOfWhatIsOver(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := single(t, c, "5 per minute", 0)
	for i := range 30_000 {
		l.chat(t, fmt.Sprint(i))
	}
	c.move(30 * time.Second)
	l.chat(t, "late")
	c.move(30 * time.Second)
	l.memory.sweep(l.now())
	if n := l.memory.size(); n != 1 {
		t.Errorf("%d keys are kept, want 1", n)
	}
	for i := range l.memory.shards {
		if n := cap(l.memory.shards[i].all); n > 1 {
			t.Fatalf("room for %d keys is kept", n)
		}
	}
	if d := l.chat(t, "late"); d.Remaining != 3 {
		t.Errorf("what was not over is forgotten: %+v", d)
	}
}

func TestAllow_RemembersNoMoreThanTheGreatestCount(t *testing.T) {
	t.Parallel()
	c := newClock()
	l := single(t, c, "100 per second;1000 per hour", 1)
	room := func() int { return cap(l.memory.shards[0].all[0].at) }
	for range 5000 {
		l.chat(t, "a")
		c.move(10 * time.Millisecond)
	}
	if n := room(); n != 1000 {
		t.Errorf("room for %d events, want 1000", n)
	}
	l.chat(t, "b")
	if n := room(); n > 8 {
		t.Errorf("room for %d events after one", n)
	}
}

func TestAllow_CountsConcurrentEventsExactly(t *testing.T) {
	t.Parallel()
	l := newLimits(t, Options{Limits: map[string]Limit{
		"chat": mustParse(t, "50 per hour"), "api": mustParse(t, "70 per hour"),
	}})
	var wg sync.WaitGroup
	var both, one atomic.Int64
	for i := range 8 {
		wg.Go(func() {
			checks := []Check{{"chat", "a"}, {"api", "a"}}
			if i%2 == 0 {
				checks = []Check{{"api", "a"}, {"chat", "a"}}
			}
			for range 100 {
				if l.Allow(t.Context(), "a", checks...).Allowed {
					both.Add(1)
				}
			}
		})
	}
	wg.Wait()
	for range 100 {
		if l.Allow(t.Context(), "a", Check{"api", "a"}).Allowed {
			one.Add(1)
		}
	}
	if both.Load() != 50 || one.Load() != 20 {
		t.Errorf("%d events of both limits and %d of one are allowed, want 50 and 20", both.Load(), one.Load())
	}
}

func TestAllow_AllocatesNothingForAKnownKey(t *testing.T) { //nolint:paralleltest // it counts the allocations of the process
	c := newClock()
	l := newLimits(t, Options{NowFunc: c.now, Limits: map[string]Limit{
		"chat": mustParse(t, "50 per second;100 per minute"), "api": mustParse(t, "1 per minute"),
	}})
	for range 200 {
		l.chat(t, "a")
		c.move(20 * time.Millisecond)
	}
	ctx := t.Context()
	for name, ask := range map[string]func(){
		"one limit":  func() { l.Allow(ctx, "a", Check{"chat", "a"}) },
		"two limits": func() { l.Allow(ctx, "a", Check{"chat", "a"}, Check{"api", "a"}) },
	} {
		if n := testing.AllocsPerRun(1000, func() {
			ask()
			c.move(700 * time.Millisecond)
		}); n != 0 {
			t.Errorf("%s: %v allocations for each event", name, n)
		}
	}
}

func BenchmarkAllow(b *testing.B) {
	for _, text := range []string{"30 per minute", "50 per minute;200 per hour", "100000 per minute"} {
		b.Run(text, func(b *testing.B) {
			l := newLimits(b, Options{Limits: map[string]Limit{"chat": mustParse(b, text)}})
			b.ReportAllocs()
			for b.Loop() {
				l.chat(b, "203.0.113.7")
			}
		})
	}
}
