package ratelimit

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"chatops/internal/chatops"
)

// minute counts events of the last minute, second by second, and of all time.
type minute struct {
	seconds [60]atomic.Uint64 // the second, and below it the count
	older   atomic.Uint64     // events of seconds that were replaced
}

const (
	countBits = 30
	countMask = 1<<countBits - 1
)

func (m *minute) add(ns int64) {
	second := uint64(ns / int64(time.Second)) //nolint:gosec // not negative
	slot := &m.seconds[second%60]
	for {
		old, next := slot.Load(), second<<countBits|1
		if old>>countBits == second {
			next = old + 1
		}
		if slot.CompareAndSwap(old, next) {
			if next&countMask == 1 {
				m.older.Add(old & countMask)
			}
			return
		}
	}
}

// total returns how many events there were. A metric reads it, so that an event
// needs no second counter.
func (m *minute) total() float64 {
	n := m.older.Load()
	for i := range m.seconds {
		n += m.seconds[i].Load() & countMask
	}
	return float64(n)
}

func (m *minute) sum(ns int64) int64 {
	second := uint64(ns / int64(time.Second)) //nolint:gosec // not negative
	n := int64(0)
	for i := range m.seconds {
		if w := m.seconds[i].Load(); second-w>>countBits < 60 {
			n += int64(w & countMask)
		}
	}
	return n
}

const (
	topShown    = 10
	topWatched  = 64               // clients watched at a time
	topPart     = 15 * time.Second // the minute is watched in parts
	topParts    = 4
	longestName = 64 // of a client that is watched
)

// topDenied finds the clients that are refused most often, in bounded memory,
// by the space-saving method: whoever is not watched takes the place of the
// client with the smallest count and continues that count. Shown is what a
// client has for certain, without the inherited part.
type topDenied struct {
	mu    sync.Mutex
	parts [topParts]topCounts
}

type topCounts struct {
	part    int64
	index   map[string]int
	watched []watchedClient
	latest  int // index of the client that was refused last, often the next as well
}

type watchedClient struct {
	client           string
	count, inherited int64
}

func (t *topDenied) add(client string, ns int64) {
	if len(client) > longestName {
		client = strings.Clone(client[:longestName])
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	part := ns / int64(topPart)
	c := &t.parts[part%topParts]
	if c.part != part || c.index == nil {
		*c = topCounts{part: part, index: map[string]int{}}
	}
	c.add(client)
}

func (c *topCounts) add(client string) {
	if c.latest < len(c.watched) && c.watched[c.latest].client == client {
		c.watched[c.latest].count++
		return
	}
	if i, ok := c.index[client]; ok {
		c.watched[i].count++
		c.latest = i
		return
	}
	if len(c.watched) < topWatched {
		c.index[client] = len(c.watched)
		c.watched = append(c.watched, watchedClient{client: client, count: 1})
		return
	}
	least := 0
	for i := range c.watched {
		if c.watched[i].count < c.watched[least].count {
			least = i
		}
	}
	w := &c.watched[least]
	delete(c.index, w.client)
	c.index[client] = least
	*w = watchedClient{client: client, count: w.count + 1, inherited: w.count}
}

// most returns the clients that were refused most often in the last minute.
func (t *topDenied) most(ns int64) []chatops.DeniedClient {
	counts := map[string]int64{}
	t.mu.Lock()
	part := ns / int64(topPart)
	for i := range t.parts {
		if t.parts[i].part <= part-topParts {
			continue
		}
		for _, w := range t.parts[i].watched {
			counts[w.client] += w.count - w.inherited
		}
	}
	t.mu.Unlock()
	all := make([]chatops.DeniedClient, 0, len(counts))
	for client, n := range counts {
		all = append(all, chatops.DeniedClient{Client: client, Count: n})
	}
	slices.SortFunc(all, func(a, b chatops.DeniedClient) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Client, b.Client))
	})
	return all[:min(len(all), topShown)]
}
