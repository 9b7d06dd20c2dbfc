package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/doctor"
	"chatops/internal/server"
)

// How a serving process examines itself: a few checks at a time, so that visitors
// find connections to the database free, and the whole record of consent not at
// every look.
const (
	webAtOnce    = 2
	webTimeout   = 10 * time.Second
	webReaching  = 2 * time.Second
	webChainEach = 10 * time.Minute
)

// newWebDoctor makes the doctor of a serving process, with the store and the Redis
// that it serves with. client may be nil.
func newWebDoctor(cfg *config.Config, log *slog.Logger, store chatops.Store, client redis.UniversalClient) func(context.Context) *server.Examination {
	var healthy doctor.Patient
	around(cfg, client, &healthy)
	inside(cfg, log, store, &healthy)
	healthy.NowFunc, healthy.AtOnce = time.Now, webAtOnce
	healthy.ChainFunc = seldom(webChainEach, healthy.NowFunc, healthy.ChainFunc)
	return func(ctx context.Context) *server.Examination {
		p := healthy
		reaching, cancel := context.WithTimeout(ctx, webReaching)
		defer cancel()
		if p.StoreErr = store.Ping(reaching); p.StoreErr != nil {
			p.Store = nil
		}
		return viewForWeb(p.NowFunc(), doctor.Examine(ctx, &p, doctor.Checks(), webTimeout))
	}
}

// seldom keeps what a reading of the whole record has found, for so long.
func seldom(each time.Duration, now func() time.Time, verify func(context.Context) (int64, int, error)) func(context.Context) (int64, int, error) {
	var turn sync.Mutex
	var next time.Time
	var rows int64
	var broken int
	var err error
	return func(ctx context.Context) (int64, int, error) {
		turn.Lock()
		defer turn.Unlock()
		if !now().Before(next) {
			rows, broken, err = verify(ctx)
			next = now().Add(each)
		}
		return rows, broken, err
	}
}

// viewForWeb gives results the form in which they are served.
func viewForWeb(at time.Time, results []doctor.Result) *server.Examination {
	e := &server.Examination{At: at.UTC(), State: string(doctor.Worst(results)), Checks: make([]server.Examined, len(results))}
	for i, r := range results {
		c := server.Examined{
			Name: r.Name, State: string(r.State), Text: r.Text, Findings: make([]server.Finding, len(r.Findings)),
			TookMS: float64(r.Took.Microseconds()) / 1000,
		}
		for j, f := range r.Findings {
			c.Findings[j] = server.Finding{State: string(f.State), Text: f.Text, Cause: f.Cause, Command: f.Command}
		}
		e.Checks[i] = c
		e.Unreachable = e.Unreachable || r.Name == doctor.NameDatabase && r.State == doctor.Problem
	}
	return e
}
