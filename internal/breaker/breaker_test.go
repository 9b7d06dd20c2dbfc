package breaker_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chatops/internal/breaker"
)

// clock is a clock that moves when it is told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock {
	return &clock{now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newBreaker(failMax int) (*breaker.Breaker, *clock) {
	c := newClock()
	return breaker.New("slack", breaker.Options{
		FailMax: failMax, ResetTimeout: time.Minute, ProbeTimeout: 20 * time.Second, NowFunc: c.Now,
	}), c
}

func allow(t *testing.T, b *breaker.Breaker) breaker.Permit {
	t.Helper()
	p, ok := b.Allow()
	if !ok {
		t.Fatalf("call rejected in state %s", b.State())
	}
	return p
}

func reject(t *testing.T, b *breaker.Breaker) {
	t.Helper()
	if _, ok := b.Allow(); ok {
		t.Fatalf("call allowed, state is now %s", b.State())
	}
}

func wantState(t *testing.T, b *breaker.Breaker, want breaker.State) {
	t.Helper()
	if got := b.State(); got != want {
		t.Fatalf("state = %s, want %s", got, want)
	}
	if got := b.Snapshot().State; got != want {
		t.Fatalf("snapshot state = %s, want %s", got, want)
	}
}

// openNow fails calls until the breaker opens.
func openNow(t *testing.T, b *breaker.Breaker) {
	t.Helper()
	for range b.Snapshot().FailMax {
		allow(t, b).Failure()
	}
	wantState(t, b, breaker.Open)
}

func TestBreaker_OpensAfterConsecutiveFailuresOnly(t *testing.T) {
	t.Parallel()
	b, _ := newBreaker(3)
	for range 5 {
		allow(t, b).Failure()
		allow(t, b).Failure()
		allow(t, b).Success()
	}
	wantState(t, b, breaker.Closed)
	for i := range 3 {
		if got := b.Snapshot().FailCount; got != i {
			t.Fatalf("fail count = %d, want %d", got, i)
		}
		allow(t, b).Failure()
	}
	wantState(t, b, breaker.Open)
	reject(t, b)
}

func TestBreaker_CancelCountsForNothing(t *testing.T) {
	t.Parallel()
	b, _ := newBreaker(2)
	allow(t, b).Failure()
	allow(t, b).Cancel()
	if got := b.Snapshot().FailCount; got != 1 {
		t.Fatalf("fail count = %d, want 1", got)
	}
	allow(t, b).Failure()
	wantState(t, b, breaker.Open)
}

func TestBreaker_StaysOpenThenAdmitsOneProbe(t *testing.T) {
	t.Parallel()
	b, c := newBreaker(2)
	openNow(t, b)
	c.Advance(time.Minute - 1)
	reject(t, b)
	wantState(t, b, breaker.Open)
	c.Advance(1)
	wantState(t, b, breaker.HalfOpen)
	probe := allow(t, b)
	if !b.Snapshot().Probing {
		t.Fatal("snapshot does not show the probe")
	}
	reject(t, b)
	reject(t, b)
	probe.Success()
	wantState(t, b, breaker.Closed)
	if s := b.Snapshot(); s.FailCount != 0 || !s.OpenedAt.IsZero() || !s.RetryAt.IsZero() || s.Probing {
		t.Fatalf("closed breaker keeps traces: %+v", s)
	}
}

func TestBreaker_CancelledProbeMayBeRepeatedAtOnce(t *testing.T) {
	t.Parallel()
	b, c := newBreaker(1)
	openNow(t, b)
	c.Advance(time.Minute)
	allow(t, b).Cancel()
	wantState(t, b, breaker.HalfOpen)
	allow(t, b).Success()
	wantState(t, b, breaker.Closed)
}

func TestBreaker_GivesUpAProbeThatNeverAnswers(t *testing.T) {
	t.Parallel()
	b, c := newBreaker(1)
	openNow(t, b)
	c.Advance(time.Minute)
	lost := allow(t, b)
	c.Advance(20*time.Second - 1)
	reject(t, b)
	c.Advance(1)
	probe := allow(t, b)
	lost.Failure()
	lost.Success()
	lost.Cancel()
	wantState(t, b, breaker.HalfOpen)
	reject(t, b)
	probe.Success()
	wantState(t, b, breaker.Closed)
}

func TestBreaker_IgnoresAnswersFromBeforeItOpened(t *testing.T) {
	t.Parallel()
	b, c := newBreaker(2)
	late := allow(t, b)
	openNow(t, b)
	late.Success()
	wantState(t, b, breaker.Open)
	c.Advance(time.Minute)
	probe := allow(t, b)
	late.Failure()
	late.Cancel()
	reject(t, b)
	probe.Success()
	late.Failure()
	late.Failure()
	wantState(t, b, breaker.Closed)
	if got := b.Snapshot().FailCount; got != 0 {
		t.Fatalf("fail count = %d, want 0", got)
	}
}

func TestBreaker_ZeroPermitIgnoresAnswers(t *testing.T) {
	t.Parallel()
	var p breaker.Permit
	p.Success()
	p.Failure()
	p.Cancel()
}

func TestNew_FillsInDefaults(t *testing.T) {
	t.Parallel()
	b := breaker.New("llm", breaker.Options{FailMax: -1, ResetTimeout: -1})
	s := b.Snapshot()
	if s.Name != "llm" || b.Name() != "llm" || s.FailMax != 5 || s.ResetTimeout != time.Minute {
		t.Fatalf("snapshot = %+v", s)
	}
	openNow(t, b)
	reject(t, b)
}

func TestBreaker_TellsEveryChangeOnce(t *testing.T) {
	t.Parallel()
	c := newClock()
	var got []breaker.State
	var b *breaker.Breaker
	b = breaker.New("monday", breaker.Options{
		FailMax: 1, ResetTimeout: time.Second, NowFunc: c.Now,
		ChangeFunc: func(ch breaker.Change) {
			b.Snapshot() // no lock may be held
			if ch.Name != "monday" || !ch.At.Equal(c.Now()) {
				t.Errorf("change = %+v", ch)
			}
			if len(got) > 0 && got[len(got)-1] != ch.From {
				t.Errorf("change from %s after %s", ch.From, got[len(got)-1])
			}
			got = append(got, ch.To)
		},
	})
	allow(t, b).Failure()
	c.Advance(time.Second)
	allow(t, b).Failure()
	c.Advance(2 * time.Second)
	allow(t, b).Success()
	b.Trip(time.Time{}, "")
	b.Trip(time.Time{}, "")
	b.Auto()
	b.Auto()
	b.Reset()
	b.Reset()
	want := []breaker.State{
		breaker.Open, breaker.HalfOpen, breaker.Open, breaker.HalfOpen, breaker.Closed,
		breaker.ForcedOpen, breaker.HalfOpen, breaker.Closed,
	}
	if len(got) != len(want) {
		t.Fatalf("changes = %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("changes = %v, want %v", got, want)
		}
	}
}

func TestBreaker_AdmitsOneProbeHoweverManyRace(t *testing.T) {
	t.Parallel()
	b, c := newBreaker(5)
	for range 50 {
		openNow(t, b)
		c.Advance(time.Hour)
		var admitted atomic.Int64
		var probe breaker.Permit
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				for range 50 {
					if p, ok := b.Allow(); ok {
						admitted.Add(1)
						probe = p
					}
				}
			})
		}
		wg.Wait()
		if n := admitted.Load(); n != 1 {
			t.Fatalf("%d probes admitted, want 1", n)
		}
		probe.Success()
	}
}

func TestBreaker_SurvivesEverythingAtOnce(t *testing.T) {
	t.Parallel()
	b, c := newBreaker(3)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 2000 {
				if p, ok := b.Allow(); ok {
					switch (i + j) % 5 {
					case 0:
						p.Success()
					case 1:
						p.Cancel()
					default:
						p.Failure()
					}
				}
				switch (i * j) % 97 {
				case 1:
					b.Trip(c.Now().Add(time.Second), "")
				case 2:
					b.Auto()
				case 3:
					b.Reset()
				case 4:
					c.Advance(time.Second)
				}
				b.Snapshot()
			}
		})
	}
	wg.Wait()
	b.Reset()
	wantState(t, b, breaker.Closed)
	openNow(t, b)
}
