package ratelimit

import "time"

// tick is the unit in which events are remembered: four bytes hold three times
// the longest window. An event is remembered at the next full tick and judged
// by the last one, so the rounding can only make a client wait for longer, by
// less than one tick.
const tick = 2 * time.Millisecond

// moment is a time since the start, in nanoseconds and in ticks.
type moment struct{ ns, floor, ceil int64 }

func momentOf(ns int64) moment {
	floor := ns / int64(tick)
	m := moment{ns: ns, floor: floor, ceil: floor}
	if floor*int64(tick) != ns {
		m.ceil++
	}
	return m
}

// until returns how far away a tick is.
func (m moment) until(t int64) time.Duration { return time.Duration(t*int64(tick) - m.ns) }

// full returns the tick of which only the low half is known. It is not later
// than the moment.
func (m moment) full(low uint32) int64 { return m.ceil - int64(uint32(m.ceil)-low) } //nolint:gosec // the low half is meant

// history is the ticks of a key's latest allowed events: a ring that grows as
// long as events come within the longest window, up to the greatest count.
type history struct {
	hash  uint64
	at    []uint32 // ascending from first on, wrapping around
	first uint32
	count uint32
	slot  uint32 // its place in the shard's list
	// Until shut, Redis refuses the key by this rule of this value of the limit.
	// Nothing but a change of the limit can make that untrue.
	shut   uint32
	value  uint16
	rule   uint8
	limit  uint8 // index of the limit
	isShut bool
}

// latest returns the tick of the n-th latest event; n is 1 to count.
func (h *history) latest(n int, now moment) int64 {
	i := int(h.first) + int(h.count) - n
	if i >= len(h.at) {
		i -= len(h.at)
	}
	return now.full(h.at[i])
}

// since returns how many events are not older than a window.
func (h *history) since(window int64, now moment) int {
	low, high := 0, int(h.count) // so many are within, so many may be
	if high > 0 && h.latest(high, now)+window > now.floor {
		return high
	}
	for low < high {
		mid := (low + high + 1) / 2
		if h.latest(mid, now)+window > now.floor {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return low
}

// add appends an event. Room is made by dropping what is older than the longest
// window, or than depth events, and only then by growing.
func (h *history) add(now moment, v *value) {
	for h.count > 0 && (int(h.count) >= v.depth || h.latest(int(h.count), now)+v.longest <= now.floor) {
		h.count--
		if h.first++; int(h.first) == len(h.at) {
			h.first = 0
		}
	}
	if int(h.count) == len(h.at) {
		h.grow(v.depth)
	}
	i := int(h.first) + int(h.count)
	if i >= len(h.at) {
		i -= len(h.at)
	}
	h.at[i] = uint32(now.ceil) //nolint:gosec // the low half is meant
	h.count++
}

// grow makes room: little for those who come once, and not in many steps for the
// others.
func (h *history) grow(depth int) {
	size := 4
	if len(h.at) > 0 {
		size = max(32, 2*len(h.at))
	}
	grown := make([]uint32, min(size, depth))
	n := copy(grown, h.at[h.first:])
	copy(grown[n:], h.at[:h.first])
	h.at, h.first = grown, 0
}

// remove takes back the latest event of a tick.
func (h *history) remove(at, now moment) {
	for n := 1; n <= int(h.count); n++ {
		if h.latest(n, now) != at.ceil {
			continue
		}
		for ; n > 1; n-- {
			h.at[h.index(n)] = h.at[h.index(n-1)]
		}
		h.count--
		return
	}
}

func (h *history) index(n int) int { return (int(h.first) + int(h.count) - n) % len(h.at) }

// shutFor returns how long Redis refuses the key for certain; 0: it may not.
func (h *history) shutFor(v *value, now moment) time.Duration {
	if !h.isShut || h.value != v.number {
		return 0
	}
	// The end of a refusal lies at most one window ahead; what is further is past.
	left := h.shut - uint32(now.floor) //nolint:gosec // the low half is meant
	if left == 0 || int64(left) > v.longest+1 {
		h.isShut = false
		return 0
	}
	return now.until(now.floor + int64(left))
}

// over reports whether nothing in the history can matter any more.
func (h *history) over(v *value, now moment) bool {
	return (h.count == 0 || h.latest(1, now)+v.longest <= now.floor) && h.shutFor(v, now) == 0
}

// used is the share of its limit that the key has used up, in thousandths.
func (h *history) used(v *value, now moment) int {
	used := 0
	for i, r := range v.limit {
		used = max(used, h.since(v.windows[i], now)*1000/r.Count)
	}
	return used
}

// judge says whether one event more would be allowed, and how it would stand
// then.
func (h *history) judge(v *value, now moment) (d Decision) {
	if h.isShut {
		d.RetryAfter = h.shutFor(v, now)
		d.Rule = v.limit[min(int(h.rule), len(v.limit)-1)]
	}
	for i := range v.limit {
		if n := v.limit[i].Count; int(h.count) >= n {
			if wait := now.until(h.latest(n, now) + v.windows[i]); wait > d.RetryAfter {
				d.Rule, d.RetryAfter = v.limit[i], wait
			}
		}
	}
	if d.RetryAfter > 0 {
		d.Reset = d.RetryAfter
		return d
	}
	d.Allowed = true
	for i := range v.limit {
		used, oldest := h.since(v.windows[i], now), now.ceil
		if used > 0 {
			oldest = h.latest(used, now)
		}
		left, reset := v.limit[i].Count-used-1, now.until(oldest+v.windows[i])
		if i == 0 || left < d.Remaining || left == d.Remaining && reset > d.Reset {
			d.Rule, d.Remaining, d.Reset = v.limit[i], left, reset
		}
	}
	return d
}
