package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/postgres"
)

// BenchmarkClaim claims batches of 50 from queues of growing size. A claim must
// not get slower with the number of alerts that wait.
func BenchmarkClaim(b *testing.B) {
	sizes := []int{1_000, 1_000_000}
	if *large {
		sizes = append(sizes, 10_000_000)
	}
	srv := durable(b)
	for _, rows := range sizes {
		url := srv.Database(fmt.Sprintf("claim%d", rows))
		store := open(b, url, 2)
		fill(b, url, rows, chatops.AlertQueued, "now() - interval '1 hour'")
		settle(b, url)
		var took []time.Duration
		for range min(rows/50, 400) {
			start := time.Now()
			batch, err := store.Claim(context.Background(), claimOf("webhook:crm"))
			took = append(took, time.Since(start))
			if err != nil {
				b.Fatal(err)
			}
			if len(batch.Alerts) == 0 {
				took = took[:len(took)-1]
				break
			}
			rec := chatops.Record{Batch: batch, Done: true}
			for _, a := range batch.Alerts {
				rec.Outcomes = append(rec.Outcomes, chatops.Outcome{AlertID: a.ID, Kind: chatops.OutcomeDelivered})
			}
			if _, err := store.Record(context.Background(), rec); err != nil {
				b.Fatal(err)
			}
		}
		latency(b, fmt.Sprintf("claim 50 of %d waiting", rows), took)
	}
}

func claimOf(lane string) chatops.ClaimRequest {
	return chatops.ClaimRequest{Lane: lane, Fresh: true, Limit: 50, Owner: "bench", Lease: time.Minute}
}

// latency prints the median and the 99th percentile.
func latency(b *testing.B, what string, took []time.Duration) {
	b.Helper()
	slices.Sort(took)
	p50, p99 := took[len(took)/2], took[len(took)*99/100]
	fmt.Printf("%-34s p50 %8.3f ms   p99 %8.3f ms   (%d calls)\n", what, ms(p50), ms(p99), len(took))
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// BenchmarkRunbook reads lists and counts of 1,000,000 failed alerts, as an
// engineer does during an incident.
func BenchmarkRunbook(b *testing.B) {
	rows := 1_000_000
	srv := durable(b)
	url := srv.Database("runbook")
	store := open(b, url, 2)
	fill(b, url, rows, chatops.AlertFailed, "now()")
	settle(b, url)
	readQueue(b, store)
	bin := build(b)
	for _, args := range [][]string{{"dlq", "list"}, {"dlq", "stats"}, {"dlq", "list", "--target", "webhook:erp", "--since", "2d"}} {
		typed(b, bin, url, 20, args...)
	}
}

// repeat does something n times and tells how long each took.
func repeat(b *testing.B, what string, n int, do func() error) {
	b.Helper()
	took := make([]time.Duration, n)
	for i := range took {
		start := time.Now()
		if err := do(); err != nil {
			b.Fatal(what, err)
		}
		took[i] = time.Since(start)
	}
	latency(b, what, took)
}

// readQueue reads what an engineer and a dashboard read of the queue.
func readQueue(b *testing.B, store *postgres.Store) {
	b.Helper()
	ctx := context.Background()
	repeat(b, "dlq stats", 500, func() error { _, err := store.QueueStats(ctx); return err })
	repeat(b, "dashboard, one poll", 500, func() error { return poll(ctx, store) })
	repeat(b, "  the causes, every 10 s", 500, func() error { return pollCauses(ctx, store) })
	for name, f := range pages(b, store) {
		repeat(b, "page of 50, "+name, 200, func() error {
			_, _, err := store.Alerts(ctx, f.filter, f.after, 50)
			return err
		})
	}
}

// typed runs a command of the program n times.
func typed(b *testing.B, bin, url string, n int, args ...string) {
	b.Helper()
	repeat(b, fmt.Sprint("chatops ", args), n, func() error {
		var said bytes.Buffer
		cmd := exec.Command(bin, args...)
		cmd.Env, cmd.Stderr = append(cmd.Environ(), "DATABASE_URL="+url), &said
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%w: %s", err, &said)
		}
		return nil
	})
}

// poll is what a dashboard asks of the database at each refresh, and pollCauses
// what it asks less often.
func poll(ctx context.Context, store chatops.Store) error {
	_, errQueue := store.QueueStats(ctx)
	_, errOrders := store.Controls(ctx)
	_, errReplicas := store.Instances(ctx)
	_, errJobs := store.Jobs(ctx)
	return errors.Join(errQueue, errOrders, errReplicas, errJobs)
}

func pollCauses(ctx context.Context, store chatops.Store) error {
	_, err := store.AlertGroups(ctx, 25, 200)
	return err
}

type page struct {
	filter chatops.AlertFilter
	after  chatops.AlertCursor
}

// pages are the places that an engineer may turn to: the first page, one that
// is deep in the list, one where many rows share a time, and each filter.
func pages(b *testing.B, store *postgres.Store) map[string]page {
	b.Helper()
	waiting := []chatops.AlertStatus{chatops.AlertPending, chatops.AlertFailed}
	all := chatops.AlertFilter{Statuses: waiting}
	middle, _, err := store.Alert(context.Background(), 500_000)
	if err != nil {
		b.Fatal(err)
	}
	deep := chatops.AlertCursor{CreatedAt: middle.CreatedAt, ID: middle.ID}
	with := func(change func(*chatops.AlertFilter)) page {
		f := all
		change(&f)
		return page{filter: f}
	}
	return map[string]page{
		"first":          {filter: all},
		"depth 500,000":  {filter: all, after: deep},
		"by target":      with(func(f *chatops.AlertFilter) { f.Targets = []string{"webhook:erp"} }),
		"by type":        with(func(f *chatops.AlertFilter) { f.Types = []string{"webhook_event"} }),
		"by fingerprint": with(func(f *chatops.AlertFilter) { f.Fingerprint = middle.Fingerprint }),
		"by error text":  with(func(f *chatops.AlertFilter) { f.Error = "http 503" }),
		"since":          with(func(f *chatops.AlertFilter) { f.Since = middle.CreatedAt }),
	}
}

// BenchmarkRetry requeues every failed alert, as "dlq retry --all" does.
func BenchmarkRetry(b *testing.B) {
	const rows = 1_000_000
	srv := durable(b)
	url := srv.Database("retry")
	store := open(b, url, 2)
	fill(b, url, rows, chatops.AlertFailed, "now()")
	settle(b, url)
	ctx := context.Background()
	op := &chatops.Operation{ID: "op_bench", Kind: chatops.OperationRetry,
		Filter: chatops.AlertFilter{Statuses: []chatops.AlertStatus{chatops.AlertFailed}}}
	start := time.Now()
	if err := store.CreateOperation(ctx, op); err != nil {
		b.Fatal(err)
	}
	for op.DoneAt.IsZero() {
		var err error
		if op, err = store.StepOperation(ctx, op.ID, 5000); err != nil {
			b.Fatal(err)
		}
	}
	fmt.Printf("%-34s %8.1f s for %d rows (%d requeued)\n", "retry of everything", time.Since(start).Seconds(), rows, op.Changed)
}
