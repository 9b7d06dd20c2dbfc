package main

import (
	"github.com/redis/go-redis/v9"

	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/redisclient"
)

// openRedis makes the one client that limits, cache and health share, or nil
// where no Redis is configured. It connects to nothing yet.
func openRedis(cfg *config.Config) (redis.UniversalClient, error) {
	if cfg.RedisURL.IsZero() {
		return nil, nil //nolint:nilnil // to do without Redis is no error
	}
	client, err := redisclient.Open(cfg.RedisURL.Reveal(), redisclient.Options{})
	if err != nil {
		return nil, chatops.Errorf(chatops.ErrorCode(err), "REDIS_URL: %w", err)
	}
	return client, nil
}
