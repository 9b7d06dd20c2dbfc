package deadletter

import (
	"errors"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

func TestSweep_OnOrder_TellsHowManyAlertsItFreed(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q := newFakeQueue()
		r := start(t, q, Options{SweepEvery: time.Hour})
		if n, err := r.e.Sweep(t.Context()); n != 0 || err != nil {
			t.Fatalf("sweep of an idle queue: %d, %v", n, err)
		}
		q.setFault(func(string) error { return errAway })
		if _, err := r.e.Sweep(t.Context()); !errors.Is(err, error(errAway)) {
			t.Fatalf("sweep without a database: %v, want %v", err, errAway)
		}
		q.setFault(nil)
		r.e.unstored.Store(1)
		r.e.healthySince.Store(r.e.now().UnixNano())
		before := q.sweeps
		if n, err := r.e.Sweep(t.Context()); n != 0 || err != nil || q.sweeps != before {
			t.Fatalf("sweep before the outcomes are stored: %d, %v, %d sweeps of the queue", n, err, q.sweeps-before)
		}
		r.e.unstored.Store(0)
	})
}

func TestReport_TellsOfTheNewestEscalation(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack", sendFunc: fail(chatops.FailPermanent, "slack: HTTP 410")}
		r := start(t, q, Options{EscalationEmail: "ops@example.pl"}, s, &fakeSender{name: "email"})
		if d := r.e.Report().Digest; d.Name != JobEscalation || !d.LastRun.IsZero() {
			t.Fatalf("digest = %+v before the first", d)
		}
		q.add(1, "test", "slack:a")
		r.e.Wake()
		pass(time.Minute)
		if d := r.e.Report().Digest; d.LastRun.IsZero() || !strings.HasPrefix(d.LastResult, "ok: written about ") {
			t.Fatalf("digest = %+v, want the one of the alert", d)
		}
	})
	bubble(t, func(t *testing.T) {
		if d := start(t, newFakeQueue(), Options{}).e.Report().Digest; d.Name != "" {
			t.Fatalf("digest = %+v, want none: nobody is told", d)
		}
	})
}

func TestFreshOnly_LeavesRetriesToOthers(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, s := newFakeQueue(), &fakeSender{name: "slack", sendFunc: fail(chatops.FailTransient, "slack: HTTP 500")}
		r := start(t, q, Options{FreshOnly: true}, s)
		id := q.add(1, "test", "slack:a")[0]
		r.e.Wake()
		pass(24 * time.Hour)
		if got := s.calls(); got != 1 {
			t.Fatalf("%d attempts, want the first one only", got)
		}
		r.wantStatus(id, chatops.AlertPending)
		if n := q.sweeps; n != 0 {
			t.Errorf("%d sweeps, want none", n)
		}
	})
}
