package deadletter

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/breaker"
	"chatops/internal/chatops"
)

// patient is a breaker that never opens, for tests of other things.
func patient() *breaker.Set { return breaker.NewSet(breaker.Options{FailMax: 1 << 19}) }

func TestRetry_BacksOffThenGivesUp(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack"}
		s.do(fail(chatops.FailTransient, "http 503"))
		id := q.add(1, "test", "slack:a")[0]
		r := start(t, q, Options{RandFunc: half, SweepEvery: time.Minute, Retry: Retry{MaxRetries: 3, Delay: 10 * time.Minute, Cap: 30 * time.Minute}, Breakers: patient()}, s)
		for i, minutes := range []int{5, 10, 15} { // half of 10, 20 and 30 (capped)
			pass(100 * time.Millisecond)
			a := r.wantStatus(id, chatops.AlertPending)
			if a.RetryCount != i || s.calls() != i+1 {
				t.Fatalf("after %d attempts: retries %d", s.calls(), a.RetryCount)
			}
			if got := a.NextAttemptAt.Sub(s.times()[i]).Round(time.Second); got != time.Duration(minutes)*time.Minute {
				t.Fatalf("wait %d is %s, want %d min", i, got, minutes)
			}
			pass(time.Until(a.NextAttemptAt))
		}
		pass(time.Second)
		a := r.wantStatus(id, chatops.AlertFailed)
		if a.RetryCount != 3 || s.calls() != 4 || a.ErrorMessage != "http 503" || len(a.Fingerprint) != 12 {
			t.Fatalf("alert = %+v after %d attempts", a, s.calls())
		}
		pass(24 * time.Hour)
		if s.calls() != 4 {
			t.Fatal("a failed alert was tried again")
		}
	})
}

func TestRetry_NoneWhenTheBudgetIsNegative(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack"}
		s.do(fail(chatops.FailTransient, "no"))
		id := q.add(1, "test", "slack:a")[0]
		r := start(t, q, Options{Retry: Retry{MaxRetries: -1}}, s)
		r.settle()
		r.wantStatus(id, chatops.AlertFailed)
	})
}

func TestPermanent_FailsAtOnceAndTheLaneMovesOn(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack"}
		s.do(func(_ context.Context, a *chatops.Alert) error {
			if a.EventType == "bad" {
				return &chatops.SendError{Kind: chatops.FailPermanent, HTTPStatus: 400, Code: "invalid_blocks", Err: errors.New("slack: invalid_blocks")}
			}
			return nil
		})
		bad := q.add(1, "bad", "slack:a")[0]
		q.add(9, "test", "slack:a")
		r := start(t, q, Options{}, s)
		r.settle()
		r.wantStatus(bad, chatops.AlertFailed)
		r.wantCount(chatops.AlertDelivered, 9)
		var at chatops.Attempt
		for _, x := range q.madeAttempts() {
			if x.AlertID == bad {
				at = x
			}
		}
		if at.Outcome != "permanent" || at.HTTPStatus != 400 || at.Error != "slack: invalid_blocks" {
			t.Fatalf("attempt = %+v", at)
		}
	})
}

func TestRateLimited_PausesTheLaneAndBurnsNoAttempt(t *testing.T) { // fault F15
	t.Parallel()
	for name, c := range map[string]struct {
		asked, want time.Duration
	}{
		"said":        {2 * time.Minute, 2 * time.Minute},
		"not said":    {0, 30 * time.Second},
		"negative":    {-time.Hour, 30 * time.Second},
		"absurd":      {math.MaxInt64, 24 * time.Hour},
		"most minute": {1, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T) {
				q, s := newFakeQueue(), &fakeSender{name: "slack", policy: chatops.LanePolicy{Parallel: 1}}
				s.do(refuse(chatops.SendError{Kind: chatops.FailRateLimited, HTTPStatus: 429, RetryAfter: c.asked}))
				ids := q.add(30, "test", "slack:a")
				r := start(t, q, Options{SweepEvery: c.want}, s)
				pass(c.want - 100*time.Millisecond)
				if s.calls() != 1 {
					t.Fatalf("%d attempts during the pause", s.calls())
				}
				for _, id := range ids { // pending, because the runbook looks for trouble there
					if a := r.wantStatus(id, chatops.AlertPending); a.RetryCount != 0 || a.ErrorMessage == "" {
						t.Fatalf("alert = %+v", a)
					}
				}
				if at := q.madeAttempts(); len(at) != 1 || at[0].Outcome != "rate_limited" || at[0].HTTPStatus != 429 {
					t.Fatalf("attempts = %+v", at)
				}
				begin := s.times()[0]
				q.mu.Lock()
				paused := q.paused["slack:a"].Sub(begin).Round(time.Second)
				q.mu.Unlock()
				if paused != c.want {
					t.Fatalf("paused for %s, want %s", paused, c.want)
				}
				s.do(nil)
				pass(2 * time.Second)
				r.e.Wake()
				r.settle()
				r.wantCount(chatops.AlertDelivered, 30)
			})
		})
	}
}

func TestRetryAfter_IsAFloorOfTheDelay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := &Engine{opts: Options{Queue: newFakeQueue()}}
		e.opts.Retry = Retry{
			Delay: time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "delay")),
			Cap:   time.Duration(rapid.Int64Range(1, int64(8*time.Hour)).Draw(t, "cap")),
		}
		if err := e.opts.complete(); err != nil {
			t.Fatal(err)
		}
		n := rapid.IntRange(0, 100).Draw(t, "retries")
		after := time.Duration(rapid.Int64().Draw(t, "retry after"))
		ceiling := e.opts.Retry.Cap
		if f := float64(e.opts.Retry.Delay) * math.Pow(2, float64(n)); f < float64(ceiling) {
			ceiling = time.Duration(f)
		}
		floor := min(after, 24*time.Hour)
		got := e.delay(n, after)
		if got <= 0 || got < floor || got > max(ceiling, floor) {
			t.Fatalf("delay %s; want in (0, %s] and at least %s", got, ceiling, floor)
		}
	})
}

func TestDelay_JittersOverTheWholeRange(t *testing.T) {
	t.Parallel()
	e, err := New(Options{Queue: newFakeQueue()})
	if err != nil {
		t.Fatal(err)
	}
	low, high := 0, 0
	for range 2000 {
		switch d := e.delay(1, 0); {
		case d < 2*time.Minute:
			low++
		case d > 8*time.Minute:
			high++
		}
	}
	if low < 200 || high < 200 {
		t.Fatalf("of 2000 delays up to 10 min %d are under 2 and %d over 8", low, high)
	}
}

func TestTrouble_IsAtMostFiveSeconds(t *testing.T) {
	t.Parallel()
	e, err := New(Options{Queue: newFakeQueue()})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 100 {
		if d := e.trouble(n); d <= 0 || d > 5*time.Second || n > 6 && d < 2*time.Second {
			t.Fatalf("wait %d is %s", n, d)
		}
	}
}

func TestStoredErrors_AreRedacted(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack"}
		s.do(fail(chatops.FailTransient, "Post \"https://hooks.slack.com/services/T0/B0/canary\": to jan.canary@firma.example\n\x1b[31m"))
		id := q.add(1, "test", "slack:a")[0]
		r := start(t, q, Options{EscalationEmail: "ops@firma.example", Retry: Retry{MaxRetries: -1}}, s)
		r.settle()
		a := r.wantStatus(id, chatops.AlertFailed)
		all := a.ErrorMessage + q.madeAttempts()[0].Error + string(q.find(chatops.EventEscalation)[0].Payload) + r.logs.String()
		if strings.Contains(all, "canary") || strings.Contains(all, "\x1b") {
			t.Fatalf("a secret got through:\n%s", all)
		}
		if want := `Post "https://hooks.slack.com/[redacted]": to [email] [31m`; a.ErrorMessage != want {
			t.Fatalf("error = %q", a.ErrorMessage)
		}
	})
}
