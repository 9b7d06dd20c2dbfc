package deadletter

import (
	"context"
	"sync"
	"time"
)

// deadline is context.WithDeadline without the cost of a timer until somebody
// waits for it: senders that answer at once never do.
type deadline struct {
	context.Context //nolint:containedctx // the parent: this is a context
	at              time.Time

	mu      sync.Mutex
	timed   context.Context //nolint:containedctx // made by the first Done
	cancel  context.CancelFunc
	expired bool
}

func (d *deadline) Deadline() (time.Time, bool) { return d.at, true }

func (d *deadline) Done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timed == nil {
		d.timed, d.cancel = context.WithDeadline(d.Context, d.at)
		if d.expired {
			d.cancel()
		}
	}
	return d.timed.Done()
}

func (d *deadline) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.timed != nil:
		return d.timed.Err()
	case d.expired:
		return context.Canceled
	case !time.Now().Before(d.at):
		return context.DeadlineExceeded
	}
	return d.Context.Err()
}

// Value lets the standard library find the timed context below, so that
// contexts derived from this one need no goroutine.
func (d *deadline) Value(key any) any {
	d.mu.Lock()
	timed := d.timed
	d.mu.Unlock()
	if timed != nil {
		return timed.Value(key)
	}
	return d.Context.Value(key)
}

// release ends the context; the attempt is over.
func (d *deadline) release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.expired = true
	if d.cancel != nil {
		d.cancel()
	}
}
