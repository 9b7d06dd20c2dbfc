package postgres_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/pgtest"
	"chatops/internal/postgres"
)

// durable starts a server that waits for its disk, as in production.
func durable(b *testing.B) string {
	b.Helper()
	s := pgtest.Start(b, pgtest.Options{Durable: true, Settings: map[string]string{
		"shared_buffers": "512MB", "max_wal_size": "4GB",
	}})
	url := s.Database("bench")
	if err := migrate(url); err != nil {
		b.Fatal(err)
	}
	return url
}

const fill = `
insert into dead_letter_queue (event_type, target, payload, status, idempotency_key)
select 'slack_alert', 'slack:alerts', json_build_object('text', repeat('x', 380)), 'queued', 'bench:' || $2::text || ':' || i
from generate_series(1, $1::bigint) i`

// BenchmarkDrain delivers 100,000 waiting alerts with no-op sends in batches of
// 500; ns/op is per run, rows/s what counts.
func BenchmarkDrain(b *testing.B) {
	for _, attempts := range []bool{false, true} {
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("workers=%d/attempts=%v", workers, attempts), func(b *testing.B) {
				const rows = 100_000
				url := durable(b)
				s, db := open(b, url, postgres.Options{}), handle(b, url)
				for i := range b.N {
					b.StopTimer()
					if _, err := db.ExecContext(b.Context(), fill, rows, fmt.Sprint(i)); err != nil {
						b.Fatal(err)
					}
					if _, err := db.ExecContext(b.Context(), `vacuum analyze dead_letter_queue`); err != nil {
						b.Fatal(err)
					}
					if _, err := db.ExecContext(b.Context(), `checkpoint`); err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
					if n := drain(b, s, workers, attempts); n != rows {
						b.Fatalf("delivered %d", n)
					}
				}
				b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}

func drain(b *testing.B, s *postgres.Store, workers int, attempts bool) int64 {
	b.Helper()
	var n atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			req := chatops.ClaimRequest{Lane: "slack:alerts", Fresh: true, Limit: 500, Owner: "bench", Lease: time.Minute}
			batch, err := s.Claim(b.Context(), req)
			for err == nil && batch.LeaseID != 0 {
				outcomes := make([]chatops.Outcome, len(batch.Alerts))
				for i := range outcomes {
					id := batch.Alerts[i].ID
					outcomes[i] = chatops.Outcome{AlertID: id, Kind: chatops.OutcomeDelivered}
					if attempts {
						outcomes[i].Attempt = &chatops.Attempt{
							AlertID: id, StartedAt: time.Now(), Outcome: "delivered", HTTPStatus: 200, Replica: "bench",
						}
					}
				}
				n.Add(int64(len(outcomes)))
				batch, err = s.Record(b.Context(), chatops.Record{Batch: batch, Outcomes: outcomes, Done: true, Next: &req})
			}
			if err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	return n.Load()
}

// BenchmarkPhysicalLimit is one UPDATE of all rows: what the indexes allow.
func BenchmarkPhysicalLimit(b *testing.B) {
	const rows = 100_000
	url := durable(b)
	db := handle(b, url)
	for i := range b.N {
		b.StopTimer()
		for _, q := range []string{`truncate dead_letter_queue`} {
			if _, err := db.ExecContext(b.Context(), q); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := db.ExecContext(b.Context(), fill, rows, fmt.Sprint(i)); err != nil {
			b.Fatal(err)
		}
		if _, err := db.ExecContext(b.Context(), `vacuum analyze dead_letter_queue`); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if _, err := db.ExecContext(b.Context(), `set session_replication_role = replica;
			update dead_letter_queue set status = 'delivered', delivered_at = now(), last_attempt_at = now()`); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkEnqueue stores one alert per transaction from 16 clients.
func BenchmarkEnqueue(b *testing.B) {
	url := durable(b)
	s := open(b, url, postgres.Options{MaxConns: 16})
	var n atomic.Int64
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			a := chatops.NewAlert{
				EventType: "slack_alert", Target: "slack:alerts", Payload: []byte(`{"text":"x"}`),
				IdempotencyKey: fmt.Sprintf("k:%d", n.Add(1)),
			}
			if _, err := s.Enqueue(b.Context(), []chatops.NewAlert{a}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkTurn stores chat turns that load and save, without a lead.
func BenchmarkTurn(b *testing.B) {
	url := durable(b)
	s := open(b, url, postgres.Options{MaxConns: 16})
	var n atomic.Int64
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		t := &chatops.Turn{UserMessage: "Dzień dobry", BotMessage: "Dzień dobry! W czym mogę pomóc?"}
		t.Conversation.SessionID = fmt.Sprintf("s-%d", n.Add(1))
		for p.Next() {
			if _, err := s.SaveTurn(b.Context(), t); err != nil {
				b.Fatal(err)
			}
			c, err := s.Conversation(b.Context(), t.Conversation.SessionID)
			if err != nil {
				b.Fatal(err)
			}
			t.Conversation = *c
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "turns/s")
}
