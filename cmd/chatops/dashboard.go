package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/dashboard"
	"chatops/internal/postgres"
	"chatops/internal/runbook"
)

// showDashboard shows the dashboard, as a screen or as lines.
func showDashboard(ctx context.Context, d *runbook.Dashboard) (err error) {
	o, _, release, err := openDashboard(ctx, d, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // a few megabytes more, and a tenth of the work less
	if d.Plain {
		return dashboard.Plain(ctx, o)
	}
	return dashboard.Run(ctx, o)
}

// lookOnce asks the dashboard's sources, or a record, once.
func lookOnce(ctx context.Context, d *runbook.Dashboard) (s *chatops.Situation, replayed *runbook.Replayed, err error) {
	o, replayed, release, err := openDashboard(ctx, d, true)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, release()) }()
	s, err = dashboard.Once(ctx, o)
	return s, replayed, err
}

// openDashboard makes a dashboard of what is now, or of a record: of its end, when
// only one look at it is taken.
func openDashboard(ctx context.Context, d *runbook.Dashboard, once bool) (o *dashboard.Options, replayed *runbook.Replayed, release func() error, err error) {
	if d.Replay != "" {
		o, replayed, err = replayOptions(d, once)
		return o, replayed, func() error { return nil }, err
	}
	o, closeAll, err := dashboardOptions(ctx, d)
	if err != nil || d.RecordTo == "" {
		return o, nil, func() error { closeAll(); return nil }, err
	}
	f, err := os.OpenFile(d.RecordTo, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		closeAll()
		return nil, nil, nil, unopened("record", d.RecordTo, err)
	}
	o.Record = f
	return o, nil, func() error { closeAll(); return f.Close() }, nil
}

// replayOptions join the dashboard with a record.
func replayOptions(d *runbook.Dashboard, once bool) (*dashboard.Options, *runbook.Replayed, error) {
	f, err := os.Open(d.Replay)
	if err != nil {
		return nil, nil, unopened("replay", d.Replay, err)
	}
	defer func() { _ = f.Close() }() // it was only read
	r, err := dashboard.ReadRecord(f)
	if err != nil {
		return nil, nil, chatops.Errorf(chatops.ErrorCode(err), "--replay %s: %w", d.Replay, err)
	}
	at := r.From()
	if once {
		at = r.Until()
	}
	if d.At != "" {
		if at, err = r.Moment(d.At); err != nil {
			return nil, nil, chatops.Errorf(chatops.ErrorCode(err), "--at %w", err)
		}
	}
	o := &dashboard.Options{Colour: d.Colour, ASCII: d.ASCII, In: d.In, Out: d.Out, NowFunc: time.Now, JitterFunc: rand.Float64}
	o.Replay(r, at)
	return o, &runbook.Replayed{Version: r.Version, Environment: r.Environment, Host: r.Host, From: r.From(), Until: r.Until(), Cut: r.Cut}, nil
}

// unopened words why a file of a dashboard cannot be opened.
func unopened(flag, path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrExist):
		return chatops.Errorf(chatops.CodeUsage, "--%s %s: the file exists, and is not overwritten: give another name", flag, path)
	case errors.Is(err, fs.ErrNotExist) && flag == "replay":
		return chatops.Errorf(chatops.CodeNotFound, "--%s %s: there is no such file", flag, path)
	}
	return chatops.Errorf(chatops.CodeUsage, "--%s: %w", flag, err)
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
		In: d.In, Out: d.Out, NowFunc: time.Now, JitterFunc: rand.Float64, Version: runbook.BuildInfo().Version,
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
