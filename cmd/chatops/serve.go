package main

import (
	"context"
	"log/slog"
	"net"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/runbook"
	"chatops/internal/server"
)

// serve runs the whole service until the context ends, then drains: requests in
// flight finish, attempts in flight are recorded and leases given back.
func serve(ctx context.Context, cfg *config.Config, log *slog.Logger) error {
	if err := prepareSchema(ctx, cfg, log); err != nil {
		return err
	}
	store, err := openStore(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()

	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	breakers := newBreakers(cfg, log)
	engine, err := newEngine(cfg, log, store, breakers, metrics)
	if err != nil {
		return err
	}
	visitors, err := newChat(cfg, store, engine.Wake)
	if err != nil {
		return err
	}
	health, release, err := healthChecks(cfg, store, engine, breakers)
	if err != nil {
		return err
	}
	defer release()

	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.ListenAddress())
	if err != nil {
		return chatops.Errorf(chatops.CodeInvalid, "serve: %w: choose another with PORT or LISTEN", err)
	}
	web := server.New(server.Options{
		Chat: visitors, Health: health, Log: log, Metrics: metrics,
		Version:     server.Version{Version: runbook.Version(), Commit: runbook.Commit()},
		CORSOrigins: cfg.CORSOrigins, PublicURL: cfg.PublicURL,
	})
	log.Info("serving", "address", ln.Addr().String(), "database", cfg.DatabaseURL.Host(), "pid", os.Getpid())

	// The engine outlives the web server: alerts of the last requests get their
	// first attempt.
	delivering, stopDelivering := context.WithCancel(context.WithoutCancel(ctx))
	defer stopDelivering()
	g, serving := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer stopDelivering()
		return web.Run(serving, ln)
	})
	g.Go(func() error { return engine.Run(delivering) })
	err = g.Wait()
	if err == nil {
		log.Info("stopped: everything in flight was finished")
	}
	return err
}
