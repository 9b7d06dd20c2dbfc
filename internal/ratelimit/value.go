package ratelimit

import (
	"slices"
	"sync/atomic"
	"time"

	"chatops/internal/chatops"
)

// Where the value of a limit comes from.
const (
	sourceDefault  = "default"
	sourceConfig   = "config"
	sourceOverride = "override"
)

// value is what a limit says at one time. It does not change.
type value struct {
	limit   Limit
	windows []int64 // of the rules, in ticks
	// What is remembered: so many events, for so many ticks. It is enough for
	// this value and for those that it replaced or that may come back.
	depth   int
	longest int64
	source  string
	number  uint16 // tells this value from the limit's other ones

	until int64  // when an override ends, nanoseconds since the start; 0: never
	base  *value // what holds then
}

func newValue(limit Limit, source string, number uint16) *value {
	v := &value{limit: limit, source: source, number: number}
	for _, r := range limit {
		w := int64(r.Window / tick)
		v.windows = append(v.windows, w)
		v.depth = max(v.depth, r.Count)
		v.longest = max(v.longest, w)
	}
	return v
}

// remember keeps what another value needs, too.
func (v *value) remember(other *value) {
	for i, r := range other.limit {
		v.depth = max(v.depth, r.Count)
		v.longest = max(v.longest, other.windows[i])
	}
}

// checkLimit refuses what Parse could not have returned.
func checkLimit(name string, limit Limit) error {
	if len(limit) == 0 || len(limit) > maxRules {
		return chatops.Errorf(chatops.CodeInvalid, "rate limit %s: must have 1 to %d rules", name, maxRules)
	}
	for _, r := range limit {
		if r.Count < 1 || r.Count > MaxCount || r.Window < time.Second || r.Window > MaxWindow || r.Window%time.Second != 0 {
			return chatops.Errorf(chatops.CodeInvalid, "rate limit %s: %d in %s is out of bounds", name, r.Count, r.Window)
		}
	}
	return nil
}

// named is a limit of the process with its statistics.
type named struct {
	name  string
	index uint8
	salt  uint64 // keeps its keys apart from those of other limits
	value atomic.Pointer[value]

	allowed, denied minute
	top             topDenied
}

// current returns the value in force.
func (n *named) current(now int64) *value {
	v := n.value.Load()
	for v.until != 0 && now >= v.until {
		v = v.base
	}
	return v
}

// configured returns the value without overrides.
func (n *named) configured() *value {
	v := n.value.Load()
	for v.base != nil {
		v = v.base
	}
	return v
}

// configure replaces the configured value and keeps an override.
func (n *named) configure(v *value) {
	old := n.value.Load()
	v.remember(n.configured())
	if old.base == nil {
		n.value.Store(v)
		return
	}
	over := *old
	over.remember(v)
	over.base = v
	n.value.Store(&over)
}

// override puts a limit above the configured one until a moment. The same limit
// again only changes its end.
func (n *named) override(limit Limit, until int64, numberFunc func() uint16) {
	old, base := n.value.Load(), n.configured()
	if old.base != nil && slices.Equal(old.limit, limit) {
		over := *old
		over.until = until
		n.value.Store(&over)
		return
	}
	over := newValue(limit, sourceOverride, numberFunc())
	over.remember(old)
	over.remember(base)
	over.until, over.base = until, base
	n.value.Store(over)
}

// unset ends an override.
func (n *named) unset() {
	if base := n.configured(); n.value.Load() != base {
		n.value.Store(base)
	}
}
