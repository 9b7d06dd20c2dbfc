package storetest

import (
	"sync"
	"time"
)

// tick is how far the clock moves with each reading. Real time never stands
// still between two transactions, so neither does this clock.
const tick = time.Millisecond

// Clock is a clock that tests move. It is safe for concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// newClock starts a little ahead of real time, so that rows whose defaults come
// from the database's own clock are never in the future.
func newClock() *Clock {
	return &Clock{now: time.Now().UTC().Truncate(time.Second).Add(time.Minute)}
}

// Now returns the time and moves it by a tick.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(tick)
	return c.now
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Peek returns the time without moving it.
func (c *Clock) Peek() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}
