package chatops_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// replicaOf is a replica that reports one breaker and one limit.
func replicaOf(name string, age time.Duration, b chatops.BreakerReport, l chatops.LimitReport) chatops.Instance {
	return chatops.Instance{
		Name: name,
		Age:  age,
		Report: chatops.InstanceReport{
			Breakers: []chatops.BreakerReport{b},
			Limiter: chatops.LimiterReport{
				Enabled: true,
				Backend: "redis",
				Limits:  []chatops.LimitReport{l},
			},
		},
	}
}

func TestFleet_BreakerIsTheWorstOfThoseThatReport(t *testing.T) {
	t.Parallel()
	open := chatops.BreakerReport{
		Name:                "slack",
		State:               chatops.StateOpen,
		FailCount:           5,
		FailMax:             5,
		ResetTimeoutSeconds: 60,
		OpenedAt:            midday.Add(-time.Minute),
		RetryAt:             midday.Add(30 * time.Second),
		Reason:              "HTTP 503",
	}
	earlier := open
	earlier.OpenedAt = midday.Add(-2 * time.Minute)
	earlier.RetryAt = midday.Add(10 * time.Second)
	earlier.ResetTimeoutSeconds = 120
	closed := chatops.BreakerReport{
		Name:                "slack",
		State:               chatops.StateClosed,
		FailCount:           2,
		FailMax:             5,
		ResetTimeoutSeconds: 60,
	}
	f := &chatops.Fleet{
		Controls: &chatops.Controls{Now: midday},
		Replicas: []chatops.Instance{
			replicaOf("a", 0, open, chatops.LimitReport{}),
			replicaOf("b", 0, earlier, chatops.LimitReport{}),
			replicaOf("c", 0, closed, chatops.LimitReport{}),
			replicaOf("d", time.Minute, open, chatops.LimitReport{}),
		},
	}
	b := f.Breaker("slack")
	if b.State != chatops.StateOpen || b.Reason != "HTTP 503" {
		t.Errorf("it is %s because of %q", b.State, b.Reason)
	}
	if b.OpenedAt != earlier.OpenedAt || b.RetryAt != earlier.RetryAt {
		t.Errorf("open since %v, next probe %v: want the earliest of all replicas", b.OpenedAt, b.RetryAt)
	}
	if *b.FailCount != 5 || *b.FailMax != 5 || *b.ResetTimeout != 120 {
		t.Errorf("%d of %d failures, %g s: want the greatest", *b.FailCount, *b.FailMax, *b.ResetTimeout)
	}
	if fresh, same, gone := b.Reporting(); fresh != 3 || same != 2 || gone != 1 {
		t.Errorf("%d report, %d alike, %d gone; want 3, 2 and 1", fresh, same, gone)
	}
	if got := f.Breaker("monday"); got.State != chatops.StateUnknown || got.FailCount != nil || got.Order != nil {
		t.Errorf("a breaker that nobody reports is %+v", got)
	}
}

func TestFleet_AnOrderToTripIsTheState(t *testing.T) {
	t.Parallel()
	f := &chatops.Fleet{Controls: &chatops.Controls{
		Now: midday,
		Breakers: []chatops.BreakerOrder{
			{Name: "email", Mode: chatops.BreakerReset, Actor: "ewa"},
			{Name: "slack", Mode: chatops.BreakerTripped, Actor: "jan", Reason: "maintenance", CreatedAt: midday.Add(-time.Hour), Until: midday.Add(time.Hour)},
		},
	}}
	b := f.Breaker("slack")
	if b.State != chatops.StateForced || b.Reason != "maintenance" || b.OpenedAt != midday.Add(-time.Hour) || b.RetryAt != midday.Add(time.Hour) {
		t.Errorf("a tripped breaker is %+v", b)
	}
	if b := f.Breaker("email"); b.State != chatops.StateUnknown || b.Order == nil || b.Order.Actor != "ewa" {
		t.Errorf("a breaker that was reset is %+v", b)
	}
}

func TestFleet_NamesAreTheUsualOnesAndThenTheOthers(t *testing.T) {
	t.Parallel()
	f := &chatops.Fleet{
		Controls: &chatops.Controls{
			Breakers:  []chatops.BreakerOrder{{Name: "webhook:b"}, {Name: "slack"}},
			Overrides: []chatops.LimitOverride{{Name: "zeta"}, {Name: "chat"}},
		},
		Replicas: []chatops.Instance{
			replicaOf("a", 0, chatops.BreakerReport{Name: "webhook:c"}, chatops.LimitReport{Name: "eta"}),
			replicaOf("b", 0, chatops.BreakerReport{Name: "webhook:c"}, chatops.LimitReport{Name: "eta"}),
		},
	}
	if got, want := strings.Join(f.BreakerNames("webhook:a"), " "), "slack monday email llm webhook:a webhook:b webhook:c"; got != want {
		t.Errorf("breakers %s, want %s", got, want)
	}
	if got, want := strings.Join(f.LimitNames(), " "), "chat api health consent leads eta zeta"; got != want {
		t.Errorf("limits %s, want %s", got, want)
	}
}

func TestFleet_LimitIsTheSumOfThoseThatReport(t *testing.T) {
	t.Parallel()
	limit := func(value, source string, allowed, denied int64, top ...chatops.DeniedClient) chatops.LimitReport {
		return chatops.LimitReport{
			Name:      "chat",
			Value:     value,
			Source:    source,
			Allowed:   allowed,
			Denied:    denied,
			TopDenied: top,
		}
	}
	none := chatops.BreakerReport{}
	f := &chatops.Fleet{
		Controls: &chatops.Controls{
			Now:       midday,
			Overrides: []chatops.LimitOverride{{Name: "chat", Value: "100 per minute", Actor: "ewa"}},
		},
		Replicas: []chatops.Instance{
			replicaOf("a", 0, none, limit("100 per minute", "override", 40, 3, chatops.DeniedClient{Client: "b", Count: 2}, chatops.DeniedClient{Client: "a", Count: 1})),
			replicaOf("b", 0, none, limit("100 per minute", "override", 50, 4, chatops.DeniedClient{Client: "a", Count: 1})),
			replicaOf("c", 0, none, limit("30 per minute", "default", 1, 0)),
			replicaOf("d", time.Hour, none, limit("1 per day", "config", 1000, 1000, chatops.DeniedClient{Client: "z", Count: 99})),
		},
	}
	l := f.Limit("chat")
	if l.Value != "100 per minute" || l.Source != "override" || l.Allowed != 91 || l.Denied != 7 {
		t.Errorf("the limit is %+v", l)
	}
	if got := fmt.Sprint(l.TopDenied); got != "[{a 2} {b 2}]" {
		t.Errorf("refused most are %s", got)
	}
	if fresh, same := l.Agreeing(); fresh != 3 || same != 2 {
		t.Errorf("%d of %d agree", same, fresh)
	}
	f.Replicas = nil
	if l := f.Limit("chat"); l.Value != "100 per minute" || l.Source != "override" || l.Override.Actor != "ewa" {
		t.Errorf("an override that nobody obeys yet is %+v", l)
	}
	if l := f.Limit("api"); l.Value != "" || l.Source != "" || l.Override != nil {
		t.Errorf("a limit that nobody reports is %+v", l)
	}
}

func TestFleet_NamesAtMostTenDeniedClients(t *testing.T) {
	t.Parallel()
	var top []chatops.DeniedClient
	for i := range 30 {
		top = append(top, chatops.DeniedClient{Client: fmt.Sprintf("client%02d", i), Count: int64(i)})
	}
	f := &chatops.Fleet{
		Controls: &chatops.Controls{},
		Replicas: []chatops.Instance{replicaOf("a", 0, chatops.BreakerReport{}, chatops.LimitReport{Name: "chat", TopDenied: top})},
	}
	got := f.Limit("chat").TopDenied
	if len(got) != 10 || got[0].Client != "client29" || got[9].Client != "client20" {
		t.Errorf("refused most are %v", got)
	}
}

func TestJobs_OfTheFleetAreWhatTheDatabaseSays(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		job   chatops.JobState
		state string
	}{
		{"idle", chatops.JobState{NextRun: midday.Add(time.Minute)}, chatops.JobIdle},
		{"never scheduled", chatops.JobState{}, chatops.JobIdle},
		{"due", chatops.JobState{NextRun: midday.Add(-time.Minute)}, chatops.JobIdle},
		{"late", chatops.JobState{NextRun: midday.Add(-3 * time.Minute)}, chatops.JobLate},
		{"running", chatops.JobState{Holder: "a", LeaseUntil: midday.Add(time.Second)}, chatops.JobRunning},
		{"running although paused", chatops.JobState{Holder: "a", LeaseUntil: midday.Add(time.Second), Paused: true}, chatops.JobRunning},
		{"interrupted", chatops.JobState{Holder: "a", LeaseUntil: midday.Add(-time.Second)}, chatops.JobInterrupted},
		{"paused", chatops.JobState{Paused: true, NextRun: midday.Add(-time.Hour)}, chatops.JobPaused},
		{"requested", chatops.JobState{Requested: midday}, chatops.JobRequested},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.job.Name, tt.job.LastStarted, tt.job.LastResult, tt.job.LastInstance = "j", midday.Add(-time.Hour), "ok", "a"
			list := &chatops.JobList{Now: midday, Jobs: []chatops.JobState{tt.job}}
			j := list.FleetJob("j", nil)
			if j.State != tt.state || j.EachProcess || j.LastRun != tt.job.LastStarted || j.LastInstance != "a" || j.NextRun != tt.job.NextRun {
				t.Errorf("it is %+v, want %s", j, tt.state)
			}
		})
	}
}

func TestJobs_OfEachProcessAreWhatTheReplicasSay(t *testing.T) {
	t.Parallel()
	report := func(name string, age time.Duration, ran, next time.Time, result string) chatops.Instance {
		return chatops.Instance{
			Name: name,
			Age:  age,
			Report: chatops.InstanceReport{
				Jobs: []chatops.JobReport{{Name: "cache", LastRun: ran, NextRun: next, LastResult: result}},
			},
		}
	}
	replicas := []chatops.Instance{
		report("a", 0, midday.Add(-2*time.Minute), midday.Add(2*time.Minute), "ok"),
		report("b", 0, midday.Add(-time.Minute), midday.Add(3*time.Minute), "failed: disk"),
		report("c", time.Hour, midday, midday.Add(time.Second), "ok: stale"),
	}
	list := &chatops.JobList{Now: midday, Jobs: []chatops.JobState{{Name: "cache", EachProcess: true}, {Name: "other", EachProcess: true, Paused: true}}}
	j := list.FleetJob("cache", replicas)
	if j.State != chatops.JobIdle || !j.EachProcess || j.LastInstance != "b" || j.NextRun != midday.Add(2*time.Minute) || !j.Failed() || len(j.Replicas) != 3 {
		t.Errorf("it is %+v", j)
	}
	if j := list.FleetJob("cache", replicas[2:]); j.State != chatops.JobUnknown || !j.LastRun.IsZero() || j.Failed() {
		t.Errorf("with a stale replica only it is %+v", j)
	}
	if j := list.FleetJob("other", replicas); j.State != chatops.JobPaused {
		t.Errorf("a paused one is %+v", j)
	}
	if got := strings.Join(list.JobNames(replicas), " "); got != "cache other" {
		t.Errorf("jobs %s", got)
	}
}

func TestGroups_AreBoundedAndSorted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var read []chatops.AlertGroup
		for i := range rapid.IntRange(0, 12).Draw(t, "groups") {
			read = append(read, chatops.AlertGroup{
				Fingerprint: fmt.Sprint(i),
				Pending:     rapid.Int64Range(0, 6).Draw(t, "pending"),
				Failed:      rapid.Int64Range(0, 6).Draw(t, "failed"),
				Last:        midday.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "last")) * time.Second),
			})
		}
		limit, countTo := rapid.IntRange(0, 9).Draw(t, "limit"), rapid.IntRange(1, 5).Draw(t, "count to")
		causes := rapid.IntRange(0, 50).Draw(t, "causes")
		bounded := chatops.BoundGroups(slices.Clone(read), causes, limit, countTo)
		if most := chatops.CausesLookedAt(limit); bounded.Causes != min(causes, most) || bounded.More != (causes > most) {
			t.Fatalf("%d causes, more %t, of %d when %d may be looked at", bounded.Causes, bounded.More, causes, most)
		}
		got := bounded.Groups
		if len(got) > limit {
			t.Fatalf("%d groups, want at most %d", len(got), limit)
		}
		for i := range got {
			g := &got[i]
			at := slices.IndexFunc(read, func(r chatops.AlertGroup) bool { return r.Fingerprint == g.Fingerprint })
			over := read[at].Pending > int64(countTo) || read[at].Failed > int64(countTo)
			if g.More != over || g.Total() == 0 || g.Pending > int64(countTo) || g.Failed > int64(countTo) {
				t.Fatalf("%+v was read as %+v and counted up to %d", *g, read[at], countTo)
			}
			if !over && (g.Pending != read[at].Pending || g.Failed != read[at].Failed) {
				t.Fatalf("%+v was read as %+v", *g, read[at])
			}
			if i > 0 && got[i-1].Total() < g.Total() {
				t.Fatalf("a group of %d stands before one of %d", got[i-1].Total(), g.Total())
			}
		}
	})
}

func TestHarmless_LetsNothingMoveATerminal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOf(rapid.Byte()).Draw(t, "text"))
		got := chatops.Harmless(text)
		if strings.ContainsFunc(got, chatops.Harmful) {
			t.Fatalf("%q became %q", text, got)
		}
		if again := chatops.Harmless(got); again != got {
			t.Fatalf("%q changes again, to %q", got, again)
		}
	})
}

func TestSpan_WordsTwoUnitsAtMost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(-int64(time.Hour), int64(1000*time.Hour)).Draw(t, "length"))
		words := strings.Fields(chatops.Span(d))
		if len(words) < 1 || len(words) > 2 {
			t.Fatalf("%s is worded %q", d, words)
		}
	})
}

func TestCount_WordsOneAndMany(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0 rows", 1: "1 row", 2: "2 rows", -1: "-1 rows"} {
		if got := chatops.Count(n, "row"); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}
