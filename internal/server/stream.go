package server

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"time"

	"chatops/internal/chatops"
)

// streamBuffer is how much of a long answer is held in memory, in bytes.
const streamBuffer = 32 << 10

// streamWriter sends the header with the first bytes, and gives the client the
// server's write timeout for each part, not for the whole.
type streamWriter struct {
	x         *exchange
	timeout   time.Duration
	setHeader func(http.Header)
	begun     bool
	err       error // the connection's
}

// Write sends a part of the body.
func (w *streamWriter) Write(p []byte) (int, error) {
	if !w.begun {
		w.begun = true
		w.setHeader(w.x.Header())
		w.x.WriteHeader(http.StatusOK)
	}
	// Not every ResponseWriter has a connection; then there is no deadline.
	_ = http.NewResponseController(w.x).SetWriteDeadline(time.Now().Add(w.timeout))
	n, err := w.x.Write(p)
	w.err = err
	return n, err
}

// stream sends what produce writes without holding it in memory. An error
// before anything was sent is answered as a problem. Later ones break the
// connection off, so that no client takes a part for the whole.
func (s *Server) stream(ctx context.Context, setHeader func(http.Header), produce func(io.Writer) error) {
	x := exchangeOf(ctx)
	w := &streamWriter{x: x, timeout: s.opts.WriteTimeout, setHeader: setHeader}
	if x.request.Method == http.MethodHead {
		_, _ = w.Write(nil) //nolint:contextcheck // the exchange has the request's
		return
	}
	buf := bufio.NewWriterSize(w, streamBuffer)
	err := produce(buf)
	if err == nil {
		err = buf.Flush()
	}
	switch {
	case err == nil:
	case !w.begun:
		s.fail(ctx, x.route(), err).write(x)
	default:
		if w.err == nil && ctx.Err() == nil {
			s.opts.Log.Error("answer broken off", "request_id", x.id, "route", x.route(),
				"code", string(chatops.ErrorCode(err)), "error", err.Error())
		}
		panic(http.ErrAbortHandler)
	}
}
