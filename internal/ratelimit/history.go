package ratelimit

import "sort"

// history is the moments of a key's latest allowed events: a ring that grows
// as long as events come within the window, up to the greatest count.
type history struct {
	key        string
	prev, next *history // neighbours in the order of the last question
	seen       int64    // moment of the last question

	at    []int64 // nanoseconds, ascending from first on, wrapping around
	first int
	count int
}

func (h *history) unlink() { h.prev.next, h.next.prev = h.next, h.prev }

// latest returns the moment of the n-th latest event; n is 1 to count.
func (h *history) latest(n int) int64 { return h.at[(h.first+h.count-n)%len(h.at)] }

// since returns how many events happened after a moment.
func (h *history) since(moment int64) int {
	// Among the latest events 1, 2, ... the first that is too old ends the count.
	return sort.Search(h.count, func(i int) bool { return h.latest(i+1) <= moment })
}

// add appends a moment. Room is made by dropping what is older than the longest
// window, or than depth events, and only then by growing.
func (h *history) add(now, longest int64, depth int) {
	for h.count > 0 && (h.count == depth || h.at[h.first] <= now-longest) {
		h.first = (h.first + 1) % len(h.at)
		h.count--
	}
	if h.count == len(h.at) {
		grown := make([]int64, min(max(4, 2*h.count), depth))
		for i := range h.count {
			grown[i] = h.at[(h.first+i)%len(h.at)]
		}
		h.at, h.first = grown, 0
	}
	h.at[(h.first+h.count)%len(h.at)] = now
	h.count++
}
