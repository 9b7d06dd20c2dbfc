package server

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"chatops/internal/chatops"
)

// Migration is a server whose database waits to be migrated. It answers that it
// lives and is not ready, and serves the endpoint that migrates; everything else
// is 503 and names the command. Make it with NewMigration.
type Migration struct {
	s    *Server
	once sync.Once
	done chan struct{}
}

// NewMigration makes a server that waits. Options.MigrateFunc and
// Options.MigrationSecret are required; Chat and Health are not used.
func NewMigration(opts Options) *Migration {
	opts.setDefaults()
	opts.DrainDelay = 0 // load balancers do not send anything here yet
	m := &Migration{s: newServer(opts), done: make(chan struct{})}
	m.s.migratedFunc = m.Migrated
	m.s.api = newAPI(m.s)
	m.s.addMigration()
	m.s.mux.HandleFunc("GET /livez", alive)
	m.s.mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusServiceUnavailable, `{"status":"not_ready","reason":"migrations pending"}`)
	})
	m.s.mux.HandleFunc("GET /api/health", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusServiceUnavailable, `{"status":"unhealthy","database":"migrations_pending","service":"chatops"}`)
	})
	m.s.mux.Handle("GET /metrics", promhttp.HandlerFor(m.s.opts.Metrics, promhttp.HandlerOpts{}))
	m.s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		newProblem(http.StatusServiceUnavailable, "the database waits for its migrations: run chatops migrate up",
			requestID(r.Context())).write(w)
	})
	return m
}

// ServeHTTP answers a request.
func (m *Migration) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.s.ServeHTTP(w, r) }

// Migrated tells the server that the database is ready, so that Run returns. The
// endpoint calls it; so may whoever notices that another replica has migrated.
func (m *Migration) Migrated() { m.once.Do(func() { close(m.done) }) }

// Run serves requests from ln until the database is migrated or ctx ends. In the
// first case it answers what it has begun, leaves ln open for the server that
// takes over, and returns true: clients who connect meanwhile are served by that
// one. Otherwise it closes ln, and its errors are those of Server.Run. ln must
// know deadlines, as TCP and Unix listeners do.
func (m *Migration) Run(ctx context.Context, ln net.Listener) (migrated bool, err error) {
	lent, ok := ln.(deadliner)
	if !ok {
		return false, chatops.Errorf(chatops.CodeInternal, "serve migration: the listener %T knows no deadlines", ln)
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	left := make(chan struct{})
	go func() {
		defer close(left)
		select {
		case <-m.done:
		case <-running.Done():
		}
		stop()
	}()
	err = m.s.Run(running, borrowed{lent})
	stop()
	<-left
	if ctx.Err() == nil && err == nil {
		return true, lent.SetDeadline(time.Time{})
	}
	_ = ln.Close() // what matters is why it ended
	return false, err
}

// deadliner is a listener whose Accept can be told to return.
type deadliner interface {
	net.Listener
	SetDeadline(t time.Time) error
}

// borrowed is a listener that Close does not close: Accept returns, and whoever
// connects waits in its queue for the next server.
type borrowed struct{ deadliner }

// Close makes Accept return.
func (b borrowed) Close() error { return b.SetDeadline(time.Unix(1, 0)) }
