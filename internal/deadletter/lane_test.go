package deadletter

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"chatops/internal/breaker"
	"chatops/internal/chatops"
)

func TestSerialLane_GoesOneByOneAtItsInterval(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q := newFakeQueue()
		s := &fakeSender{name: "slack", policy: chatops.LanePolicy{Serial: true, Interval: time.Second, Parallel: 9}}
		s.do(func(context.Context, *chatops.Alert) error {
			<-time.After(300 * time.Millisecond)
			return nil
		})
		q.add(23, "test", "slack:a")
		r := start(t, q, Options{}, s)
		r.settle()
		r.wantCount(chatops.AlertDelivered, 23)
		at := s.times()
		for i := 1; i < len(at); i++ {
			if gap := at[i].Sub(at[i-1]); gap < time.Second || gap > 1100*time.Millisecond {
				t.Fatalf("gap %d is %s, want about 1 s", i, gap)
			}
		}
		if s.atOnce() != 1 {
			t.Fatalf("%d attempts at once", s.atOnce())
		}
		for _, c := range q.claimed() {
			if !c.Exclusive || c.Limit > 5 {
				t.Fatalf("claim = %+v, want exclusive and at most 5 s of work", c)
			}
		}
	})
}

func TestSerialLane_KeepsItsIntervalAcrossReplicas(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q := newFakeQueue()
		policy := chatops.LanePolicy{Serial: true, Interval: time.Second}
		a, b := &fakeSender{name: "slack", policy: policy}, &fakeSender{name: "slack", policy: policy}
		q.add(40, "test", "slack:a")
		r := start(t, q, Options{Replica: "a"}, a)
		start(t, q, Options{Replica: "b"}, b)
		pass(time.Minute)
		r.wantCount(chatops.AlertDelivered, 40)
		all := append(a.times(), b.times()...)
		for i, x := range all {
			for _, y := range all[i+1:] {
				if d := x.Sub(y).Abs(); d < time.Second {
					t.Fatalf("two attempts %s apart", d)
				}
			}
		}
	})
}

func TestSerialLane_GivesFreshAlertsTheirTurn(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q := newFakeQueue()
		s := &fakeSender{name: "monday", policy: chatops.LanePolicy{Serial: true}}
		s.do(func(context.Context, *chatops.Alert) error {
			<-time.After(500 * time.Millisecond)
			return nil
		})
		q.addPending(500, "monday:leads", 0)
		r := start(t, q, Options{}, s)
		pass(20 * time.Second)
		id := q.add(1, "test", "monday:leads")[0]
		r.e.Wake()
		pass(6 * time.Second)
		r.wantStatus(id, chatops.AlertDelivered)
	})
}

func TestParallelLane_NeverExceedsItsLimit(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack", policy: chatops.LanePolicy{Parallel: 3}}
		s.do(func(context.Context, *chatops.Alert) error {
			<-time.After(10 * time.Millisecond)
			return nil
		})
		q.add(900, "test", "slack:a")
		r := start(t, q, Options{Workers: 4}, s)
		r.settle()
		r.wantCount(chatops.AlertDelivered, 900)
		if s.atOnce() != 3 {
			t.Fatalf("%d attempts at once, want 3", s.atOnce())
		}
	})
}

func TestBreaker_OpenLeavesTheRestToOthersAndBurnsNoAttempt(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack", policy: chatops.LanePolicy{Parallel: 1}}
		s.do(fail(chatops.FailTransient, "connection refused"))
		ids := q.add(40, "test", "slack:a")
		r := start(t, q, Options{RandFunc: half, Breakers: breaker.NewSet(breaker.Options{FailMax: 5, ResetTimeout: time.Minute})}, s)
		pass(30 * time.Second)
		if s.calls() != 5 {
			t.Fatalf("%d attempts, want 5", s.calls())
		}
		r.wantCount(chatops.AlertPending, 40)
		if a := r.q.row(ids[39]); a.RetryCount != 0 || !a.LastAttemptAt.IsZero() || a.NextAttemptAt.After(time.Now()) ||
			a.ErrorMessage != "circuit breaker of slack is open: waiting until it answers again" {
			t.Fatalf("held alert = %+v", a)
		}
		if st := r.e.Report().Lanes[0].State; st != LaneBreakerOpen {
			t.Fatalf("lane is %s", st)
		}
		asked := q.claimCalls()
		pass(25 * time.Second)
		if q.claimCalls() != asked {
			t.Fatalf("%d claims while the breaker was open", q.claimCalls()-asked)
		}
	})
}

func TestBreaker_OpenMakesNewAlertsPendingWithTheReason(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack", policy: chatops.LanePolicy{Serial: true, Interval: time.Second}}
		set := breaker.NewSet(breaker.Options{})
		r := start(t, q, Options{Breakers: set}, s)
		set.Get("slack").Trip(time.Time{}, "")
		ids := q.add(1200, "test", "slack:a")
		r.e.Wake()
		pass(5 * time.Second)
		for _, id := range ids {
			a := r.wantStatus(id, chatops.AlertPending)
			if a.RetryCount != 0 || a.ErrorMessage != "circuit breaker of slack is open: waiting until it answers again" {
				t.Fatalf("alert = %+v", a)
			}
		}
		asked := q.claimCalls()
		pass(time.Hour)
		if q.claimCalls() != asked || s.calls() != 0 || len(q.madeAttempts()) != 0 {
			t.Fatalf("%d more claims, %d attempts", q.claimCalls()-asked, s.calls())
		}
		set.Get("slack").Reset()
		r.settle()
		r.wantCount(chatops.AlertDelivered, 1200)
	})
}

func TestBreaker_OpenInAnOperatorsProcessParksNothing(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack"}
		set := breaker.NewSet(breaker.Options{FailMax: 2})
		s.do(fail(chatops.FailTransient, "connection refused"))
		q.add(30, "test", "slack:a")
		r := start(t, q, Options{Breakers: set, LeaveUnconfigured: true, RandFunc: half}, s)
		pass(30 * time.Second)
		if queued := q.count(chatops.AlertQueued); queued != 30-s.calls() {
			r.Fatalf("%d queued after %d attempts", queued, s.calls())
		}
	})
}

func TestBreaker_HalfOpenClaimsOneProbeThenDrains(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack"}
		set := breaker.NewSet(breaker.Options{FailMax: 2, ResetTimeout: time.Minute})
		p, _ := set.Get("slack").Allow()
		p.Failure()
		p.Failure()
		s.do(fail(chatops.FailTransient, "still down"))
		q.add(30, "test", "slack:a")
		q.add(30, "test", "slack:b") // shares the breaker
		r := start(t, q, Options{RandFunc: half, Breakers: set}, s)
		pass(59 * time.Second)
		if s.calls() != 0 {
			t.Fatalf("%d attempts through an open breaker", s.calls())
		}
		r.wantCount(chatops.AlertPending, 60)
		parked := len(q.claimed())
		pass(2 * time.Second)
		if c := q.claimed()[parked:]; s.calls() != 1 || len(c) != 1 || c[0].Limit != 1 {
			t.Fatalf("%d attempts, claims %+v; want one probe", s.calls(), c)
		}
		s.do(nil)
		pass(121 * time.Second)
		r.settle()
		r.wantCount(chatops.AlertDelivered, 59)
		if got := s.times()[1].Sub(s.times()[0]).Round(time.Second); got != 2*time.Minute {
			t.Fatalf("next probe after %s", got)
		}
	})
}

func TestBreaker_TrippedHoldsUntilReset(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack"}
		set := breaker.NewSet(breaker.Options{})
		set.Get("slack").Trip(time.Time{}, "")
		id := q.add(1, "test", "slack:a")[0]
		r := start(t, q, Options{Breakers: set}, s)
		pass(10 * time.Hour)
		r.wantStatus(id, chatops.AlertPending)
		set.Get("slack").Reset()
		pass(1100 * time.Millisecond)
		r.wantStatus(id, chatops.AlertDelivered)
	})
}

func TestBreaker_HearsOnlyOfTheReceiversOwnTrouble(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err   chatops.SendError
		fails int
	}{
		"transient":     {chatops.SendError{Kind: chatops.FailTransient, HTTPStatus: 503}, 3},
		"ambiguous":     {chatops.SendError{Kind: chatops.FailAmbiguous}, 3},
		"permanent":     {chatops.SendError{Kind: chatops.FailPermanent, HTTPStatus: 400}, 0},
		"local":         {chatops.SendError{Kind: chatops.FailPermanent}, 2},
		"rate limited":  {chatops.SendError{Kind: chatops.FailRateLimited, HTTPStatus: 429}, 0},
		"misconfigured": {chatops.SendError{Kind: chatops.FailMisconfigured, HTTPStatus: 403}, 0},
		"our own stop":  {chatops.SendError{Kind: chatops.FailTransient, Err: context.Canceled}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T) {
				q, s := newFakeQueue(), &fakeSender{name: "slack"}
				set := breaker.NewSet(breaker.Options{FailMax: 9})
				for range 2 {
					p, _ := set.Get("slack").Allow()
					p.Failure()
				}
				s.do(refuse(c.err))
				q.add(1, "test", "slack:a")
				start(t, q, Options{Breakers: set, RandFunc: half}, s)
				pass(100 * time.Millisecond)
				if got := set.Get("slack").Snapshot().FailCount; s.calls() != 1 || got != c.fails {
					t.Fatalf("%d consecutive failures after %d attempts, want %d", got, s.calls(), c.fails)
				}
			})
		})
	}
}

func TestUnconfigured_IsParkedOnceWithTheReason(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q := newFakeQueue()
		ids := q.add(1200, "test", "slack:a")
		r := start(t, q, Options{}, &fakeSender{name: "email"})
		pass(5 * time.Second)
		for _, id := range ids {
			a := r.wantStatus(id, chatops.AlertPending)
			if a.RetryCount != 0 || a.ErrorMessage != "integration slack is not configured: waiting until it is" {
				t.Fatalf("alert = %+v", a)
			}
		}
		if len(q.madeAttempts()) != 0 {
			t.Fatal("attempts were burnt")
		}
		asked := q.claimCalls()
		pass(time.Hour)
		if q.claimCalls() != asked {
			t.Fatalf("%d more claims in an hour", q.claimCalls()-asked)
		}
		if got := r.e.Report().Unconfigured; len(got) != 1 || got[0] != "slack" {
			t.Fatalf("unconfigured = %v", got)
		}
		r.stop()
		s := &fakeSender{name: "slack"}
		r = start(t, q, Options{}, s) // configured now
		pass(100 * time.Millisecond)
		r.settle()
		r.wantCount(chatops.AlertDelivered, 1200)
	})
}

func TestUnconfigured_IsLeftAloneWhenAskedTo(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "email"}
		id := q.add(1, "test", "webhook:crm")[0]
		mail := q.add(1, "test", "mailto:a@b.example")[0]
		r := start(t, q, Options{LeaveUnconfigured: true}, s)
		r.settle()
		pass(time.Minute)
		r.wantStatus(mail, chatops.AlertDelivered)
		r.wantStatus(id, chatops.AlertQueued)
	})
}

func TestUnknownTarget_FailsAtOnceAndShowsNoSecret(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q := newFakeQueue()
		a := q.add(1, "old", "sms:+48600100200")[0]
		b := q.addPending(1, "https://hooks.slack.com/services/T0/B0/canary", 2)[0]
		c := q.add(1, "old", "canary")[0]
		r := start(t, q, Options{EscalationEmail: "ops@firma.example"}, &fakeSender{name: "slack"})
		r.settle()
		if got := r.wantStatus(a, chatops.AlertFailed); got.ErrorMessage != "no integration delivers to targets of the kind sms" || len(got.Fingerprint) != 12 {
			t.Fatalf("alert = %+v", got)
		}
		if got := r.wantStatus(b, chatops.AlertFailed); strings.Contains(got.ErrorMessage, "canary") {
			t.Fatalf("alert = %+v", got)
		}
		r.wantStatus(c, chatops.AlertFailed)
		if n := len(q.find(chatops.EventEscalation)); n != 3 {
			t.Fatalf("%d escalations, want one per kind", n)
		}
		if strings.Contains(r.logs.String(), "600100200") || strings.Contains(r.logs.String(), "B0/canary") {
			t.Fatalf("the log shows a target:\n%s", r.logs)
		}
	})
}

func TestMadeUpLanes_DoNotPileUp(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q := newFakeQueue()
		r := start(t, q, Options{}, &fakeSender{name: "slack"})
		for i := range 500 {
			q.add(1, "old", "sms:"+strings.Repeat("x", i%200)+string(rune('a'+i/200)))
		}
		r.settle()
		r.wantCount(chatops.AlertFailed, 500)
		pass(5 * time.Second)
		if n := len(r.e.Report().Lanes); n > maxWorkers+1 {
			t.Fatalf("%d lanes are remembered", n)
		}
	})
}

func TestMisconfigured_AlarmsAndDoesNotHammer(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack", policy: chatops.LanePolicy{Parallel: 2}}
		s.do(refuse(chatops.SendError{Kind: chatops.FailMisconfigured, HTTPStatus: 403, Err: errors.New("invalid_auth")}))
		q.add(1000, "test", "slack:a")
		r := start(t, q, Options{RandFunc: half}, s)
		pass(5 * time.Minute)
		if n := s.calls(); n > 24 || n < 10 {
			t.Fatalf("%d attempts in 5 minutes, want about 2 per half minute", n)
		}
		rep := r.e.Report()
		if len(rep.Misconfigured) != 1 || rep.Breakers[0].State != breaker.Closed {
			t.Fatalf("report = %+v", rep)
		}
		if n := strings.Count(r.logs.String(), "rejects our credentials"); n != 1 {
			t.Fatalf("%d alarms in the log, want 1", n)
		}
		s.do(nil)
		pass(time.Hour)
		r.wantCount(chatops.AlertDelivered, 1000)
		if rep := r.e.Report(); len(rep.Misconfigured) != 0 {
			t.Fatalf("still misconfigured: %+v", rep)
		}
	})
}

func TestMisconfigured_PausesOnlyThisReplica(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q := newFakeQueue()
		bad, good := &fakeSender{name: "slack", policy: chatops.LanePolicy{Parallel: 1}}, &fakeSender{name: "slack"}
		bad.do(fail(chatops.FailMisconfigured, "invalid_auth"))
		q.add(100, "test", "slack:a")
		r := start(t, q, Options{Replica: "bad"}, bad)
		start(t, q, Options{Replica: "good"}, good)
		pass(3 * time.Second)
		if n := q.count(chatops.AlertDelivered); n < 98 {
			t.Fatalf("%d delivered by the healthy replica", n)
		}
		_ = r
	})
}
