package main

import (
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"chatops/internal/config"
	"chatops/internal/ratelimit"
)

// newLimits makes the rate limits that the settings name. client and metrics may
// be nil.
func newLimits(cfg *config.Config, log *slog.Logger, client redis.UniversalClient, metrics prometheus.Registerer) (*ratelimit.Limits, error) {
	limits, err := cfg.Limits()
	if err != nil {
		return nil, err
	}
	return ratelimit.New(ratelimit.Options{
		Limits: limits, Defaults: config.DefaultLimits(), Disabled: !cfg.RateLimits,
		Redis: client, MaxKeys: cfg.RateLimitKeys, Log: log, Registerer: metrics,
		// The one secret that every replica shares, where there is one. A new one
		// starts the shared logs anew; each replica goes on with its own.
		Secret: []byte(cfg.AdminAPIKey.Reveal()),
	})
}
