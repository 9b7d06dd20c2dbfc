package server

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"chatops/internal/chatops"
)

// fullHealth has every part configured; ping is what the database says.
func fullHealth(ping error) Health {
	ok := func(context.Context) error { return nil }
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return Health{
		PingFunc:  func(context.Context) error { return ping },
		RedisFunc: ok, SMTPFunc: ok,
		JobsFunc: func(context.Context) ([]JobHealth, error) {
			return []JobHealth{{Name: "dlq_retry", LastRun: now, LastResult: "ok", NextRun: now.Add(time.Minute)}, {Name: "followups"}}, nil
		},
		BreakersFunc: func(context.Context) (map[string]BreakerHealth, error) {
			return map[string]BreakerHealth{"slack": {State: "closed"}, "webhook:crm": {State: "closed", FailCount: 2}}, nil
		},
		QueueFunc: func(context.Context) (*chatops.QueueStats, error) {
			return &chatops.QueueStats{
				Counts: []chatops.AlertCount{
					{EventType: "slack_alert", Status: chatops.AlertQueued, Count: 2},
					{EventType: "slack_alert", Status: chatops.AlertPending, Count: 3},
					{EventType: "slack_alert", Status: chatops.AlertDelivered, Count: 9},
				},
				OldestWaiting: now.Add(-90 * time.Second), Now: now,
			}, nil
		},
		LimiterFunc: func() chatops.LimiterReport { return chatops.LimiterReport{Enabled: true, Backend: "redis"} },
		InstancesFunc: func(context.Context) ([]chatops.Instance, error) {
			return []chatops.Instance{{Name: "a:1", Age: time.Second}, {Name: "b:2", Age: chatops.StaleAfter}, {Name: "c:3", Age: time.Hour}}, nil
		},
		CacheFunc: func(context.Context) (CacheHealth, error) { return CacheHealth{Backend: "redis", Entries: 7}, nil },
		DoctorFunc: func(context.Context) *Examination {
			return &Examination{At: now, State: "problem", Unreachable: ping != nil, Checks: []Examined{
				{Name: "database", State: "ok", Text: "PostgreSQL 15.4", Findings: []Finding{}, TookMS: 0.4},
				{Name: "queue", State: "problem", Text: "130 alerts waiting", TookMS: 1, Findings: []Finding{
					{State: "problem", Text: "130 alerts waiting", Command: "chatops dlq retry --all --now"},
				}},
			}}
		},
	}
}

func TestHealth_ReportsTheDatabase(t *testing.T) {
	t.Parallel()
	got := newFixture(t, nil).get(t, "/api/health").decode(t)
	if got["status"] != "healthy" || got["database"] != "connected" || got["service"] != "chatops" || got["version"] != "1.2.3" {
		t.Errorf("health %v", got)
	}
	f := newFixture(t, func(o *Options) {
		o.Health.PingFunc = func(context.Context) error { return errors.New("dial db.internal:5432: password=x") }
	})
	r := f.get(t, "/api/health")
	if r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("status %d", r.StatusCode)
	}
	body := r.Body
	if !strings.Contains(body, `"status":"unhealthy","database":"unreachable"`) || strings.Contains(body, "db.internal") {
		t.Errorf("body %s", body)
	}
	if r.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestHealth_AsksTheDatabaseAtMostTwiceASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var pings atomic.Int64
		var down atomic.Bool
		f := newFixture(t, func(o *Options) {
			o.Health.PingFunc = func(context.Context) error {
				pings.Add(1)
				<-time.After(100 * time.Millisecond) // a slow database, in the bubble's time
				if down.Load() {
					return errors.New("down")
				}
				return nil
			}
		})
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if r := f.get(t, "/api/health"); r.StatusCode != http.StatusOK {
					t.Errorf("status %d", r.StatusCode)
				}
			})
		}
		wg.Wait()
		if n := pings.Load(); n != 1 {
			t.Errorf("50 requests at once cost %d pings", n)
		}
		down.Store(true)
		<-time.After(pingMaxAge)
		if r := f.get(t, "/api/health"); r.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("status %d after the answer was too old", r.StatusCode)
		}
		if n := pings.Load(); n != 2 {
			t.Errorf("%d pings", n)
		}
	})
}

func TestHealth_ADatabaseThatHangsIsUnhealthyAfterTwoSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) {
			o.Health.PingFunc = func(ctx context.Context) error {
				<-ctx.Done()
				return ctx.Err()
			}
		})
		start := time.Now()
		if r := f.get(t, "/api/health"); r.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("status %d", r.StatusCode)
		}
		if took := time.Since(start); took != checkTimeout {
			t.Errorf("took %s", took)
		}
	})
}

func TestDeepHealth_ShowsEveryPart(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) { o.Health = fullHealth(nil) })
	got := f.get(t, "/api/health/deep").decode(t)
	if got["status"] != "healthy" {
		t.Errorf("status %v", got["status"])
	}
	if at, err := time.Parse(time.RFC3339, got["timestamp"].(string)); err != nil || time.Since(at) > time.Minute {
		t.Errorf("timestamp %v", got["timestamp"])
	}
	checks := got["checks"].(map[string]any)
	for _, name := range []string{"database", "redis", "smtp", "scheduler", "dead_letter_queue", "rate_limiter", "replicas", "cache"} {
		if part := checks[name].(map[string]any); part["status"] != "ok" {
			t.Errorf("%s: %v", name, part)
		}
	}
	queue := checks["dead_letter_queue"].(map[string]any)
	if queue["pending"] != 5.0 || queue["failed"] != 0.0 || queue["oldest_age_seconds"] != 90.0 {
		t.Errorf("queue %v", queue)
	}
	if jobs := checks["scheduler"].(map[string]any)["jobs"].([]any); len(jobs) != 2 || jobs[0].(map[string]any)["name"] != "dlq_retry" {
		t.Errorf("jobs %v", jobs)
	}
	if b := checks["circuit_breakers"].(map[string]any)["webhook:crm"].(map[string]any); b["state"] != "closed" || b["fail_count"] != 2.0 {
		t.Errorf("breaker %v", b)
	}
	for name, want := range map[string]map[string]any{
		"redis": {"backend": "redis"}, "rate_limiter": {"enabled": true, "backend": "redis"},
		"replicas": {"live": 2.0, "stale": 1.0}, "cache": {"backend": "redis", "entries": 7.0},
	} {
		for key, value := range want {
			if got := checks[name].(map[string]any)[key]; got != value {
				t.Errorf("%s: %s is %v, want %v", name, key, got, value)
			}
		}
	}
}

func TestDeepHealth_JudgesWhatIsWrong(t *testing.T) {
	t.Parallel()
	broken := func(context.Context) error {
		return chatops.Errorf(chatops.CodeUnavailable, "connect to redis.internal: refused")
	}
	for name, tc := range map[string]struct {
		change func(*Health)
		status int
		want   string
	}{
		"nothing configured": {func(h *Health) { *h = Health{PingFunc: h.PingFunc} }, 200, healthy},
		"redis down":         {func(h *Health) { h.RedisFunc = broken }, 200, degraded},
		"mail server down":   {func(h *Health) { h.SMTPFunc = broken }, 200, degraded},
		"database down":      {func(h *Health) { h.PingFunc = broken }, 503, unhealthy},
		"breaker open": {func(h *Health) {
			h.BreakersFunc = func(context.Context) (map[string]BreakerHealth, error) {
				return map[string]BreakerHealth{"slack": {State: "open", FailCount: 5}}, nil
			}
		}, 200, degraded},
		"breakers unknown": {func(h *Health) {
			h.BreakersFunc = func(context.Context) (map[string]BreakerHealth, error) { return nil, errors.New("x") }
		}, 200, degraded},
		"jobs unknown": {func(h *Health) {
			h.JobsFunc = func(context.Context) ([]JobHealth, error) { return nil, errors.New("x") }
		}, 200, degraded},
		"failed alerts": {func(h *Health) {
			h.QueueFunc = func(context.Context) (*chatops.QueueStats, error) {
				return &chatops.QueueStats{Counts: []chatops.AlertCount{{Status: chatops.AlertFailed, Count: 1}}}, nil
			}
		}, 200, degraded},
		"queue unknown": {func(h *Health) {
			h.QueueFunc = func(context.Context) (*chatops.QueueStats, error) { return nil, errors.New("x") }
		}, 200, degraded},
		"replicas unknown": {func(h *Health) {
			h.InstancesFunc = func(context.Context) ([]chatops.Instance, error) { return nil, errors.New("x") }
		}, 200, degraded},
		"cache unknown": {func(h *Health) {
			h.CacheFunc = func(context.Context) (CacheHealth, error) { return CacheHealth{}, errors.New("x") }
		}, 200, degraded},
		"limiter panics": {func(h *Health) {
			h.LimiterFunc = func() chatops.LimiterReport { panic("kanarek") }
		}, 200, degraded},
		"requests counted here only, limiter switched off": {func(h *Health) {
			h.LimiterFunc = func() chatops.LimiterReport { return chatops.LimiterReport{Backend: "local"} }
		}, 200, healthy},
		"a check panics": {func(h *Health) { h.SMTPFunc = func(context.Context) error { panic("kanarek") } }, 200, degraded},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, func(o *Options) {
				o.Health = fullHealth(nil)
				tc.change(&o.Health)
			})
			r := f.get(t, "/api/health/deep")
			body := r.Body
			if r.StatusCode != tc.status || !strings.Contains(body, `{"status":"`+tc.want+`"`) {
				t.Errorf("status %d: %s", r.StatusCode, body)
			}
			if strings.Contains(body, "redis.internal") || strings.Contains(body+f.logs.String(), "kanarek") {
				t.Errorf("shows something internal: %s", body)
			}
		})
	}
}

func TestDeepHealth_SaysWhereRequestsAreCountedWhileRedisIsDown(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) {
		o.Health = fullHealth(nil)
		o.Health.RedisFunc = func(context.Context) error { return errors.New("x") }
		o.Health.LimiterFunc = func() chatops.LimiterReport { return chatops.LimiterReport{Enabled: true, Backend: "local"} }
	})
	checks := f.get(t, "/api/health/deep").decode(t)["checks"].(map[string]any)
	if r := checks["redis"].(map[string]any); r["status"] != "error" || r["backend"] != "local" {
		t.Errorf("redis %v", r)
	}
	bare := newFixture(t, nil).get(t, "/api/health/deep").decode(t)["checks"].(map[string]any)
	for _, name := range []string{"redis", "rate_limiter", "replicas", "cache"} {
		if part := bare[name].(map[string]any); part["status"] != "not_configured" || part["backend"] != nil {
			t.Errorf("%s: %v", name, part)
		}
	}
}

func TestDeepHealth_ShowsWhyABreakerIsOpenAndForHowLong(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) {
		o.Health = fullHealth(nil)
		o.Health.BreakersFunc = func(context.Context) (map[string]BreakerHealth, error) {
			return map[string]BreakerHealth{
				"slack":  {State: "open", FailCount: 5, RetryAt: at, OpenForSeconds: 120, Reason: "slack: HTTP 503"},
				"monday": {State: "half_open", FailCount: 5, Reason: "monday: connect to 10.0.0.7:443: refused"},
				"email":  {State: "forced_open", Reason: "Kowalski is on it"},
			}, nil
		}
	})
	r := f.get(t, "/api/health/deep")
	all := r.decode(t)["checks"].(map[string]any)["circuit_breakers"].(map[string]any)
	if b := all["slack"].(map[string]any); b["reason"] != "slack: HTTP 503" || b["open_for_seconds"] != 120.0 {
		t.Errorf("slack %v", b)
	}
	if b := all["monday"].(map[string]any); b["reason"] != nil {
		t.Errorf("monday %v", b)
	}
	if b := all["email"].(map[string]any); b["reason"] != "tripped by an operator" {
		t.Errorf("email %v", b)
	}
	conforms(t, f, operations(f)["health-deep"], r)
}

func TestReadyz_FollowsTheDatabase(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) { o.Health.PingFunc = func(context.Context) error { return errors.New("x") } })
	if r := f.get(t, "/readyz"); r.StatusCode != http.StatusServiceUnavailable || !strings.Contains(r.Body, "database unreachable") {
		t.Errorf("readyz %d without a database", r.StatusCode)
	}
	if r := f.get(t, "/livez"); r.StatusCode != http.StatusOK {
		t.Errorf("livez %d without a database", r.StatusCode)
	}
}
