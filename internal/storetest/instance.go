package storetest

import (
	"reflect"
	"strings"
	"time"

	"chatops/internal/chatops"
)

func instanceCases() []testCase {
	return []testCase{
		{"Heartbeat_KeepsTheWholeReport", instanceReport},
		{"Heartbeat_ReplacesTheFormerOne", instanceReplaced},
		{"Heartbeat_WithoutAName_IsInvalid", instanceInvalid},
		{"Instances_AreOrderedAndAge", instanceAges},
		{"Instances_WhoseReportNobodyUnderstands_StayVisible", instanceOtherShape},
		{"RemoveInstance_ForgetsOnlyThatOne", instanceRemoved},
		{"RemoveStaleInstances_ForgetsThoseThatAreOlder", instanceStale},
	}
}

func (e *env) beat(name string) *chatops.Instance {
	e.t.Helper()
	i := &chatops.Instance{Name: name, Version: "1.2.3", StartedAt: e.clock.Peek()}
	e.must(e.store.Heartbeat(e.ctx, i))
	return i
}

func (e *env) instances() []chatops.Instance {
	e.t.Helper()
	list, err := e.store.Instances(e.ctx)
	e.must(err)
	return list
}

// wantInstances ends the test unless exactly these have a heartbeat.
func (e *env) wantInstances(want ...string) {
	e.t.Helper()
	var got []string
	for _, i := range e.instances() {
		got = append(got, i.Name)
	}
	if !reflect.DeepEqual(got, want) {
		e.t.Fatalf("instances are %q, want %q", got, want)
	}
}

func fullReport() chatops.InstanceReport {
	at := time.Date(2026, 3, 1, 12, 0, 0, 123_456_000, time.UTC)
	return chatops.InstanceReport{
		Breakers: []chatops.BreakerReport{
			{Name: "slack", State: "open", FailCount: 5, FailMax: 5, ResetTimeoutSeconds: 62.5, OpenedAt: at, RetryAt: at.Add(time.Minute), Reason: "Slack: 503 „błąd” <&>\n"},
			{Name: "llm", State: "closed", FailMax: 5, ResetTimeoutSeconds: 60},
		},
		Limiter: chatops.LimiterReport{
			Enabled: true, Backend: "redis", Blocked: 1 << 40,
			Limits: []chatops.LimitReport{{
				Name: "chat", Value: "30 per minute", Source: "override", Allowed: 1000, Denied: 3,
				TopDenied: []chatops.DeniedClient{{Client: "2001:db8::/64", Count: 2}, {Client: "203.0.113.7", Count: 1}},
			}},
		},
		Jobs:  []chatops.JobReport{{Name: "dlq_retry", LastRun: at, LastResult: "ok", NextRun: at.Add(time.Minute)}, {Name: "cleanup"}},
		Clock: at.Add(time.Second),
	}
}

func instanceReport(e *env) {
	i := &chatops.Instance{
		Name: "replica-ż:4711", Version: "v0.3.0-dev", StartedAt: time.Date(2026, 3, 1, 13, 0, 0, 1000, time.FixedZone("CET", 3600)),
		Revision: 1 << 50, Report: fullReport(),
	}
	before := e.clock.Peek()
	e.must(e.store.Heartbeat(e.ctx, i))
	if i.HeartbeatAt.Before(before) || i.HeartbeatAt.After(e.clock.Peek()) || i.HeartbeatAt.Location() != time.UTC || i.Age != 0 {
		e.t.Fatalf("heartbeat at %v, age %v", i.HeartbeatAt, i.Age)
	}
	got := e.instances()[0]
	want := *i
	want.StartedAt, want.Age = i.StartedAt.UTC(), got.Age
	if !reflect.DeepEqual(got, want) {
		e.t.Fatalf("stored\n%+v, want\n%+v", got, want)
	}

	empty := e.beat("replica-nil")
	if got := e.instances()[0]; got.Name != empty.Name || !reflect.DeepEqual(got.Report, empty.Report) {
		e.t.Fatalf("empty report came back as %+v", got.Report)
	}
}

func instanceReplaced(e *env) {
	e.beat("replica-1")
	e.clock.Advance(2 * time.Second)
	i := &chatops.Instance{Name: "replica-1", Version: "2", StartedAt: e.clock.Peek(), Revision: 7, Report: fullReport()}
	i.Report.Breakers[0].Reason = "half of a pair and NUL: \x00"
	e.must(e.store.Heartbeat(e.ctx, i))
	got := e.instances()
	if len(got) != 1 || got[0].Version != "2" || got[0].Revision != 7 || !got[0].HeartbeatAt.Equal(i.HeartbeatAt) {
		e.t.Fatalf("instances are %+v", got)
	}
	if reason := got[0].Report.Breakers[0].Reason; reason != "half of a pair and NUL: \uFFFD" {
		e.t.Fatalf("reason is %q", reason)
	}
}

func instanceInvalid(e *env) {
	e.wantCode(e.store.Heartbeat(e.ctx, &chatops.Instance{}), chatops.CodeInvalid)
	e.wantCode(e.store.Heartbeat(e.ctx, &chatops.Instance{Name: strings.Repeat("r", 256)}), chatops.CodeInvalid)
	e.wantInstances()
}

func instanceAges(e *env) {
	e.beat("replica-b")
	e.clock.Advance(chatops.StaleAfter)
	e.beat("Replica-c")
	e.beat("replica-a")
	e.clock.Advance(time.Second)
	e.wantInstances("Replica-c", "replica-a", "replica-b")
	for _, i := range e.instances() {
		want := time.Second
		if i.Name == "replica-b" {
			want += chatops.StaleAfter
		}
		if i.Age < want || i.Age > want+time.Second || i.Stale() != (i.Name == "replica-b") {
			e.t.Fatalf("%s is %v old and stale=%v", i.Name, i.Age, i.Stale())
		}
	}
}

func instanceOtherShape(e *env) {
	e.beat("replica-1")
	e.beat("replica-2")
	e.exec(`UPDATE server_instance SET report = '{"breakers":"none","limiter":{"backend":"redis"},"new":1}' WHERE instance = 'replica-1'`)
	e.wantInstances("replica-1", "replica-2")
	if got := e.instances()[0].Report.Limiter.Backend; got != "redis" {
		e.t.Fatalf("backend is %q: what can be read is left out", got)
	}
}

func instanceRemoved(e *env) {
	e.beat("replica-1")
	e.beat("replica-2")
	e.must(e.store.RemoveInstance(e.ctx, "replica-1"))
	e.must(e.store.RemoveInstance(e.ctx, "replica-1"))
	e.must(e.store.RemoveInstance(e.ctx, "never seen"))
	e.wantInstances("replica-2")
}

func instanceStale(e *env) {
	e.beat("replica-1")
	e.clock.Advance(time.Minute)
	e.beat("replica-2")
	e.clock.Advance(time.Minute)
	e.beat("replica-3")
	for _, c := range []struct {
		age  time.Duration
		want int
		left []string
	}{
		{time.Hour, 0, []string{"replica-1", "replica-2", "replica-3"}},
		{90 * time.Second, 1, []string{"replica-2", "replica-3"}},
		{90 * time.Second, 0, []string{"replica-2", "replica-3"}},
		{30 * time.Second, 1, []string{"replica-3"}},
	} {
		n, err := e.store.RemoveStaleInstances(e.ctx, c.age)
		e.must(err)
		if n != c.want {
			e.t.Fatalf("removed %d that are older than %v, want %d", n, c.age, c.want)
		}
		e.wantInstances(c.left...)
	}
}
