package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"

	"chatops/internal/ratelimit"
	"chatops/internal/redistest"
)

// BenchmarkLimiterRedis measures decisions through one Redis, for 100,000 clients
// of which hardly any reaches its limit.
func BenchmarkLimiterRedis(b *testing.B) {
	server := redistest.Start(b, redistest.Options{})
	keys := addresses(100_000)
	peers := []struct {
		name string
		make func() func(key string) bool
	}{
		{"redis_rate", func() func(string) bool {
			l := redis_rate.NewLimiter(redisClient(b, server.URL()))
			return func(key string) bool {
				r, err := l.Allow(context.Background(), key, redis_rate.PerMinute(30))
				return err == nil && r.Allowed > 0
			}
		}},
	}
	for _, clients := range []int{1, 64, 256} {
		for _, p := range peers {
			perSecond := versus{what: fmt.Sprintf("decision through Redis, %d clients", clients), peer: p.name, unit: "/s"}
			latency := versus{what: "  median of their time", peer: p.name, unit: "us"}
			for range *rounds {
				ours := drive(clients, keys, sharedLimits(b, redisClient(b, server.URL())))
				theirs := drive(clients, keys, p.make())
				perSecond.add(ours.perSecond, theirs.perSecond)
				latency.add(ours.p50, theirs.p50)
			}
			perSecond.report(b)
			latency.report(b)
		}
	}
}

func redisClient(b *testing.B, url string) *redis.Client {
	b.Helper()
	o, err := redis.ParseURL(url)
	if err != nil {
		b.Fatal(err)
	}
	o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = time.Minute, time.Minute, time.Minute // the machine may be busy
	c := redis.NewClient(o)
	b.Cleanup(func() { _ = c.Close() })
	return c
}

// sharedLimits makes limits of which every decision goes through Redis, or the
// benchmark fails.
func sharedLimits(b *testing.B, c *redis.Client) func(key string) bool {
	b.Helper()
	l, err := ratelimit.New(ratelimit.Options{
		Limits: map[string]ratelimit.Limit{"chat": {{Count: 30, Window: time.Minute}}}, Redis: c, MaxKeys: 200_000, Patience: time.Minute,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if l.Report().Backend != "redis" {
			b.Error("Redis was left alone: the machine is too busy for this benchmark")
		}
	})
	return func(key string) bool {
		return l.Allow(context.Background(), key, ratelimit.Check{Limit: "chat", Key: key}).Allowed
	}
}

type load struct{ perSecond, p50 float64 }

// drive asks for decisions from so many goroutines, for two seconds.
func drive(clients int, keys []string, allow func(string) bool) load {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var all []float64
	var stop atomic.Bool
	allow(keys[0])
	start := time.Now()
	time.AfterFunc(2*time.Second, func() { stop.Store(true) })
	for range clients {
		wg.Go(func() {
			var mine []float64
			for !stop.Load() {
				begin := time.Now()
				allow(keys[rand.IntN(len(keys))])
				mine = append(mine, float64(time.Since(begin).Nanoseconds())/1000)
			}
			mu.Lock()
			all = append(all, mine...)
			mu.Unlock()
		})
	}
	wg.Wait()
	took := time.Since(start).Seconds()
	slices.Sort(all)
	return load{perSecond: float64(len(all)) / took, p50: all[len(all)/2]}
}
