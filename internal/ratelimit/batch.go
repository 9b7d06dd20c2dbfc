package ratelimit

import (
	"sync"
	"sync/atomic"
)

const (
	// Two round trips at a time: while Redis works on one, the next is made.
	maxFlights = 2
	// So many events at a time keep Redis busy for less than a millisecond.
	maxBatch = 128
	// One event has few checks; more are decided in this process.
	maxChecks = 32
)

// event is one decision that Redis is asked for. Whoever claims it first decides
// what becomes of it: the answer, a failure, or the caller who waits no longer.
type event struct {
	asks    []ask
	keys    []string
	claimed atomic.Bool
	done    chan struct{}
	outcome outcome
	ok      bool // there is an outcome
}

func (e *event) claim() bool { return e.claimed.CompareAndSwap(false, true) }

// answer ends an event with what Redis said.
func (e *event) answer(o outcome) {
	if e.claim() {
		e.outcome, e.ok = o, true
		close(e.done)
	}
}

// giveUp ends an event without an answer.
func (e *event) giveUp() {
	if e.claim() {
		close(e.done)
	}
}

// batcher collects the events that come while others are on their way, and sends
// them together. An event that finds nothing on its way is sent at once.
type batcher struct {
	sendFunc func([]*event) // ends every event

	mu      sync.Mutex
	queue   []*event
	flights map[*flight]struct{}
}

// flight is the right to send one batch after another.
type flight struct{ batch []*event }

// add lets an event wait. When it need not, it returns the flight that the caller
// must see to.
func (b *batcher) add(e *event) *flight {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queue = append(b.queue, e)
	if len(b.flights) >= maxFlights {
		return nil
	}
	f := &flight{}
	b.flights[f] = struct{}{}
	return f
}

// fly sends what waits, batch by batch.
func (b *batcher) fly(f *flight) {
	for b.next(f) {
		b.sendFunc(f.batch)
	}
}

// flyOnce sends one batch, and leaves the rest to another goroutine.
func (b *batcher) flyOnce(f *flight) {
	if !b.next(f) {
		return
	}
	b.sendFunc(f.batch)
	if b.next(f) {
		go func() {
			b.sendFunc(f.batch)
			b.fly(f)
		}()
	}
}

// next takes what waits, or ends the flight.
func (b *batcher) next(f *flight) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(len(b.queue), maxBatch)
	if _, ok := b.flights[f]; n == 0 || !ok {
		delete(b.flights, f)
		return false
	}
	f.batch = b.queue[:n:n]
	b.queue = b.queue[n:]
	return true
}

// drop gives up all events that wait or are on their way. Flights that hang are
// left to themselves and end when their call does.
func (b *batcher) drop() {
	b.mu.Lock()
	all := b.queue
	b.queue = nil
	for f := range b.flights {
		all = append(all, f.batch...)
	}
	clear(b.flights)
	b.mu.Unlock()
	for _, e := range all {
		e.giveUp()
	}
}
