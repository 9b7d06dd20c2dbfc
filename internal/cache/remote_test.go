package cache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"chatops/internal/chatops"
	"chatops/internal/redisclient"
	"chatops/internal/redistest"
	"chatops/internal/testserver"
)

// slack widens bounds of time for machines that run other tests meanwhile;
// benchmarks measure the time itself.
const slack = 4

// patience bounds every wait for something that should come soon.
const patience = 30 * time.Second

func client(tb testing.TB, address string) redis.UniversalClient {
	tb.Helper()
	c, err := redisclient.Open(address, redisclient.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

// replica is the cache of a process that runs until the test ends.
func replica(tb testing.TB, address string, options ...func(*Options)) *Space {
	tb.Helper()
	o := Options{Redis: client(tb, address)}
	for _, set := range options {
		set(&o)
	}
	c, err := New(o)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = c.Run(ctx)
	}()
	tb.Cleanup(func() { cancel(); <-done })
	return c.Space("test")
}

// awaitShared stores a value in one replica until the other one has it. A busy
// machine may take one of them for down at first.
func awaitShared(t *testing.T, from, to *Space, key string) {
	t.Helper()
	err := testserver.Poll(patience, func(ctx context.Context) error {
		from.Set(ctx, key, []byte("value of "+key), time.Minute)
		if value, ok := to.Get(ctx, key); !ok || string(value) != "value of "+key {
			return fmt.Errorf("the other replica has %q", value)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%s is not shared: %v", key, err)
	}
}

func TestRemote_OneReplicaStoresAndAllRead(t *testing.T) {
	t.Parallel()
	url := redistest.New(t)
	a, b := replica(t, url), replica(t, url)
	awaitShared(t, a, b, "k")
	c := client(t, url)
	keys, err := c.Keys(t.Context(), "*").Result()
	if err != nil || len(keys) != 1 || !strings.HasPrefix(keys[0], "chatops:cache:test:") || strings.Contains(keys[0], ":k") {
		t.Errorf("keys in Redis: %v, %v", keys, err)
	}
	if ttl := c.PTTL(t.Context(), keys[0]).Val(); ttl <= 0 || ttl > time.Minute {
		t.Errorf("it lives %v in Redis", ttl)
	}
	// The second replica remembers it by itself now.
	if err := c.FlushDB(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	if look(t, b, "k") == "" {
		t.Error("what was read once is not remembered")
	}
	other := replica(t, url, func(o *Options) { o.Prefix = "elsewhere" })
	awaitShared(t, a, b, "l")
	if look(t, other, "l") != "" {
		t.Error("another installation sees the value")
	}
}

func TestRemote_WhatIsReadLivesNoLongerThanInRedis(t *testing.T) {
	t.Parallel()
	url, at := redistest.New(t), newClock()
	a, b := replica(t, url), replica(t, url, func(o *Options) { o.NowFunc = at.Now })
	awaitShared(t, a, b, "k")
	if err := client(t, url).FlushDB(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	at.advance(time.Minute)
	if got := look(t, b, "k"); got != "" {
		t.Errorf("after a minute it still has %q", got)
	}
}

func TestRemote_DeleteForgetsInRedisToo(t *testing.T) {
	t.Parallel()
	url := redistest.New(t)
	a, b := replica(t, url), replica(t, url)
	awaitShared(t, a, b, "k")
	err := testserver.Poll(patience, func(ctx context.Context) error { return a.Delete(ctx, "k") })
	if err != nil {
		t.Fatal(err)
	}
	if n := client(t, url).DBSize(t.Context()).Val(); n != 0 || look(t, a, "k") != "" {
		t.Errorf("%d keys are left in Redis, %q here", n, look(t, a, "k"))
	}
}

func TestRemote_ReadsNothingThatItWouldNotStore(t *testing.T) {
	t.Parallel()
	url := redistest.New(t)
	a, b := replica(t, url), replica(t, url, func(o *Options) { o.MaxValue = 10 })
	a.Set(t.Context(), "large", []byte(strings.Repeat("x", 11)), time.Minute)
	if got := look(t, b, "large"); got != "" {
		t.Errorf("read %q", got)
	}
	awaitShared(t, a, replica(t, url), "large")
}

// fault is what may happen to Redis, and how it ends.
type fault struct{ begin, end func(*redistest.Server) }

// F11: nobody waits for Redis but one call, values of this process are at hand
// meanwhile, and within five seconds after Redis is back they are shared again.
func TestRemote_RedisInTroubleCostsOneCallAndHealsByItself(t *testing.T) {
	t.Parallel()
	faults := map[string]fault{
		"hung":            {(*redistest.Server).Pause, (*redistest.Server).Resume},
		"killed":          {(*redistest.Server).Kill, (*redistest.Server).Start},
		"restarted empty": {(*redistest.Server).Stop, (*redistest.Server).Start},
	}
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := redistest.Start(t, redistest.Options{})
			a, b := replica(t, s.URL()), replica(t, s.URL())
			awaitShared(t, a, b, "before")
			f.begin(s)
			trouble(t, a)
			f.end(s)
			recovers(t, a, b)
		})
	}
}

// trouble uses a cache while its Redis is away.
func trouble(t *testing.T, a *Space) {
	t.Helper()
	if took := timed(func() { _ = look(t, a, "unknown") }); took > slack*60*time.Millisecond {
		t.Errorf("the first call took %v", took)
	}
	if a.cache.Shared() {
		t.Fatal("Redis is not taken for down")
	}
	took := timed(func() {
		for i := range 1000 {
			key := fmt.Sprint("alone", i)
			put(t, a, key, "x", time.Minute)
			if look(t, a, key) != "x" || look(t, a, "unknown") != "" {
				t.Errorf("%s is not remembered", key)
			}
		}
	})
	if took > slack*time.Second { // 150 s if each waited
		t.Errorf("3,000 calls without Redis took %v", took)
	}
	if look(t, a, "before") == "" {
		t.Error("what this process knew is forgotten")
	}
	if err := a.Delete(t.Context(), "before"); chatops.ErrorCode(err) != chatops.CodeUnavailable || look(t, a, "before") != "" {
		t.Errorf("delete: %v", err)
	}
}

func recovers(t *testing.T, a, b *Space) {
	t.Helper()
	back := time.Now()
	err := testserver.Poll(patience, func(context.Context) error {
		if !a.cache.Shared() {
			return errors.New("down")
		}
		return nil
	})
	if took := time.Since(back); err != nil || took > slack*5*time.Second {
		t.Errorf("it took %v to find Redis again: %v", took, err)
	}
	awaitShared(t, a, b, "after")
}

func timed(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

func TestRemote_RedisThatIsAbsentAtTheStartIsFoundLater(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	s.Stop()
	a, b := replica(t, s.URL()), replica(t, s.URL())
	put(t, a, "before", "x", time.Minute)
	trouble(t, a)
	_ = look(t, b, "unknown")
	s.Start()
	recovers(t, a, b)
}

// The network is cut while Redis starts again, so that every kept connection is
// dead without knowing: they are sorted out in the background.
func TestRemote_ConnectionsThatDiedUnnoticedAreSortedOut(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	w := newWire(t, s.Addr())
	a, b := replica(t, strings.Replace(s.URL(), s.Addr(), w.addr(), 1)), replica(t, s.URL())
	awaitShared(t, a, b, "before")
	var wg sync.WaitGroup
	for i := range 16 { // so that many connections are kept
		wg.Go(func() { _ = look(t, a, fmt.Sprint("some", i)) })
	}
	wg.Wait()
	w.cut()
	trouble(t, a)
	s.Kill()
	s.Start()
	w.mend()
	recovers(t, a, b)
}

// A refusal is no outage: reading goes on, and nobody is kept waiting.
func TestRemote_RedisThatIsFullIsStillRead(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	var text logged
	a, b := replica(t, s.URL(), func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&text, nil)) }), replica(t, s.URL())
	awaitShared(t, a, b, "before")
	c := client(t, s.URL())
	if err := c.ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	err := testserver.Poll(patience, func(context.Context) error {
		put(t, a, "full", "x", time.Minute)
		if !strings.Contains(text.String(), "refuses") {
			return errors.New("Redis did not refuse")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	put(t, a, "full", "x", time.Minute)
	if look(t, a, "full") != "x" {
		t.Error("this process does not remember the value")
	}
	reader := replica(t, s.URL())
	err = testserver.Poll(patience, func(context.Context) error {
		if look(t, reader, "before") == "" {
			return errors.New("not found")
		}
		return nil
	})
	if err != nil {
		t.Errorf("nothing is read any more: %v", err)
	}
	if n := strings.Count(text.String(), "refuses"); n != 1 {
		t.Errorf("%d warnings, want one:\n%s", n, text.String())
	}
	if err := c.ConfigSet(t.Context(), "maxmemory", "0").Err(); err != nil {
		t.Fatal(err)
	}
	awaitShared(t, a, b, "after")
}

func TestRemote_AWrongPasswordIsToldWithoutShowingIt(t *testing.T) {
	t.Parallel()
	const secret = "Tr0ub4dor"
	s := redistest.Start(t, redistest.Options{})
	var text logged
	a := replica(t, strings.Replace(s.URL(), s.Password(), secret, 1), func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&text, nil)) })
	put(t, a, "before", "x", time.Minute)
	trouble(t, a)
	if !strings.Contains(text.String(), "WRONGPASS") || strings.Contains(text.String(), secret) {
		t.Errorf("logged:\n%s", text.String())
	}
}

func TestRemote_ARequestThatIsGivenUpSaysNothingAboutRedis(t *testing.T) {
	t.Parallel()
	a := replica(t, redistest.New(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 {
		if _, ok := a.Get(ctx, "k"); ok {
			t.Error("found")
		}
	}
	if !a.cache.Shared() {
		t.Error("Redis is taken for down")
	}
}

func TestRemote_AClusterWillDo(t *testing.T) {
	t.Parallel()
	s := redistest.StartCluster(t)
	a, b := replica(t, s.URL()), replica(t, s.URL())
	for i := range 10 {
		awaitShared(t, a, b, fmt.Sprint("k", i))
	}
}

func TestMetrics_SayWhereValuesWereFound(t *testing.T) {
	t.Parallel()
	url, reg := redistest.New(t), prometheus.NewRegistry()
	a, b := replica(t, url), replica(t, url, func(o *Options) { o.Registerer, o.MaxValue = reg, 100 })
	awaitShared(t, a, replica(t, url), "k")
	err := testserver.Poll(patience, func(context.Context) error {
		_ = look(t, b, "k")
		if gathered(t, reg)["chatops_cache_requests_total memory test"] == 0 {
			return errors.New("not in memory yet")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = look(t, b, "unknown")
	put(t, b, "large", strings.Repeat("x", 101), time.Minute)
	got := gathered(t, reg)
	for name, least := range map[string]float64{
		"entries": 1, "bytes": 100, "redis_up": 0, "refused_total test": 1, "evicted_total": 0, "redis_errors_total": 0, "purged_total": 0,
		"requests_total memory test": 1, "requests_total redis test": 1, "requests_total miss test": 1,
	} {
		if value, ok := got["chatops_cache_"+name]; !ok || value < least {
			t.Errorf("%s = %v, want at least %v", name, value, least)
		}
	}
	if _, err := New(Options{Registerer: reg}); err == nil {
		t.Error("the same metrics were registered twice")
	}
}

// gathered returns the values of metrics by their names and labels.
func gathered(t *testing.T, reg *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			values[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return values
}
