package cache

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// clock is moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 29, 0, 59, 0, 0, time.UTC)} }

// local makes a cache without Redis whose clock is moved by hand.
func local(tb testing.TB, o Options) (*Space, *clock) {
	tb.Helper()
	at := newClock()
	o.NowFunc = at.Now
	c, err := New(o)
	if err != nil {
		tb.Fatal(err)
	}
	return c.Space("test"), at
}

func put(tb testing.TB, s *Space, key, value string, ttl time.Duration) {
	tb.Helper()
	s.Set(tb.Context(), key, []byte(value), ttl)
}

func look(tb testing.TB, s *Space, key string) string {
	tb.Helper()
	value, ok := s.Get(tb.Context(), key)
	if ok != (value != nil) {
		tb.Fatalf("key %s: value %q, found %v", key, value, ok)
	}
	return string(value)
}

func TestSpace_ReturnsWhatWasStoredUntilItsTimeIsOver(t *testing.T) {
	t.Parallel()
	s, at := local(t, Options{})
	put(t, s, "k", "first", time.Minute)
	put(t, s, "k", "second", time.Minute)
	if got := look(t, s, "k"); got != "second" {
		t.Errorf("got %q", got)
	}
	at.advance(time.Minute - 1)
	if got := look(t, s, "k"); got != "second" {
		t.Errorf("a moment before: %q", got)
	}
	at.advance(1)
	if got := look(t, s, "k"); got != "" {
		t.Errorf("after its time: %q", got)
	}
	put(t, s, "k", "third", time.Minute)
	if got := look(t, s, "k"); got != "third" {
		t.Errorf("stored again: %q", got)
	}
	if err := s.Delete(t.Context(), "k"); err != nil || look(t, s, "k") != "" {
		t.Errorf("deleted: %v, %q", err, look(t, s, "k"))
	}
	if n, b := s.cache.Size(); n != 0 || b != 0 {
		t.Errorf("%d entries, %d bytes are left", n, b)
	}
}

func TestSpace_KeysOfOneSpaceMeanNothingInAnother(t *testing.T) {
	t.Parallel()
	s, _ := local(t, Options{})
	other := s.cache.Space("tes")
	put(t, s, "k", "x", time.Minute)
	if got := look(t, other, "tk") + look(t, other, "k"); got != "" {
		t.Errorf("another space holds %q", got)
	}
}

func TestSpace_StoresNothingThatIsEmptyTooLargeOrOver(t *testing.T) {
	t.Parallel()
	s, _ := local(t, Options{MaxValue: 10})
	put(t, s, "empty", "", time.Minute)
	put(t, s, "large", "12345678901", time.Minute)
	put(t, s, "over", "x", 0)
	put(t, s, "past", "x", -time.Minute)
	put(t, s, "full", "1234567890", time.Minute)
	if n, _ := s.cache.Size(); n != 1 || look(t, s, "full") == "" {
		t.Errorf("%d entries, want the one that fits", n)
	}
}

func TestSpace_KeepsACopy(t *testing.T) {
	t.Parallel()
	s, _ := local(t, Options{})
	value := []byte("mine")
	s.Set(t.Context(), "k", value, time.Minute)
	value[0] = 'X'
	if got := look(t, s, "k"); got != "mine" {
		t.Errorf("got %q", got)
	}
}

func TestNew_RefusesBoundsThatHoldNothing(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{{MaxEntries: -1}, {MaxValue: -1}, {MaxBytes: 100}, {MaxBytes: 1000, MaxValue: 1000}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}

func TestMemory_KeepsWhatIsReadWhenOthersMustGo(t *testing.T) {
	t.Parallel()
	s, _ := local(t, Options{MaxEntries: 100})
	for i := range 50 {
		put(t, s, fmt.Sprint("dear", i), "x", time.Hour)
	}
	for i := range 10_000 {
		put(t, s, fmt.Sprint("once", i), "x", time.Hour)
		_ = look(t, s, fmt.Sprint("dear", i%50))
	}
	kept := 0
	for i := range 50 {
		if look(t, s, fmt.Sprint("dear", i)) != "" {
			kept++
		}
	}
	if kept < 49 {
		t.Errorf("%d of 50 keys that are read all the time are left", kept)
	}
}

// The bounds hold after every single step, and what is found is what was stored
// last; nothing is missing that there was room for.
func TestMemory_DoesAsASlowModelSays(t *testing.T) {
	t.Parallel()
	type value struct {
		text    string
		expires time.Time
	}
	rapid.Check(t, func(rt *rapid.T) {
		o := Options{
			MaxEntries: rapid.IntRange(1, 12).Draw(rt, "entries"),
			MaxValue:   rapid.IntRange(1, 300).Draw(rt, "value"),
		}
		o.MaxBytes = o.MaxValue + entryOverhead + rapid.IntRange(0, 2000).Draw(rt, "bytes")
		s, at := local(t, o)
		model := map[string]value{}
		rt.Repeat(map[string]func(*rapid.T){
			"set": func(rt *rapid.T) {
				key := rapid.StringMatching(`[a-p]`).Draw(rt, "key")
				v := value{rapid.StringMatching(`[x-z]{1,300}`).Draw(rt, "text"), at.Now().Add(time.Duration(rapid.IntRange(1, 5).Draw(rt, "ttl")) * time.Second)}
				put(t, s, key, v.text, v.expires.Sub(at.Now()))
				if len(v.text) <= o.MaxValue {
					model[key] = v
				}
			},
			"get": func(rt *rapid.T) {
				key := rapid.StringMatching(`[a-p]`).Draw(rt, "key")
				want, known := model[key]
				got := look(t, s, key)
				switch {
				case got == "" && known && want.expires.After(at.Now()) && s.cache.memory.evicted.Load() == 0:
					rt.Fatalf("%s is missing", key)
				case got != "" && (got != want.text || !want.expires.After(at.Now())):
					rt.Fatalf("%s holds %q, want %q", key, got, want.text)
				}
			},
			"delete": func(rt *rapid.T) {
				key := rapid.StringMatching(`[a-p]`).Draw(rt, "key")
				_ = s.Delete(t.Context(), key)
				delete(model, key)
			},
			"wait": func(rt *rapid.T) {
				at.advance(time.Duration(rapid.IntRange(1, 2000).Draw(rt, "ms")) * time.Millisecond)
			},
			"purge": func(rt *rapid.T) {
				expired := 0
				maps.DeleteFunc(model, func(_ string, v value) bool {
					if v.expires.After(at.Now()) {
						return false
					}
					expired++
					return true
				})
				before, _ := s.cache.Size()
				n := s.cache.Purge(t.Context())
				after, _ := s.cache.Size()
				if n != before-after || s.cache.memory.evicted.Load() == 0 && (n != expired || after != len(model)) {
					rt.Fatalf("purged %d of %d entries, %d are left; the model %d, %d", n, before, after, expired, len(model))
				}
			},
			"": func(rt *rapid.T) {
				if n, b := s.cache.Size(); n > o.MaxEntries || b > o.MaxBytes {
					rt.Fatalf("%d entries and %d bytes, allowed are %d and %d", n, b, o.MaxEntries, o.MaxBytes)
				}
				sound(rt, s.cache.memory)
			},
		})
	})
}

// sound checks that index, queue, free places and sizes of every shard agree.
func sound(t rapid.TB, m *memory) {
	t.Helper()
	for i := range m.shards {
		s := &m.shards[i]
		n, bytes, handed := 0, 0, s.hand == none
		for at, older := s.oldest, none; at != none; at, older = s.items[at].newer, at {
			it := &s.items[at]
			if s.index[it.key] != at || it.older != older {
				t.Fatalf("item %d is not where the index or its neighbour says", at)
			}
			n, bytes, handed = n+1, bytes+len(it.value)+entryOverhead, handed || at == s.hand
		}
		if n != len(s.index) || bytes != s.bytes || n+len(s.free) != len(s.items) || !handed {
			t.Fatalf("shard of %d entries, %d bytes, %d places, %d free: queue of %d, %d bytes, hand in it: %v",
				len(s.index), s.bytes, len(s.items), len(s.free), n, bytes, handed)
		}
	}
}

// A day of keys that are never used again, three a second, each for ten minutes,
// purged every ten minutes: never more than those of twenty minutes are held,
// and the memory of the morning is that of the evening.
func TestMemory_DoesNotGrowOverADayOfUniqueKeys(t *testing.T) {
	t.Parallel()
	s, at := local(t, Options{})
	const perMinute, ttl = 180, 10
	most, purged, added := 0, 0, 0
	for minute := range 24 * 60 {
		for i := range perMinute {
			put(t, s, fmt.Sprint("visitor ", minute, i), "an answer", ttl*time.Minute)
			added++
		}
		n, _ := s.cache.Size()
		most = max(most, n)
		at.advance(time.Minute)
		if minute%10 == 9 {
			purged += s.cache.Purge(t.Context())
		}
	}
	if bound := perMinute * 2 * ttl; most > bound {
		t.Errorf("%d entries at once, want at most %d", most, bound)
	}
	at.advance(ttl * time.Minute)
	purged += s.cache.Purge(t.Context())
	if n, b := s.cache.Size(); n != 0 || b != 0 || purged != added {
		t.Errorf("%d of %d were purged; %d entries, %d bytes are left", purged, added, n, b)
	}
	for i := range s.cache.memory.shards {
		if places := len(s.cache.memory.shards[i].items); places != 0 {
			t.Errorf("shard %d keeps %d places", i, places)
		}
	}
}

// Without a purge, the bound of entries holds all the same.
func TestMemory_IsBoundedWithoutAPurge(t *testing.T) {
	t.Parallel()
	s, _ := local(t, Options{MaxEntries: 10_000, MaxBytes: 4 << 20})
	value := slices.Repeat([]byte("x"), 1000)
	for i := range 50_000 {
		s.Set(t.Context(), fmt.Sprint(i), value, time.Hour)
		if i%1000 == 0 {
			if n, b := s.cache.Size(); n > 10_000 || b > 4<<20 {
				t.Fatalf("%d entries, %d bytes", n, b)
			}
		}
	}
	if _, b := s.cache.Size(); b < 3<<20 {
		t.Errorf("only %d bytes are used", b)
	}
}

// What an entry is counted with is what it takes.
func TestMemory_CountsWhatEntriesTake(t *testing.T) { //nolint:paralleltest // measures the whole heap
	const n, size = 200_000, 100
	used := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := used()
	s, _ := local(t, Options{MaxEntries: 2 * n, MaxBytes: 1 << 30})
	value := make([]byte, size)
	for i := range n {
		s.Set(t.Context(), fmt.Sprint(i), value, time.Hour)
	}
	took := used() - before
	_, counted := s.cache.Size()
	t.Logf("%d bytes an entry besides its value", took/n-size)
	if took > int64(counted)*11/10 {
		t.Errorf("%d entries take %d bytes, counted are %d", n, took, counted)
	}
	runtime.KeepAlive(s)
}

func TestMemory_IsReadWrittenAndPurgedAtOnce(t *testing.T) {
	t.Parallel()
	s, at := local(t, Options{MaxEntries: 500})
	var wg sync.WaitGroup
	for worker := range uint64(8) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(worker, 1))
			for range 2000 {
				key := fmt.Sprint(r.IntN(1000))
				switch r.IntN(10) {
				case 0:
					at.advance(time.Millisecond)
				case 1:
					s.cache.Purge(t.Context())
				case 2:
					_ = s.Delete(t.Context(), key)
				case 3, 4, 5:
					put(t, s, key, "value of "+key, 100*time.Millisecond)
				default:
					if got := look(t, s, key); got != "" && got != "value of "+key {
						t.Errorf("key %s holds %q", key, got)
					}
				}
			}
		})
	}
	wg.Wait()
	for i := range s.cache.memory.shards {
		if n := len(s.cache.memory.shards[i].index); n > 500 {
			t.Errorf("%d entries", n)
		}
	}
}

func TestPurge_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	s, at := local(t, Options{})
	put(t, s, "k", "x", time.Second)
	at.advance(time.Second)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if n := s.cache.Purge(ctx); n != 0 {
		t.Errorf("%d entries were removed", n)
	}
}

func TestCleanUp_SaysHowMuchItRemoved(t *testing.T) {
	t.Parallel()
	s, at := local(t, Options{})
	for i := range 3 {
		put(t, s, fmt.Sprint(i), "x", time.Minute)
	}
	at.advance(time.Minute)
	for _, want := range []string{"3 entries removed", "0 entries removed"} {
		if result, err := s.cache.CleanUp(t.Context()); result != want || err != nil {
			t.Errorf("clean-up: %q, %v, want %q", result, err, want)
		}
	}
}
