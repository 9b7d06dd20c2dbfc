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
	for _, name := range []string{"database", "redis", "smtp", "scheduler", "dead_letter_queue"} {
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
