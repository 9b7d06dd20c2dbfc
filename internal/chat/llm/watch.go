package llm

import (
	"context"
	"io"
	"time"
)

// watch holds the deadlines of one call. Reading is done by the caller's own
// goroutine; a deadline cancels the request's context, which ends the read.
type watch struct {
	cancel context.CancelCauseFunc
	stop   context.CancelFunc
	timer  *time.Timer
	idle   time.Duration
}

// newWatch starts the deadlines. The context that it returns ends with them.
func newWatch(ctx context.Context, o *Options) (context.Context, *watch) {
	w := &watch{idle: o.IdleTimeout}
	ctx, w.stop = context.WithTimeoutCause(ctx, o.TotalTimeout, errTotal)
	ctx, w.cancel = context.WithCancelCause(ctx)
	w.timer = time.AfterFunc(o.FirstTimeout, func() { w.cancel(errIdle) })
	return ctx, w
}

// heard starts the idle time anew.
func (w *watch) heard() { w.timer.Reset(w.idle) }

func (w *watch) end() {
	w.timer.Stop()
	w.cancel(context.Canceled)
	w.stop()
}

// drainTime is how long the end of a stream is waited for after its last event,
// so that the connection can be used again. Most endpoints end at once.
const drainTime = 20 * time.Millisecond

func (w *watch) drain(body *watchedBody) {
	w.idle = drainTime
	w.heard()
	body.left = min(body.left, 4<<10)
	_, _ = io.Copy(io.Discard, body)
}

// watchedBody counts the bytes of an answer and tells the watch of each read.
type watchedBody struct {
	w    *watch
	r    io.Reader
	left int64
}

func (b *watchedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errLarge
	}
	// One byte more than allowed tells an answer that fits from one that does not.
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	if n > 0 {
		b.w.heard()
	}
	if b.left < 0 {
		return n, errLarge
	}
	return n, err //nolint:wrapcheck // io.EOF must stay what it is
}
