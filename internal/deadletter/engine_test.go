package deadletter

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"chatops/internal/chatops"
)

func TestRun_DeliversWithinMillisecondsOfWake(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack"}
		r := start(t, q, Options{}, s)
		pass(300 * time.Millisecond) // between two sweeps
		id := q.add(1, chatops.EventSlackAlert, "slack:alerts")[0]
		begin := time.Now()
		r.e.Wake()
		pass(5 * time.Millisecond)
		r.wantStatus(id, chatops.AlertDelivered)
		if at := s.times()[0].Sub(begin); at > 5*time.Millisecond {
			t.Fatalf("first attempt after %s", at)
		}
		a := q.madeAttempts()
		if len(a) != 1 || a[0].Outcome != "delivered" || a[0].Replica != "replica-1" || a[0].AlertID != id {
			t.Fatalf("attempts = %+v", a)
		}
	})
}

func TestRun_WakesByWatchAndByItself(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack"}
		r := start(t, q, Options{}, s)
		id := q.add(1, "test", "slack:a")[0]
		if err := q.Announce(t.Context()); err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Millisecond)
		r.wantStatus(id, chatops.AlertDelivered)
		id = q.add(1, "test", "slack:a")[0] // nobody tells
		pass(1100 * time.Millisecond)
		r.wantStatus(id, chatops.AlertDelivered)
	})
}

func TestRun_RecordsTheReceiptOfWhatWasDelivered(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "monday"}
		s.do(func(_ context.Context, a *chatops.Alert) error {
			if a.ID%2 == 0 {
				return &chatops.SendError{Kind: chatops.FailTransient, Err: errors.New("no answer")}
			}
			return nil
		})
		r := start(t, q, Options{RandFunc: half}, naming{s})
		q.add(4, chatops.EventMondayItem, "monday:leads")
		r.e.Wake()
		pass(100 * time.Millisecond)
		kept := map[int64]string{}
		for _, rec := range q.stored() {
			for _, o := range rec.Outcomes {
				if o.Receipt != "" {
					kept[o.AlertID] = o.Receipt
				}
			}
		}
		if want := map[int64]string{1: "item-1", 3: "item-3"}; !maps.Equal(kept, want) {
			t.Errorf("receipts %v, want %v", kept, want)
		}
	})
}

func TestRun_DeliversEveryLane(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q := newFakeQueue()
		r := start(t, q, Options{}, &fakeSender{name: "slack"}, &fakeSender{name: "email"},
			&fakeSender{name: "monday", policy: chatops.LanePolicy{Serial: true}}, &fakeSender{name: "webhook:crm"})
		q.add(700, "test", "slack:a")
		q.add(30, "test", "mailto:a@b.example")
		q.add(30, "test", "monday:leads")
		q.addPending(1200, "webhook:crm", 2)
		r.settle()
		r.wantCount(chatops.AlertDelivered, 1960)
		if q.liveLeases() != 0 {
			t.Fatal("leases are left")
		}
	})
}

func TestRun_RecordsAWholeBatchOfAnInstantSenderAtOnce(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q := newFakeQueue()
		q.add(2050, "test", "slack:a")
		r := start(t, q, Options{Workers: 1}, &fakeSender{name: "slack"})
		r.settle()
		recs := q.stored()
		var sizes []int
		for _, rec := range recs {
			sizes = append(sizes, len(rec.Outcomes))
			if !rec.Done {
				t.Errorf("a flush in the middle of an instant batch")
			}
		}
		if fmt.Sprint(sizes) != "[50 500 500 500 500]" {
			t.Fatalf("batches = %v", sizes)
		}
		for _, rec := range recs[:4] {
			if rec.Next == nil || !rec.Next.Fresh {
				t.Errorf("the next batch was not claimed in the same round trip")
			}
		}
		r.wantCount(chatops.AlertDelivered, 2050)
	})
}

func TestRun_FlushesWhileABatchRuns(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q := newFakeQueue()
		ids := q.add(20, "test", "slack:a")
		s := &fakeSender{name: "slack", policy: chatops.LanePolicy{Parallel: 2}}
		s.do(func(context.Context, *chatops.Alert) error {
			<-time.After(100 * time.Millisecond)
			return nil
		})
		r := start(t, q, Options{Workers: 1}, s)
		pass(550 * time.Millisecond)
		if n := q.count(chatops.AlertDelivered); n != 10 {
			t.Fatalf("%d outcomes stored after 550 ms, want 10", n)
		}
		if s.atOnce() != 2 {
			t.Fatalf("%d attempts at once, want 2", s.atOnce())
		}
		r.settle()
		r.wantStatus(ids[19], chatops.AlertDelivered)
	})
}

func TestRun_TakesSmallBatchesFromASlowLane(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack", policy: chatops.LanePolicy{Parallel: 4}}
		s.do(func(context.Context, *chatops.Alert) error {
			<-time.After(2 * time.Second)
			return nil
		})
		q.addPending(200, "slack:a", 0)
		r := start(t, q, Options{Workers: 1}, s)
		pass(60 * time.Second)
		id := q.add(1, "test", "slack:a")[0]
		r.e.Wake()
		pass(5 * time.Second) // one turn of the slow batch, and its own attempt
		r.wantStatus(id, chatops.AlertDelivered)
		claims := q.claimed()
		last := claims[len(claims)-1]
		if last.Limit != 4 {
			t.Fatalf("claims %d alerts at once, want 4", last.Limit)
		}
	})
}

func TestRun_GivesRetriesATurnInAFloodOfFreshAlerts(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack"}
		old := q.addPending(1, "slack:a", 1)[0]
		q.add(10_000, "test", "slack:a")
		r := start(t, q, Options{Workers: 1}, s)
		r.settle()
		n := 0
		for i, a := range s.alerts() {
			if a.ID == old {
				n = i
			}
		}
		if n == 0 || n > 9*500 {
			t.Fatalf("the retry was attempt %d of %d; want neither first nor last", n, len(s.alerts()))
		}
	})
}

func TestRun_OneSlowAlertDoesNotHoldFreshOnesUp(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack"}
		s.do(func(ctx context.Context, a *chatops.Alert) error {
			if a.EventType == "slow" {
				<-ctx.Done()
				return &chatops.SendError{Kind: chatops.FailAmbiguous, Err: ctx.Err()}
			}
			return nil
		})
		r := start(t, q, Options{}, s)
		for range 5 { // more batches in their tail than there are workers
			q.add(1, "slow", "slack:a")
			r.e.Wake()
			pass(100 * time.Millisecond)
		}
		id := q.add(1, "test", "slack:a")[0]
		r.e.Wake()
		pass(5 * time.Millisecond)
		r.wantStatus(id, chatops.AlertDelivered)
	})
}

func TestRun_TimesAttemptsOut(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack", policy: chatops.LanePolicy{Timeout: 3 * time.Second}}
		s.do(func(ctx context.Context, _ *chatops.Alert) error {
			child, cancel := context.WithCancel(ctx)
			defer cancel()
			if d, ok := ctx.Deadline(); !ok || time.Until(d) != 3*time.Second {
				t.Errorf("deadline %v %v", d, ok)
			}
			<-child.Done()
			return &chatops.SendError{Kind: chatops.FailTransient, Err: child.Err()}
		})
		id := q.add(1, "test", "slack:a")[0]
		r := start(t, q, Options{}, s)
		pass(4 * time.Second)
		a := r.wantStatus(id, chatops.AlertPending)
		if a.ErrorMessage != context.DeadlineExceeded.Error() {
			t.Fatalf("error = %q", a.ErrorMessage)
		}
		if got := q.madeAttempts()[0].Duration; got != 3*time.Second {
			t.Fatalf("duration = %s", got)
		}
	})
}

func TestRun_SurvivesAPanickingSender(t *testing.T) { // fault F14
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack"}
		s.do(func(_ context.Context, a *chatops.Alert) error {
			if a.EventType == "poison" {
				panic("jan@firma.example broke it")
			}
			return nil
		})
		poison := q.add(20, "poison", "slack:a")
		good := q.add(20, "test", "slack:a")
		r := start(t, q, Options{RandFunc: half}, s)
		r.settle()
		for _, id := range good {
			r.wantStatus(id, chatops.AlertDelivered)
		}
		a := r.wantStatus(poison[0], chatops.AlertPending)
		if a.ErrorMessage != "the sender panicked: [email] broke it" {
			t.Fatalf("error = %q", a.ErrorMessage)
		}
		if strings.Contains(r.logs.String(), "jan@") {
			t.Fatal("the log holds an address")
		}
		pass(48 * time.Hour)
		for _, id := range poison {
			r.wantStatus(id, chatops.AlertFailed)
		}
		if b := r.e.opts.Breakers.Get("slack").Snapshot(); b.Opened != 0 {
			t.Fatal("a poisoned alert opened the breaker")
		}
	})
}

func TestRun_TakesErrorsThatBreakTheContract(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack"}
		s.do(func(_ context.Context, a *chatops.Alert) error {
			switch a.EventType {
			case "nil":
				var se *chatops.SendError
				return se
			case "plain":
				return errors.New("plain")
			case "wrapped":
				return fmt.Errorf("outer: %w", &chatops.SendError{Kind: chatops.FailPermanent, Err: errors.New("inner")})
			}
			return &chatops.SendError{Kind: "novel"}
		})
		a, b := q.add(1, "nil", "slack:a")[0], q.add(1, "plain", "slack:a")[0]
		c, d := q.add(1, "wrapped", "slack:a")[0], q.add(1, "odd", "slack:a")[0]
		r := start(t, q, Options{}, s)
		r.settle()
		r.wantStatus(a, chatops.AlertPending)
		r.wantStatus(b, chatops.AlertPending)
		r.wantStatus(c, chatops.AlertFailed)
		if got := r.wantStatus(d, chatops.AlertPending).ErrorMessage; got != "novel" {
			t.Fatalf("error = %q", got)
		}
	})
}

func TestRun_StopsInOrder(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) { // fault F23
		q, s := newFakeQueue(), &fakeSender{name: "slack", policy: chatops.LanePolicy{Parallel: 2}}
		s.do(func(context.Context, *chatops.Alert) error {
			<-time.After(2 * time.Second)
			return nil
		})
		q.add(40, "test", "slack:a")
		r := start(t, q, Options{}, s)
		pass(500 * time.Millisecond)
		begin := time.Now()
		r.stop()
		if took := time.Since(begin); took > 3*time.Second {
			t.Fatalf("stopping took %s", took)
		}
		r.wantCount(chatops.AlertDelivered, 2)
		r.wantCount(chatops.AlertQueued, 38)
		if q.liveLeases() != 0 {
			t.Fatal("leases are left")
		}
		if s.calls() != 2 {
			t.Fatalf("%d attempts, want 2", s.calls())
		}
	})
}

func TestRun_CutsAttemptsOffAfterTheGrace(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack", policy: chatops.LanePolicy{Timeout: time.Hour}}
		s.do(func(ctx context.Context, _ *chatops.Alert) error {
			<-ctx.Done()
			return &chatops.SendError{Kind: chatops.FailTransient, Err: ctx.Err()}
		})
		id := q.add(1, "test", "slack:a")[0]
		r := start(t, q, Options{Grace: 4 * time.Second}, s)
		begin := time.Now()
		r.stop()
		if took := time.Since(begin).Round(time.Second); took != 4*time.Second {
			t.Fatalf("stopping took %s, want the grace of 4 s", took)
		}
		a := r.wantStatus(id, chatops.AlertQueued)
		if a.RetryCount != 0 || q.liveLeases() != 0 {
			t.Fatalf("retries %d, leases %d", a.RetryCount, q.liveLeases())
		}
		if at := q.madeAttempts(); len(at) != 1 || at[0].Outcome != string(chatops.FailAmbiguous) {
			t.Fatalf("attempts = %+v", at)
		}
	})
}

func TestRun_LeavesAnAttemptBehindThatIgnoresItsContext(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack", policy: chatops.LanePolicy{Parallel: 1}}
		release := make(chan struct{})
		s.do(func(context.Context, *chatops.Alert) error {
			<-release
			return nil
		})
		q.add(3, "test", "slack:a")
		r := start(t, q, Options{Grace: time.Second}, s)
		begin := time.Now()
		r.stop()
		if took := time.Since(begin); took > 3*time.Second {
			t.Fatalf("stopping took %s", took)
		}
		if q.liveLeases() != 0 {
			t.Fatal("leases are left")
		}
		close(release)
		synctest.Wait()
	})
}

func TestRun_EndsAtOnceWhenStoppedUnstarted(t *testing.T) {
	t.Parallel()
	e, err := New(Options{Queue: newFakeQueue()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 {
		if err := e.Run(ctx); err != nil {
			t.Fatal(err)
		}
	}
	e.Wake()
	if r := e.Report(); r.Running || len(r.Lanes) != 0 {
		t.Fatalf("report = %+v", r)
	}
}

func TestRun_RunsOnceAtATimeAndAgainAfterwards(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q := newFakeQueue()
		r := start(t, q, Options{}, &fakeSender{name: "slack"})
		if err := r.e.Run(t.Context()); chatops.ErrorCode(err) != chatops.CodeConflict {
			t.Fatalf("second Run = %v", err)
		}
		r.stop()
		id := q.add(1, "test", "slack:a")[0]
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.e.Run(ctx) }()
		r.settle()
		r.wantStatus(id, chatops.AlertDelivered)
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}

func TestWaitIdle_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	e, err := New(Options{Queue: newFakeQueue()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.WaitIdle(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("WaitIdle = %v", err)
	}
	if len(e.waiters) != 0 {
		t.Fatal("the waiter is still on the list")
	}
}

func TestNew_RejectsWhatCannotWork(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"no queue":     {},
		"two senders":  {Queue: newFakeQueue(), Senders: []chatops.AlertSender{&fakeSender{name: "slack"}, &fakeSender{name: "slack"}}},
		"negative":     {Queue: newFakeQueue(), Lease: -1},
		"negative cap": {Queue: newFakeQueue(), Retry: Retry{Cap: -1}},
	} {
		if _, err := New(o); chatops.ErrorCode(err) != chatops.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
