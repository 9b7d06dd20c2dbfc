package main

import (
	"context"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"chatops/internal/breaker"
	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/deadletter"
	"chatops/internal/runbook"
	"chatops/internal/sender"
)

// senders builds the configured integrations. With the embedded database a
// missing one is played by a log sender.
func senders(cfg *config.Config, log *slog.Logger, store chatops.Store, standIns bool) ([]chatops.AlertSender, error) {
	opts := senderOptions(cfg)
	opts.Email.Followups = store
	opts.LogMissing, opts.Log = standIns, log
	return sender.New(opts)
}

func senderOptions(cfg *config.Config) sender.Options {
	webhooks := make(map[string]sender.WebhookOptions, len(cfg.Webhooks))
	for _, hook := range cfg.Webhooks {
		webhooks[hook.Name] = sender.WebhookOptions{
			URL: hook.Value.Reveal(), Secret: cfg.WebhookSecrets.Get(hook.Name).Reveal(),
		}
	}
	return sender.Options{
		Slack: sender.SlackOptions{WebhookURL: cfg.SlackWebhookURL.Reveal(), Rate: cfg.SlackRate},
		Monday: sender.MondayOptions{
			APIKey: cfg.MondayAPIKey.Reveal(), BoardID: cfg.MondayBoardID, URL: cfg.MondayAPIURL.Reveal(),
			Columns: cfg.MondayColumns.Map(), ExternalIDColumn: cfg.MondayExternal,
		},
		Email:    sender.EmailOptions{URL: cfg.SMTPURL.Reveal(), From: cfg.MailFrom},
		Webhooks: webhooks,
		Version:  runbook.Version(),
	}
}

// newBreakers makes the process's breakers and logs what they do. The fleet
// hands out their probes while they run; nil: they admit them by themselves.
func newBreakers(cfg *config.Config, log *slog.Logger, fleet breaker.Fleet) *breaker.Set {
	return breaker.NewSet(breaker.Options{
		FailMax: cfg.CBFailMax, ResetTimeout: cfg.CBReset, MaxOpen: cfg.CBMaxOpen, SlowCall: cfg.CBSlow,
		Fleet: fleet, Holder: replica(),
		ChangeFunc: func(c breaker.Change) {
			log.Warn("circuit breaker changed", "integration", c.Name, "from", string(c.From), "to", string(c.To),
				"reason", c.Reason, "open_for", c.OpenFor.String())
		},
	})
}

// jitter is "full" in every release: a wait between two attempts is drawn from
// the whole range up to its ceiling. The end-to-end tests link the program with
// "none", so that nothing is repeated before they expect it.
var jitter = "full"

// engineOptions are what every engine of the program has in common.
func engineOptions(cfg *config.Config, log *slog.Logger, store chatops.Store) deadletter.Options {
	retries := cfg.DLQRetries
	if retries == 0 {
		retries = -1 // the engine's 0 means its default
	}
	opts := deadletter.Options{
		Queue:           store,
		Stats:           store,
		Retry:           deadletter.Retry{MaxRetries: retries, Delay: cfg.DLQDelay},
		EscalationEmail: cfg.EscalationEmail,
		Replica:         replica(),
		Lease:           cfg.DLQLease,
		SweepEvery:      min(time.Second, cfg.DLQSweep),
		Log:             log,
	}
	if jitter == "none" {
		opts.RandFunc = func(n int64) int64 { return n - 1 }
	}
	return opts
}

// newEngine makes the engine of a serving process.
func newEngine(
	cfg *config.Config, log *slog.Logger, store chatops.Store, breakers *breaker.Set, reg prometheus.Registerer,
) (*deadletter.Engine, error) {
	all, err := senders(cfg, log, store, embedded(cfg))
	if err != nil {
		return nil, err
	}
	opts := engineOptions(cfg, log, store)
	opts.Senders, opts.Breakers, opts.Registerer = all, breakers, reg
	opts.CleanupAge = cfg.DLQCleanup
	opts.FreshOnly = !cfg.Scheduler // retries are a job
	return deadletter.New(opts)
}

// deliver runs an engine beside a runbook command, so that "dlq retry --now"
// works whether or not a server is up. With PostgreSQL it serves only integrations
// that are configured here, because an operator's machine must not park the
// alerts that the servers know how to send. An embedded database has its log
// senders here as well; each alert they take is a warning on standard error.
func deliver(ctx context.Context, cfg *config.Config, log *slog.Logger, store chatops.Store) error {
	e, _, err := newCommandEngine(ctx, cfg, log, store)
	if err != nil {
		return err
	}
	return e.Run(ctx)
}

// newCommandEngine makes the engine of a command, and its breakers.
func newCommandEngine(
	ctx context.Context, cfg *config.Config, log *slog.Logger, store chatops.Store,
) (*deadletter.Engine, *breaker.Set, error) {
	all, err := senders(cfg, log, store, embedded(cfg))
	if err != nil {
		return nil, nil, err
	}
	// A follow-up to somebody who was erased is recognised by keyed digests only.
	if _, err := consentKeys(ctx, cfg, store); err != nil {
		return nil, nil, err
	}
	opts := engineOptions(cfg, log, store)
	opts.Senders, opts.Breakers, opts.LeaveUnconfigured = all, newBreakers(cfg, log, nil), true
	e, err := deadletter.New(opts)
	return e, opts.Breakers, err
}

// replica names this process among the others of the service.
func replica() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return host + ":" + strconv.Itoa(os.Getpid())
}
