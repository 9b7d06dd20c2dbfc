package breaker_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"chatops/internal/breaker"
	"chatops/internal/chatops"
)

var _ breaker.Fleet = chatops.InstanceStore(nil)

// fakeFleet hands out probes as a store does, with a clock of its own.
type fakeFleet struct {
	mu     sync.Mutex
	holder map[string]string
	until  map[string]time.Time
	down   bool          // answers nothing
	lost   bool          // does what it is told, and answers nothing
	lag    time.Duration // of every answer
	claims int
	ends   int
}

func newFleet() *fakeFleet {
	return &fakeFleet{holder: map[string]string{}, until: map[string]time.Time{}}
}

var errDown = errors.New("database is down")

func (f *fakeFleet) answer(ctx context.Context) error {
	f.mu.Lock()
	lag, fails := f.lag, f.down || f.lost
	f.mu.Unlock()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(lag):
	}
	if fails {
		return errDown
	}
	return nil
}

func (f *fakeFleet) ClaimProbe(ctx context.Context, name, holder string, hold time.Duration) (time.Duration, error) {
	f.mu.Lock()
	f.claims++
	wait := time.Duration(0)
	if now := time.Now(); !f.down {
		if f.holder[name] == holder || !now.Before(f.until[name]) {
			f.holder[name], f.until[name] = holder, now.Add(hold)
		} else {
			wait = f.until[name].Sub(now)
		}
	}
	f.mu.Unlock()
	return wait, f.answer(ctx)
}

func (f *fakeFleet) EndProbe(ctx context.Context, name, holder string, pause time.Duration) error {
	f.mu.Lock()
	f.ends++
	if !f.down && f.holder[name] == holder {
		f.holder[name], f.until[name] = "", time.Now().Add(pause)
	}
	f.mu.Unlock()
	return f.answer(ctx)
}

func (f *fakeFleet) set(change func(*fakeFleet)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *fakeFleet) asked() (claims, ends int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.claims, f.ends
}

// member is a replica of a fleet.
type member struct {
	*breaker.Set

	stop func()
}

// join starts a replica whose breakers open with the first failure, for a
// minute at first.
func join(t *testing.T, f *fakeFleet, name string) *member {
	t.Helper()
	m := &member{Set: breaker.NewSet(breaker.Options{
		FailMax: 1, ResetTimeout: time.Minute, ProbeTimeout: 30 * time.Second, Fleet: f, Holder: name,
	})}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	m.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v, want nil", err)
		}
	})
	t.Cleanup(m.stop)
	synctest.Wait()
	return m
}

func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// down opens the breakers of the replicas.
func down(t *testing.T, ms ...*member) {
	t.Helper()
	for _, m := range ms {
		allow(t, m.Get("slack")).Failure()
	}
	synctest.Wait()
}

// probing returns the replicas that may probe now.
func probing(ms ...*member) []*member {
	var ready []*member
	for _, m := range ms {
		if m.Get("slack").Snapshot().Ready {
			ready = append(ready, m)
		}
	}
	return ready
}

// oneProbe waits for the only replica that may probe, and admits its probe.
func oneProbe(t *testing.T, ms ...*member) (*member, breaker.Permit) {
	t.Helper()
	ready := probing(ms...)
	if len(ready) != 1 {
		t.Fatalf("%d replicas may probe, want 1", len(ready))
	}
	return ready[0], allow(t, ready[0].Get("slack"))
}

func TestFleet_MakesOneProbeAndPausesAfterAFailedOne(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		f := newFleet()
		a, b, c := join(t, f, "a"), join(t, f, "b"), join(t, f, "c")
		down(t, a, b, c)
		pass(time.Minute - 1)
		if n := len(probing(a, b, c)); n != 0 {
			t.Fatalf("%d replicas may probe too early", n)
		}
		pass(time.Second)
		first, probe := oneProbe(t, a, b, c)
		pass(5 * time.Second)
		for _, m := range []*member{a, b, c} {
			reject(t, m.Get("slack"))
		}
		probe.Failure()
		pass(2*time.Minute - 1)
		if n := len(probing(a, b, c)); n != 0 {
			t.Fatalf("%d replicas may probe in the pause", n)
		}
		for _, m := range []*member{a, b, c} {
			if s := m.Get("slack").Snapshot(); s.State != breaker.Open || s.RetryAt.Before(time.Now()) {
				t.Fatalf("in the pause: %+v", s)
			}
		}
		pass(time.Second)
		second, probe := oneProbe(t, a, b, c)
		if second == first {
			t.Fatal("the replica whose probe failed was not polite")
		}
		probe.Success()
		pass(1100 * time.Millisecond)
		_, probe = oneProbe(t, a, b, c)
		probe.Success()
		pass(2100 * time.Millisecond)
		_, probe = oneProbe(t, a, b, c)
		probe.Success()
		for _, m := range []*member{a, b, c} {
			wantState(t, m.Get("slack"), breaker.Closed)
		}
	})
}

func TestFleet_SickReplicaOpensNobodyElsesBreaker(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		f := newFleet()
		sick, well := join(t, f, "sick"), join(t, f, "well")
		down(t, sick)
		for range 10 {
			wantState(t, well.Get("slack"), breaker.Closed)
			pass(20 * time.Minute)
			if p, ok := sick.Get("slack").Allow(); ok {
				p.Failure()
			}
		}
	})
}

func TestFleet_SickReplicaDoesNotKeepOthersFromRecovering(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		f := newFleet()
		sick, well := join(t, f, "sick"), join(t, f, "well")
		down(t, sick, well)
		failed := 0
		for well.Get("slack").State() != breaker.Closed {
			if p, ok := sick.Get("slack").Allow(); ok {
				p.Failure()
				failed++
			}
			if p, ok := well.Get("slack").Allow(); ok {
				p.Success()
			}
			pass(100 * time.Millisecond)
		}
		if failed > 1 {
			t.Fatalf("the sick replica went first %d times, want once at most", failed)
		}
	})
}

func TestFleet_GrantThatNobodyUsesGoesToTheNext(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		f := newFleet()
		a, b := join(t, f, "a"), join(t, f, "b")
		down(t, a, b)
		turns := map[*member]int{}
		pass(61 * time.Second)
		for range 120 {
			ready := probing(a, b)
			if len(ready) > 1 {
				t.Fatal("two replicas may probe")
			}
			for _, m := range ready {
				turns[m]++
			}
			pass(time.Second)
		}
		if turns[a] < 30 || turns[b] < 30 {
			t.Fatalf("turns of %d s and %d s in two minutes", turns[a], turns[b])
		}
	})
}

func TestFleet_CancelledProbeIsRepeatedAtOnce(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		f := newFleet()
		a := join(t, f, "a")
		down(t, a)
		pass(61 * time.Second)
		allow(t, a.Get("slack")).Cancel()
		allow(t, a.Get("slack")).Success()
		wantState(t, a.Get("slack"), breaker.Closed)
	})
}

func TestFleet_HolderThatDiesBlocksNobodyForLong(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		f := newFleet()
		f.holder["slack"], f.until["slack"] = "dead", time.Now().Add(70*time.Second)
		a := join(t, f, "a")
		down(t, a)
		pass(69 * time.Second)
		reject(t, a.Get("slack"))
		pass(2 * time.Second)
		allow(t, a.Get("slack")).Success()
	})
}

func TestFleet_ProbeThatIsNeverAnsweredIsGivenUp(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		f := newFleet()
		a, b := join(t, f, "a"), join(t, f, "b")
		down(t, a, b)
		pass(61 * time.Second)
		loser, lost := oneProbe(t, a, b)
		pass(30*time.Second - time.Millisecond)
		if n := len(probing(a, b)); n != 0 {
			t.Fatalf("%d replicas may probe meanwhile", n)
		}
		pass(3 * time.Second)
		next, probe := oneProbe(t, a, b)
		if next == loser {
			t.Fatal("the probe went to the replica that did not answer")
		}
		lost.Failure() // late, but nobody else has probed there
		probe.Success()
		wantState(t, loser.Get("slack"), breaker.Open)
		wantState(t, next.Get("slack"), breaker.Closed)
	})
}

func TestFleet_DatabaseThatIsDownLeavesEachBreakerToItself(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*fakeFleet){
		"refuses":          func(f *fakeFleet) { f.down = true },
		"hangs":            func(f *fakeFleet) { f.lag = time.Hour },
		"answers are lost": func(f *fakeFleet) { f.lost = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T) {
				f := newFleet()
				a, b := join(t, f, "a"), join(t, f, "b")
				down(t, a, b)
				f.set(change)
				pass(time.Minute + 2*time.Second)
				allow(t, a.Get("slack")).Failure()
				allow(t, b.Get("slack")).Failure()
				pass(2*time.Minute + 8*time.Second)
				allow(t, a.Get("slack")).Success()
				f.set(func(f *fakeFleet) { f.down, f.lost, f.lag = false, false, 0 })
				pass(time.Minute)
				allow(t, b.Get("slack")).Success()
			})
		})
	}
}

func TestFleet_SlowDatabaseNeverDelaysACall(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		f := newFleet()
		f.lag = time.Second
		a := join(t, f, "a")
		down(t, a)
		start := time.Now()
		for range 61 {
			reject(t, a.Get("slack"))
			pass(time.Second - time.Millisecond)
		}
		if d := time.Since(start); d != 61*(time.Second-time.Millisecond) {
			t.Fatalf("calls have waited %s", d)
		}
		pass(time.Second)
		allow(t, a.Get("slack")).Success()
	})
}

func TestFleet_TellsWhoWatchesOfAGrantedProbe(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		f := newFleet()
		a := join(t, f, "a")
		down(t, a)
		granted := make(chan time.Time, 1)
		defer a.Watch(func(c breaker.Change) {
			if c.From == c.To && c.Name == "slack" {
				granted <- time.Now()
			}
		})()
		start := time.Now()
		if at := <-granted; at.Sub(start) != time.Minute {
			t.Fatalf("granted after %s, want a minute", at.Sub(start))
		}
		allow(t, a.Get("slack")).Success()
	})
}

func TestFleet_TripGivesTheProbeBackAndAutoAsksAgain(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		f := newFleet()
		a, b := join(t, f, "a"), join(t, f, "b")
		down(t, a, b)
		pass(61 * time.Second)
		m, probe := oneProbe(t, a, b)
		other := a
		if m == a {
			other = b
		}
		m.Get("slack").Trip(time.Now().Add(time.Hour), "maintenance")
		probe.Success()
		pass(2 * time.Second)
		allow(t, other.Get("slack")).Success()
		pass(time.Hour)
		if s := m.Get("slack").Snapshot(); s.State != breaker.HalfOpen || !s.Ready {
			t.Fatalf("after the trip: %+v", s)
		}
		m.Get("slack").Trip(time.Time{}, "")
		claims, _ := f.asked()
		pass(24 * time.Hour)
		if now, _ := f.asked(); now != claims {
			t.Fatalf("%d claims for a tripped breaker", now-claims)
		}
		reject(t, m.Get("slack"))
		m.Get("slack").Auto()
		synctest.Wait()
		allow(t, m.Get("slack")).Success()
		wantState(t, m.Get("slack"), breaker.Closed)
	})
}

func TestFleet_TripThatRunsOutIsAnOpenBreakerUntilItMayProbe(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		f := newFleet()
		a := join(t, f, "a")
		b := a.Get("slack")
		b.Trip(time.Now().Add(time.Minute), "maintenance")
		f.set(func(f *fakeFleet) { f.holder["slack"], f.until["slack"] = "other", time.Now().Add(5*time.Minute) })
		pass(2 * time.Minute)
		if s := b.Snapshot(); s.State != breaker.Open || s.Reason != "maintenance" || time.Until(s.RetryAt).Round(time.Minute) != 3*time.Minute {
			t.Fatalf("snapshot = %+v", s)
		}
		b.Reset()
		wantState(t, b, breaker.Closed)
	})
}

func TestFleet_AsksSeldomAndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		f := newFleet()
		a := join(t, f, "a")
		pass(24 * time.Hour)
		if claims, ends := f.asked(); claims+ends != 0 {
			t.Fatalf("%d claims, %d ends without trouble", claims, ends)
		}
		f.holder["slack"], f.until["slack"] = "other", time.Now().Add(10*time.Minute)
		down(t, a)
		pass(10 * time.Minute)
		if claims, _ := f.asked(); claims > 45 {
			t.Fatalf("%d claims in a pause of ten minutes", claims)
		}
		pass(2 * time.Second)
		if n := len(probing(a)); n != 1 {
			t.Fatal("no probe after the pause")
		}
		a.stop()
		if f.holder["slack"] == "a" {
			t.Fatal("the probe was not given back at the end")
		}
		allow(t, a.Get("slack")).Success() // it goes on by itself
	})
}

func TestRun_TwiceIsAConflict(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		a := join(t, newFleet(), "a")
		if err := a.Run(t.Context()); chatops.ErrorCode(err) != chatops.CodeConflict {
			t.Fatalf("err = %v, want a conflict", err)
		}
	})
}

func TestRun_WithoutAFleetWaitsForItsEnd(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := breaker.NewSet(breaker.Options{}).Run(ctx); err != nil {
		t.Fatal(err)
	}
}
