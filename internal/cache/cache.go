package cache

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"chatops/internal/chatops"
)

// Options of a Cache. Zero values mean the defaults.
type Options struct {
	// Redis is shared by all replicas; nil: every process has a cache of its own.
	// Its time-outs should be short (package redisclient).
	Redis redis.UniversalClient
	// Prefix begins every key in Redis; "" means DefaultPrefix. Installations that
	// share a Redis need different ones.
	Prefix string

	MaxEntries int // in memory
	MaxBytes   int // in memory
	MaxValue   int // bytes of a value

	Log        *slog.Logger          // nil: nothing is logged
	Registerer prometheus.Registerer // takes the metrics; nil: they are kept to itself
	// NowFunc is the clock of entries in memory; nil means time.Now.
	NowFunc func() time.Time
}

// The defaults.
const (
	DefaultPrefix     = "chatops"
	DefaultMaxEntries = 50_000
	DefaultMaxBytes   = 32 << 20
	DefaultMaxValue   = 64 << 10
)

// Cache is a cache. It is safe for concurrent use.
type Cache struct {
	opts    Options
	memory  *memory
	remote  *remote // nil: there is no Redis
	metrics *metrics
	start   time.Time
}

// New makes a cache, or gives CodeInvalid for bounds that cannot hold a value.
func New(o Options) (*Cache, error) {
	if o.Prefix == "" {
		o.Prefix = DefaultPrefix
	}
	if o.MaxEntries == 0 {
		o.MaxEntries = DefaultMaxEntries
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.MaxValue == 0 {
		o.MaxValue = DefaultMaxValue
	}
	if o.MaxEntries < 1 || o.MaxValue < 1 || o.MaxBytes < o.MaxValue+entryOverhead {
		return nil, chatops.Errorf(chatops.CodeInvalid, "cache: %d bytes cannot hold %d entries of up to %d bytes",
			o.MaxBytes, o.MaxEntries, o.MaxValue)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.NowFunc == nil {
		o.NowFunc = time.Now
	}
	c := &Cache{opts: o, memory: newMemory(o.MaxEntries, o.MaxBytes, o.MaxValue), start: o.NowFunc()}
	if o.Redis != nil {
		c.remote = &remote{client: o.Redis, log: o.Log, prefix: o.Prefix + ":cache:", maxValue: o.MaxValue}
	}
	var err error
	if c.metrics, err = newMetrics(o.Registerer, c); err != nil {
		return nil, chatops.WrapError(chatops.CodeInternal, err, "cache: register metrics")
	}
	return c, nil
}

// now is the time on the cache's own clock, which does not jump with the host's.
func (c *Cache) now() int64 { return int64(c.opts.NowFunc().Sub(c.start)) }

// Purge removes what has expired from memory, and returns how many entries. It
// ends early with the context.
func (c *Cache) Purge(ctx context.Context) int {
	n := c.memory.purge(ctx, c.now())
	c.metrics.purged.Add(float64(n))
	return n
}

// Size returns how many entries are in memory, expired ones included, and how
// many bytes they are counted with.
func (c *Cache) Size() (entries, bytes int) { return c.memory.size() }

// Shared reports whether values are shared with other replicas now: there is a
// Redis, and it answers.
func (c *Cache) Shared() bool { return c.remote != nil && !c.remote.down.Load() }

// Run looks after Redis until the context ends, and returns nil then.
func (c *Cache) Run(ctx context.Context) error {
	if c.remote == nil {
		<-ctx.Done()
		return nil
	}
	c.remote.heal(ctx)
	return nil
}

// Space is a part of the cache in which keys mean something of their own.
type Space struct {
	cache *Cache
	name  string
	count spaceCounters
}

// Space returns the space of a name, such as "answer". Names appear in metrics
// and in the keys of Redis.
func (c *Cache) Space(name string) *Space {
	return &Space{cache: c, name: name, count: c.metrics.space(name)}
}

// Get returns the value of a key. It must not be changed.
func (s *Space) Get(ctx context.Context, key string) ([]byte, bool) {
	c, id := s.cache, s.digest(key)
	if value := c.memory.get(id, c.now()); value != nil {
		s.count.memory.Inc()
		return value, true
	}
	if c.remote != nil {
		if value, ttl := c.remote.get(ctx, s.redisKey(id)); value != nil {
			if ttl > 0 {
				c.memory.set(id, value, c.now()+int64(ttl))
			}
			s.count.redis.Inc()
			return value, true
		}
	}
	s.count.miss.Inc()
	return nil, false
}

// Set stores a copy of a value for a time. A value that is empty, too large or
// lives no time is not stored.
func (s *Space) Set(ctx context.Context, key string, value []byte, ttl time.Duration) {
	c, id := s.cache, s.digest(key)
	if len(value) == 0 || len(value) > c.opts.MaxValue || ttl < time.Millisecond {
		s.count.refused.Inc()
		return
	}
	c.memory.set(id, value, c.now()+int64(ttl))
	if c.remote != nil {
		c.remote.set(ctx, s.redisKey(id), value, ttl)
	}
}

// Delete forgets a key. CodeUnavailable: only here, because Redis could not be
// told.
func (s *Space) Delete(ctx context.Context, key string) error {
	c, id := s.cache, s.digest(key)
	c.memory.delete(id)
	if c.remote == nil {
		return nil
	}
	return c.remote.delete(ctx, s.redisKey(id))
}

// digest stands for a key: 128 bits of SHA-256, over the space as well.
type digest [16]byte

func (s *Space) digest(key string) digest {
	h := sha256.New()
	var length [8]byte
	binary.LittleEndian.PutUint64(length[:], uint64(len(s.name)))
	_, _ = h.Write(length[:]) // a hash takes everything
	_, _ = h.Write([]byte(s.name))
	_, _ = h.Write([]byte(key))
	return digest(h.Sum(nil)[:len(digest{})])
}

func (s *Space) redisKey(id digest) string {
	return s.cache.remote.prefix + s.name + ":" + base64.RawURLEncoding.EncodeToString(id[:])
}
