package postgres

import (
	"context"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"chatops/internal/chatops"
)

const (
	connectTimeout  = 5 * time.Second
	defaultMaxConns = 8
)

// poolConfig reads a URL and fills in what it does not say.
func poolConfig(url string, o Options) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, badURL(err)
	}
	if !strings.Contains(url, "pool_max_conns") {
		config.MaxConns = defaultMaxConns
		if o.MaxConns > 0 {
			config.MaxConns = o.MaxConns
		}
	}
	tune(config.ConnConfig, url)
	config.AfterConnect = interpret
	return config, nil
}

// interpret turns off the compilation of statements, which takes longer than the
// largest of ours gain by it. It is no parameter of the connection's start, which a
// pooler may refuse.
func interpret(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `set jit = off`)
	return err
}

// connConfig is poolConfig for a single connection.
func connConfig(url string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, badURL(err)
	}
	tune(config, url)
	return config, nil
}

// badURL hides the driver's text, which quotes the URL.
func badURL(err error) error {
	return wrap(chatops.CodeInvalid, err, "database URL: expected postgres://user:password@host:port/name")
}

func tune(config *pgx.ConnConfig, url string) {
	if !strings.Contains(url, "connect_timeout") && os.Getenv("PGCONNECT_TIMEOUT") == "" {
		config.ConnectTimeout = connectTimeout
	}
	config.RuntimeParams["timezone"] = "UTC"
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "chatops"
	}
	if config.ValidateConnect == nil && len(hostList(config)) > 1 {
		// Several hosts are a primary and its standbys, in an unknown order.
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
}

// hostList lists the servers of a configuration, without user or password.
func hostList(config *pgx.ConnConfig) []string {
	list := []string{address(config.Host, config.Port)}
	for _, f := range config.Fallbacks {
		if a := address(f.Host, f.Port); !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	return list
}

func hosts(config *pgx.ConnConfig) string { return strings.Join(hostList(config), ",") }

func address(host string, port uint16) string {
	if strings.HasPrefix(host, "/") {
		return host // a directory with a socket
	}
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}
