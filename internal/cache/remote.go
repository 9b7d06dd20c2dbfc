package cache

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"chatops/internal/chatops"
)

const (
	// remoteTimeout is the most that a call waits for Redis.
	remoteTimeout = 50 * time.Millisecond
	// healEvery is how often a Redis that is down is asked whether it is back, and
	// healTimeout how long it may take to connect and to answer.
	healEvery   = time.Second
	healTimeout = time.Second
	// complainEvery is the least time between two warnings about refusals.
	complainEvery = time.Minute
)

// remote is the part of the cache in Redis.
type remote struct {
	client   redis.UniversalClient
	log      *slog.Logger
	prefix   string
	maxValue int

	down       atomic.Bool
	errors     atomic.Int64
	complained atomic.Int64 // Unix nanoseconds of the last warning about a refusal
}

// get returns a value and what is left of its time; nil when there is none. A
// value larger than may be stored is nobody's of ours: it is left where it is.
func (r *remote) get(ctx context.Context, key string) ([]byte, time.Duration) {
	if r.down.Load() {
		return nil, 0
	}
	ctx, cancel := context.WithTimeout(ctx, remoteTimeout)
	defer cancel()
	value, err := r.client.GetRange(ctx, key, 0, int64(r.maxValue)).Bytes()
	if err != nil {
		r.judge(ctx, err)
		return nil, 0
	}
	if len(value) == 0 || len(value) > r.maxValue {
		return nil, 0
	}
	left, err := r.client.PTTL(ctx, key).Result()
	if err != nil {
		r.judge(ctx, err)
		return value, 0
	}
	return value, left // negative: it has just expired
}

func (r *remote) set(ctx context.Context, key string, value []byte, ttl time.Duration) {
	if r.down.Load() {
		return
	}
	// What was made is worth keeping even when whoever asked for it has left.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), remoteTimeout)
	defer cancel()
	if err := r.client.Set(ctx, key, value, ttl.Truncate(time.Millisecond)).Err(); err != nil {
		r.judge(ctx, err)
	}
}

func (r *remote) delete(ctx context.Context, key string) error {
	if !r.down.Load() {
		ctx, cancel := context.WithTimeout(ctx, remoteTimeout)
		defer cancel()
		err := r.client.Del(ctx, key).Err()
		if err == nil {
			return nil
		}
		r.judge(ctx, err)
	}
	return chatops.Errorf(chatops.CodeUnavailable, "cache: Redis does not answer")
}

// judge takes Redis for down after an error that cost time, so that the next
// call does not wait. A refusal comes at once (out of memory, read-only, loading)
// and may concern one command only; the next call may ask again.
func (r *remote) judge(ctx context.Context, err error) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return // whoever asked has left: that says nothing about Redis
	}
	r.errors.Add(1)
	if _, answered := errors.AsType[redis.Error](err); answered && !locksOut(err) {
		now := time.Now().UnixNano()
		if last := r.complained.Load(); now-last >= int64(complainEvery) && r.complained.CompareAndSwap(last, now) {
			r.log.Warn("cache: Redis refuses a command; what is cached is not shared meanwhile", "err", err)
		}
		return
	}
	if r.down.CompareAndSwap(false, true) {
		r.log.Warn("cache: Redis does not answer; every replica caches by itself until it does", "err", err)
	}
}

// locksOut reports an answer that every connection gets before the first
// command: trying goes on in the background.
func locksOut(err error) bool {
	text := err.Error()
	return strings.Contains(text, "WRONGPASS") || strings.Contains(text, "NOAUTH")
}

// heal asks a Redis that is down whether it is back, until the context ends. It
// begins with a look, so that the first call finds a connection or no Redis.
func (r *remote) heal(ctx context.Context) {
	if err := r.probe(ctx); err != nil {
		r.judge(ctx, err)
	}
	tick := time.NewTicker(healEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if r.down.Load() && r.probe(ctx) == nil {
			r.down.Store(false)
			r.log.Info("cache: Redis answers again")
		}
	}
}

// maxProbes bounds how many connections are asked at once.
const maxProbes = 64

// probe reports whether every kept connection brings an answer; where none is
// kept, one is made. After a network was cut the kept ones may be dead, each of
// which would cost a call its time: asking sorts them out.
func (r *remote) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, healTimeout)
	defer cancel()
	// A read of a key proves more than a ping: in a Cluster its node and the map of
	// slots, with Sentinels the master.
	var g errgroup.Group
	for range min(max(r.client.PoolStats().IdleConns, 1), maxProbes) {
		g.Go(func() error { return r.client.Exists(ctx, r.prefix+"probe").Err() })
	}
	return g.Wait()
}
