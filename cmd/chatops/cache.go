package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"chatops/internal/cache"
	"chatops/internal/config"
)

// The spaces of the cache.
const (
	spaceAnswers = "answer" // of the language model
	spaceReplies = "reply"  // to requests that carry a key
)

// newCache makes the cache of this process, shared through client where that is
// not nil.
func newCache(cfg *config.Config, log *slog.Logger, client redis.UniversalClient, metrics prometheus.Registerer) (*cache.Cache, error) {
	return cache.New(cache.Options{
		Redis: client, Prefix: cachePrefix(cfg), Log: log, Registerer: metrics,
	})
}

// cachePrefix tells installations apart that share a Redis: what is cached
// belongs to the database it was made from. An address of the same database that
// is written another way only means that less is shared.
func cachePrefix(cfg *config.Config) string {
	place := cfg.DatabaseURL.Host()
	if cfg.DatabaseURL.Scheme() == "sqlite" { // a file of this machine
		host, _ := os.Hostname()
		if path, err := filepath.Abs(place); err == nil {
			place = path
		}
		place = host + ":" + place
		if strings.Contains(place, ":memory:") { // it ends with this process
			place += rand.Text()
		}
	}
	sum := sha256.Sum256([]byte(place))
	return cache.DefaultPrefix + ":" + hex.EncodeToString(sum[:6])
}
