package sqlite_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/sqlite"
)

// BenchmarkChatTurn stores turns from 64 connections at once, each loading its
// conversation first, as the chat does; every turn is on disk when it returns.
func BenchmarkChatTurn(b *testing.B) {
	for _, conns := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("conns=%d", conns), func(b *testing.B) {
			url := "sqlite://" + filepath.Join(b.TempDir(), "chatbot.db")
			migrate(b, url)
			s := open(b, url, sqlite.Options{})
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ResetTimer()
			var wg sync.WaitGroup
			for i := range conns {
				wg.Go(func() { chat(b, s, i, &left) })
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "turns/s")
		})
	}
}

func chat(b *testing.B, s *sqlite.Store, conn int, left *atomic.Int64) {
	b.Helper()
	for n := 0; left.Add(-1) >= 0; n++ {
		session := fmt.Sprintf("bench-%d-%d", conn, n/10)
		t := &chatops.Turn{UserMessage: "Ile kosztuje wykończenie 62 m2 w Łodzi?", BotMessage: "Pakiet Comfort: 92 938 zł."}
		t.Conversation.SessionID = session
		if n%10 > 0 {
			c, err := s.Conversation(b.Context(), session)
			if err != nil {
				b.Error(err)
				return
			}
			t.Conversation = *c
		}
		t.Conversation.Facts = chatops.Facts{City: "Łódź", SquareMeters: 62, Package: "Comfort"}
		t.Conversation.LastUserMessageAt = time.Now()
		if _, err := s.SaveTurn(b.Context(), t); err != nil {
			b.Error(err)
			return
		}
	}
}

// BenchmarkDrain claims, records and claims again, in batches of 200.
func BenchmarkDrain(b *testing.B) {
	url := "sqlite://" + filepath.Join(b.TempDir(), "chatbot.db")
	migrate(b, url)
	s := open(b, url, sqlite.Options{})
	for i := 0; i < b.N; i += 500 {
		list := make([]chatops.NewAlert, min(500, b.N-i))
		for k := range list {
			list[k] = chatops.NewAlert{
				EventType: chatops.EventSlackAlert, Target: "slack:alerts", IdempotencyKey: fmt.Sprint("drain-", i+k),
				Payload: fmt.Appendf(nil, `{"text":"%0380d"}`, i),
			}
		}
		if _, err := s.Enqueue(b.Context(), list); err != nil {
			b.Fatal(err)
		}
	}
	req := chatops.ClaimRequest{Lane: "slack:alerts", Fresh: true, Limit: 200, Owner: "bench", Lease: time.Minute}
	b.ResetTimer()
	batch, err := s.Claim(b.Context(), req)
	for err == nil && len(batch.Alerts) > 0 {
		rec := chatops.Record{Batch: batch, Done: true, Next: &req}
		for _, a := range batch.Alerts {
			rec.Outcomes = append(rec.Outcomes, chatops.Outcome{
				AlertID: a.ID, Kind: chatops.OutcomeDelivered,
				Attempt: &chatops.Attempt{AlertID: a.ID, StartedAt: time.Now(), Outcome: "delivered", HTTPStatus: 200, Replica: "bench"},
			})
		}
		batch, err = s.Record(b.Context(), rec)
	}
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "alerts/s")
}
