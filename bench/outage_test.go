package bench

import (
	"context"
	"fmt"
	"os/exec"
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
	ctx := context.Background()
	repeat := func(what string, n int, do func() error) {
		took := make([]time.Duration, n)
		for i := range took {
			start := time.Now()
			if err := do(); err != nil {
				b.Fatal(what, err)
			}
			took[i] = time.Since(start)
		}
		latency(b, "  "+what, took)
	}
	repeat("counts", 200, func() error { _, err := store.QueueStats(ctx); return err })
	repeat("one poll of a dashboard", 200, func() error { return poll(ctx, store) })
	repeat("its causes", 100, func() error { return pollCauses(ctx, store) })
	for name, f := range pages(b, store) {
		repeat("page, "+name, 50, func() error {
			_, _, err := store.Alerts(ctx, f.filter, f.after, 50)
			return err
		})
	}
	for _, args := range [][]string{{"dlq", "groups"}, {"dlq", "retry", "--all", "--dry-run"}, {"dlq", "export", "--status", "failed"}} {
		repeat(fmt.Sprint("chatops ", args), 3, func() error {
			cmd := exec.Command(bin, args...)
			cmd.Env = append(cmd.Environ(), "DATABASE_URL="+url)
			return cmd.Run()
		})
	}
	liveClaims(b, store, "  live claims")
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
	fmt.Printf("%-34s %8.3f s for %d\n", "  freeze", time.Since(begin).Seconds(), op.Matched)
}
