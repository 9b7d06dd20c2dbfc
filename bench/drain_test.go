package bench

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"testing"

	"chatops/internal/chatops"
	"chatops/internal/deadletter"
)

// instant accepts every alert at once.
type instant struct {
	name string
	left *atomic.Int64
	done chan struct{}
}

func (s *instant) Integration() string        { return s.name }
func (s *instant) Policy() chatops.LanePolicy { return chatops.LanePolicy{} }
func (s *instant) Send(context.Context, *chatops.Alert) error {
	if s.left.Add(-1) == 0 {
		close(s.done)
	}
	return nil
}

// BenchmarkDrain empties a queue of waiting alerts whose receivers answer at
// once, with the engine that serve runs, beside River working the same number
// of jobs.
func BenchmarkDrain(b *testing.B) {
	srv := durable(b)
	sizes := []int{100_000}
	if *large {
		sizes = append(sizes, 1_000_000)
	}
	for _, rows := range sizes {
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			ourURL, theirURL := srv.Database(fmt.Sprintf("ours%d", rows)), srv.Database(fmt.Sprintf("river%d", rows))
			store, pool := open(b, ourURL, 8), connect(b, theirURL, 8)
			riverMigrate(b, pool)
			speed := versus{what: fmt.Sprintf("drain %d", rows), peer: "river", unit: "rows/s"}
			cpu := versus{what: "  processor time", peer: "river", unit: "us/row"}
			wal := versus{what: "  write-ahead log", peer: "river", unit: "B/row"}
			for range *rounds {
				reset(b, ourURL, "truncate dead_letter_queue, delivery_attempt, dlq_lease, dlq_lane")
				fill(b, ourURL, rows, chatops.AlertQueued, "now()")
				settle(b, ourURL)
				ours := measure(b, srv, ourURL, rows, func() { drain(b, store, rows) })
				reset(b, theirURL, "truncate river_job")
				riverFill(b, pool, rows)
				settle(b, theirURL)
				theirs := measure(b, srv, theirURL, rows, func() { riverDrain(b, pool, rows) })
				speed.add(ours.perSecond(), theirs.perSecond())
				cpu.add(ours.cpuMicros(), theirs.cpuMicros())
				wal.add(ours.walBytes(), theirs.walBytes())
			}
			speed.report(b)
			cpu.report(b)
			wal.report(b)
		})
	}
}

func drain(b *testing.B, store chatops.Queue, rows int) {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(rows))
	done := make(chan struct{})
	var senders []chatops.AlertSender
	for _, n := range []string{"crm", "erp", "bi", "mail"} {
		senders = append(senders, &instant{name: "webhook:" + n, left: &left, done: done})
	}
	e, err := deadletter.New(deadletter.Options{
		Queue: store, Senders: senders, Replica: "bench",
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- e.Run(ctx) }()
	<-done
	stop() // records what is in flight
	if err := <-stopped; err != nil {
		b.Fatal(err)
	}
}
