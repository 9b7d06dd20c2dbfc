package server

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// maxHeader is the largest request header, in bytes. net/http adds 4096 bytes
// of grace to what it is told.
const maxHeader = 16 << 10

// Run serves requests from ln until ctx ends, then drains: /readyz answers 503
// at once, the listener closes after Options.DrainDelay, and requests in flight
// get Options.DrainTimeout to finish. It closes ln.
//
// Nil means that every request was answered. CodePartial means that the time
// ran out, CodeInterrupted that Options.Force was closed first; both name how
// many requests were cut off. Other errors are the listener's.
func (s *Server) Run(ctx context.Context, ln net.Listener) error {
	// Requests outlive ctx: draining is for them.
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	srv := &http.Server{
		Handler:           s,
		BaseContext:       func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: s.opts.HeaderTimeout,
		ReadTimeout:       s.opts.ReadTimeout,
		WriteTimeout:      s.opts.WriteTimeout,
		IdleTimeout:       s.opts.IdleTimeout,
		MaxHeaderBytes:    maxHeader - 4096,
		ErrorLog:          log.New(serverLog{s.opts.Log}, "", 0),
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(ln) }()
	select {
	case err := <-failed:
		return chatops.WrapError(chatops.CodeUnavailable, err, "serve http")
	case <-ctx.Done():
	}
	err := s.drain(context.WithoutCancel(ctx), srv)
	if err != nil {
		cancel() // tell the handlers that nobody waits for them
		_ = srv.Close()
	}
	if served := <-failed; err == nil && !errors.Is(served, http.ErrServerClosed) {
		return chatops.WrapError(chatops.CodeUnavailable, served, "serve http")
	}
	return err
}

// drain lets requests in flight finish. Its context has not ended.
func (s *Server) drain(ctx context.Context, srv *http.Server) error {
	s.draining.Store(true)
	s.opts.Log.Info("draining", "in_flight", s.inFlight.Load(), "timeout", s.opts.DrainTimeout)
	select {
	case <-time.After(s.opts.DrainDelay):
	case <-s.opts.Force:
		return s.cutOff()
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.DrainTimeout)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- srv.Shutdown(ctx) }()
	select {
	case err := <-done:
		if errors.Is(err, context.DeadlineExceeded) {
			return chatops.Errorf(chatops.CodePartial, "drain: %d requests cut off after %s",
				s.inFlight.Load(), s.opts.DrainTimeout)
		}
		return err
	case <-s.opts.Force:
		cancel()
		if err := <-done; err == nil {
			return nil // the last request was answered meanwhile
		}
		return s.cutOff()
	}
}

func (s *Server) cutOff() error {
	return chatops.Errorf(chatops.CodeInterrupted, "drain: %d requests cut off by a second signal", s.inFlight.Load())
}

// serverLog takes what net/http itself has to say: failed accepts, mostly.
type serverLog struct{ log *slog.Logger }

// peer matches an address with its port, which would name a visitor.
var peer = regexp.MustCompile(`(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-fA-F:.%\w]+\]):\d+`)

// Write logs one message without the visitor's address.
func (l serverLog) Write(p []byte) (int, error) {
	l.log.Warn("http server", "message", peer.ReplaceAllString(strings.TrimSpace(string(p)), "client"))
	return len(p), nil
}
