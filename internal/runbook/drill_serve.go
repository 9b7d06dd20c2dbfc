package runbook

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

// beginAgain is the pause before a service that has ended is begun again.
const beginAgain = 500 * time.Millisecond

// service is the installation of a drill while it runs.
type service struct {
	serveFunc func(ctx context.Context, log *slog.Logger) error
	keep      bool // begin it again whenever it ends

	mu      sync.Mutex
	address string // where it listens; "" where it does not
	err     error  // why it ended last
	changed chan struct{}
}

// run runs it until the context ends, or until it ends by itself and is not kept.
func (s *service) run(ctx context.Context, log slog.Handler) {
	for {
		err := s.serveFunc(ctx, slog.New(&addressHandler{log, func(address string) { s.set(address, nil) }}))
		if err == nil {
			err = chatops.Errorf(chatops.CodeInterrupted, "the service was stopped")
		}
		s.set("", err)
		if !s.keep || !chatops.Sleep(ctx, beginAgain) {
			return
		}
	}
}

func (s *service) set(address string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.address, s.err = address, err
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// state is where it listens, and why it ended last.
func (s *service) state() (address string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.address, s.err
}

// serve runs the installation until it is stopped, and opens its store.
func (x *exercise) serve(ctx context.Context) (stop func(), err error) {
	settings := func() (*config.Config, error) {
		l, err := config.Load(config.Sources{LookupEnvFunc: x.lookup, ReadFileFunc: x.env.ReadFileFunc})
		return l.Config, err
	}
	if x.cfg, err = settings(); err != nil {
		return nil, err
	}
	logFile, err := os.OpenFile(filepath.Join(x.rng.Folder, "service.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, chatops.Errorf(chatops.CodeUnavailable, "drill: write the log: %w", err)
	}
	if err := x.prepare(ctx); err != nil {
		_ = logFile.Close()
		return nil, err
	}
	s := &service{keep: x.drill.Postgres, changed: make(chan struct{}, 1)}
	s.serveFunc = func(ctx context.Context, log *slog.Logger) error {
		err := x.env.ServeFunc(ctx, x.cfg, settings, log)
		if err != nil {
			log.Error("the service has ended", "error", chatops.ErrorMessage(err))
		}
		return err
	}
	serving, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); s.run(serving, slog.NewTextHandler(logFile, nil)) }()
	halt := func() {
		cancel()
		<-ended
		_ = logFile.Close()
	}
	<-s.changed
	x.rng.Address, err = s.state()
	x.rng.ServingFunc = s.state
	if err != nil && !s.keep {
		halt()
		return nil, err
	}
	store, err := x.env.OpenStoreFunc(ctx, x.cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		halt()
		return nil, err
	}
	x.rng.Store = store
	x.rng.SQLFunc = func(ctx context.Context, statements ...string) error {
		return x.env.ChangeFileFunc(ctx, x.rng.Database(), statements...)
	}
	return func() { _ = store.Close(); halt() }, nil
}

// prepare carries out the commands that come before the service begins. They are
// nobody's repair: they are not noted down, and nobody sees them.
func (x *exercise) prepare(ctx context.Context) error {
	note := x.vars[drillVariable]
	delete(x.vars, drillVariable)
	defer func() { x.vars[drillVariable] = note }()
	for _, command := range x.drill.Before {
		if err := x.typeCommand(ctx, command, io.Discard); err != nil {
			return err
		}
	}
	return nil
}

// addressHandler is a log that tells where the service listens.
type addressHandler struct {
	slog.Handler
	tellFunc func(address string)
}

// Handle writes a record.
func (h *addressHandler) Handle(ctx context.Context, r slog.Record) error {
	if r.Message == "serving" {
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == "address" {
				h.tellFunc(a.Value.String())
			}
			return true
		})
	}
	return h.Handler.Handle(ctx, r)
}
