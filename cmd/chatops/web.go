package main

import (
	"context"
	"log/slog"
	"net"

	"github.com/prometheus/client_golang/prometheus"

	"chatops/internal/chat"
	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/ratelimit"
	"chatops/internal/runbook"
	"chatops/internal/server"
)

// webOptions are what a server has in common with one that waits for its
// database to be migrated.
func webOptions(cfg *config.Config, log *slog.Logger, metrics *prometheus.Registry) server.Options {
	return server.Options{
		Log: log, Metrics: metrics,
		Version:         server.Version{Version: runbook.Version(), Commit: runbook.Commit()},
		CORSOrigins:     cfg.CORSOrigins,
		PublicURL:       cfg.PublicURL,
		TrustedProxies:  cfg.TrustedNetworks(),
		MigrationSecret: cfg.MigrationSecret.Reveal(),
		MigrateFunc: func(ctx context.Context) (*server.MigrationReport, error) {
			return migrateOverHTTP(ctx, cfg, log)
		},
	}
}

// newWeb makes the HTTP server of the whole program.
func newWeb(cfg *config.Config, log *slog.Logger, metrics *prometheus.Registry, store chatops.Store, visitors *chat.Service, k *chat.Knowledge, limits *ratelimit.Limits, health server.Health, l links) *server.Server {
	metrics.MustRegister(poolCollector{store.Pools}, newJobCollector(health.JobsFunc))
	health.LimiterFunc, health.InstancesFunc = limits.Report, store.Instances
	opts := webOptions(cfg, log, metrics)
	opts.Chat, opts.Health, opts.Limits = visitors, health, limits
	opts.Leads, opts.CreateLeadFunc = store, visitors.CreateLead
	opts.Texts = store
	opts.Consent, opts.ImpliedConsent = store, cfg.ConsentMode == chat.ConsentImplied
	useLinks(&opts, store, l)
	opts.Knowledge = publicKnowledge{k}
	opts.AdminKeys = []string{cfg.AdminAPIKey.Reveal()}
	if opts.Environment = cfg.Environment; opts.Environment == "" && cfg.Profile.Name != "" {
		opts.Environment = cfg.Profile.Title()
	}
	return server.New(opts)
}

// migrateOverHTTP does what `chatops migrate up` does.
func migrateOverHTTP(ctx context.Context, cfg *config.Config, log *slog.Logger) (*server.MigrationReport, error) {
	m, err := openMigrator(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = m.Close() }()
	done, err := chatops.Migrate(ctx, m)
	if err != nil {
		return nil, err
	}
	report := &server.MigrationReport{}
	for _, one := range done.Applied {
		report.Applied = append(report.Applied, one.Name)
	}
	if done.Adoption != nil {
		report.Adoption = done.Adoption
	}
	return report, nil
}

// awaitMigration serves the endpoint that migrates until the database is up to
// date, and leaves the listener to the server that takes over. Only where
// MIGRATION_SECRET is set: otherwise serving refuses to start.
func awaitMigration(ctx context.Context, cfg *config.Config, log *slog.Logger, ln net.Listener) (bool, error) {
	limits, err := newLimits(cfg, log, nil, nil)
	if err != nil {
		return false, err
	}
	opts := webOptions(cfg, log, nil)
	opts.Limits = limits
	waiting := server.NewMigration(opts)
	log.Warn("the database waits for its migrations: run chatops migrate up, or call /api/migration/create-dead-letter-queue",
		"address", ln.Addr().String())
	watching, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		if migratedByOthers(watching, cfg, log) {
			waiting.Migrated()
		}
	}()
	return waiting.Run(ctx, ln)
}
