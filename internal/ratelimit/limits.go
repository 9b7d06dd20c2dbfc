package ratelimit

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"chatops/internal/chatops"
)

// Options are the settings of Limits.
type Options struct {
	// Limits are the configured values by name, Defaults what they are when
	// nobody configures anything.
	Limits, Defaults map[string]Limit
	// Disabled allows everything. Blocks hold all the same.
	Disabled bool
	// Redis is shared by all replicas; nil: this process counts by itself. It is
	// the caller's to close.
	Redis redis.UniversalClient
	// Secret keys the hash that stands for clients in names of Redis keys; all
	// replicas need the same. Without one a list of all addresses undoes it.
	Secret []byte
	// MaxKeys bounds how many keys are remembered in this process; 0: 100,000.
	// One more forgets another one that has used little of its limit.
	MaxKeys    int
	Log        *slog.Logger // nil: nothing is logged
	Registerer prometheus.Registerer
	NowFunc    func() time.Time // nil: time.Now
	// Patience is how long a decision waits for Redis; 0: 50 ms.
	Patience time.Duration
}

// maxLimits is how many names there may be.
const maxLimits = 200

// Limits is every named limit of the process: values, counting, blocks and
// statistics. It is safe for concurrent use.
type Limits struct {
	opts    Options
	start   time.Time
	names   map[string]*named
	all     []*named // ordered by name
	memory  *memory
	shared  *shared // nil: there is no Redis
	metrics *metrics

	blocks  atomic.Pointer[blocks]
	blocked minute

	mu       sync.Mutex // held by every change of values and blocks
	number   uint16     // of the newest value
	revision int64      // of the newest orders
}

// New makes the limits, or returns CodeInvalid when one is out of bounds. It
// asks nobody yet.
func New(o Options) (*Limits, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	l := &Limits{opts: o, names: map[string]*named{}}
	if len(o.Limits) > maxLimits {
		return nil, chatops.Errorf(chatops.CodeInvalid, "%d rate limits: there may be %d", len(o.Limits), maxLimits)
	}
	for name, limit := range o.Limits {
		if err := checkLimit(name, limit); err != nil {
			return nil, err
		}
		n := &named{name: name, salt: rand.Uint64()} //nolint:gosec // the seed of the hash is the secret
		n.value.Store(newValue(limit, l.source(name, limit), l.next()))
		l.names[name] = n
		l.all = append(l.all, n)
	}
	slices.SortFunc(l.all, func(a, b *named) int { return strings.Compare(a.name, b.name) })
	for i, n := range l.all {
		n.index = uint8(i)
	}
	l.memory = newMemory(o.MaxKeys, l.all)
	l.blocks.Store(&blocks{})
	l.start = l.clock()
	l.metrics = newMetrics()
	if o.Redis != nil && !o.Disabled {
		l.shared = newShared(o, l.metrics)
	}
	return l, l.metrics.register(o.Registerer, l)
}

func (l *Limits) clock() time.Time {
	if l.opts.NowFunc != nil {
		return l.opts.NowFunc()
	}
	return time.Now()
}

// now is the time since the start, in nanoseconds.
func (l *Limits) now() int64 {
	if l.opts.NowFunc == nil {
		return int64(time.Since(l.start)) // reads the steady clock only
	}
	return max(0, int64(l.opts.NowFunc().Sub(l.start)))
}

// next numbers a new value.
func (l *Limits) next() uint16 {
	l.number++
	return l.number
}

func (l *Limits) source(name string, limit Limit) string {
	if slices.Equal(l.opts.Defaults[name], limit) {
		return sourceDefault
	}
	return sourceConfig
}

// fewChecks of one event need no memory of their own.
const fewChecks = 4

// Allow counts an event in every check, if all of them allow it, and otherwise
// in none. A check of an unknown limit is left out. The client is whom the list
// of the most denied names. It waits for Redis, at most as long as
// Patience, and for nothing else.
//
// This process decides first, and Redis only about what it would allow: Redis
// may be emptied, lost or replaced, and nobody has more than the limit here.
func (l *Limits) Allow(ctx context.Context, client string, checks ...Check) Decision {
	var room [fewChecks]ask
	now := l.now()
	asks := l.asks(room[:0], checks, now)
	if len(asks) == 0 {
		return Decision{Allowed: true, Off: true}
	}
	d, at, by := l.memory.take(asks, now)
	if d.Allowed && l.shared != nil {
		d, by = l.confirm(ctx, asks, d, at)
	}
	if !d.Allowed {
		l.deny(asks[by].named, client, now)
		return d
	}
	for i := range asks {
		asks[i].named.allowed.add(now)
	}
	return d
}

// confirm asks Redis about events that this process has counted, and takes them
// back when Redis refuses.
func (l *Limits) confirm(ctx context.Context, asks []ask, local Decision, at moment) (d Decision, by int) {
	o, ok := l.shared.decide(ctx, asks)
	if !ok {
		return local, 0
	}
	if d = o.decision(asks); d.Allowed {
		if local.tighter(&d) {
			d = local
		}
		return d, o.check
	}
	l.memory.takeBack(asks, at)
	l.memory.shut(&asks[o.check], o.rule, at, o.reset)
	return d, o.check
}

// asks looks the limits of checks up.
func (l *Limits) asks(asks []ask, checks []Check, now int64) []ask {
	if l.opts.Disabled {
		return nil
	}
	for i := range checks {
		if n := l.names[checks[i].Limit]; n != nil {
			key := checks[i].Key
			asks = append(asks, ask{named: n, value: n.current(now), key: key, hash: l.memory.hash(n, key)})
		}
	}
	return l.memory.order(asks)
}

func (l *Limits) deny(n *named, client string, now int64) {
	n.denied.add(now)
	n.top.add(client, now)
}

// Blocked returns the block that an address falls under. It counts what it
// finds as a refused request.
func (l *Limits) Blocked(a netip.Addr) (Block, bool) {
	b := l.blocks.Load()
	if len(b.networks) == 0 {
		return Block{}, false
	}
	now := l.now()
	found, ok := b.find(a, now)
	if ok {
		l.blocked.add(now)
	}
	return found, ok
}

// Limit returns the value of a limit that is in force now; nil when the name is
// unknown.
func (l *Limits) Limit(name string) Limit {
	if n := l.names[name]; n != nil {
		return n.current(l.now()).limit
	}
	return nil
}

// sweepEvery is how often what is over is looked for.
const sweepEvery = 15 * time.Second

// Run forgets what is over and looks after Redis, until the context ends. It
// returns nil then.
func (l *Limits) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	if l.shared != nil {
		wg.Go(func() { l.shared.run(ctx) })
	}
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			l.memory.sweep(l.now())
		}
	}
}
