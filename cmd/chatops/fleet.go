package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"chatops/internal/breaker"
	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/fleet"
	"chatops/internal/ratelimit"
	"chatops/internal/runbook"
	"chatops/internal/sender"
)

// newReplica makes this process one of the fleet: it obeys the orders of
// operators and reports its breakers, limits and jobs.
func newReplica(log *slog.Logger, store chatops.Store, breakers *breaker.Set, limits *ratelimit.Limits, jobs func() []chatops.JobReport) (*fleet.Replica, error) {
	return fleet.New(fleet.Options{
		Store: store, Name: replica(), Version: runbook.Version(), Log: log,
		ApplyFunc: func(c *chatops.Controls) {
			breakers.Apply(c)
			limits.Apply(c)
		},
		ReportFunc: func() chatops.InstanceReport {
			return chatops.InstanceReport{Breakers: breakers.Report(), Limiter: limits.Report(), Jobs: jobs(), Clock: time.Now().UTC()}
		},
	})
}

// declareBreakers makes the breaker of every integration, so that each one is
// shown and can be tripped before its first call, or before it is configured.
func declareBreakers(cfg *config.Config, breakers *breaker.Set) {
	opts := senderOptions(cfg)
	for _, name := range append(sender.Integrations(&opts), "llm") {
		breakers.Get(name)
	}
}

// reloadLimits reads the settings again for each SIGHUP, until the context ends,
// and puts their limits in force. Bad settings change nothing.
func reloadLimits(ctx context.Context, hangups <-chan os.Signal, reload runbook.ReloadFunc, limits *ratelimit.Limits, log *slog.Logger) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
		}
		if err := applyLimits(reload, limits); err != nil {
			log.Error("settings are not read again, the limits stay as they are", "err", err)
			continue
		}
		log.Info("settings were read again: their rate limits are in force, other settings at the next start")
	}
}

func applyLimits(reload runbook.ReloadFunc, limits *ratelimit.Limits) error {
	cfg, err := reload()
	if err != nil {
		return err
	}
	configured, err := cfg.Limits()
	if err != nil {
		return err
	}
	return limits.Configure(configured)
}

// hangups catches SIGHUP, which would end the process otherwise.
func hangups() (caught <-chan os.Signal, release func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}
