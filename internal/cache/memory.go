package cache

import (
	"context"
	"encoding/binary"
	"sync/atomic"
)

const (
	maxShards   = 64
	shardLeast  = 256 // entries of a shard, so that chance does not fill one early
	shardValues = 4   // values of the largest size that a shard can hold
	// purgeStep is how many entries are looked at before readers get a turn.
	purgeStep = 1024
)

// memory is the part of the cache in this process.
type memory struct {
	shards  []shard
	evicted atomic.Int64
}

// newMemory divides the bounds among shards. The rest of the division is left
// unused: the whole never holds more than it may.
func newMemory(maxEntries, maxBytes, maxValue int) *memory {
	n := maxShards
	for n > 1 && (maxEntries/n < shardLeast || maxBytes/n < shardValues*(maxValue+entryOverhead)) {
		n /= 2
	}
	m := &memory{shards: make([]shard, n)}
	for i := range m.shards {
		m.shards[i].reset()
		m.shards[i].maxEntries, m.shards[i].maxBytes = maxEntries/n, maxBytes/n
	}
	return m
}

func (m *memory) shard(key digest) *shard {
	return &m.shards[binary.LittleEndian.Uint64(key[:])%uint64(len(m.shards))]
}

func (m *memory) get(key digest, now int64) []byte { return m.shard(key).get(key, now) }

func (m *memory) set(key digest, value []byte, expires int64) {
	m.evicted.Add(int64(m.shard(key).set(key, value, expires)))
}

func (m *memory) delete(key digest) { m.shard(key).delete(key) }

// purge removes what has expired until the context ends, and returns how many.
func (m *memory) purge(ctx context.Context, now int64) int {
	removed := 0
	for i := range m.shards {
		for from, more := 0, true; more; from += purgeStep {
			if ctx.Err() != nil {
				return removed
			}
			var n int
			n, more = m.shards[i].purge(from, purgeStep, now)
			removed += n
		}
	}
	return removed
}

func (m *memory) size() (entries, bytes int) {
	for i := range m.shards {
		e, b := m.shards[i].size()
		entries, bytes = entries+e, bytes+b
	}
	return entries, bytes
}
