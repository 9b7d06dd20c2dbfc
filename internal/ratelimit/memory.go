package ratelimit

import (
	"sync"
	"time"
)

// Decision is what a limiter says about one event.
type Decision struct {
	Allowed bool
	// Rule is the rule that is nearest to its end; of a refused event the one
	// that must be waited for longest.
	Rule      Rule
	Remaining int // events that Rule still allows now
	// Reset is when the oldest event leaves the window of Rule, from now.
	Reset time.Duration
	// RetryAfter is when the event would be allowed, from now; 0 when it was.
	RetryAfter time.Duration
}

// MemoryOptions are the settings of a Memory. The zero value is sound.
type MemoryOptions struct {
	// MaxKeys bounds how many keys are remembered; 0: 100,000. One more forgets
	// the key that was asked about longest ago. That gives nobody more than the
	// limit: whoever has so many keys may use each of them once anyway.
	MaxKeys int
	NowFunc func() time.Time // nil: time.Now
}

const standardMaxKeys = 100_000

// Memory is a limiter of this process: an exact log of the moments of allowed
// events for each key. Refused events are not counted. It is safe for concurrent
// use.
type Memory struct {
	limit   Limit
	depth   int   // greatest count: so many moments matter
	longest int64 // longest window, nanoseconds
	maxKeys int
	nowFunc func() time.Time
	start   time.Time

	mu   sync.Mutex
	last int64 // the latest moment seen: time does not go backwards here
	keys map[string]*history
	ring history // its next is the key asked about last, its prev the one longest ago
}

// NewMemory makes a limiter.
func NewMemory(limit Limit, opts MemoryOptions) *Memory {
	m := &Memory{limit: limit, maxKeys: opts.MaxKeys, nowFunc: opts.NowFunc, keys: map[string]*history{}}
	if m.maxKeys <= 0 {
		m.maxKeys = standardMaxKeys
	}
	if m.nowFunc == nil {
		m.nowFunc = time.Now
	}
	for _, r := range limit {
		m.depth = max(m.depth, r.Count)
		m.longest = max(m.longest, int64(r.Window))
	}
	m.start = m.nowFunc()
	m.ring.next, m.ring.prev = &m.ring, &m.ring
	return m
}

// Limit returns what the limiter enforces.
func (m *Memory) Limit() Limit { return m.limit }

// Allow counts one event of a key, if the limit allows it.
func (m *Memory) Allow(key string) Decision {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = max(m.last, int64(m.nowFunc().Sub(m.start)))
	h := m.find(key)
	if d, refused := m.refuse(h); refused {
		return d
	}
	h.add(m.last, m.longest, m.depth)
	return m.tightest(h)
}

// refuse finds the rule that forbids another event for the longest time.
func (m *Memory) refuse(h *history) (d Decision, refused bool) {
	for _, r := range m.limit {
		if h.count < r.Count {
			continue
		}
		wait := time.Duration(h.latest(r.Count) + int64(r.Window) - m.last)
		if wait > d.RetryAfter {
			d, refused = Decision{Rule: r, Reset: wait, RetryAfter: wait}, true
		}
	}
	return d, refused
}

// tightest describes the rule that allows the fewest events more. The key has
// just had one.
func (m *Memory) tightest(h *history) Decision {
	best := Decision{Remaining: m.depth}
	for _, r := range m.limit {
		used := h.since(m.last - int64(r.Window))
		d := Decision{
			Allowed: true, Rule: r, Remaining: r.Count - used,
			Reset: time.Duration(h.latest(used) + int64(r.Window) - m.last),
		}
		if d.Remaining < best.Remaining || d.Remaining == best.Remaining && d.Reset > best.Reset {
			best = d
		}
	}
	best.Allowed = true
	return best
}

// find returns a key's history, a new one where there is none, and forgets what
// cannot matter any more.
func (m *Memory) find(key string) *history {
	for range 2 { // two for each that may be added, so that the rest shrinks
		if old := m.ring.prev; old != &m.ring && old.seen+m.longest <= m.last {
			m.forget(old)
		}
	}
	h := m.keys[key]
	if h == nil {
		if len(m.keys) >= m.maxKeys {
			m.forget(m.ring.prev)
		}
		h = &history{key: key}
		m.keys[key] = h
	} else {
		h.unlink()
	}
	h.seen = m.last
	h.prev, h.next = &m.ring, m.ring.next
	h.prev.next, h.next.prev = h, h
	return h
}

func (m *Memory) forget(h *history) {
	h.unlink()
	delete(m.keys, h.key)
}
