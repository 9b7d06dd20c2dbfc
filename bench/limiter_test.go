package bench

import (
	"context"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-chi/httprate"
	"github.com/ulule/limiter/v3"
	ulule "github.com/ulule/limiter/v3/drivers/store/memory"
	"golang.org/x/time/rate"

	"chatops/internal/ratelimit"
)

// limiters are 30 events per window for each key.
var limiters = []struct {
	name string
	make func(keys int, window time.Duration) func(key string) bool
}{
	{"chatops", func(keys int, window time.Duration) func(string) bool {
		l, err := ratelimit.New(ratelimit.Options{
			Limits:  map[string]ratelimit.Limit{"chat": {{Count: 30, Window: window}}},
			MaxKeys: 2 * keys,
		})
		if err != nil {
			panic(err)
		}
		ctx := context.Background()
		return func(key string) bool {
			return l.Allow(ctx, key, ratelimit.Check{Limit: "chat", Key: key}).Allowed
		}
	}},
	{"sharded rings", newRings},
	{"x/time/rate", func(_ int, window time.Duration) func(string) bool {
		var mu sync.Mutex
		all := map[string]*rate.Limiter{}
		return func(key string) bool {
			mu.Lock()
			l := all[key]
			if l == nil {
				l = rate.NewLimiter(rate.Every(window/30), 30)
				all[key] = l
			}
			mu.Unlock()
			return l.Allow()
		}
	}},
	{"ulule", func(_ int, window time.Duration) func(string) bool {
		l := limiter.New(ulule.NewStore(), limiter.Rate{Period: window, Limit: 30})
		ctx := context.Background()
		return func(key string) bool {
			c, err := l.Get(ctx, key)
			return err == nil && !c.Reached
		}
	}},
	{"httprate", func(_ int, window time.Duration) func(string) bool {
		l := httprate.NewRateLimiter(30, window)
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		return func(key string) bool { return !l.OnLimit(nowhere{}, r, key) }
	}},
}

// nowhere takes headers and forgets them.
type nowhere struct{}

func (nowhere) Header() http.Header         { return http.Header{} }
func (nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (nowhere) WriteHeader(int)             {}

// newRings is the least that an exact log can be: a clock, a hash, one lock of
// 256, a map and a ring. It bounds nothing, counts nothing and changes nothing.
func newRings(_ int, window time.Duration) func(string) bool {
	type ring struct {
		at   [30]int64
		next int
	}
	type shard struct {
		mu   sync.Mutex
		keys map[string]*ring
	}
	seed, start := maphash.MakeSeed(), time.Now()
	var shards [256]shard
	for i := range shards {
		shards[i].keys = map[string]*ring{}
	}
	return func(key string) bool {
		s := &shards[maphash.String(seed, key)%256]
		now := int64(time.Since(start)) + int64(window)
		s.mu.Lock()
		defer s.mu.Unlock()
		r := s.keys[key]
		if r == nil {
			r = &ring{}
			s.keys[key] = r
		}
		if now-r.at[r.next] < int64(window) {
			return false
		}
		r.at[r.next] = now
		if r.next++; r.next == len(r.at) {
			r.next = 0
		}
		return true
	}
}

func addresses(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)
	}
	rand.Shuffle(n, func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	return keys
}

// BenchmarkLimiterMemory measures one decision of a known key. The hot key is
// refused but for its first 30 events; of many keys most are allowed.
func BenchmarkLimiterMemory(b *testing.B) {
	sizes := []int{1, 100_000}
	if *large {
		sizes = append(sizes, 1_000_000)
	}
	for _, size := range sizes {
		keys := addresses(size)
		took := map[string][]float64{}
		allocs := map[string]float64{}
		for range *rounds {
			for _, l := range limiters {
				allow := l.make(size, time.Minute)
				for _, key := range keys {
					allow(key)
				}
				ns, n := timed(allow, keys)
				took[l.name] = append(took[l.name], ns)
				allocs[l.name] = n
			}
		}
		for _, l := range limiters {
			fmt.Printf("%9d keys  %-14s %8.0f ns/op  %4.1f allocs/op  (rounds %.0f)\n",
				size, l.name, median(took[l.name]), allocs[l.name], took[l.name])
		}
		for _, l := range limiters[1:] {
			v := versus{what: fmt.Sprintf("decision in memory, %d keys", size), peer: l.name, unit: "ns/op", ours: took["chatops"], theirs: took[l.name]}
			v.report(b)
		}
	}
}

// timed returns processor time and allocations per decision: what else runs on the
// machine counts for less than by the clock on the wall.
func timed(allow func(string) bool, keys []string) (ns, allocs float64) {
	const n = 2_000_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := ownTime()
	for i, k := 0, 0; i < n; i++ {
		allow(keys[k])
		if k++; k == len(keys) {
			k = 0
		}
	}
	took := ownTime() - start
	runtime.ReadMemStats(&after)
	return float64(took.Nanoseconds()) / n, float64(after.Mallocs-before.Mallocs) / n
}

func ownTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkLimiterBytes measures what a key with 30 events occupies.
func BenchmarkLimiterBytes(b *testing.B) {
	size := 100_000
	if *large {
		size = 1_000_000
	}
	keys := addresses(size)
	for _, l := range limiters {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.GC() // what the first one found
		runtime.ReadMemStats(&before)
		allow := l.make(size, time.Hour)
		for range 30 {
			for _, key := range keys {
				allow(key)
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		fmt.Printf("%9d keys  %-14s %8.0f bytes/key at 30 events\n", size, l.name, (float64(after.HeapAlloc)-float64(before.HeapAlloc))/float64(size))
		runtime.KeepAlive(allow)
	}
	runtime.KeepAlive(keys)
}

// BenchmarkLimiterWorst finds the most events that a limiter of 30 lets through in
// any window, when somebody tries every millisecond from different moments on.
func BenchmarkLimiterWorst(b *testing.B) {
	const window = time.Second
	worst := make([]int, len(limiters))
	var wg sync.WaitGroup
	for i, l := range limiters {
		allow := l.make(100, window)
		results := make([]int, 10)
		var attacks sync.WaitGroup
		for phase := range results {
			attacks.Go(func() {
				// Fixed windows begin with full seconds.
				begin := time.Now().Truncate(window).Add(2*window + time.Duration(phase)*window/10)
				results[phase] = attack(begin, window, func() bool { return allow("key" + strconv.Itoa(phase)) })
			})
		}
		wg.Go(func() {
			attacks.Wait()
			for _, n := range results {
				worst[i] = max(worst[i], n)
			}
		})
	}
	wg.Wait()
	for i, l := range limiters {
		fmt.Printf("worst window at a limit of 30   %-14s %d\n", l.name, worst[i])
	}
}

// attack tries every millisecond for three windows and returns the most events
// that were certainly allowed within one.
func attack(begin time.Time, window time.Duration, allow func() bool) int {
	type span struct{ from, to time.Time }
	var allowed []span
	timer := time.NewTicker(time.Millisecond)
	defer timer.Stop()
	for now := range timer.C {
		if now.Before(begin) {
			continue
		}
		if now.After(begin.Add(3 * window)) {
			break
		}
		for range 100 { // as fast as it lets through
			from := time.Now()
			if !allow() {
				break
			}
			allowed = append(allowed, span{from, time.Now()})
		}
	}
	worst := 0
	for i := range allowed {
		n := 0
		for _, s := range allowed[i:] {
			if s.to.Sub(allowed[i].from) < window {
				n++
			}
		}
		worst = max(worst, n)
	}
	return worst
}
