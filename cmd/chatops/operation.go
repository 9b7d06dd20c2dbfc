package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"chatops/internal/breaker"
	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/operation"
)

// paceWindow is the domain's in every release. The end-to-end tests link the
// program with a shorter one, so that a ramp takes no minutes.
var paceWindow = ""

// newCarrier makes what carries bulk operations in a serving process.
func newCarrier(
	log *slog.Logger, store chatops.Store, breakers *breaker.Set, wake func(), reg prometheus.Registerer, only string,
) (*operation.Carrier, error) {
	window, _ := time.ParseDuration(paceWindow) // none: the domain's
	return operation.New(operation.Options{
		Store: store, Holder: replica(), OpenFunc: func() []string { return cutOff(breakers) }, WakeFunc: wake,
		Window: window, Only: only, Registerer: reg, Log: log,
	})
}

// cutOff names the integrations whose breakers let nothing through at present,
// not even a probe.
func cutOff(breakers *breaker.Set) []string {
	var names []string
	for _, s := range breakers.Snapshots() {
		if s.State != breaker.Closed && !s.Ready {
			names = append(names, s.Name)
		}
	}
	return names
}

// carry carries one operation beside a runbook command and delivers its alerts,
// until the context ends.
func carry(ctx context.Context, cfg *config.Config, log *slog.Logger, store chatops.Store, id string) error {
	engine, breakers, err := newCommandEngine(ctx, cfg, log, store)
	if err != nil {
		return err
	}
	carrier, err := newCarrier(log, store, breakers, engine.Wake, nil, id)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return engine.Run(ctx) })
	g.Go(func() error { return carrier.Run(ctx) })
	return g.Wait()
}
