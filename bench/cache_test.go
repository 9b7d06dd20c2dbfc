package bench

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/golang-lru/v2/expirable"
	"github.com/jellydator/ttlcache/v3"
	"github.com/maypok86/otter/v2"

	"chatops/internal/cache"
)

// memoryCache is what is measured of a cache in memory. purge removes what has
// expired, which is everything.
type memoryCache struct {
	get   func(key string)
	set   func(key string, value []byte)
	purge func()
	left  func() int
}

const cacheEntries = 1_000_000

// chatopsCache is ours, on a clock that can be moved.
func chatopsCache(b *testing.B) memoryCache {
	var jump atomic.Int64
	c, err := cache.New(cache.Options{
		MaxEntries: 4 * cacheEntries, MaxBytes: 4 << 30,
		NowFunc: func() time.Time { return time.Now().Add(time.Duration(jump.Load())) },
	})
	if err != nil {
		b.Fatal(err)
	}
	s, ctx := c.Space("bench"), context.Background()
	return memoryCache{
		get:   func(key string) { _, _ = s.Get(ctx, key) },
		set:   func(key string, value []byte) { s.Set(ctx, key, value, time.Hour) },
		purge: func() { jump.Store(int64(2 * time.Hour)); c.Purge(ctx) },
		left:  func() int { n, _ := c.Size(); return n },
	}
}

// jumpingClock is otter's clock, which can be moved.
type jumpingClock struct{ jump atomic.Int64 }

func (c *jumpingClock) NowNano() int64                      { return time.Now().UnixNano() + c.jump.Load() }
func (c *jumpingClock) Tick(time.Duration) <-chan time.Time { return nil }

func otterCache(*testing.B) memoryCache {
	clock := &jumpingClock{}
	c := otter.Must(&otter.Options[string, []byte]{
		MaximumSize: 4 * cacheEntries, Clock: clock,
		ExpiryCalculator: otter.ExpiryCreating[string, []byte](time.Hour),
	})
	return memoryCache{
		get:   func(key string) { _, _ = c.GetIfPresent(key) },
		set:   func(key string, value []byte) { c.Set(key, value) },
		purge: func() { clock.jump.Store(int64(2 * time.Hour)); c.CleanUp() },
		left:  c.EstimatedSize,
	}
}

// ttlCache cannot be given a clock: its entries expire at once when they are to
// be purged.
func ttlCache(b *testing.B) memoryCache {
	ttl := time.Hour
	if b.Name() == "BenchmarkCachePurge" {
		ttl = time.Nanosecond
	}
	c := ttlcache.New(ttlcache.WithTTL[string, []byte](ttl), ttlcache.WithCapacity[string, []byte](4*cacheEntries))
	return memoryCache{
		get:   func(key string) { c.Get(key) },
		set:   func(key string, value []byte) { c.Set(key, value, ttlcache.DefaultTTL) },
		purge: c.DeleteExpired,
		left:  c.Len,
	}
}

// lruCache has no purge of what has expired but its own goroutine; emptying it
// is the nearest.
func lruCache(*testing.B) memoryCache {
	c := expirable.NewLRU[string, []byte](4*cacheEntries, nil, 0)
	return memoryCache{
		get:   func(key string) { c.Get(key) },
		set:   func(key string, value []byte) { c.Add(key, value) },
		purge: c.Purge,
		left:  c.Len,
	}
}

var cachePeers = []struct {
	name string
	make func(*testing.B) memoryCache
}{
	{"chatops", chatopsCache}, {"otter v2", otterCache}, {"golang-lru expirable", lruCache}, {"ttlcache v3", ttlCache},
}

func cacheKeys() []string {
	keys := make([]string, cacheEntries)
	for i := range keys {
		keys[i] = "visitor " + strconv.Itoa(i)
	}
	return keys
}

// BenchmarkCachePurge purges 1,000,000 expired entries while one reader reads,
// and reports how long it takes and the longest time that one read took.
func BenchmarkCachePurge(b *testing.B) {
	keys, value := cacheKeys(), make([]byte, 100)
	took, pause, idle := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
	for range *rounds {
		for _, p := range cachePeers {
			c := p.make(b)
			for _, key := range keys {
				c.set(key, value)
			}
			idle[p.name] = append(idle[p.name], longestRead(c, keys, func() { time.Sleep(200 * time.Millisecond) }))
			var total time.Duration
			pause[p.name] = append(pause[p.name], longestRead(c, keys, func() {
				start := time.Now()
				c.purge()
				total = time.Since(start)
			}))
			took[p.name] = append(took[p.name], total.Seconds()*1000)
			if n := c.left(); n != 0 {
				b.Errorf("%s: %d entries are left", p.name, n)
			}
		}
	}
	for _, p := range cachePeers {
		b.Logf("%-22s purge %8.1f ms, longest read %8.2f ms (without a purge %.2f ms)",
			p.name, median(took[p.name]), median(pause[p.name]), median(idle[p.name]))
	}
}

// longestRead reads until work is done, and returns the milliseconds of the
// longest read.
func longestRead(c memoryCache, keys []string, work func()) float64 {
	var stop atomic.Bool
	longest := make(chan time.Duration)
	go func() {
		var most time.Duration
		for i := 0; !stop.Load(); i = (i + 7919) % len(keys) {
			start := time.Now()
			c.get(keys[i])
			most = max(most, time.Since(start))
		}
		longest <- most
	}()
	work()
	stop.Store(true)
	return (<-longest).Seconds() * 1000
}

// BenchmarkCacheOps reports what a read and a write cost at 1,000,000 entries.
func BenchmarkCacheOps(b *testing.B) {
	keys, value := cacheKeys(), make([]byte, 100)
	read, write := map[string][]float64{}, map[string][]float64{}
	each := func(f func(key string)) float64 {
		start := time.Now()
		for _, key := range keys {
			f(key)
		}
		return float64(time.Since(start).Nanoseconds()) / float64(len(keys))
	}
	for range *rounds {
		for _, p := range cachePeers {
			c := p.make(b)
			write[p.name] = append(write[p.name], each(func(key string) { c.set(key, value) }))
			read[p.name] = append(read[p.name], each(c.get))
		}
	}
	for _, p := range cachePeers {
		b.Logf("%-22s set a new key %6.0f ns, get %6.0f ns", p.name, median(write[p.name]), median(read[p.name]))
	}
}
