package server

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"chatops/internal/ratelimit"
)

// fakeLimits keeps every moment of every key, and compares.
type fakeLimits struct {
	values  map[string]ratelimit.Limit
	off     bool
	shut    bool // everybody is over every limit
	nowFunc func() time.Time

	mu      sync.Mutex
	blocks  []netip.Prefix
	moments map[ratelimit.Check][]time.Time
	asked   [][]ratelimit.Check
	clients []string
}

// newLimits makes limits from texts such as "chat", "30 per minute".
func newLimits(now func() time.Time, texts ...string) *fakeLimits {
	f := &fakeLimits{values: map[string]ratelimit.Limit{}, nowFunc: now, moments: map[ratelimit.Check][]time.Time{}}
	for i := 0; i < len(texts); i += 2 {
		limit, err := ratelimit.Parse(texts[i+1])
		if err != nil {
			panic(err)
		}
		f.values[texts[i]] = limit
	}
	return f
}

func (f *fakeLimits) Limit(name string) ratelimit.Limit { return f.values[name] }

func (f *fakeLimits) Blocked(a netip.Addr) (b ratelimit.Block, blocked bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.blocks {
		blocked = blocked || p.Contains(a)
	}
	return b, blocked
}

func (f *fakeLimits) block(network string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.blocks = append(f.blocks, netip.MustParsePrefix(network))
}

func (f *fakeLimits) Allow(_ context.Context, client string, checks ...ratelimit.Check) ratelimit.Decision {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked, f.clients = append(f.asked, checks), append(f.clients, client)
	best := ratelimit.Decision{Off: true}
	if f.off {
		return best
	}
	now := f.nowFunc()
	for _, c := range checks {
		for _, r := range f.values[c.Limit] {
			d := f.judge(c, r, now)
			if best.Off || !d.Allowed && (best.Allowed || d.RetryAfter > best.RetryAfter) || d.Allowed && best.Allowed && d.Remaining < best.Remaining {
				best = d
			}
		}
	}
	if best.Allowed {
		for _, c := range checks {
			f.moments[c] = append(f.moments[c], now)
		}
	}
	return best
}

// judge says what one rule makes of one more event.
func (f *fakeLimits) judge(c ratelimit.Check, r ratelimit.Rule, now time.Time) ratelimit.Decision {
	var within []time.Time
	for _, at := range f.moments[c] {
		if now.Sub(at) < r.Window {
			within = append(within, at)
		}
	}
	d := ratelimit.Decision{Limit: c.Limit, Rule: r, Allowed: len(within) < r.Count && !f.shut, Remaining: r.Count - len(within) - 1, Reset: r.Window}
	if len(within) > 0 {
		d.Reset = within[0].Add(r.Window).Sub(now)
	}
	switch {
	case f.shut:
		d.Remaining, d.RetryAfter = 0, r.Window
	case !d.Allowed:
		d.Remaining, d.RetryAfter = 0, within[len(within)-r.Count].Add(r.Window).Sub(now)
		d.Reset = d.RetryAfter
	}
	return d
}

// plenty are limits that no test reaches.
func plenty() *fakeLimits {
	return newLimits(func() time.Time { return at }, "chat", "9000 per minute", "api", "9000 per minute;90000 per hour",
		"health", "9000 per minute", "consent", "9000 per minute", "leads", "9000 per minute")
}

// lastChecks returns the latest question.
func (f *fakeLimits) lastChecks() []ratelimit.Check {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[len(f.asked)-1]
}
