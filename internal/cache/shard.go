package cache

import (
	"slices"
	"sync"
)

// entryOverhead is what an entry takes besides its value, rounded up: its item,
// its place in the index, and what the allocator wastes.
const entryOverhead = 128

// none is the end of a list of items.
const none int32 = -1

// item is an entry, a member of the queue of its shard.
type item struct {
	key     digest
	value   []byte // nil: the item is free
	expires int64  // nanoseconds on the cache's clock
	older   int32
	newer   int32
	read    bool // since the hand came by
}

// shard is a part of the memory with a lock of its own.
//
// What makes room is chosen as in SIEVE (Zhang et al., NSDI 2024): a hand walks
// the queue from the oldest entry to the newest, spares once whoever was read
// since it came by, and evicts the first that was not. A read moves nothing in
// the queue, and one pass of keys that are never read again evicts each other.
type shard struct {
	mu     sync.Mutex
	index  map[digest]int32
	items  []item // their places do not change, so that a purge can be resumed
	free   []int32
	oldest int32
	newest int32
	hand   int32
	bytes  int

	maxEntries, maxBytes int
}

func (s *shard) reset() {
	s.index, s.items, s.free, s.bytes = map[digest]int32{}, nil, nil, 0
	s.oldest, s.newest, s.hand = none, none, none
}

// get returns a value that has not expired.
func (s *shard) get(key digest, now int64) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.index[key]
	if !ok {
		return nil
	}
	it := &s.items[at]
	if it.expires <= now {
		return nil // the purge counts it
	}
	it.read = true
	return it.value
}

// set stores a copy of a value and returns how many entries it evicted for it.
func (s *shard) set(key digest, value []byte, expires int64) (evicted int) {
	cost := len(value) + entryOverhead
	if cost > s.maxBytes {
		return 0
	}
	kept := slices.Clone(value)
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.index[key]; ok {
		s.remove(at)
	}
	for len(s.index) >= s.maxEntries || s.bytes+cost > s.maxBytes {
		s.evict()
		evicted++
	}
	s.insert(item{key: key, value: kept, expires: expires, older: s.newest, newer: none})
	return evicted
}

func (s *shard) insert(it item) {
	at := int32(len(s.items)) //nolint:gosec // bounded by maxEntries
	if n := len(s.free); n > 0 {
		at, s.free = s.free[n-1], s.free[:n-1]
		s.items[at] = it
	} else {
		s.items = append(s.items, it)
	}
	if s.newest != none {
		s.items[s.newest].newer = at
	} else {
		s.oldest = at
	}
	s.newest = at
	s.index[it.key] = at
	s.bytes += len(it.value) + entryOverhead
}

func (s *shard) delete(key digest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.index[key]; ok {
		s.remove(at)
	}
}

// evict removes the first entry in the hand's way that was not read since it
// came by. There is one: the hand forgets what it spares.
func (s *shard) evict() {
	for {
		if s.hand == none {
			s.hand = s.oldest
		}
		it := &s.items[s.hand]
		if !it.read {
			s.remove(s.hand)
			return
		}
		it.read = false
		s.hand = it.newer
	}
}

func (s *shard) remove(at int32) {
	it := &s.items[at]
	if it.older != none {
		s.items[it.older].newer = it.newer
	} else {
		s.oldest = it.newer
	}
	if it.newer != none {
		s.items[it.newer].older = it.older
	} else {
		s.newest = it.older
	}
	if s.hand == at {
		s.hand = it.newer
	}
	s.bytes -= len(it.value) + entryOverhead
	delete(s.index, it.key)
	*it = item{}
	s.free = append(s.free, at)
}

// purge removes what has expired among n items from a place on, and returns how
// many and whether there are more places.
func (s *shard) purge(from, n int, now int64) (removed int, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	to := min(from+n, len(s.items))
	for at := from; at < to; at++ {
		if it := &s.items[at]; it.value != nil && it.expires <= now {
			s.remove(int32(at)) //nolint:gosec // bounded by maxEntries
			removed++
		}
	}
	more = to < len(s.items)
	if len(s.index) == 0 && removed > 0 {
		s.reset() // gives the memory of a burst back
		more = false
	}
	return removed, more
}

func (s *shard) size() (entries, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.index), s.bytes
}
