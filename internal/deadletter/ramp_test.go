package deadletter

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"chatops/internal/breaker"
	"chatops/internal/chatops"
)

func TestRamp_DoublesEverySecondAndEnds(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	start := now
	r := &ramp{}
	if r.wait(now) != 0 || r.batch(now) != math.MaxInt {
		t.Fatal("a ramp that has not begun slows down")
	}
	r.begin(now)
	perSecond := make([]int, 12)
	for range 20_000 {
		now = now.Add(r.wait(now))
		if s := int(now.Sub(start) / time.Second); s < len(perSecond) {
			perSecond[s]++
		}
	}
	for s, n := range perSecond[:10] {
		if want := rampRate << s; n > want+1 || n < want-1 {
			t.Fatalf("attempts in each second: %v", perSecond)
		}
	}
	if r.active.Load() {
		t.Fatal("the ramp has no end")
	}
}

func TestRamp_FailureTakesItBack(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	r := &ramp{}
	r.stumble(now) // not under way: nothing happens
	r.begin(now)
	now = now.Add(5 * rampStep)
	if got := r.batch(now); got != 64 {
		t.Fatalf("batch of %d, want 64", got)
	}
	r.stumble(now)
	if got := r.batch(now); got != 16 {
		t.Fatalf("batch of %d after a failure, want 16", got)
	}
	for range 5 {
		r.stumble(now)
	}
	if got := r.batch(now); got != 2 {
		t.Fatalf("batch of %d after many failures, want 2", got)
	}
	if r.wait(now.Add(-time.Hour)) != 0 || r.active.Load() {
		t.Fatal("a clock that was set back leaves the ramp in force")
	}
}

func TestRamp_NilIsOver(t *testing.T) {
	t.Parallel()
	var r *ramp
	r.stumble(time.Now())
	if r.wait(time.Now()) != 0 || r.batch(time.Now()) != math.MaxInt {
		t.Fatal("a nil ramp slows down")
	}
}

// F17 in small: two lanes share the receiver that comes back.
func TestRecovery_DrainsAtAGrowingRateAndFreshAlertsGoFirst(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack"}
		s.do(func(context.Context, *chatops.Alert) error {
			<-time.After(time.Millisecond)
			return nil
		})
		set := breaker.NewSet(breaker.Options{FailMax: 1})
		p, _ := set.Get("slack").Allow()
		p.Failure()
		q.add(5000, "test", "slack:a")
		q.add(5000, "test", "slack:b")
		r := start(t, q, Options{Breakers: set}, s)
		for s.calls() == 0 {
			pass(100 * time.Millisecond)
		}
		began := s.times()[0]
		fresh := map[int64]time.Time{}
		for range 8 {
			pass(time.Second)
			fresh[q.add(1, "fresh", "slack:a")[0]] = time.Now()
			r.e.Wake()
		}
		r.settle()
		r.wantCount(chatops.AlertDelivered, 10_008)
		perSecond := map[int]int{}
		for _, at := range s.times() {
			perSecond[int(at.Sub(began)/time.Second)]++
		}
		for s := range 9 {
			if n := perSecond[s]; n > rampRate<<s+3 {
				t.Fatalf("attempts in each second: %v", perSecond)
			}
		}
		if perSecond[8] < rampRate<<7 {
			t.Fatalf("attempts in each second: %v: the drain does not gain speed", perSecond)
		}
		at := s.times()
		for i, a := range s.alerts() {
			if queued, ok := fresh[a.ID]; ok && at[i].Sub(queued) > time.Second {
				t.Errorf("a fresh alert waited %s", at[i].Sub(queued))
			}
		}
	})
}

func TestRecovery_OfATrippedBreakerIsSlowToo(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack"}
		set := breaker.NewSet(breaker.Options{})
		set.Get("slack").Trip(time.Time{}, "maintenance")
		q.add(1000, "test", "slack:a")
		r := start(t, q, Options{Breakers: set}, s)
		pass(5 * time.Second)
		set.Get("slack").Reset()
		synctest.Wait()
		if s.calls() == 0 {
			t.Fatal("nothing is sent at once after the reset")
		}
		pass(900 * time.Millisecond)
		if n := s.calls(); n > rampRate {
			t.Fatalf("%d attempts in the first second", n)
		}
		r.settle()
		r.wantCount(chatops.AlertDelivered, 1000)
	})
}

func TestBreaker_HearsOfSlowAnswersAndRedactedReasons(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q := newFakeQueue()
		slow, broken := &fakeSender{name: "email"}, &fakeSender{name: "slack", policy: chatops.LanePolicy{Parallel: 1}}
		slow.do(func(context.Context, *chatops.Alert) error {
			<-time.After(11 * time.Second)
			return nil
		})
		broken.do(fail(chatops.FailTransient, "dial https://hooks.slack.com/services/T0/B0/canary: refused for jan@firma.example"))
		set := breaker.NewSet(breaker.Options{FailMax: 3, SlowCall: 10 * time.Second})
		q.add(3, "test", "mailto:a@b.example")
		q.add(3, "test", "slack:a")
		r := start(t, q, Options{Breakers: set, RandFunc: half}, slow, broken)
		pass(15 * time.Second)
		r.wantCount(chatops.AlertDelivered, 3)
		if got := set.Get("email").Snapshot(); got.State != breaker.Open || got.Reason != "slow: answered after 11s" {
			t.Fatalf("snapshot = %+v", got)
		}
		got := set.Get("slack").Snapshot()
		if want := "dial https://hooks.slack.com/[redacted] refused for [email]"; got.State != breaker.Open || got.Reason != want {
			t.Fatalf("snapshot = %+v", got)
		}
	})
}

// lateFleet grants a probe when it is told to.
type lateFleet struct {
	mu     sync.Mutex
	grants bool
	claims int
	ends   []time.Duration
}

func (f *lateFleet) ClaimProbe(context.Context, string, string, time.Duration) (time.Duration, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.claims++
	if !f.grants {
		return time.Second, nil
	}
	return 0, nil
}

func (f *lateFleet) EndProbe(_ context.Context, _, _ string, pause time.Duration) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ends = append(f.ends, pause)
	return errors.New("nobody listens")
}

func TestBreaker_WaitsForItsProbeWithoutTurningAndTakesItAtOnce(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s, f := newFakeQueue(), &fakeSender{name: "slack"}, &lateFleet{}
		set := breaker.NewSet(breaker.Options{FailMax: 1, Fleet: f, Holder: "a"})
		ctx, cancel := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { _ = set.Run(ctx) })
		defer running.Wait()
		defer cancel()
		p, _ := set.Get("slack").Allow()
		p.Failure()
		q.add(20, "test", "slack:a")
		r := start(t, q, Options{Breakers: set}, s)
		pass(90 * time.Second)
		looks, claims := r.e.looked(), q.claimCalls()
		pass(100 * time.Second)
		if n := r.e.looked() - looks; n > 250 || q.claimCalls() != claims {
			t.Fatalf("%d looks and %d claims in 100 s of waiting", n, q.claimCalls()-claims)
		}
		if s.calls() != 0 {
			t.Fatal("a probe that was not granted was made")
		}
		granted := make(chan time.Time, 9)
		defer set.Watch(func(c breaker.Change) {
			if c.From == c.To {
				granted <- time.Now()
			}
		})()
		f.mu.Lock()
		f.grants = true
		f.mu.Unlock()
		at := <-granted
		r.settle()
		r.wantCount(chatops.AlertDelivered, 20)
		if d := s.times()[0].Sub(at); d > 10*time.Millisecond {
			t.Fatalf("the probe was made %s after it was granted", d)
		}
	})
}

// looked returns how often the lanes were looked at.
func (e *Engine) looked() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.looks
}
