package deadletter

import (
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

func TestReport_TellsWhenEachJobRanAndHowItEnded(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q := newFakeQueue()
		r := start(t, q, Options{CleanupAge: 30 * 24 * time.Hour})
		pass(time.Minute)
		jobs := r.e.Report().Jobs
		if len(jobs) != 2 || jobs[0].Name != JobCleanup || jobs[1].Name != JobRetry {
			t.Fatalf("jobs = %+v, want %s and %s", jobs, JobCleanup, JobRetry)
		}
		if sweep := jobs[1]; sweep.LastResult != "ok: 0 alerts" || time.Since(sweep.LastRun) > 2*time.Second ||
			!sweep.NextRun.After(sweep.LastRun) {
			t.Errorf("sweep = %+v, want a run of the last second and the next one", sweep)
		}
		pass(cleanupFirst)
		if clean := r.e.Report().Jobs[0]; clean.LastRun.IsZero() || clean.NextRun.Sub(clean.LastRun) != cleanupEvery {
			t.Errorf("clean-up = %+v, want a run and the next one a day later", clean)
		}
		q.setFault(func(string) error { return errAway })
		pass(time.Minute)
		if sweep := r.e.Report().Jobs[1]; !strings.HasPrefix(sweep.LastResult, "error: ") {
			t.Errorf("sweep = %+v, want the error", sweep)
		}
	})
}

func TestReport_ListsNoCleanupWhenItIsOff(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		r := start(t, newFakeQueue(), Options{})
		pass(2 * time.Second)
		if jobs := r.e.Report().Jobs; len(jobs) != 1 || jobs[0].Name != JobRetry {
			t.Errorf("jobs = %+v, want only %s", jobs, JobRetry)
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
		if jobs := r.e.Report().Jobs; len(jobs) != 0 {
			t.Errorf("jobs = %+v, want none", jobs)
		}
	})
}
