package ratelimit

import (
	"slices"
	"time"

	"chatops/internal/chatops"
)

// Configure replaces configured values at once and keeps what was counted. A
// limit that is left out keeps its value. CodeInvalid, and nothing is changed,
// when a name is unknown or a value is out of bounds.
func (l *Limits) Configure(limits map[string]Limit) error {
	for name, limit := range limits {
		if l.names[name] == nil {
			return chatops.Errorf(chatops.CodeInvalid, "rate limit %q: there is none of this name", name)
		}
		if err := checkLimit(name, limit); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, limit := range limits {
		n := l.names[name]
		if old := n.configured().limit; slices.Equal(old, limit) {
			continue
		}
		n.configure(newValue(limit, l.source(name, limit), l.next()))
		l.opts.Log.Info("rate limit configured", "limit", name, "value", limit.String())
	}
	return nil
}

// Apply obeys the orders in force: overrides and blocks replace those of the
// last call. What is left of an order's time is counted by the store's clock, so
// that it does not matter what ours says.
func (l *Limits) Apply(c *chatops.Controls) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fresh := c.Revision != l.revision
	l.revision = c.Revision
	now := l.now()
	untilFunc := func(t time.Time) int64 {
		if t.IsZero() {
			return 0
		}
		return max(1, now+int64(t.Sub(c.Now)))
	}
	l.applyOverrides(c.Overrides, untilFunc, fresh)
	b, bad := newBlocks(c.Blocks, untilFunc)
	l.blocks.Store(b)
	if bad > 0 && fresh {
		l.opts.Log.Warn("blocks cannot be read and are left out", "blocks", bad)
	}
}

// applyOverrides takes each limit to its override, or back to its
// configuration. The lock is held.
func (l *Limits) applyOverrides(overrides []chatops.LimitOverride, untilFunc func(time.Time) int64, fresh bool) {
	for _, n := range l.all {
		i := slices.IndexFunc(overrides, func(o chatops.LimitOverride) bool { return o.Name == n.name })
		before := n.current(l.now()).limit
		if i < 0 {
			n.unset()
		} else if limit, err := Parse(overrides[i].Value); err != nil {
			n.unset()
			if fresh {
				l.opts.Log.Warn("override of a rate limit cannot be read; the configuration holds", "limit", n.name)
			}
		} else {
			n.override(limit, untilFunc(overrides[i].Until), l.next)
		}
		if after := n.current(l.now()).limit; !slices.Equal(before, after) {
			l.opts.Log.Info("rate limit changed", "limit", n.name, "value", after.String())
		}
	}
}

// Report returns what this process says of its limits.
func (l *Limits) Report() chatops.LimiterReport {
	now := l.now()
	r := chatops.LimiterReport{
		Enabled: !l.opts.Disabled, Backend: "local", Blocked: l.blocked.sum(now),
		Limits: make([]chatops.LimitReport, len(l.all)),
	}
	if l.shared != nil && !l.shared.down.Load() {
		r.Backend = "redis"
	}
	for i, n := range l.all {
		v := n.current(now)
		r.Limits[i] = chatops.LimitReport{
			Name: n.name, Value: v.limit.String(), Source: v.source,
			Allowed: n.allowed.sum(now), Denied: n.denied.sum(now), TopDenied: n.top.most(now),
		}
	}
	return r
}
