package bench

import (
	"context"
	"fmt"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/pgtest"
	"chatops/internal/postgres"
)

// BenchmarkOutage measures what an engineer asks after an outage, and how long the
// freezing of a bulk operation takes, at 1,000,000 failed alerts; at 10,000,000
// with -large, which takes a quarter of an hour and 20 GB.
func BenchmarkOutage(b *testing.B) {
	rows := 1_000_000
	if *large {
		rows = 10_000_000
	}
	bin := build(b)
	srv := pgtest.Start(b, pgtest.Options{Durable: true, Settings: map[string]string{
		"shared_buffers": "512MB", "max_wal_size": "3GB", "checkpoint_timeout": "30min",
	}})
	url := srv.Database("outage")
	store := open(b, url, 2)
	begin := time.Now()
	fill(b, url, rows, chatops.AlertFailed, "now()")
	settle(b, url)
	fmt.Printf("%d failed alerts, filled in %s\n", rows, time.Since(begin).Round(time.Second))
	readQueue(b, store)
	for _, args := range [][]string{{"dlq", "groups"}, {"dlq", "retry", "--all", "--dry-run"}, {"dlq", "export", "--status", "failed"}} {
		typed(b, bin, url, 3, args...)
	}
	liveClaims(b, store, "live claims")
	freeze(b, store)
}

func freeze(b *testing.B, store *postgres.Store) {
	b.Helper()
	begin := time.Now()
	op := &chatops.Operation{
		Kind: chatops.OperationRetry, Pace: &chatops.OperationPace{MaxFailures: 0.2},
		Filter: chatops.AlertFilter{Statuses: []chatops.AlertStatus{chatops.AlertFailed}},
	}
	if err := store.CreateOperation(context.Background(), op); err != nil {
		b.Fatal(err)
	}
	fmt.Printf("%-34s %8.3f s for %d\n", "freeze", time.Since(begin).Seconds(), op.Matched)
}
