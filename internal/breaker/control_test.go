package breaker_test

import (
	"testing"
	"time"

	"chatops/internal/breaker"
)

func TestTrip_StaysOpenUntilItsTimeThenProbes(t *testing.T) {
	t.Parallel()
	b, c := newBreaker(2)
	allow(t, b).Failure()
	b.Trip(c.Now().Add(10*time.Minute), "")
	wantState(t, b, breaker.ForcedOpen)
	s := b.Snapshot()
	if s.FailCount != 1 || !s.OpenedAt.Equal(c.Now()) || !s.RetryAt.Equal(c.Now().Add(10*time.Minute)) {
		t.Fatalf("snapshot = %+v", s)
	}
	c.Advance(10*time.Minute - 1)
	reject(t, b)
	c.Advance(1)
	wantState(t, b, breaker.HalfOpen)
	allow(t, b).Success()
	wantState(t, b, breaker.Closed)
}

func TestTrip_WithoutEndWaitsForAnOperator(t *testing.T) {
	t.Parallel()
	b, c := newBreaker(2)
	b.Trip(time.Time{}, "")
	c.Advance(1000 * time.Hour)
	wantState(t, b, breaker.ForcedOpen)
	reject(t, b)
	if s := b.Snapshot(); !s.RetryAt.IsZero() || s.Rejected != 1 {
		t.Fatalf("snapshot = %+v", s)
	}
	b.Auto()
	wantState(t, b, breaker.HalfOpen)
	allow(t, b).Success()
	wantState(t, b, breaker.Closed)
}

func TestTrip_WithATimeThatHasPassedChangesNothing(t *testing.T) {
	t.Parallel()
	b, c := newBreaker(2)
	b.Trip(c.Now(), "")
	b.Trip(c.Now().Add(-time.Hour), "")
	wantState(t, b, breaker.Closed)
}

func TestTrip_OverridesAnOpenBreakerAndItsProbe(t *testing.T) {
	t.Parallel()
	b, c := newBreaker(1)
	openNow(t, b)
	opened := b.Snapshot().OpenedAt
	c.Advance(time.Minute)
	probe := allow(t, b)
	b.Trip(time.Time{}, "")
	probe.Success()
	wantState(t, b, breaker.ForcedOpen)
	if got := b.Snapshot().OpenedAt; !got.Equal(opened) {
		t.Fatalf("opened at %s, want %s: it has not been closed since", got, opened)
	}
}

func TestAuto_LeavesABreakerAloneThatIsNotTripped(t *testing.T) {
	t.Parallel()
	b, c := newBreaker(1)
	b.Auto()
	wantState(t, b, breaker.Closed)
	openNow(t, b)
	b.Auto()
	wantState(t, b, breaker.Open)
	c.Advance(time.Minute)
	probe := allow(t, b)
	b.Auto()
	reject(t, b)
	probe.Success()
	wantState(t, b, breaker.Closed)
}

func TestReset_ClosesAndForgets(t *testing.T) {
	t.Parallel()
	b, _ := newBreaker(3)
	allow(t, b).Failure()
	allow(t, b).Failure()
	b.Reset()
	if got := b.Snapshot().FailCount; got != 0 {
		t.Fatalf("fail count = %d, want 0", got)
	}
	openNow(t, b)
	b.Reset()
	wantState(t, b, breaker.Closed)
	b.Trip(time.Time{}, "")
	b.Reset()
	wantState(t, b, breaker.Closed)
	allow(t, b).Success()
}

func TestSet_GivesOneBreakerPerIntegration(t *testing.T) {
	t.Parallel()
	s := breaker.NewSet(breaker.Options{FailMax: 7})
	if s.Lookup("slack") != nil {
		t.Fatal("lookup made a breaker")
	}
	a := s.Get("slack")
	if s.Get("slack") != a || s.Lookup("slack") != a {
		t.Fatal("the same name gave another breaker")
	}
	s.Get("email").Trip(time.Time{}, "")
	got := s.Snapshots()
	if len(got) != 2 || got[0].Name != "email" || got[1].Name != "slack" {
		t.Fatalf("snapshots = %+v", got)
	}
	if got[0].State != breaker.ForcedOpen || got[1].FailMax != 7 {
		t.Fatalf("snapshots = %+v", got)
	}
}
