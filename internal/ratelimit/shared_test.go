package ratelimit

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"chatops/internal/redistest"
)

// running is limits whose Run runs until the test ends.
func running(t *testing.T, o Options) *Limits {
	t.Helper()
	l := newLimits(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l
}

func (l *Limits) backend() string { return l.Report().Backend }

// until asks about new keys until the backend is as wanted.
func (l *Limits) until(t *testing.T, backend string) {
	t.Helper()
	i := 0
	await(t, func() bool {
		i++
		l.chat(t, fmt.Sprint(backend, i))
		return l.backend() == backend
	})
}

// wire is the network between a client and Redis. It can be cut without anybody
// being told.
type wire struct {
	cut   atomic.Bool
	calls atomic.Int64
}

func (w *wire) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if w.cut.Load() {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		c, err := next(ctx, network, addr)
		return &wireConn{Conn: c, wire: w}, err
	}
}

func (w *wire) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		w.calls.Add(1)
		return next(ctx, cmd)
	}
}

func (w *wire) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// wireConn swallows what is written while the wire is cut, so that no answer
// comes.
type wireConn struct {
	net.Conn

	wire *wire
}

func (c *wireConn) Write(b []byte) (int, error) {
	if c.wire.cut.Load() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

func TestFailover_EveryFaultLeavesStrictLocalLimitsAndHeals(t *testing.T) {
	t.Parallel()
	order := func(t *testing.T, s *redistest.Server, args ...any) func() {
		return func() {
			if err := patient(t, s.URL()).Do(t.Context(), args...).Err(); err != nil {
				t.Error(err)
			}
		}
	}
	for name, fault := range map[string]func(*testing.T, *redistest.Server, *wire) (begin, end func()){
		"hung":   func(_ *testing.T, s *redistest.Server, _ *wire) (begin, end func()) { return s.Pause, s.Resume },
		"killed": func(_ *testing.T, s *redistest.Server, _ *wire) (begin, end func()) { return s.Kill, s.Start },
		"partitioned": func(_ *testing.T, _ *redistest.Server, w *wire) (begin, end func()) {
			return func() { w.cut.Store(true) }, func() { w.cut.Store(false) }
		},
		"out of memory": func(t *testing.T, s *redistest.Server, _ *wire) (begin, end func()) {
			return order(t, s, "config", "set", "maxmemory", "1"), order(t, s, "config", "set", "maxmemory", "0")
		},
		"read only": func(t *testing.T, s *redistest.Server, _ *wire) (begin, end func()) {
			return order(t, s, "replicaof", "127.0.0.1", "1"), order(t, s, "replicaof", "no", "one")
		},
		"no right to write": func(t *testing.T, s *redistest.Server, _ *wire) (begin, end func()) {
			return order(t, s, "acl", "setuser", "default", "-set"), order(t, s, "acl", "setuser", "default", "+set")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, w := redistest.Start(t, redistest.Options{}), &wire{}
			begin, end := fault(t, s, w)
			limits := map[string]Limit{"chat": mustParse(t, "5 per hour")}
			var all []*Limits
			for range 2 {
				c := client(t, s.URL())
				c.AddHook(w)
				all = append(all, running(t, Options{Limits: limits, Redis: c}))
				all[len(all)-1].until(t, "redis")
			}
			begin()
			start := time.Now()
			for i, l := range all {
				if n := allowed(t, l, "during", 12); n != 5 {
					t.Errorf("replica %d allows %d of 12 events, want 5", i, n)
				}
				l.until(t, "local")
			}
			// 50 ms for the first; the client by itself would wait for seconds.
			if took := time.Since(start); took > 3*time.Second {
				t.Errorf("the decisions took %s", took)
			}
			before := w.calls.Load()
			allowed(t, all[0], "more", 10_000)
			if n := w.calls.Load() - before; n > 100 {
				t.Errorf("10000 events sent %d calls to a Redis that is down", n)
			}
			end()
			ended := time.Now()
			for _, l := range all {
				l.until(t, "redis")
				if n := allowed(t, l, "during", 3); n != 0 {
					t.Errorf("%d events more are allowed once Redis is back", n)
				}
			}
			t.Logf("healed after %s", time.Since(ended))
			together := 0
			for round := 0; round < 20 && together != 5; round++ { // a busy machine may be slow again
				for _, l := range all {
					l.until(t, "redis")
				}
				key := fmt.Sprint("after ", round)
				together = allowed(t, all[0], key, 4) + allowed(t, all[1], key, 4)
			}
			if together != 5 {
				t.Errorf("both replicas allow %d events afterwards, want 5", together)
			}
		})
	}
}

func allowed(t *testing.T, l *Limits, key string, events int) (n int) {
	t.Helper()
	for range events {
		if l.chat(t, key).Allowed {
			n++
		}
	}
	return n
}

func TestFailover_ARedisThatIsAbsentAtFirstIsFound(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	s.Stop()
	reg := prometheus.NewRegistry()
	l := running(t, Options{
		Limits: map[string]Limit{"chat": mustParse(t, "5 per hour")}, Redis: client(t, s.URL()), Registerer: reg,
	})
	if n := allowed(t, l, "a", 12); n != 5 {
		t.Errorf("%d of 12 events are allowed, want 5", n)
	}
	await(t, func() bool { return l.backend() == "local" })
	if up, failures := metric(t, reg, "chatops_ratelimit_redis_up", "", ""), metric(t, reg, "chatops_ratelimit_redis_failures_total", "", ""); up != 0 || failures != 1 {
		t.Errorf("up %v, failures %v", up, failures)
	}
	s.Start()
	await(t, func() bool { return l.backend() == "redis" })
	if up := metric(t, reg, "chatops_ratelimit_redis_up", "", ""); up != 1 {
		t.Errorf("up %v", up)
	}
	l.until(t, "redis")
	if n := metric(t, reg, "chatops_ratelimit_redis_seconds", "", ""); n == 0 {
		t.Error("no decision was timed")
	}
}

func TestFailover_ScriptsThatAreForgottenAreSentAgain(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	c := patient(t, s.URL())
	l := replicas(t, 1, c, map[string]Limit{"chat": mustParse(t, "5 per hour")})[0]
	for i := range 5 {
		if err := c.ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		if d := l.chat(t, "a"); !d.Allowed || d.Remaining != 4-i || l.shared.down.Load() {
			t.Errorf("event %d: %+v, down %v", i, d, l.shared.down.Load())
		}
	}
}

// hanging is limits whose Redis never answers, without a Redis.
func hanging(t *testing.T) *Limits {
	t.Helper()
	never := &redis.Options{Addr: "127.0.0.1:1", Dialer: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	c := redis.NewClient(never)
	t.Cleanup(func() { _ = c.Close() })
	l := newLimits(t, Options{Limits: map[string]Limit{"chat": mustParse(t, "5 per hour")}, Redis: c})
	forever := t.Context().Done()
	l.shared.batch.sendFunc = func([]*event) { <-forever }
	return l
}

func TestFailover_NobodyWaitsForLongerThanPatience(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := hanging(t)
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 300 {
			wg.Go(func() { l.chat(t, fmt.Sprint(i)) })
		}
		wg.Wait()
		if took := time.Since(start); took != standardPatience {
			t.Errorf("300 decisions took %s, want %s", took, standardPatience)
		}
		l.chat(t, "next")
		if took := time.Since(start); took != standardPatience {
			t.Errorf("one more waited for %s", took-standardPatience)
		}
	})
}

func TestFailover_WhoeverWaitsIsReleasedWhenTheFirstGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := hanging(t)
		start := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() { l.chat(t, "first") })
		time.AfterFunc(standardPatience-time.Millisecond, func() {
			for i := range 300 {
				wg.Go(func() { l.chat(t, fmt.Sprint(i)) })
			}
		})
		synctest.Wait()
		<-time.After(standardPatience - time.Millisecond)
		synctest.Wait()
		wg.Wait()
		if took := time.Since(start); took != standardPatience {
			t.Errorf("they waited until %s, want %s", took, standardPatience)
		}
	})
}

func TestFailover_ACallerThatLeavesWaitsForNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := hanging(t)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		start := time.Now()
		if d := l.Allow(ctx, "a", Check{"chat", "a"}); !d.Allowed {
			t.Errorf("%+v", d)
		}
		if took := time.Since(start); took != 10*time.Millisecond || l.shared.down.Load() {
			t.Errorf("waited %s, down %v", took, l.shared.down.Load())
		}
	})
}
