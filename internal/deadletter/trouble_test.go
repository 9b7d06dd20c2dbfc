package deadletter

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"chatops/internal/chatops"
)

var errAway = chatops.Errorf(chatops.CodeUnavailable, "database away")

func TestDatabaseAway_GoesOnByItself(t *testing.T) { // fault F7
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack"}
		var calls atomic.Int64
		q.setFault(func(string) error { calls.Add(1); return errAway })
		ids := q.add(100, "test", "slack:a")
		r := start(t, q, Options{}, s)
		pass(10 * time.Minute)
		if s.calls() != 0 {
			t.Fatal("attempts without a claim")
		}
		if calls.Load() > 10*60*3 {
			t.Fatalf("%d calls in 10 minutes: the database is hammered", calls.Load())
		}
		if rep := r.e.Report(); !strings.Contains(rep.LastError, "database away") || rep.LastErrorAt.IsZero() {
			t.Fatalf("report = %+v", rep)
		}
		q.setFault(nil)
		pass(6 * time.Second)
		r.wantStatus(ids[99], chatops.AlertDelivered)
	})
}

func TestDatabaseAway_KeepsOutcomesUntilItIsBack(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack"}
		q.add(40, "test", "slack:a")
		q.setFault(func(call string) error {
			if call != "claim" && call != "lanes" {
				return errAway
			}
			return nil
		})
		r := start(t, q, Options{}, s)
		pass(100 * time.Millisecond)
		q.setFault(func(string) error { return errAway })
		pass(10 * time.Minute) // ten times the lease
		r.wantCount(chatops.AlertQueued, 40)
		q.setFault(nil)
		pass(6 * time.Second)
		r.settle()
		r.wantCount(chatops.AlertDelivered, 40)
		if s.calls() != 40 {
			t.Fatalf("%d attempts for 40 alerts", s.calls())
		}
	})
}

func TestClaimFails_DoesNotSpin(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack"}
		var claims atomic.Int64
		q.setFault(func(call string) error {
			if call == "claim" {
				claims.Add(1)
				return errAway
			}
			return nil
		})
		q.add(1, "test", "slack:a")
		r := start(t, q, Options{}, s)
		pass(10 * time.Minute)
		if claims.Load() > 10*60 {
			t.Fatalf("%d claims in 10 minutes", claims.Load())
		}
		q.setFault(nil)
		pass(6 * time.Second)
		r.wantCount(chatops.AlertDelivered, 1)
	})
}

// overclaimed reports due alerts that no claim gives, as after a race.
type overclaimed struct{ *fakeQueue }

func (overclaimed) Lanes(context.Context) ([]chatops.LaneState, error) {
	return []chatops.LaneState{{Lane: "slack:a", DueIn: -time.Second}}, nil
}

func TestEmptyClaims_DoNotSpin(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q := newFakeQueue()
		e, err := New(Options{Queue: overclaimed{q}, Senders: []chatops.AlertSender{&fakeSender{name: "slack"}}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- e.Run(ctx) }()
		pass(time.Minute)
		if q.claimCalls() > 120 {
			t.Errorf("%d claims in a minute that gave nothing", q.claimCalls())
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestLostLease_DropsResultsAndGoesOn(t *testing.T) { // fault F6
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack", policy: chatops.LanePolicy{Parallel: 1}}
		s.do(func(context.Context, *chatops.Alert) error {
			<-time.After(200 * time.Millisecond)
			return nil
		})
		q.add(10, "test", "slack:a")
		r := start(t, q, Options{Workers: 1}, s)
		pass(100 * time.Millisecond)
		q.mu.Lock()
		for id := range q.leases {
			q.free(id) // another replica's sweep thinks that we are dead
		}
		q.mu.Unlock()
		pass(5 * time.Second)
		r.settle()
		r.wantCount(chatops.AlertDelivered, 10)
		if s.calls() > 12 {
			t.Fatalf("%d attempts for 10 alerts: the batch went on without its lease", s.calls())
		}
		if !strings.Contains(r.logs.String(), "lease lost") || counterValue(t, r.e.met.lostLeases) != 1 {
			t.Fatalf("the loss is not told:\n%s", r.logs)
		}
	})
}

func TestLease_IsExtendedWhileABatchRunsLong(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack", policy: chatops.LanePolicy{Timeout: time.Hour}}
		s.do(func(context.Context, *chatops.Alert) error {
			<-time.After(5 * time.Minute)
			return nil
		})
		q.add(1, "test", "slack:a")
		r := start(t, q, Options{Lease: 30 * time.Second}, s)
		pass(6 * time.Minute)
		r.wantCount(chatops.AlertDelivered, 1)
		if s.calls() != 1 {
			t.Fatalf("%d attempts, want 1", s.calls())
		}
		if n := len(q.stored()); n < 20 || n > 40 {
			t.Fatalf("%d records, want one per third of the lease", n)
		}
	})
}

func TestLease_StopsStartingAttemptsOnceItHasRunOut(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack", policy: chatops.LanePolicy{Parallel: 1}}
		s.do(func(context.Context, *chatops.Alert) error {
			<-time.After(4 * time.Second)
			return nil
		})
		q.add(20, "test", "slack:a")
		var away atomic.Bool
		q.setFault(func(call string) error {
			if away.Load() && call != "claim" {
				return errAway
			}
			return nil
		})
		start(t, q, Options{Lease: 10 * time.Second, Workers: 1}, s)
		away.Store(true)
		pass(2 * time.Minute)
		if n := s.calls(); n > 4 {
			t.Fatalf("%d attempts under a lease that nobody could extend", n)
		}
		away.Store(false)
	})
}

func TestRecordDefect_GivesUpWithTheLease(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack"}
		q.add(1, "test", "slack:a")
		q.setFault(func(call string) error {
			if call == "record" {
				return errors.New("a defect")
			}
			return nil
		})
		r := start(t, q, Options{Lease: 10 * time.Second}, s)
		pass(5 * time.Minute)
		if n := s.calls(); n < 2 || n > 40 {
			t.Fatalf("%d attempts in 5 minutes, want one per lease", n)
		}
		q.setFault(nil)
		pass(time.Minute)
		r.wantCount(chatops.AlertDelivered, 1)
	})
}

func TestStop_DoesNotWaitForADatabaseThatIsAway(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack"}
		q.setFault(func(call string) error {
			if call == "record" {
				return errAway
			}
			return nil
		})
		q.add(1, "test", "slack:a")
		r := start(t, q, Options{Grace: time.Second}, s)
		begin := time.Now()
		r.stop()
		if took := time.Since(begin); took > 8*time.Second {
			t.Fatalf("stopping took %s", took)
		}
	})
}

func TestWatch_IsStartedAgain(t *testing.T) { // fault F26
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q := newFakeQueue()
		q.setFault(func(call string) error {
			if call == "watch" {
				return errAway
			}
			return nil
		})
		r := start(t, q, Options{SweepEvery: time.Hour}, &fakeSender{name: "slack"})
		pass(time.Minute)
		q.setFault(nil)
		pass(6 * time.Second)
		id := q.add(1, "test", "slack:a")[0]
		if err := q.Announce(t.Context()); err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Millisecond)
		r.wantStatus(id, chatops.AlertDelivered)
	})
}

func TestSweep_BringsBackWhatACrashLeft(t *testing.T) { // fault F1
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack"}
		id := q.add(1, "test", "slack:a")[0]
		if _, err := q.Claim(t.Context(), chatops.ClaimRequest{Lane: "slack:a", Fresh: true, Limit: 1, Owner: "dead", Lease: 30 * time.Second}); err != nil {
			t.Fatal(err)
		}
		r := start(t, q, Options{}, s)
		pass(29 * time.Second)
		r.wantStatus(id, chatops.AlertQueued)
		pass(3 * time.Second)
		r.wantStatus(id, chatops.AlertDelivered)
	})
}

func TestSeveralReplicas_DeliverEachAlertOnce(t *testing.T) { // fault F5
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q := newFakeQueue()
		q.add(5000, "test", "slack:a")
		q.addPending(3000, "mailto:x@y.example", 1)
		var senders []*fakeSender
		for range 4 {
			a, b := &fakeSender{name: "slack"}, &fakeSender{name: "email"}
			a.do(func(context.Context, *chatops.Alert) error {
				<-time.After(time.Millisecond)
				return nil
			})
			senders = append(senders, a, b)
			start(t, q, Options{}, a, b)
		}
		pass(time.Minute)
		if n := q.count(chatops.AlertDelivered); n != 8000 {
			t.Fatalf("%d delivered", n)
		}
		seen := map[int64]int{}
		for _, s := range senders {
			for _, a := range s.alerts() {
				seen[a.ID]++
			}
		}
		for id, n := range seen {
			if n != 1 {
				t.Fatalf("alert %d was sent %d times", id, n)
			}
		}
	})
}

func TestCleanup_DeletesWhatIsOldInBatches(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q := newFakeQueue()
		q.add(5000, "test", "slack:a")
		r := start(t, q, Options{CleanupAge: 30 * 24 * time.Hour, SweepEvery: time.Hour}, &fakeSender{name: "slack"})
		r.settle()
		r.wantCount(chatops.AlertDelivered, 5000)
		pass(29 * 24 * time.Hour)
		if n, err := r.e.Cleanup(t.Context()); n != 0 || err != nil {
			t.Fatalf("Cleanup after 29 days = %d, %v", n, err)
		}
		pass(2 * 24 * time.Hour)
		if n, err := r.e.Cleanup(t.Context()); n != 5000 || err != nil {
			t.Fatalf("Cleanup after 31 days = %d, %v", n, err)
		}
		r.wantCount(chatops.AlertDelivered, 0)
		if len(q.remarks) != 2 || q.remarks[0] != 30*24*time.Hour {
			t.Errorf("remarks were cleaned up by the ages %v, want that of alerts, once each time", q.remarks)
		}
	})
}

func TestCleanup_OfRemarksThatFailsIsTold(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q := newFakeQueue()
		q.setFault(func(call string) error {
			if call == "remarks" {
				return errAway
			}
			return nil
		})
		e, err := New(Options{Queue: q, CleanupAge: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := e.Cleanup(t.Context()); n != 0 || !errors.Is(err, error(errAway)) {
			t.Fatalf("Cleanup = %d, %v", n, err)
		}
	})
}

func TestCleanup_KeepsEverythingWhenOff(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q := newFakeQueue()
		q.add(5, "test", "slack:a")
		r := start(t, q, Options{SweepEvery: time.Hour}, &fakeSender{name: "slack"})
		pass(100 * 24 * time.Hour)
		r.wantCount(chatops.AlertDelivered, 5)
		if n, err := r.e.Cleanup(t.Context()); n != 0 || err != nil {
			t.Fatalf("Cleanup = %d, %v", n, err)
		}
	})
}

func TestCleanup_TellsTheCallerOfTrouble(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q := newFakeQueue()
		q.setFault(func(string) error { return errAway })
		e, err := New(Options{Queue: q, CleanupAge: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Cleanup(t.Context()); !errors.Is(err, error(errAway)) {
			t.Fatalf("Cleanup = %v", err)
		}
		synctest.Wait()
	})
}
