package redisclient

import (
	"context"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"

	"chatops/internal/chatops"
)

// pingTimeout allows for a connection that must be made first.
const pingTimeout = 2 * dialTimeout

// Ping asks whether Redis answers, and waits no longer than a fifth of a second.
// CodeUnavailable: it does not, or it refuses us; the message says which, and
// the cause is for logs.
func Ping(ctx context.Context, c redis.UniversalClient) error {
	ctx, cancel := context.WithTimeoutCause(ctx, pingTimeout, errSilent)
	defer cancel()
	err := c.Ping(ctx).Err()
	if err == nil {
		return nil
	}
	return chatops.WrapError(chatops.CodeUnavailable, err, trouble(err))
}

var errSilent = errors.New("no answer from Redis within " + pingTimeout.String())

// trouble says in our words what is wrong: Redis's own may hold names and
// addresses.
func trouble(err error) string {
	text := err.Error()
	for _, known := range []struct{ part, says string }{
		{"WRONGPASS", "Redis refuses the user or password"},
		{"NOAUTH", "Redis demands a password"},
		{"called without any password configured", "Redis has no password, but one is given"},
		{"NOPERM", "Redis does not permit its user this command"},
		{"DB index is out of range", "Redis has no database of that number"},
		{"x509:", "the certificate of Redis is not trusted"},
		{"tls:", "Redis does not speak TLS as expected"},
		{"LOADING", "Redis is still loading its data"},
		{"MASTERDOWN", "Redis has lost its master"},
		{"CLUSTERDOWN", "the Redis Cluster is down"},
		{"cluster support disabled", "this Redis is no Cluster"},
		{"all sentinels specified in configuration are unreachable", "no Sentinel knows a reachable master of that name"},
		{"connection refused", "Redis does not accept connections"},
	} {
		if strings.Contains(text, known.part) {
			return known.says
		}
	}
	return "Redis does not answer"
}
