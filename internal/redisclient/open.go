package redisclient

import (
	"runtime"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Everything that Redis is used for has another answer at hand, so nobody waits
// long for it. The first call to a Redis that hangs ends after commandTimeout;
// the library's defaults would hold a request up for seconds.
const (
	dialTimeout    = 100 * time.Millisecond
	commandTimeout = 50 * time.Millisecond // to write it, and to read the answer
	poolTimeout    = 60 * time.Millisecond
	noRetries      = -1
	oneDial        = 1
	respVersion    = 2 // nothing here needs the pushes of version 3

	// topologyAge is how old a Cluster's map of slots may become. A node that
	// refuses or redirects a command renews it sooner.
	topologyAge = 10 * time.Second
)

// Options of a client. The zero value is meant for ordinary use.
type Options struct {
	// PoolSize is how many connections may be open to each server; 0: ten for
	// each processor, at least 16.
	PoolSize int
}

// quiet silences the client library, which writes to standard error past our
// log; what goes wrong, its errors say.
var quiet = sync.OnceFunc(logging.Disable)

// Open makes a client for the servers at an address, as the package comment
// describes it. It connects to nothing yet. The error is CodeInvalid, says what
// is wrong with the address, and never shows a password.
func Open(rawURL string, o Options) (redis.UniversalClient, error) {
	a, err := parse(rawURL)
	if err != nil {
		return nil, err
	}
	secured, err := a.secured()
	if err != nil {
		return nil, err
	}
	if o.PoolSize <= 0 {
		o.PoolSize = max(16, 10*runtime.GOMAXPROCS(0))
	}
	quiet()
	dial := dialer(secured)
	switch a.kind {
	case sentinel:
		return redis.NewFailoverClient(&redis.FailoverOptions{
			MasterName: a.master, SentinelAddrs: a.hosts,
			SentinelUsername: a.sentinelUser, SentinelPassword: a.sentinelPassword,
			Username: a.user, Password: a.password, DB: a.db,
			Dialer: dial, Protocol: respVersion, DisableIdentity: true,
			DialTimeout: dialTimeout, ReadTimeout: commandTimeout, WriteTimeout: commandTimeout, ContextTimeoutEnabled: true,
			PoolSize: o.PoolSize, PoolTimeout: poolTimeout, MaxRetries: noRetries, DialerRetries: oneDial,
		}), nil
	case cluster:
		return redis.NewClusterClient(&redis.ClusterOptions{
			Addrs:    a.hosts,
			Username: a.user, Password: a.password,
			Dialer: dial, Protocol: respVersion, DisableIdentity: true,
			DialTimeout: dialTimeout, ReadTimeout: commandTimeout, WriteTimeout: commandTimeout, ContextTimeoutEnabled: true,
			PoolSize: o.PoolSize, PoolTimeout: poolTimeout, MaxRetries: noRetries, DialerRetries: oneDial,
			ClusterStateReloadInterval: topologyAge,
			// To route by policy, the library asks the servers about their commands,
			// with a deadline of its own of five seconds.
			DisableRoutingPolicies:   true,
			MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		}), nil
	case single:
	}
	network := "tcp"
	if a.socket {
		network = "unix"
	}
	return redis.NewClient(&redis.Options{
		Network: network, Addr: a.hosts[0],
		Username: a.user, Password: a.password, DB: a.db,
		Dialer: dial, Protocol: respVersion, DisableIdentity: true,
		DialTimeout: dialTimeout, ReadTimeout: commandTimeout, WriteTimeout: commandTimeout, ContextTimeoutEnabled: true,
		PoolSize: o.PoolSize, PoolTimeout: poolTimeout, MaxRetries: noRetries, DialerRetries: oneDial,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}), nil
}
