package main

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/dashboard"
	"chatops/internal/postgres"
	"chatops/internal/runbook"
)

// showDashboard shows the dashboard, as a screen or as lines.
func showDashboard(ctx context.Context, d *runbook.Dashboard) error {
	o, release, err := dashboardOptions(ctx, d)
	if err != nil {
		return err
	}
	defer release()
	if d.Plain {
		return dashboard.Plain(ctx, o)
	}
	return dashboard.Run(ctx, o)
}

// lookOnce asks the dashboard's sources once.
func lookOnce(ctx context.Context, d *runbook.Dashboard) (*chatops.Situation, error) {
	o, release, err := dashboardOptions(ctx, d)
	if err != nil {
		return nil, err
	}
	defer release()
	return dashboard.Once(ctx, o), nil
}

// dashboardOptions joins the dashboard with its sources and with the commands
// that it carries out. Nothing has to be reachable yet.
func dashboardOptions(ctx context.Context, d *runbook.Dashboard) (o *dashboard.Options, release func(), err error) {
	cfg := d.Config
	store, err := openUnreached(ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	client, err := openRedis(cfg)
	if err != nil {
		_ = store.Close()
		return nil, nil, err
	}
	release = func() { _ = store.Close() }
	o = &dashboard.Options{
		Store: store, Database: "postgresql", Host: cfg.DatabaseURL.Host(), Environment: cfg.Profile.Title(),
		Write: d.Write, MaxRetries: cfg.DLQRetries, Refresh: d.Refresh, Colour: d.Colour, ASCII: d.ASCII,
		In: d.In, Out: d.Out, NowFunc: time.Now, JitterFunc: rand.Float64,
		RunFunc: func(ctx context.Context, args []string, tell func(string)) dashboard.Outcome {
			code, out, said := d.RunFunc(ctx, args, tell)
			return dashboard.Outcome{Code: code, Out: out, Err: said}
		},
	}
	if embedded(cfg) {
		o.Database = "sqlite"
	}
	if cfg.Profile.Protected {
		o.ConfirmWord = cfg.Profile.Name
	}
	if client != nil {
		o.PingRedisFunc = func(ctx context.Context) error { return client.Ping(ctx).Err() }
		release = func() { _, _ = client.Close(), store.Close() }
	}
	return o, release, nil
}

// openUnreached opens the configured store without reaching PostgreSQL: a
// dashboard that is opened because the database is down has to say so, and to see
// it come back.
func openUnreached(ctx context.Context, cfg *config.Config) (chatops.Store, error) {
	quiet := slog.New(slog.DiscardHandler) // a log line would tear the screen
	if embedded(cfg) {
		return openStore(ctx, cfg, quiet)
	}
	return postgres.Open(ctx, cfg.DatabaseURL.Reveal(), postgres.Options{Log: quiet})
}
