package bench

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"chatops/internal/chatops"
)

// BenchmarkEnqueueOne queues alerts one by one, each in a transaction of its
// own, from 16 clients.
func BenchmarkEnqueueOne(b *testing.B) {
	const rows, clients = 20_000, 16
	srv := durable(b)
	ourURL, theirURL := srv.Database("ours"), srv.Database("river")
	store, pool := open(b, ourURL, clients), connect(b, theirURL, clients)
	riverMigrate(b, pool)
	client := riverClient(b, pool, nil)
	ctx := context.Background()
	speed := versus{what: "enqueue one, 16 clients", peer: "river", unit: "rows/s"}
	for round := range *rounds {
		settle(b, ourURL)
		ours := measure(b, srv, ourURL, rows, func() {
			spread(b, clients, rows, func(i int) error {
				_, err := store.Enqueue(ctx, []chatops.NewAlert{alert(round, i)})
				return err
			})
		})
		settle(b, theirURL)
		theirs := measure(b, srv, theirURL, rows, func() {
			spread(b, clients, rows, func(int) error {
				_, err := client.Insert(ctx, riverArgs{Text: payloadText}, nil)
				return err
			})
		})
		speed.add(ours.perSecond(), theirs.perSecond())
	}
	speed.report(b)
}

// BenchmarkEnqueueBulk queues alerts 5,000 at a time.
func BenchmarkEnqueueBulk(b *testing.B) {
	const rows = 100_000
	srv := durable(b)
	ourURL, theirURL := srv.Database("ours"), srv.Database("river")
	store, pool := open(b, ourURL, 2), connect(b, theirURL, 2)
	riverMigrate(b, pool)
	speed := versus{what: "enqueue in bulk", peer: "river", unit: "rows/s"}
	for round := range *rounds {
		settle(b, ourURL)
		ours := measure(b, srv, ourURL, rows, func() {
			batch := make([]chatops.NewAlert, 0, 5000)
			for i := range rows {
				if batch = append(batch, alert(round, i)); len(batch) == cap(batch) {
					if _, err := store.Enqueue(context.Background(), batch); err != nil {
						b.Fatal(err)
					}
					batch = batch[:0]
				}
			}
		})
		settle(b, theirURL)
		theirs := measure(b, srv, theirURL, rows, func() { riverFill(b, pool, rows) })
		speed.add(ours.perSecond(), theirs.perSecond())
	}
	speed.report(b)
}

func alert(round, i int) chatops.NewAlert {
	return chatops.NewAlert{
		EventType: chatops.EventWebhook, Target: "webhook:crm", Payload: payload(),
		IdempotencyKey: fmt.Sprintf("bench:%d:%d", round, i),
	}
}

// spread calls do for 0 to n-1 from several goroutines.
func spread(b *testing.B, clients, n int, do func(i int) error) {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := do(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}
