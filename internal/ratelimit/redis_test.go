package ratelimit

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"chatops/internal/chatops"
	"chatops/internal/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(redistest.Wrap(m)) }

// client connects as the program does: nothing waits for long.
func client(tb testing.TB, url string) *redis.Client {
	tb.Helper()
	o, err := redis.ParseURL(url)
	if err != nil {
		tb.Fatal(err)
	}
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = 100*time.Millisecond, 50*time.Millisecond, 50*time.Millisecond
	o.PoolTimeout, o.MaxRetries, o.DialerRetries, o.ContextTimeoutEnabled = 60*time.Millisecond, -1, 1, true
	c := redis.NewClient(o)
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

// replicas are limits of several processes on one Redis. They never give up on
// it: a busy machine is no fault here.
func replicas(t *testing.T, n int, c redis.UniversalClient, limits map[string]Limit) []*Limits {
	t.Helper()
	all := make([]*Limits, n)
	for i := range all {
		all[i] = newLimits(t, Options{Limits: limits, Redis: c, Patience: time.Minute})
	}
	return all
}

// patient is a client that waits for a busy machine.
func patient(tb testing.TB, url string) *redis.Client {
	tb.Helper()
	o, err := redis.ParseURL(url)
	if err != nil {
		tb.Fatal(err)
	}
	c := redis.NewClient(o)
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

func TestRedis_IsSharedExactlyByReplicas(t *testing.T) {
	t.Parallel()
	limits := map[string]Limit{"chat": mustParse(t, "30 per hour;40 per day"), "api": mustParse(t, "50 per hour")}
	all := replicas(t, 3, patient(t, redistest.New(t)), limits)
	var wg sync.WaitGroup
	var allowed atomic.Int64
	for i := range 12 {
		wg.Go(func() {
			for range 20 {
				d := all[i%3].Allow(t.Context(), "a", Check{"chat", "a"}, Check{"api", "a GET /x"})
				if d.Allowed {
					allowed.Add(1)
				} else if d.Limit != "chat" || d.Rule.Count != 30 || d.RetryAfter < 59*time.Minute {
					t.Errorf("refused: %+v", d)
				}
			}
		})
	}
	wg.Wait()
	if n := allowed.Load(); n != 30 {
		t.Errorf("%d of 240 events are allowed, want 30", n)
	}
	// Refused events were counted nowhere: 20 of the other limit remain.
	for i := range 21 {
		d := all[i%3].Allow(t.Context(), "a", Check{"api", "a GET /x"})
		if d.Allowed != (i < 20) || d.Allowed && d.Remaining != 19-i {
			t.Errorf("event %d of the other limit: %+v", i, d)
		}
	}
}

func TestRedis_ARefusalIsKnownWithoutAskingAgain(t *testing.T) {
	t.Parallel()
	c := patient(t, redistest.New(t))
	all := replicas(t, 2, c, map[string]Limit{"chat": mustParse(t, "5 per hour")})
	for range 5 {
		all[0].chat(t, "a")
	}
	if d := all[1].chat(t, "a"); d.Allowed {
		t.Fatalf("a sixth event: %+v", d)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if d := all[1].chat(t, "a"); d.Allowed || d.Limit != "chat" || d.RetryAfter < 59*time.Minute {
		t.Errorf("a seventh event: %+v", d)
	}
	if all[1].shared.down.Load() {
		t.Error("Redis was asked about it")
	}
	// A raised limit makes the refusal void.
	if err := all[1].Configure(map[string]Limit{"chat": mustParse(t, "6 per hour")}); err != nil {
		t.Fatal(err)
	}
	if d := all[1].chat(t, "a"); !d.Allowed {
		t.Errorf("after the limit was raised: %+v", d)
	}
}

func TestRedis_KeepsHistoryWhenLimitsChange(t *testing.T) {
	t.Parallel()
	all := replicas(t, 2, patient(t, redistest.New(t)), map[string]Limit{"chat": mustParse(t, "4 per hour")})
	for _, step := range []struct {
		value string
		want  int
	}{{"4 per hour", 4}, {"3 per hour", 0}, {"6 per hour", 2}, {"9 per hour", 3}} {
		n := 0
		for i := range 12 {
			l := all[i%2]
			if err := l.Configure(map[string]Limit{"chat": mustParse(t, step.value)}); err != nil {
				t.Fatal(err)
			}
			if l.chat(t, "a").Allowed {
				n++
			}
		}
		if n != step.want {
			t.Errorf("%s: %d events more, want %d", step.value, n, step.want)
		}
	}
}

func TestRedis_NamesNobodyAndKeepsNothingForever(t *testing.T) {
	t.Parallel()
	c := patient(t, redistest.New(t))
	limits := map[string]Limit{"chat": mustParse(t, "4 per minute"), "api": mustParse(t, "4 per hour;2 per second")}
	l := replicas(t, 1, c, limits)[0]
	secret := newLimits(t, Options{Limits: limits, Redis: c, Secret: []byte("pepper"), Patience: time.Minute})
	for _, l := range []*Limits{l, secret} {
		l.Allow(t.Context(), "203.0.113.7", Check{"chat", "203.0.113.7"}, Check{"api", "203.0.113.7 GET /api/leads/"}, Check{"api", "jan@x.pl"})
	}
	keys := c.Keys(t.Context(), "*").Val()
	if len(keys) != 6 {
		t.Errorf("keys %q, want 3 for each secret", keys)
	}
	tags := map[string]int{}
	for _, key := range keys {
		if strings.Contains(key, "203") || strings.Contains(key, "jan") || !strings.HasPrefix(key, keyPrefix+"{") {
			t.Errorf("key %q", key)
		}
		tags[hashTag(key)]++
		most := time.Minute
		if strings.Contains(key, ":api") {
			most = time.Hour
		}
		if ttl := c.PTTL(t.Context(), key).Val(); ttl <= most-10*time.Second || ttl > most+time.Second {
			t.Errorf("%s lives for %s, want %s", key, ttl, most)
		}
	}
	if len(tags) != 4 {
		t.Errorf("hash tags %v, want one for each client and secret", tags)
	}
}

// A window of a second passes while the test runs, so that the log in Redis is
// judged, trimmed and refilled by its own clock.
func TestRedis_NeverAllowsMoreInAnyWindow(t *testing.T) {
	t.Parallel()
	c := patient(t, redistest.New(t))
	limit := mustParse(t, "20 per second;35 per 2 seconds")
	all := replicas(t, 2, c, map[string]Limit{"chat": limit})
	var mu sync.Mutex
	var wg sync.WaitGroup
	type span struct{ from, to time.Time } // the moment lies between
	var allowed []span
	end := time.Now().Add(5 * time.Second)
	for i := range 8 {
		wg.Go(func() {
			for time.Now().Before(end) {
				from := time.Now()
				if all[i%2].chat(t, "a").Allowed {
					mu.Lock()
					allowed = append(allowed, span{from, time.Now()})
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	for _, r := range limit {
		for i := range allowed {
			n := 0
			for j := range allowed {
				// Certainly within the window that begins with event i.
				if !allowed[j].from.Before(allowed[i].to) && allowed[j].to.Sub(allowed[i].from) < r.Window {
					n++
				}
			}
			if n >= r.Count+1 {
				t.Fatalf("%d events in %s, limit %v", n, r.Window, r)
			}
		}
	}
	if len(allowed) < 2*35 {
		t.Errorf("%d events allowed in 5 seconds, want some 90", len(allowed))
	}
}

// The script, event for event, against the obvious model. The moments are what
// Redis says, which the model learns from the logs.
func TestScript_AgreesWithTheObviousModel(t *testing.T) {
	t.Parallel()
	c := patient(t, redistest.New(t))
	rapid.Check(t, func(t *rapid.T) {
		if err := c.FlushDB(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		limits := map[string]Limit{"chat": drawLimit(t, 5, 1000), "api": drawLimit(t, 9, 1000)}
		l := newLimits(t, Options{Limits: limits, Redis: c})
		want := newModel(limits)
		var batch call
		var oks []bool
		at := time.Now()
		for range rapid.IntRange(1, 40).Draw(t, "events") {
			checks := drawChecks(t)
			oks = append(oks, want.allow(checks, at)) // all in one moment
			asks := l.asks(nil, checks, 0)
			keys := make([]string, len(asks))
			for i := range asks {
				keys[i] = l.shared.names.name(&asks[i])
			}
			batch.add(asks, keys)
		}
		outcomes, err := batch.run(t.Context(), c, newScript())
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Collect(func(yield func(bool) bool) {
			for _, o := range outcomes {
				if !yield(o.allowed) {
					return
				}
			}
		}); !slices.Equal(got, oks) {
			t.Fatalf("allowed %v, want %v", got, oks)
		}
	})
}

func TestRedis_AClockThatWasSetBackKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	c := patient(t, redistest.New(t))
	all := replicas(t, 2, c, map[string]Limit{"chat": mustParse(t, "2 per 3 seconds")})
	for range 2 {
		all[0].chat(t, "a")
	}
	key := all[0].shared.names.name(&ask{named: all[0].all[0], key: "a"})
	future := strings.Repeat("\x10\x00\x00\x00\x00\x00", 2) // in the year 2527
	if err := c.Set(t.Context(), key, future, time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	d := all[1].chat(t, "a")
	if d.Allowed || d.RetryAfter > 3100*time.Millisecond {
		t.Errorf("two events of the future: %+v", d)
	}
	if ttl := c.PTTL(t.Context(), key).Val(); ttl > 4*time.Second {
		t.Errorf("they live for %s more", ttl)
	}
}

func TestRedis_ClusterKeepsAClientTogether(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{Settings: map[string]string{"cluster-enabled": "yes"}})
	one := patient(t, s.URL())
	host, _, err := net.SplitHostPort(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	if err := one.ConfigSet(t.Context(), "cluster-announce-ip", host).Err(); err != nil {
		t.Fatal(err)
	}
	if err := one.ClusterAddSlotsRange(t.Context(), 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{s.Addr()}, Password: s.Password()})
	t.Cleanup(func() { _ = c.Close() })
	await(t, func() bool { return strings.Contains(one.ClusterInfo(t.Context()).Val(), "cluster_state:ok") })
	all := replicas(t, 2, c, map[string]Limit{"api": mustParse(t, "7 per hour"), "consent": mustParse(t, "5 per hour")})
	var wg sync.WaitGroup
	var allowed atomic.Int64
	for i := range 20 {
		wg.Go(func() {
			// The address lies in another slot than the client.
			if all[i%2].Allow(t.Context(), "a", Check{"api", "a GET /x"}, Check{"consent", "a"}, Check{"consent", "jan@x.pl"}).Allowed {
				allowed.Add(1)
			}
		})
	}
	wg.Wait()
	if n := allowed.Load(); n > 5 || n < 1 {
		t.Errorf("%d events are allowed, want 5 at most", n)
	}
	if n := len(c.Keys(t.Context(), "*").Val()); n != 3 {
		t.Errorf("%d keys", n)
	}
	for _, l := range all {
		if l.shared.down.Load() {
			t.Error("the Cluster was given up")
		}
	}
	if d := all[0].Allow(t.Context(), "b", Check{"api", "b GET /x"}, Check{"consent", "b"}); !d.Allowed || d.Limit != "consent" || d.Remaining != 4 {
		t.Errorf("another client: %+v", d)
	}
}

// await polls until something is so.
func await(tb testing.TB, ok func() bool) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 30*time.Second)
	defer cancel()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			tb.Fatal("it never became so")
		case <-ticker.C:
		}
	}
}

func TestReason_TellsNoSecrets(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"dial tcp 10.0.0.1:6379: connect: connection refused":  "connection refused",
		"READONLY You can't write against a read only replica": "READONLY",
		"secret": "unexpected answer",
	} {
		if got := reason(chatops.Errorf(chatops.CodeUnavailable, "%s", text)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
