package sendertest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"chatops/internal/testserver"
)

// Request is one received HTTP request.
type Request struct {
	Method string
	Path   string
	Header http.Header
	Body   []byte
	At     time.Time
}

// HTTP is a scripted HTTP receiver.
type HTTP struct {
	tb       testing.TB
	workFunc func(Request) (body string)

	mu        sync.Mutex
	addr      string
	server    *http.Server
	stopped   chan struct{} // closed by Stop, frees hanging requests
	served    chan struct{} // closed when the listener is gone
	behaviour Behaviour
	script    []Behaviour
	requests  []Request
	changed   chan struct{} // closed and renewed at every request
}

// StartHTTP starts a receiver that answers 200 "ok", such as a generic webhook.
// An empty address picks a free port of 127.0.0.1. It stops when the test ends.
func StartHTTP(tb testing.TB, addr string) *HTTP {
	tb.Helper()
	return startHTTP(tb, addr, func(Request) string { return "ok" })
}

func startHTTP(tb testing.TB, addr string, workFunc func(Request) string) *HTTP {
	tb.Helper()
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	h := &HTTP{tb: tb, workFunc: workFunc, addr: addr, changed: make(chan struct{})}
	h.Start()
	tb.Cleanup(h.Stop)
	return h
}

// Start listens again after Stop, on the same address.
func (h *HTTP) Start() {
	h.tb.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.server != nil {
		return
	}
	listener, err := testserver.Listen(h.addr)
	if err != nil {
		h.tb.Fatalf("start HTTP fake on %s: %v", h.addr, err)
	}
	h.addr = listener.Addr().String()
	h.stopped = make(chan struct{})
	h.server = &http.Server{Handler: http.HandlerFunc(h.serve), ReadHeaderTimeout: time.Minute}
	h.served = make(chan struct{})
	go func(s *http.Server, served chan<- struct{}) {
		defer close(served)
		if err := s.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			h.tb.Errorf("HTTP fake: %v", err)
		}
	}(h.server, h.served)
}

// Stop closes the port and every connection; what was recorded stays. A second
// call does nothing.
func (h *HTTP) Stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.server == nil {
		return
	}
	close(h.stopped)
	_ = h.server.Close()
	<-h.served // only then is the port really closed
	h.server = nil
}

// Addr returns host:port.
func (h *HTTP) Addr() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.addr
}

// URL returns the receiver's address.
func (h *HTTP) URL() string { return "http://" + h.Addr() + "/" }

// Set changes the behaviour from the next request on and drops what is left of
// a script.
func (h *HTTP) Set(b Behaviour) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.behaviour, h.script = b, nil
}

// Script sets the behaviour of the next requests, one each; afterwards the
// behaviour of Set applies again.
func (h *HTTP) Script(b ...Behaviour) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.script = b
}

// Requests returns a copy of what was received so far.
func (h *HTTP) Requests() []Request {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]Request(nil), h.requests...)
}

// Wait returns the requests as soon as there are n of them, or those received
// when the context ends.
func (h *HTTP) Wait(ctx context.Context, n int) []Request {
	return wait(ctx, n, h.Requests, h.news)
}

func (h *HTTP) news() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.changed
}

func (h *HTTP) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client gave up; there is no request to record
	}
	req := Request{Method: r.Method, Path: r.URL.Path, Header: r.Header.Clone(), Body: body, At: time.Now()}
	b, stopped := h.record(req)
	if b.WriteFunc != nil {
		gone := make(chan struct{})
		end := sync.OnceFunc(func() { close(gone) })
		defer context.AfterFunc(r.Context(), end)()
		served := make(chan struct{})
		defer close(served)
		go func() {
			select {
			case <-stopped:
				end()
			case <-served:
			}
		}()
		b.WriteFunc(w, req, gone)
		return
	}
	reply := ""
	if b.Work || b.plain() {
		reply = h.workFunc(req)
	}
	switch {
	case b.Hang:
		select {
		case <-r.Context().Done():
		case <-stopped:
		}
		panic(http.ErrAbortHandler)
	case b.Drop:
		panic(http.ErrAbortHandler)
	}
	for name, value := range b.Header {
		w.Header().Set(name, value)
	}
	if b.plain() {
		_, _ = io.WriteString(w, reply)
		return
	}
	w.WriteHeader(b.Status)
	for range b.Repeat + 1 {
		if _, err := io.WriteString(w, b.Body); err != nil {
			return
		}
	}
}

func (b Behaviour) plain() bool { return b.Status == 0 && !b.Hang && !b.Drop }

func (h *HTTP) record(r Request) (Behaviour, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.requests = append(h.requests, r)
	close(h.changed)
	h.changed = make(chan struct{})
	b := h.behaviour
	if len(h.script) > 0 {
		b, h.script = h.script[0], h.script[1:]
	}
	return b, h.stopped
}

func mustJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // a fake was given something that JSON cannot hold
	}
	return string(text)
}
