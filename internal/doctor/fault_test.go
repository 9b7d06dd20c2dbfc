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
		{
			name: "too many wait", check: "queue", state: Problem,
			plant: both(status(chatops.AlertQueued, 100), cause(100, 0, "slack:alerts", "slack: HTTP 503: down")),
			says:  "101 alerts waiting|100 alerts: slack: HTTP 503: down|dlq retry --status queued,pending",
		},
		{
			name: "more and more wait", check: "queue", state: Problem,
			plant: func(b *body) { b.store.fresh = 100 },
			says:  "growing by 20 a minute",
		},
		{
			name: "too many wait, and somebody knows", check: "queue", state: Warning,
			plant: both(status(chatops.AlertQueued, 100), func(b *body) {
				b.store.alarm = chatops.QueueAlarm{RaisedAt: noon, AckAt: noon, AckBy: "ewa"}
			}),
			says: "101 alerts waiting|acknowledged by ewa",
		},
		{
			name: "one waits too long", check: "queue_age", state: Problem,
			plant: func(b *body) { b.store.stats.OldestWaiting = noon.Add(-15 * time.Minute) },
			says:  "waited for 15m|--until 15m",
		},
		{
			name: "some failed", check: "failed_alerts", state: Problem,
			plant: both(status(chatops.AlertFailed, 3), cause(1, 2, "slack:alerts", "slack: HTTP 400: no")),
			says:  "3 alerts failed|2 alerts: slack: HTTP 400: no|dlq retry --status failed",
		},
		{
			name: "held", check: "unconfigured", state: Problem,
			plant: cause(12, 0, "mailto:jan@x.pl", "integration email is not configured: waiting until it is"),
			says:  "12 alerts for email held",
		},
		{
			name: "nobody is told", check: "escalation", state: Warning,
			plant: func(b *body) { b.Settings.Escalation = false },
			says:  "ESCALATION_EMAIL",
		},
		{
			name: "nobody can be told", check: "escalation", state: Warning,
			plant: func(b *body) { b.Settings.Mail = false },
			says:  "SMTP_URL",
		},
		{
			name: "breaker open", check: "breakers", state: Problem,
			plant: breaker("open"),
			says:  "slack open on 1 of 2 replicas for 4m|slack: HTTP 503|breaker reset slack",
		},
		{
			name: "breaker tripped", check: "breakers", state: Warning,
			plant: func(b *body) {
				b.store.controls.Breakers = []chatops.BreakerOrder{{
					Name: "slack", Mode: chatops.BreakerTripped, Actor: "ewa", Reason: "moving",
					CreatedAt: noon.Add(-time.Hour), Until: noon.Add(time.Minute),
				}}
			},
			says: "slack tripped by ewa for 1h, 1m left|moving|breaker auto slack",
		},
		{
			name: "unreachable", check: "integrations", state: Problem,
			plant: func(b *body) { b.Integrations[0].ProbeFunc = refused },
			says:  "slack cannot be reached from here|connection refused|breaker trip slack",
		},
	}
}

func fleetFaults() []fault {
	stale := on(func(r *chatops.Instance) { r.Age = time.Minute })
	return []fault{
		{
			name: "no replica", check: "replicas", state: Problem,
			plant: func(b *body) { b.store.replicas = nil },
			says:  "no replica reports|chatops serve",
		},
		{
			name: "one is silent", check: "replicas", state: Warning,
			plant: stale,
			says:  "1 of 2 replicas stopped reporting: web-1:1 for 1m",
		},
		{
			name: "two versions", check: "replicas", state: Warning,
			plant: on(func(r *chatops.Instance) { r.Version = "1.2.2" }),
			says:  "2 versions: 1.2.2 on web-1:1; 1.2.3 on web-2:2",
		},
		{
			name: "one disobeys", check: "replicas", state: Problem,
			plant: on(func(r *chatops.Instance) { r.Revision = 6 }),
			says:  "1 of 2 replicas do not obey the newest order: web-1:1",
		},
		{
			name: "clock of a replica", check: "clocks", state: Warning,
			plant: on(func(r *chatops.Instance) { r.Report.Clock = noon.Add(4 * time.Second) }),
			says:  "replica web-1:1 is 5s ahead",
		},
		{
			name: "clock of this host", check: "clocks", state: Problem,
			plant: func(b *body) { b.NowFunc = func() time.Time { return noon.Add(-time.Minute) } },
			says:  "this host is 1m behind",
		},
	}
}

func limitFaults() []fault {
	return []fault{
		{
			name: "limit too low", check: "limits", state: Problem,
			plant: limit(func(l *chatops.LimitReport) { l.Denied, l.TopDenied = 45, denied(5) }),
			says:  "refuses 90 a minute to 5 clients or more|limiter set chat '60 per minute' --for 30m",
		},
		{
			name: "own proxy", check: "limits", state: Problem,
			plant: both(func(b *body) { b.Settings.TrustedProxies = false }, limit(func(l *chatops.LimitReport) {
				l.Denied, l.TopDenied = 45, []chatops.DeniedClient{{Client: "10.0.0.1", Count: 45}}
			})),
			says: "10.0.0.1, which may be your own proxy|TRUSTED_PROXIES",
		},
		{
			name: "limits differ", check: "limits", state: Warning,
			plant: on(func(r *chatops.Instance) { r.Report.Limiter.Limits[0].Value = "9 per minute" }),
			says:  "1 of 2 replicas hold another limit chat",
		},
		{
			name: "overridden for good", check: "limits", state: Warning,
			plant: func(b *body) { b.store.controls.Overrides[0].Until = time.Time{} },
			says:  "overridden by ewa|limiter unset chat",
		},
		{
			name: "half of the world blocked", check: "limits", state: Warning,
			plant: func(b *body) { b.store.controls.Blocks = []chatops.ClientBlock{{Network: "203.0.0.0/8", Actor: "jan"}} },
			says:  "may hold many visitors|limiter unblock 203.0.0.0/8",
		},
		{
			name: "limits off", check: "limits", state: Warning,
			plant: on(func(r *chatops.Instance) { r.Report.Limiter.Enabled = false }),
			says:  "nobody is limited on web-1:1",
		},
		{
			name: "Redis away", check: "redis", state: Problem,
			plant: func(b *body) { b.RedisFunc = refused },
			says:  "Redis does not answer|connection refused",
		},
		{
			name: "without Redis", check: "redis", state: Problem,
			plant: on(func(r *chatops.Instance) { r.Report.Limiter.Backend = "local" }),
			says:  "1 of 2 replicas count without Redis",
		},
	}
}

func jobFaults() []fault {
	return []fault{
		{
			name: "job late", check: "jobs", state: Problem,
			plant: job(chatops.JobState{Name: "followups", NextRun: noon.Add(-time.Hour)}),
			says:  "job followups is late|jobs run followups",
		},
		{
			name: "job paused", check: "jobs", state: Warning,
			plant: job(chatops.JobState{Name: "followups", Paused: true, PausedBy: "ola", PausedReason: "disk"}),
			says:  "paused by ola|disk|jobs resume followups",
		},
		{
			name: "job interrupted", check: "jobs", state: Warning,
			plant: job(chatops.JobState{Name: "followups", Holder: "web-9:9", LeaseUntil: noon.Add(-time.Second)}),
			says:  "interrupted",
		},
		{
			name: "job failing", check: "jobs", state: Problem,
			plant: job(chatops.JobState{Name: "followups", LastResult: "failed: disk", NextRun: noon.Add(time.Hour)}),
			says:  "failed: disk|jobs run followups",
		},
	}
}

func storedFaults() []fault {
	return []fault{
		{
			name: "bad setting", check: "config", state: Problem,
			plant: func(b *body) { b.Settings.Problems = []string{"PORT: must be a whole number"} },
			says:  "PORT|config check",
		},
		{
			name: "odd setting", check: "config", state: Warning,
			plant: func(b *body) { b.Settings.Warnings = []string{"PORT overrides port of profile x"} },
			says:  "overrides",
		},
		{"migrations pending", func(b *body) {
			b.schema = chatops.MigrationStatus{Current: 7, Latest: 8, Pending: make([]chatops.Migration, 1)}
		}, "migrations", Problem, "1 migration pending: the schema is at version 7 of 8|chatops migrate up"},
		{
			name: "schema newer", check: "migrations", state: Warning,
			plant: func(b *body) { b.schema.Current = 9 },
			says:  "version 9, this program knows up to 8",
		},
		{
			name: "disk full", check: "disk", state: Problem,
			plant: func(b *body) { b.disk.Free = 100 << 20 },
			says:  "100 MiB of 100 GiB free: writes are about to be refused|df -h /data",
		},
		{
			name: "disk fills up", check: "disk", state: Warning,
			plant: func(b *body) { b.disk.Free = 900 << 20 },
			says:  "900 MiB of 100 GiB free",
		},
		{
			name: "constraint missing", check: "followups", state: Problem,
			plant: func(b *body) { b.store.unguarded = true },
			says:  "uq_conversation_followup is missing|followup duplicates --fix",
		},
		{
			name: "duplicates", check: "followups", state: Problem,
			plant: func(b *body) { b.store.duplicates = []chatops.FollowupDuplicate{{Count: 3}, {Count: 2}} },
			says:  "2 follow-ups exist more than once, with 3 extra rows",
		},
		{
			name: "uncertain", check: "uncertain_followups", state: Warning,
			plant: func(b *body) { b.store.uncertain = make([]chatops.Followup, 1) },
			says:  "1 follow-up may or may not|--status uncertain",
		},
		{
			name: "no text", check: "consent", state: Problem,
			plant: func(b *body) { b.store.texts = b.store.texts[:2] },
			says:  "no valid consent text of kind rodo",
		},
		{
			name: "no key", check: "consent", state: Warning,
			plant: func(b *body) { b.Settings.ConsentKeys = false },
			says:  "CONSENT_KEYS",
		},
		{
			name: "record tampered with", check: "consent_audit", state: Problem,
			plant: func(b *body) { b.broken = 2 },
			says:  "2 findings|consent audit verify",
		},
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
	for _, faults := range [][]fault{queueFaults(), fleetFaults(), limitFaults(), jobFaults(), storedFaults()} {
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
		case checks[i].Database == Needs && (r.State != Unknown || !strings.Contains(r.Text, "needs the database")),
			checks[i].Database != Needs && r.State != OK:
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
				case checks[i].Database == Needs && (r.State != Unknown || !strings.Contains(r.Text, name)):
					t.Errorf("%s is %s: %s", r.Name, r.State, r.Text)
				case checks[i].Database == Ignores && r.State != OK:
					t.Errorf("%s is %s: %s", r.Name, r.State, r.Text)
				}
			}
			if took := time.Since(start); took > 3*time.Second {
				t.Errorf("it took %s: checks wait for each other", took)
			}
		})
	}
}
