package deadletter

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// rampRate is how many retries a second a receiver gets at first that has
	// just recovered; twice as many after every rampStep, until rampEnd.
	rampRate = 10
	rampStep = time.Second
	rampEnd  = 10 * rampStep
	// rampTurn is what a batch may take meanwhile, so that fresh alerts, which
	// are not slowed down, do not wait behind it.
	rampTurn = 200 * time.Millisecond
)

// ramp spreads the retries that have piled up while a breaker was open over the
// seconds after it closed: a receiver that comes back meets a growing stream
// and not everything at once. The lanes of an integration share it. A nil ramp
// is over.
type ramp struct {
	active atomic.Bool

	mu    sync.Mutex
	since time.Time
	next  time.Time // of the next attempt
}

// begin starts over.
func (r *ramp) begin(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.since, r.next = now, now
	r.active.Store(true)
}

// stumble takes the stream back to a quarter: the receiver is not well yet.
func (r *ramp) stumble(now time.Time) {
	if r == nil || !r.active.Load() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.since = r.since.Add(2 * rampStep); r.since.After(now) {
		r.since = now
	}
}

// wait returns how long the next attempt has to wait, and takes its place.
func (r *ramp) wait(now time.Time) time.Duration {
	if r == nil || !r.active.Load() {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	rate, ok := r.rate(now)
	if !ok {
		return 0
	}
	if r.next.Before(now) {
		r.next = now
	}
	wait := r.next.Sub(now)
	r.next = r.next.Add(time.Duration(float64(time.Second) / rate))
	return wait
}

// batch is how many alerts may be claimed at once.
func (r *ramp) batch(now time.Time) int {
	if r == nil || !r.active.Load() {
		return math.MaxInt
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	rate, ok := r.rate(now)
	if !ok {
		return math.MaxInt
	}
	return max(1, int(rate*rampTurn.Seconds()))
}

// rate returns the attempts per second of now; false: the ramp is over. The
// lock is held.
func (r *ramp) rate(now time.Time) (float64, bool) {
	past := now.Sub(r.since)
	if past >= rampEnd || past < 0 { // or the clock was set back
		r.active.Store(false)
		return 0, false
	}
	return float64(int64(rampRate) << (past / rampStep)), true
}
