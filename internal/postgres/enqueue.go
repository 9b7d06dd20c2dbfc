package postgres

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

const insertAlerts = `
insert into dead_letter_queue (event_type, target, payload, status, idempotency_key, created_at, next_attempt_at)
select a.event_type, a.target, a.payload::json, 'queued', nullif(a.idempotency_key, ''),
  coalesce($1::timestamptz, now()), coalesce($1::timestamptz, now()) + a.delay * interval '1 microsecond'
from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[])
  with ordinality a (event_type, target, payload, idempotency_key, delay, place)
order by a.place
on conflict (idempotency_key) where idempotency_key is not null do nothing`

// alertColumns are new alerts as the arrays that unnest takes.
type alertColumns struct {
	eventType, target, payload, key []string
	delay                           []int64 // microseconds
}

// newAlertColumns validates alerts and sorts them by key, so that two
// transactions with the same keys wait for each other instead of deadlocking.
func newAlertColumns(alerts []chatops.NewAlert) (*alertColumns, error) {
	for i := range alerts {
		if err := alerts[i].Validate(); err != nil {
			return nil, err
		}
	}
	sorted := slices.Clone(alerts)
	slices.SortStableFunc(sorted, func(a, b chatops.NewAlert) int {
		return cmp.Compare(a.IdempotencyKey, b.IdempotencyKey)
	})
	n := len(sorted)
	c := &alertColumns{
		eventType: make([]string, n), target: make([]string, n), payload: make([]string, n),
		key: make([]string, n), delay: make([]int64, n),
	}
	for i := range sorted {
		a := &sorted[i]
		c.eventType[i], c.target[i] = chatops.CleanText(a.EventType), chatops.CleanText(a.Target)
		c.payload[i], c.key[i] = string(chatops.CleanJSON(a.Payload)), chatops.CleanText(a.IdempotencyKey)
		c.delay[i] = max(a.Delay, 0).Microseconds()
	}
	return c, nil
}

func (c *alertColumns) params() []any { return []any{c.eventType, c.target, c.payload, c.key, c.delay} }

// Enqueue stores alerts in a transaction of their own and returns how many were
// new. Many at once are tried with COPY first, which fails when one is known.
func (s *Store) Enqueue(ctx context.Context, alerts []chatops.NewAlert) (int, error) {
	if len(alerts) == 0 {
		return 0, nil
	}
	columns, err := newAlertColumns(alerts)
	if err != nil {
		return 0, err
	}
	if columns.copyable() {
		if done, err := s.copyAlerts(ctx, columns); done || err != nil {
			return len(alerts), err
		}
	}
	params := append([]any{s.now()}, columns.params()...)
	var added int64
	err = s.do(ctx, func(ctx context.Context) error {
		tag, err := s.pool.Exec(ctx, insertAlerts, params...)
		added = tag.RowsAffected()
		return err
	})
	return int(added), err
}

// queueAlerts adds alerts to a batch.
func queueAlerts(b *pgx.Batch, now *time.Time, c *alertColumns) {
	b.Queue(insertAlerts, append([]any{now}, c.params()...)...)
}
