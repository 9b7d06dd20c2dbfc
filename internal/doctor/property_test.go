package doctor

import (
	"context"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// one runs a check by its name.
func one(t rapid.TB, b *body, name string) Result {
	t.Helper()
	chosen, unknown := Choose([]string{name})
	if len(unknown) > 0 {
		t.Fatalf("there is no check %s", name)
	}
	return Examine(context.Background(), b.Patient, chosen, time.Minute)[0]
}

func TestClocks_JudgeTheDistanceAndNotTheSide(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		skew := time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "skew"))
		want := OK
		switch {
		case skew >= skewProblem:
			want = Problem
		case skew >= skewWarning:
			want = Warning
		}
		for _, side := range []time.Duration{skew, -skew} {
			b := healthy()
			b.store.replicas[1].Report.Clock = b.store.replicas[1].HeartbeatAt.Add(side)
			if got := one(t, b, "clocks"); got.State != want {
				t.Fatalf("a replica that is off by %s is %s, want %s", side, got.State, want)
			}
			b = healthy()
			b.NowFunc = func() time.Time { return noon.Add(side) }
			if got := one(t, b, "clocks"); got.State != want {
				t.Fatalf("a host that is off by %s is %s, want %s", side, got.State, want)
			}
		}
	})
}

func TestClocks_OfASilentOrOlderReplicaSayNothing(t *testing.T) {
	t.Parallel()
	b := healthy()
	b.store.replicas[0].Report.Clock = time.Time{}
	b.store.replicas[1].Age, b.store.replicas[1].Report.Clock = time.Hour, noon.Add(-time.Hour)
	if r := one(t, b, "clocks"); r.State != OK || r.Text != "this host and 0 replicas agree with the database" {
		t.Errorf("clocks are %s: %s", r.State, r.Text)
	}
}

func TestDisk_IsNeverBetterWithLessRoom(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(1<<20, 1<<42).Draw(t, "total")
		more := rapid.Int64Range(0, total).Draw(t, "more")
		less := rapid.Int64Range(0, more).Draw(t, "less")
		state := func(free int64) State {
			b := healthy()
			b.disk = Disk{Folder: "/data", Free: free, Total: total}
			return one(t, b, "disk").State
		}
		if state(less).badness() < state(more).badness() {
			t.Fatalf("of %d, %d free is %s and %d free is %s", total, less, state(less), more, state(more))
		}
	})
}

func TestQueue_SpeaksExactlyWhenALimitIsPassed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := healthy()
		waiting := rapid.Int64Range(0, 300).Draw(t, "waiting")
		b.store.fresh = rapid.Int64Range(0, waiting).Draw(t, "fresh")
		age := time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "age"))
		b.store.stats.Counts = []chatops.AlertCount{{Status: chatops.AlertQueued, Count: waiting}}
		b.store.stats.OldestWaiting = noon.Add(-age)
		load := chatops.QueueLoad{Waiting: waiting, Fresh: b.store.fresh, Oldest: age}
		if got := one(t, b, "queue"); got.State.Sound() == (b.Limits.Crowded(&load) || b.Limits.Growing(&load)) {
			t.Fatalf("with %+v the queue is %s", load, got.State)
		}
		if got := one(t, b, "queue_age"); got.State.Sound() == b.Limits.Old(age) {
			t.Fatalf("with %+v the age is %s", load, got.State)
		}
	})
}

func TestBreakers_OnlyOpenOnesSpeak(t *testing.T) {
	t.Parallel()
	states := []string{chatops.StateClosed, chatops.StateHalfOpen, chatops.StateOpen, chatops.StateForced}
	rapid.Check(t, func(t *rapid.T) {
		b := healthy()
		want := 0
		b.store.replicas = b.store.replicas[:1]
		b.store.replicas[0].Report.Breakers = nil
		for i, at := range rapid.SliceOfN(rapid.IntRange(0, len(states)-1), 0, 8).Draw(t, "states") {
			b.store.replicas[0].Report.Breakers = append(b.store.replicas[0].Report.Breakers, chatops.BreakerReport{Name: fmt.Sprintf("webhook:%d", i), State: states[at]})
			if at >= 2 {
				want++
			}
		}
		if got := one(t, b, "breakers"); len(got.Findings) != want || got.State.Sound() != (want == 0) {
			t.Fatalf("%d are open, and it finds %+v", want, got)
		}
	})
}

func TestRedis_OfNobodyIsSkipped(t *testing.T) {
	t.Parallel()
	b := healthy()
	b.RedisFunc = nil
	for i := range b.store.replicas {
		b.store.replicas[i].Report.Limiter.Backend = "local"
	}
	if r := one(t, b, "redis"); r.State != Skipped {
		t.Errorf("without Redis anywhere it is %s: %s", r.State, r.Text)
	}
	b.store.replicas[0].Report.Limiter.Backend = "redis"
	if r := one(t, b, "redis"); r.State != Problem || r.Text != "1 of 2 replicas count without Redis" {
		t.Errorf("with Redis in one replica it is %s: %s", r.State, r.Text)
	}
	b.Store, b.RedisFunc = nil, refused
	if r := one(t, b, "redis"); r.State != Problem {
		t.Errorf("without the database, an absent Redis is %s", r.State)
	}
}

func TestSkipped_WhatIsNotHere(t *testing.T) {
	t.Parallel()
	b := healthy()
	b.DiskFunc, b.Integrations, b.Settings.Embedded = nil, nil, true
	for _, name := range []string{"disk", "integrations", "escalation"} {
		if r := one(t, b, name); r.State != Skipped || r.Text == "" {
			t.Errorf("%s is %s: %s", name, r.State, r.Text)
		}
	}
	b = healthy()
	b.Probe = false
	if r := one(t, b, "integrations"); r.State != Skipped {
		t.Errorf("without --probe integrations are %s", r.State)
	}
	b.Settings.Embedded, b.Settings.ConsentKeys = true, false
	if r := one(t, b, "consent"); r.State != OK {
		t.Errorf("a laptop without CONSENT_KEYS is %s: %s", r.State, r.Text)
	}
}

func TestLimits_OneClientThatIsRefusedIsNoFinding(t *testing.T) {
	t.Parallel()
	for client, proxies := range map[string]bool{"203.0.113.7": false, "10.0.0.1": true, "2001:db8::/64": false, "not an address": false} {
		b := healthy()
		b.Settings.TrustedProxies = proxies
		limit(func(l *chatops.LimitReport) {
			l.Denied, l.TopDenied = 4711, []chatops.DeniedClient{{Client: client, Count: 4711}}
		})(b)
		if r := one(t, b, "limits"); r.State != OK {
			t.Errorf("%s, refused by its limit, is %s: %s", client, r.State, r.Text)
		}
	}
}

func TestJobs_WithoutAReplicaAreNotTheTrouble(t *testing.T) {
	t.Parallel()
	b := healthy()
	b.store.replicas = nil
	b.store.jobs = append(b.store.jobs, chatops.JobState{Name: "followups", NextRun: noon.Add(-time.Hour)})
	if r := one(t, b, "jobs"); r.State != OK {
		t.Errorf("jobs that nobody can run are %s: %s", r.State, r.Text)
	}
	b.store.jobs = append(b.store.jobs, chatops.JobState{Name: "request_cleanup", Paused: true})
	if r := one(t, b, "jobs"); r.State != Warning {
		t.Errorf("a paused job is %s: %s", r.State, r.Text)
	}
}
