package doctor

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"chatops/internal/chatops"
)

// fault is one thing that goes wrong.
type fault struct {
	name  string
	plant func(b *body)
	check string // the only one that speaks
	state State
	says  string // in the check's text, cause or command
}

func status(kind chatops.AlertStatus, n int64) func(b *body) {
	return func(b *body) {
		b.store.stats.Counts = append(b.store.stats.Counts, chatops.AlertCount{EventType: "slack_alert", Status: kind, Count: n})
	}
}

func cause(pending, failed int64, target, sample string) func(b *body) {
	return func(b *body) {
		b.store.groups = append(b.store.groups, chatops.AlertGroup{Pending: pending, Failed: failed, Target: target, Sample: sample})
	}
}

func both(steps ...func(b *body)) func(b *body) {
	return func(b *body) {
		for _, step := range steps {
			step(b)
		}
	}
}

// on changes what the first replica is.
func on(change func(r *chatops.Instance)) func(b *body) {
	return func(b *body) { change(&b.store.replicas[0]) }
}

func breaker(state string) func(b *body) {
	return on(func(r *chatops.Instance) {
		r.Report.Breakers[0] = chatops.BreakerReport{Name: "slack", State: state, OpenedAt: noon.Add(-4 * time.Minute), Reason: "slack: HTTP 503"}
	})
}

func denied(n int) []chatops.DeniedClient {
	var list []chatops.DeniedClient
	for i := range n {
		list = append(list, chatops.DeniedClient{Client: "203.0.113." + string(rune('1'+i)), Count: 9})
	}
	return list
}

func limit(change func(l *chatops.LimitReport)) func(b *body) {
	return func(b *body) {
		for i := range b.store.replicas {
			change(&b.store.replicas[i].Report.Limiter.Limits[0])
		}
	}
}

func job(j chatops.JobState) func(b *body) {
	return func(b *body) { b.store.jobs = append(b.store.jobs, j) }
}

func refused(context.Context) error {
	return chatops.Errorf(chatops.CodeUnavailable, "connection refused")
}

func queueFaults() []fault {
	return []fault{
		{"too many wait", both(status(chatops.AlertQueued, 100), cause(100, 0, "slack:alerts", "slack: HTTP 503: down")), "queue", Problem, "101 alerts waiting|100 alerts: slack: HTTP 503: down|dlq retry --status queued,pending"},
		{"more and more wait", func(b *body) { b.store.fresh = 100 }, "queue", Problem, "growing by 20 a minute"},
		{"one waits too long", func(b *body) { b.store.stats.OldestWaiting = noon.Add(-15 * time.Minute) }, "queue_age", Problem, "waited for 15m|--until 15m"},
		{"some failed", both(status(chatops.AlertFailed, 3), cause(1, 2, "slack:alerts", "slack: HTTP 400: no")), "failed_alerts", Problem, "3 alerts failed|2 alerts: slack: HTTP 400: no|dlq retry --status failed"},
		{"held", cause(12, 0, "mailto:jan@x.pl", "integration email is not configured: waiting until it is"), "unconfigured", Problem, "12 alerts for email held"},
		{"nobody is told", func(b *body) { b.Settings.Escalation = false }, "escalation", Warning, "ESCALATION_EMAIL"},
		{"nobody can be told", func(b *body) { b.Settings.Mail = false }, "escalation", Warning, "SMTP_URL"},
		{"breaker open", breaker("open"), "breakers", Problem, "slack open on 1 of 2 replicas for 4m|slack: HTTP 503|breaker reset slack"},
		{"breaker tripped", func(b *body) {
			b.store.controls.Breakers = []chatops.BreakerOrder{{Name: "slack", Mode: chatops.BreakerTripped, Actor: "ewa", Reason: "moving", CreatedAt: noon.Add(-time.Hour), Until: noon.Add(time.Minute)}}
		}, "breakers", Warning, "slack tripped by ewa for 1h, 1m left|moving|breaker auto slack"},
		{"unreachable", func(b *body) { b.Integrations[0].ProbeFunc = refused }, "integrations", Problem, "slack cannot be reached from here|connection refused|breaker trip slack"},
	}
}

func fleetFaults() []fault {
	stale := on(func(r *chatops.Instance) { r.Age = time.Minute })
	return []fault{
		{"no replica", func(b *body) { b.store.replicas = nil }, "replicas", Problem, "no replica reports|chatops serve"},
		{"one is silent", stale, "replicas", Warning, "1 of 2 replicas stopped reporting: web-1:1 for 1m"},
		{"two versions", on(func(r *chatops.Instance) { r.Version = "1.2.2" }), "replicas", Warning, "2 versions: 1.2.2 on web-1:1; 1.2.3 on web-2:2"},
		{"one disobeys", on(func(r *chatops.Instance) { r.Revision = 6 }), "replicas", Problem, "1 of 2 replicas do not obey the newest order: web-1:1"},
		{"clock of a replica", on(func(r *chatops.Instance) { r.Report.Clock = noon.Add(4 * time.Second) }), "clocks", Warning, "replica web-1:1 is 5s ahead"},
		{"clock of this host", func(b *body) { b.NowFunc = func() time.Time { return noon.Add(-time.Minute) } }, "clocks", Problem, "this host is 1m behind"},
		{"limit too low", limit(func(l *chatops.LimitReport) { l.Denied, l.TopDenied = 45, denied(5) }), "limits", Problem, "refuses 90 a minute to 5 clients or more|limiter set chat '60 per minute' --for 30m"},
		{"own proxy", both(func(b *body) { b.Settings.TrustedProxies = false }, limit(func(l *chatops.LimitReport) {
			l.Denied, l.TopDenied = 45, []chatops.DeniedClient{{Client: "10.0.0.1", Count: 45}}
		})), "limits", Problem, "10.0.0.1, which may be your own proxy|TRUSTED_PROXIES"},
		{"limits differ", on(func(r *chatops.Instance) { r.Report.Limiter.Limits[0].Value = "9 per minute" }), "limits", Warning, "1 of 2 replicas hold another limit chat"},
		{"overridden for good", func(b *body) { b.store.controls.Overrides[0].Until = time.Time{} }, "limits", Warning, "overridden by ewa|limiter unset chat"},
		{"half of the world blocked", func(b *body) { b.store.controls.Blocks = []chatops.ClientBlock{{Network: "203.0.0.0/8", Actor: "jan"}} }, "limits", Warning, "may hold many visitors|limiter unblock 203.0.0.0/8"},
		{"limits off", on(func(r *chatops.Instance) { r.Report.Limiter.Enabled = false }), "limits", Warning, "nobody is limited on web-1:1"},
		{"Redis away", func(b *body) { b.RedisFunc = refused }, "redis", Problem, "Redis does not answer|connection refused"},
		{"without Redis", on(func(r *chatops.Instance) { r.Report.Limiter.Backend = "local" }), "redis", Problem, "1 of 2 replicas count without Redis"},
		{"job late", job(chatops.JobState{Name: "followups", NextRun: noon.Add(-time.Hour)}), "jobs", Problem, "job followups is late|jobs run followups"},
		{"job paused", job(chatops.JobState{Name: "followups", Paused: true, PausedBy: "ola", PausedReason: "disk"}), "jobs", Warning, "paused by ola|disk|jobs resume followups"},
		{"job interrupted", job(chatops.JobState{Name: "followups", Holder: "web-9:9", LeaseUntil: noon.Add(-time.Second)}), "jobs", Warning, "interrupted"},
		{"job failing", job(chatops.JobState{Name: "followups", LastResult: "failed: disk", NextRun: noon.Add(time.Hour)}), "jobs", Problem, "failed: disk|jobs run followups"},
	}
}

func storedFaults() []fault {
	return []fault{
		{"bad setting", func(b *body) { b.Settings.Problems = []string{"PORT: must be a whole number"} }, "config", Problem, "PORT|config check"},
		{"odd setting", func(b *body) { b.Settings.Warnings = []string{"PORT overrides port of profile x"} }, "config", Warning, "overrides"},
		{"migrations pending", func(b *body) {
			b.schema = chatops.MigrationStatus{Current: 7, Latest: 8, Pending: make([]chatops.Migration, 1)}
		}, "migrations", Problem, "1 migration pending: the schema is at version 7 of 8|chatops migrate up"},
		{"schema newer", func(b *body) { b.schema.Current = 9 }, "migrations", Warning, "version 9, this program knows up to 8"},
		{"disk full", func(b *body) { b.disk.Free = 100 << 20 }, "disk", Problem, "100 MiB of 100 GiB free: writes are about to be refused|df -h /data"},
		{"disk fills up", func(b *body) { b.disk.Free = 900 << 20 }, "disk", Warning, "900 MiB of 100 GiB free"},
		{"constraint missing", func(b *body) { b.store.unguarded = true }, "followups", Problem, "uq_conversation_followup is missing|followup duplicates --fix"},
		{"duplicates", func(b *body) { b.store.duplicates = []chatops.FollowupDuplicate{{Count: 3}, {Count: 2}} }, "followups", Problem, "2 follow-ups exist more than once, with 3 extra rows"},
		{"uncertain", func(b *body) { b.store.uncertain = make([]chatops.Followup, 1) }, "uncertain_followups", Warning, "1 follow-up may or may not|--status uncertain"},
		{"no text", func(b *body) { b.store.texts = b.store.texts[:2] }, "consent", Problem, "no valid consent text of kind rodo"},
		{"no key", func(b *body) { b.Settings.ConsentKeys = false }, "consent", Warning, "CONSENT_KEYS"},
		{"record tampered with", func(b *body) { b.broken = 2 }, "consent_audit", Problem, "2 findings|consent audit verify"},
	}
}

func TestExamine_AHealthySystemIsSilent(t *testing.T) {
	t.Parallel()
	b := healthy()
	for _, r := range Examine(t.Context(), b.Patient, Checks(), time.Minute) {
		if want := map[string]State{"escalation": OK}[r.Name]; r.State != OK && r.State != want || len(r.Findings) > 0 || r.Text == "" {
			t.Errorf("%s is %s: %s", r.Name, r.State, r.Text)
		}
	}
}

func TestExamine_EveryFaultIsFoundByExactlyItsCheck(t *testing.T) {
	t.Parallel()
	spoken := map[string]bool{NameDatabase: true} // below
	for _, faults := range [][]fault{queueFaults(), fleetFaults(), storedFaults()} {
		for _, f := range faults {
			synctest.Test(t, func(t *testing.T) {
				b := healthy()
				f.plant(b)
				for _, r := range Examine(t.Context(), b.Patient, Checks(), time.Minute) {
					switch {
					case r.Name != f.check && !r.State.Sound():
						t.Errorf("%s: %s speaks too: %s", f.name, r.Name, r.Text)
					case r.Name == f.check:
						f.judge(t, &r)
					}
				}
			})
			spoken[f.check] = true
		}
	}
	for _, name := range Names() {
		if !spoken[name] {
			t.Errorf("no fault makes %s speak", name)
		}
	}
}

// judge compares what a check says with what it has to say.
func (f *fault) judge(t *testing.T, r *Result) {
	t.Helper()
	if r.State != f.state || len(r.Findings) == 0 {
		t.Errorf("%s: %s is %s, want %s: %s", f.name, r.Name, r.State, f.state, r.Text)
		return
	}
	all := r.Text
	for _, found := range r.Findings {
		all += "\n" + found.Cause + "\n" + found.Command
		if found.Command == "" || !strings.Contains(r.Text, found.Text) {
			t.Errorf("%s: the finding %+v has no command, or is not in %q", f.name, found, r.Text)
		}
	}
	for want := range strings.SplitSeq(f.says, "|") {
		if !strings.Contains(all, want) {
			t.Errorf("%s: %s does not say %q: %s", f.name, r.Name, want, all)
		}
	}
}

func TestExamine_WithoutADatabaseTheRestGoesOn(t *testing.T) {
	t.Parallel()
	b := healthy()
	b.Store, b.StoreErr = nil, chatops.Errorf(chatops.CodeUnavailable, "db.example:5432: connection refused")
	checks := Checks()
	for i, r := range Examine(t.Context(), b.Patient, checks, time.Minute) {
		switch {
		case r.Name == NameDatabase:
			if r.State != Problem || !strings.Contains(r.Findings[0].Cause, "connection refused") {
				t.Errorf("the database is %+v", r)
			}
		case checks[i].Database && (r.State != Unknown || !strings.Contains(r.Text, "needs the database")),
			!checks[i].Database && r.State != OK:
			t.Errorf("%s is %s: %s", r.Name, r.State, r.Text)
		}
	}
}

func TestExamine_WhatCannotBeFoundOutIsUnknownAndNeverOK(t *testing.T) {
	t.Parallel()
	secret := errors.New("dial postgres://app:hunter2@db")
	for name, ill := range map[string]func(*body){
		"no answer within 3s": func(b *body) { b.store.hang = true },
		"connection lost":     func(b *body) { b.store.err = chatops.Errorf(chatops.CodeUnavailable, "connection lost") },
		"internal error":      func(b *body) { b.store.err = secret },
	} {
		synctest.Test(t, func(t *testing.T) {
			b := healthy()
			ill(b)
			b.SchemaFunc = func(ctx context.Context) (*chatops.MigrationStatus, error) { return nil, b.store.answer(ctx) }
			b.ChainFunc = func(ctx context.Context) (int64, int, error) { return 0, 0, b.store.answer(ctx) }
			checks := Checks()
			start := time.Now()
			for i, r := range Examine(t.Context(), b.Patient, checks, 3*time.Second) {
				if strings.Contains(r.Text, "hunter2") {
					t.Errorf("%s shows a secret: %s", r.Name, r.Text)
				}
				switch {
				case r.Name == NameDatabase && r.State != Problem:
					t.Errorf("the database is %s", r.State)
				case checks[i].Database && (r.State != Unknown || !strings.Contains(r.Text, name)):
					t.Errorf("%s is %s: %s", r.Name, r.State, r.Text)
				case !checks[i].Database && r.Name != "redis" && r.Name != NameDatabase && r.State != OK:
					t.Errorf("%s is %s: %s", r.Name, r.State, r.Text)
				}
			}
			if took := time.Since(start); took > 3*time.Second {
				t.Errorf("it took %s: checks wait for each other", took)
			}
		})
	}
}
