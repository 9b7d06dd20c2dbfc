package deadletter

import (
	"context"
	"slices"
)

// idleWaiter is a caller of WaitIdle. Only a look at the lanes that began after
// it asked may let it go.
type idleWaiter struct {
	looks uint64
	done  chan struct{}
}

// WaitIdle waits until the engine has nothing to do: no worker runs, and no
// alert of a lane it serves is due or will be within the pace of a serial lane.
// Alerts that wait for a retry, an open breaker or a rate limit do not count.
// It returns nil then, and the context's error when that ends first. The
// engine must be running.
func (e *Engine) WaitIdle(ctx context.Context) error {
	w := &idleWaiter{done: make(chan struct{})}
	e.mu.Lock()
	w.looks = e.looks
	e.waiters = append(e.waiters, w)
	e.mu.Unlock()
	e.look()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.waiters = slices.DeleteFunc(e.waiters, func(o *idleWaiter) bool { return o == w })
	return ctx.Err()
}

// releaseIdle lets those go who asked before the given look, which found
// nothing to do. The lock is held.
func (e *Engine) releaseIdle(look uint64) {
	e.waiters = slices.DeleteFunc(e.waiters, func(w *idleWaiter) bool {
		if w.looks >= look {
			return false
		}
		close(w.done)
		return true
	})
}
