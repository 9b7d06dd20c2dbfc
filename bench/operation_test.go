package bench

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/operation"
	"chatops/internal/postgres"
)

// BenchmarkOperation measures bulk operations over 1,000,000 failed alerts: what
// a dry run and the freezing cost, what a carrier asks at each look, and what a
// running operation costs those who claim live alerts.
func BenchmarkOperation(b *testing.B) {
	const rows = 1_000_000
	srv := durable(b)
	url := srv.Database("operation")
	store := open(b, url, 8)
	live := open(b, url, 2) // as another process has it: it does not wait for connections of this one
	fill(b, url, rows, chatops.AlertFailed, "now()")
	settle(b, url)
	ctx := context.Background()
	failed := chatops.AlertFilter{Statuses: []chatops.AlertStatus{chatops.AlertFailed}}
	once := func(what string, do func() error) {
		start := time.Now()
		if err := do(); err != nil {
			b.Fatal(what, err)
		}
		fmt.Printf("%-46s %8.3f s\n", what, time.Since(start).Seconds())
	}
	for range 3 {
		once("dry run, the newest 100,000 of 1,000,000", func() error {
			_, err := store.PreviewOperation(ctx, &chatops.Operation{Kind: chatops.OperationRetry, Filter: failed}, 100_000)
			return err
		})
	}
	op := &chatops.Operation{Kind: chatops.OperationRetry, Filter: failed, Pace: &chatops.OperationPace{MaxFailures: 0.2}}
	once("freeze of 1,000,000", func() error { return store.CreateOperation(ctx, op) })
	once("a second one over the same alerts", func() error {
		other := &chatops.Operation{Kind: chatops.OperationRetry, Filter: failed}
		err := store.CreateOperation(ctx, other)
		if err == nil && other.Matched != 0 {
			err = fmt.Errorf("it was given %d", other.Matched)
		}
		return err
	})
	liveClaims(b, live, "live claims, nothing else runs")

	// The carrier runs without a ceiling, and one process delivers.
	carrier, err := operation.New(operation.Options{Store: store, Holder: "bench", Window: time.Second})
	if err != nil {
		b.Fatal(err)
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	var drained atomic.Int64
	go func() { _ = carrier.Run(running) }()
	for i := range 4 {
		go drainLane(running, store, []string{"webhook:crm", "webhook:erp", "webhook:bi", "webhook:mail"}[i], &drained)
	}
	for { // until the ramp is at its end
		got, err := store.Operation(ctx, op.ID)
		if err != nil {
			b.Fatal(err)
		}
		if got.Run.Rate >= 2000 || !got.State.Live() {
			break
		}
		<-time.After(100 * time.Millisecond)
	}
	before, start := drained.Load(), time.Now()
	liveClaims(b, live, "live claims, an operation runs")
	rate := float64(drained.Load()-before) / time.Since(start).Seconds()
	fmt.Printf("%-46s %8.0f alerts/s delivered meanwhile\n", "  of the operation", rate)
	stop()
	repeatOutcomes(b, store, op.ID)
}

func repeatOutcomes(b *testing.B, store *postgres.Store, id string) {
	b.Helper()
	took := make([]time.Duration, 50)
	for i := range took {
		start := time.Now()
		if _, err := store.OperationOutcomes(context.Background(), id); err != nil {
			b.Fatal(err)
		}
		took[i] = time.Since(start)
	}
	latency(b, "a carrier's look at the outcomes", took)
}

// liveClaims queues fresh alerts and claims them, as a process does that serves.
func liveClaims(b *testing.B, store *postgres.Store, what string) {
	b.Helper()
	ctx := context.Background()
	took := make([]time.Duration, 300)
	for i := range took {
		_, err := store.Enqueue(ctx, []chatops.NewAlert{{
			EventType: chatops.EventWebhook, Target: "webhook:live", Payload: payload(), IdempotencyKey: fmt.Sprint(what, i),
		}})
		if err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		batch, err := store.Claim(ctx, chatops.ClaimRequest{Lane: "webhook:live", Fresh: true, Limit: 50, Owner: "live", Lease: time.Minute})
		took[i] = time.Since(start)
		if err != nil || len(batch.Alerts) == 0 {
			b.Fatal("a live alert was not claimed", err)
		}
		if err := deliverAll(ctx, store, batch); err != nil {
			b.Fatal(err)
		}
	}
	latency(b, what, took)
}

func deliverAll(ctx context.Context, store *postgres.Store, batch *chatops.Batch) error {
	list := make([]chatops.Outcome, len(batch.Alerts))
	for i := range batch.Alerts {
		list[i] = chatops.Outcome{AlertID: batch.Alerts[i].ID, Kind: chatops.OutcomeDelivered, Attempt: &chatops.Attempt{
			AlertID: batch.Alerts[i].ID, StartedAt: time.Now(), Outcome: "delivered", HTTPStatus: 200, Replica: "bench",
		}}
	}
	_, err := store.Record(ctx, chatops.Record{Batch: batch, Outcomes: list, Done: true})
	return err
}

// drainLane delivers what is due of a lane, at once.
func drainLane(ctx context.Context, store *postgres.Store, lane string, drained *atomic.Int64) {
	for ctx.Err() == nil {
		batch, err := store.Claim(ctx, chatops.ClaimRequest{Lane: lane, Limit: 500, Owner: "bench", Lease: time.Minute})
		if err == nil && len(batch.Alerts) > 0 {
			if err = deliverAll(ctx, store, batch); err == nil {
				drained.Add(int64(len(batch.Alerts)))
				continue
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}
