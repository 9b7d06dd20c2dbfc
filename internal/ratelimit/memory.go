package ratelimit

import (
	"cmp"
	"hash/maphash"
	"slices"
	"sync"
	"time"
)

// standardMaxKeys is how many keys are remembered unless Options say otherwise.
const standardMaxKeys = 100_000

// Keys are spread over shards by a hash that nobody outside can foresee, so that
// nobody can fill one of them on purpose.
const (
	maxShards = 256
	shardKeys = 64 // fewer keys than that are not worth a shard
)

// memory holds the histories of all keys of all limits in this process. Of a key
// only its hash is kept: two keys that share all 64 bits would be counted as
// one, which happens to one of some billions of full memories.
type memory struct {
	seed   maphash.Seed
	shards []shard // a power of two of them
	mask   uint64  // one less than that
	limits []*named
}

type shard struct {
	mu    sync.Mutex
	last  int64 // the latest moment seen: time does not go backwards here
	keys  map[uint64]*history
	all   []*history // the same, in no order
	hand  int        // where in all the next search for what can go begins
	most  int        // keys since the map was made
	bound int
}

func newMemory(maxKeys int, limits []*named) *memory {
	if maxKeys <= 0 {
		maxKeys = standardMaxKeys
	}
	n := 1
	for n < maxShards && maxKeys >= 2*n*shardKeys {
		n *= 2
	}
	m := &memory{seed: maphash.MakeSeed(), shards: make([]shard, n), mask: uint64(n - 1), limits: limits} //nolint:gosec // n is 1 to 256
	for i := range m.shards {
		s := &m.shards[i]
		s.keys, s.bound = map[uint64]*history{}, max(1, maxKeys/n)
	}
	return m
}

// ask is one check on its way through the memory.
type ask struct {
	named *named
	value *value
	key   string
	hash  uint64
	found *history // by judge, while its shard is locked; nil: there is none
}

func (m *memory) hash(n *named, key string) uint64 { return maphash.String(m.seed, key) ^ n.salt }

func (m *memory) shard(hash uint64) *shard { return &m.shards[hash&m.mask] }

// order sorts asks as their shards must be locked, and drops what is asked twice.
func (m *memory) order(asks []ask) []ask {
	if len(asks) < 2 {
		return asks
	}
	slices.SortFunc(asks, func(a, b ask) int {
		return cmp.Or(cmp.Compare(a.hash&m.mask, b.hash&m.mask), cmp.Compare(a.hash, b.hash))
	})
	return slices.CompactFunc(asks, func(a, b ask) bool { return a.hash == b.hash })
}

// take counts an event in the history of every ask, or in none. It returns the
// decision, the moment it was taken and, when it was refused, the ask that
// refused it for longest.
func (m *memory) take(asks []ask, ns int64) (d Decision, now moment, by int) {
	var held *shard
	for i := range asks {
		if s := m.shard(asks[i].hash); s != held {
			s.mu.Lock()
			ns, held = max(ns, s.last), s
		}
	}
	now = momentOf(ns)
	if d, by = m.judge(asks, now); d.Allowed {
		for i := range asks {
			a, s := &asks[i], m.shard(asks[i].hash)
			s.last = ns
			if a.found == nil {
				a.found = m.enter(s, a, now)
			}
			a.found.add(now, a.value)
		}
	}
	held = nil
	for i := range asks {
		if s := m.shard(asks[i].hash); s != held {
			s.mu.Unlock()
			held = s
		}
	}
	return d, now, by
}

// judge decides on all asks together. Their shards are locked.
func (m *memory) judge(asks []ask, now moment) (d Decision, by int) {
	for i := range asks {
		a := &asks[i]
		a.found = m.shard(a.hash).keys[a.hash]
		h := a.found
		if h == nil {
			h = &history{}
		}
		next := h.judge(a.value, now)
		next.Limit = a.named.name
		if i == 0 || d.Allowed && (!next.Allowed || next.tighter(&d)) ||
			!d.Allowed && next.RetryAfter > d.RetryAfter {
			d, by = next, i
		}
	}
	return d, by
}

// takeBack removes the events that take counted at a moment. Until then they
// could refuse others, but nobody who is refused here was to be allowed.
func (m *memory) takeBack(asks []ask, at moment) {
	for i := range asks {
		s := m.shard(asks[i].hash)
		s.mu.Lock()
		if h := s.keys[asks[i].hash]; h != nil {
			h.remove(at, momentOf(max(s.last, at.ns)))
		}
		s.mu.Unlock()
	}
}

// shut remembers that Redis refuses a key for a time, by one rule.
func (m *memory) shut(a *ask, rule int, at moment, wait time.Duration) {
	s := m.shard(a.hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.keys[a.hash]; h != nil && int64(wait/tick) <= a.value.longest {
		h.shut, h.isShut = uint32(at.floor+int64(wait/tick)), true //nolint:gosec // the low half is meant
		h.value, h.rule = a.value.number, uint8(rule)              //nolint:gosec // there are at most 8
	}
}

// enter makes the history of a key that has none.
func (m *memory) enter(s *shard, a *ask, now moment) *history {
	m.makeRoom(s, now)
	h := &history{hash: a.hash, limit: a.named.index, slot: uint32(len(s.all))} //nolint:gosec // bounded by MaxKeys
	s.keys[a.hash] = h
	s.all = append(s.all, h)
	s.most = max(s.most, len(s.all))
	return h
}

// candidates is how many keys are looked at to forget one.
const candidates = 8

// makeRoom looks at the next keys in turn and forgets those that are over, and in
// a full shard at least one: the one that has used the smallest share of its
// limit. Somebody who wants a used-up limit forgotten must first use up the
// limits of the many keys around it.
func (m *memory) makeRoom(s *shard, now moment) {
	var least *history
	share := 0
	full := len(s.all) >= s.bound
	for range min(candidates, len(s.all)) {
		if s.hand >= len(s.all) {
			s.hand = 0
		}
		h := s.all[s.hand]
		v := m.limits[h.limit].current(now.ns)
		if h.over(v, now) {
			s.forget(h) // another one stands in its place now
			if full = len(s.all) >= s.bound; len(s.all) == 0 {
				return
			}
			continue
		}
		s.hand++
		if !full {
			return
		}
		if used := h.used(v, now); least == nil || used < share {
			least, share = h, used
		}
	}
	if full && least != nil {
		s.forget(least)
	}
}

func (s *shard) forget(h *history) {
	last := s.all[len(s.all)-1]
	s.all[h.slot], last.slot = last, h.slot
	s.all[len(s.all)-1] = nil
	s.all = s.all[:len(s.all)-1]
	delete(s.keys, h.hash)
}

// sweep forgets everything that is over, shard by shard, and gives back the room
// of many keys.
func (m *memory) sweep(ns int64) {
	for i := range m.shards {
		m.sweepShard(&m.shards[i], ns)
	}
}

func (m *memory) sweepShard(s *shard, ns int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := momentOf(max(ns, s.last))
	for _, h := range slices.Backward(s.all) {
		if h.over(m.limits[h.limit].current(now.ns), now) {
			s.forget(h)
		}
	}
	if s.most < shardKeys || len(s.all) > s.most/4 {
		return
	}
	s.all = slices.Clip(slices.Clone(s.all))
	s.keys = make(map[uint64]*history, len(s.all))
	for _, h := range s.all {
		s.keys[h.hash] = h
	}
	s.most, s.hand = len(s.all), 0
}

// size returns how many keys are remembered.
func (m *memory) size() int {
	n := 0
	for i := range m.shards {
		m.shards[i].mu.Lock()
		n += len(m.shards[i].all)
		m.shards[i].mu.Unlock()
	}
	return n
}
