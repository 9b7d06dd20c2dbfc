package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// ServeHTTP answers a request: it gives it an id, sets the headers that every
// response has, refuses what no route may see, and logs and counts the result.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := s.opts.Now()
	id := r.Header.Get("X-Request-ID")
	if !saneRequestID(id) {
		id = newRequestID()
	}
	x := &exchange{ResponseWriter: w, id: id}
	r = r.WithContext(context.WithValue(r.Context(), requestIDKey{}, x))
	x.request = r
	h := w.Header()
	h["X-Request-Id"] = []string{id}
	setSecurity(h, s.secure || r.TLS != nil)
	if len(r.TransferEncoding) > 0 {
		// net/http does not tell whether there was a Content-Length too. A proxy
		// that believed that one would see the next request elsewhere than we do,
		// so there is no next one (RFC 9112, section 6.3).
		h["Connection"] = closing
	}

	s.inFlight.Add(1)
	s.metrics.inFlight.Inc()
	defer func() { //nolint:contextcheck // it has the request's
		s.metrics.inFlight.Dec()
		s.inFlight.Add(-1)
		s.finish(r.Context(), x, s.opts.Now().Sub(start))
	}()
	defer s.rescue(x)
	s.dispatch(x, r)
}

// dispatch hands the request to its route.
func (s *Server) dispatch(x *exchange, r *http.Request) {
	err := checkPath(r)
	if err == nil && s.cors.handle(x, r) {
		return
	}
	if s.opts.Limits != nil && isAPI(r.URL.Path) && !s.mayEnter(x) {
		return
	}
	if err != nil {
		x.refuse(problemOf(err, x.id)) //nolint:contextcheck // the exchange has the request's
		return
	}
	s.mux.ServeHTTP(x, r)
}

// rescue turns a handler's panic into a 500. Where the response has begun, the
// connection is broken off, so that no client takes half an answer for a whole.
func (s *Server) rescue(x *exchange) {
	v := recover()
	if v == nil {
		return
	}
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v)
	}
	s.metrics.panics.Inc()
	s.opts.Log.Error("handler panicked", "request_id", x.id, "route", x.route(),
		"panic", describePanic(v), "stack", string(debug.Stack()))
	if x.status != 0 {
		panic(http.ErrAbortHandler)
	}
	newProblem(http.StatusInternalServerError, "internal error", x.id).write(x)
}

// describePanic tells what happened without repeating data: the text of an
// arbitrary panic value may hold anything, the runtime's own does not.
func describePanic(v any) string {
	if err, ok := v.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("%T", v)
}

func (s *Server) finish(ctx context.Context, x *exchange, took time.Duration) {
	status := x.status
	if status == 0 {
		status = http.StatusOK // net/http sends it for a handler that wrote nothing
	}
	route := x.route()
	s.metrics.observe(route, x.request.Method, status, took)
	level := slog.LevelInfo
	if isProbe(route) {
		level = slog.LevelDebug
	}
	if !s.opts.Log.Enabled(ctx, level) {
		return
	}
	s.opts.Log.LogAttrs(ctx, level, "request",
		slog.String("method", methodLabel(x.request.Method)),
		slog.String("route", route),
		slog.Int("status", status),
		slog.Duration("duration", took),
		slog.Int64("bytes", x.bytes),
		slog.String("request_id", x.id))
}

// route returns the pattern's path, which holds no value of this request.
func (x *exchange) route() string {
	pattern := x.request.Pattern
	if pattern == "" {
		return unmatched
	}
	if _, path, ok := strings.Cut(pattern, " "); ok {
		pattern = path
	}
	return strings.TrimSuffix(pattern, "{$}")
}

// isProbe reports whether a route is asked every few seconds by machines.
func isProbe(route string) bool {
	return route == "/livez" || route == "/readyz" || route == "/metrics"
}

// checkPath refuses paths that two programs may read differently: an encoded
// slash or backslash (which a proxy may have decoded for its rules) and control
// characters.
func checkPath(r *http.Request) error {
	for i := range len(r.URL.Path) {
		switch c := r.URL.Path[i]; {
		case c < ' ' || c == 0x7f:
			return errPathControl
		case c == '\\':
			return errPathEncoded
		}
	}
	// RawPath is set when the path holds an escape that need not be one.
	if raw := r.URL.RawPath; raw != "" && strings.Contains(strings.ToLower(raw), "%2f") {
		return errPathEncoded
	}
	return nil
}
