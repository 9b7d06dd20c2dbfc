package breaker_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"chatops/internal/breaker"
)

// flapping returns a breaker that opens with its first failure.
func flapping() (*breaker.Breaker, *clock) {
	c := newClock()
	return breaker.New("slack", breaker.Options{
		FailMax: 1, ResetTimeout: time.Minute, MaxOpen: 5 * time.Minute, NowFunc: c.Now,
	}), c
}

// wantOpenFor checks how long the breaker is open, and lets that time pass.
func wantOpenFor(t *testing.T, b *breaker.Breaker, c *clock, want time.Duration) {
	t.Helper()
	s := b.Snapshot()
	if s.State != breaker.Open || s.OpenFor != want || !s.RetryAt.Equal(c.Now().Add(want)) {
		t.Fatalf("%s for %s until %s, want open for %s", s.State, s.OpenFor, s.RetryAt, want)
	}
	c.Advance(want - 1)
	reject(t, b)
	c.Advance(1)
}

func minutes(ns ...int) []time.Duration {
	var ds []time.Duration
	for _, n := range ns {
		ds = append(ds, time.Duration(n)*time.Minute)
	}
	return ds
}

func TestOpenTime_DoublesWithEveryFailedProbeUpToItsCap(t *testing.T) {
	t.Parallel()
	b, c := flapping()
	for _, d := range minutes(1, 2, 4, 5, 5) {
		allow(t, b).Failure()
		wantOpenFor(t, b, c, d)
	}
	if s := b.Snapshot(); s.FailCount != 5 || s.Opened != 5 || s.Probes != 4 {
		t.Fatalf("fail count %d, opened %d, probes %d", s.FailCount, s.Opened, s.Probes)
	}
}

func TestOpenTime_DoublesWhenTheIntegrationFailsAgainSoonAfterItsProbe(t *testing.T) {
	t.Parallel()
	b, c := flapping()
	for _, d := range minutes(1, 2, 4, 5) {
		allow(t, b).Failure()
		wantOpenFor(t, b, c, d)
		allow(t, b).Success()
		c.Advance(d - 1) // well, but not for as long as it was left alone
	}
	allow(t, b).Failure()
	wantOpenFor(t, b, c, 5*time.Minute)
}

func TestOpenTime_StartsOverAfterAStableTime(t *testing.T) {
	t.Parallel()
	b, c := flapping()
	for _, d := range minutes(1, 2, 4) {
		allow(t, b).Failure()
		wantOpenFor(t, b, c, d)
	}
	allow(t, b).Success()
	c.Advance(4 * time.Minute)
	allow(t, b).Failure()
	wantOpenFor(t, b, c, time.Minute)
}

func TestOpenTime_StartsOverWithAReset(t *testing.T) {
	t.Parallel()
	b, c := flapping()
	allow(t, b).Failure()
	c.Advance(time.Minute)
	allow(t, b).Failure()
	b.Reset()
	allow(t, b).Failure()
	wantOpenFor(t, b, c, time.Minute)
}

func TestOpenTime_OfATrippedBreakerIsForgottenWhileItIsWell(t *testing.T) {
	t.Parallel()
	b, c := flapping()
	allow(t, b).Failure()
	wantOpenFor(t, b, c, time.Minute)
	allow(t, b).Success()
	c.Advance(time.Hour)
	b.Trip(time.Time{}, "")
	b.Auto()
	allow(t, b).Failure()
	wantOpenFor(t, b, c, time.Minute)
}

func TestMaxOpen_IsTenResetTimeoutsUnlessSetAndNeverLess(t *testing.T) {
	t.Parallel()
	for set, want := range map[time.Duration]time.Duration{
		0: 10 * time.Minute, 90 * time.Second: 90 * time.Second, time.Second: time.Minute,
	} {
		c := newClock()
		b := breaker.New("x", breaker.Options{FailMax: 1, ResetTimeout: time.Minute, MaxOpen: set, NowFunc: c.Now})
		for range 9 {
			allow(t, b).Failure()
			c.Advance(time.Hour)
		}
		if got := b.Snapshot().OpenFor; got != want {
			t.Errorf("MaxOpen %s: open for %s, want %s", set, got, want)
		}
	}
}

func TestSlowCall_CountsAsAFailure(t *testing.T) {
	t.Parallel()
	c := newClock()
	b := breaker.New("x", breaker.Options{FailMax: 2, SlowCall: 10 * time.Second, NowFunc: c.Now})
	allow(t, b).SuccessIn(10 * time.Second)
	allow(t, b).SuccessIn(10*time.Second - 1) // ends the row
	allow(t, b).SuccessIn(time.Minute)
	allow(t, b).SuccessIn(12340 * time.Millisecond)
	s := b.Snapshot()
	if s.State != breaker.Open || s.Reason != "slow: answered after 12.3s" || s.Slow != 3 || s.Failures != 3 {
		t.Fatalf("snapshot = %+v", s)
	}
	c.Advance(time.Minute)
	allow(t, b).SuccessIn(11 * time.Second)
	wantState(t, b, breaker.Open)
}

func TestSlowCall_IsOffByDefault(t *testing.T) {
	t.Parallel()
	b, _ := newBreaker(1)
	allow(t, b).SuccessIn(time.Hour)
	wantState(t, b, breaker.Closed)
}

func TestReason_IsThatOfTheLastFailure(t *testing.T) {
	t.Parallel()
	b, c := newBreaker(2)
	allow(t, b).FailureBecause("HTTP 502")
	allow(t, b).FailureBecause("HTTP 503")
	if got := b.Snapshot().Reason; got != "HTTP 503" {
		t.Fatalf("reason = %q", got)
	}
	c.Advance(time.Minute)
	allow(t, b).Failure()
	if got := b.Snapshot().Reason; got != "3 failures in a row" {
		t.Fatalf("reason = %q", got)
	}
	b.Trip(time.Time{}, "maintenance")
	if got := b.Snapshot().Reason; got != "maintenance" {
		t.Fatalf("reason = %q", got)
	}
	b.Trip(time.Time{}, "")
	if got := b.Snapshot().Reason; got != "tripped by an operator" {
		t.Fatalf("reason = %q", got)
	}
	b.Reset()
	if got := b.Snapshot().Reason; got != "" {
		t.Fatalf("reason = %q of a closed breaker", got)
	}
}

func TestReason_IsCutBetweenCharacters(t *testing.T) {
	t.Parallel()
	b, _ := newBreaker(1)
	allow(t, b).FailureBecause(strings.Repeat("x", 299) + strings.Repeat("ż", 500))
	got := b.Snapshot().Reason
	if !utf8.ValidString(got) || len(got) > 310 || !strings.HasSuffix(got, "x...") {
		t.Fatalf("reason = %q", got)
	}
}
