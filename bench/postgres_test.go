package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
	"chatops/internal/postgres"
)

// open migrates the database and opens our store on it.
func open(b *testing.B, url string, conns int) *postgres.Store {
	b.Helper()
	ctx := context.Background()
	m, err := postgres.NewMigrator(ctx, url)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := m.Up(ctx); err != nil {
		b.Fatal(err)
	}
	if err := m.Close(); err != nil {
		b.Fatal(err)
	}
	s, err := postgres.Open(ctx, url, postgres.Options{MaxConns: int32(conns)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

func payload() json.RawMessage {
	p, err := json.Marshal(chatops.SlackPayload{Text: payloadText})
	if err != nil {
		panic(err) // a struct of one string
	}
	return p
}

// fill puts rows alerts of a status into the queue, spread over four targets
// and many causes, with one statement.
func fill(b *testing.B, url string, rows int, status chatops.AlertStatus, due string) {
	b.Helper()
	ctx := context.Background()
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close(ctx)
	_, err = c.Exec(ctx, `
		insert into dead_letter_queue
			(event_type, target, payload, status, retry_count, error_message, fingerprint, created_at, next_attempt_at, idempotency_key)
		select 'webhook_event', 'webhook:' || (array['crm','erp','bi','mail'])[1 + i % 4], $1::text::json, $2::text,
		       case when $2::text = 'queued' then 0 else i % 5 end,
		       case when $2::text = 'queued' then null else 'webhook: HTTP ' || 500 + i % 5 end,
		       case when $2::text = 'queued' then null else md5((i % 40)::text)::varchar(12) end,
		       now() - interval '1 day' + (i / 100) * interval '1 ms', `+due+`, 'bench:' || $2::text || ':' || i
		from generate_series(1, $3::int) i`, string(payload()), string(status), rows)
	if err != nil {
		b.Fatal(fmt.Errorf("fill: %w", err))
	}
}
