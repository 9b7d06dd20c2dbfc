package postgres

import (
	"cmp"
	"context"
	"slices"
	"time"

	"chatops/internal/chatops"
)

const importAlerts = `
insert into dead_letter_queue (event_type, target, payload, status, retry_count, error_message, fingerprint, idempotency_key,
  created_at, last_attempt_at, delivered_at, next_attempt_at)
select a.event_type, a.target, a.payload::json, a.status, a.retry_count, nullif(a.error, ''), nullif(a.fingerprint, ''), a.key,
  a.created, a.last, a.delivered, coalesce($1::timestamptz, now())
from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::integer[], $7::text[], $8::text[], $9::text[],
    $10::timestamptz[], $11::timestamptz[], $12::timestamptz[])
  with ordinality a (event_type, target, payload, status, retry_count, error, fingerprint, key, created, last, delivered, place)
order by a.place
on conflict (idempotency_key) where idempotency_key is not null do nothing`

// ImportAlerts stores exported alerts in one transaction.
func (s *Store) ImportAlerts(ctx context.Context, alerts []chatops.Alert) (int, error) {
	sorted := slices.Clone(alerts)
	slices.SortStableFunc(sorted, func(a, b chatops.Alert) int { return cmp.Compare(a.IdempotencyKey, b.IdempotencyKey) })
	texts := make([][]string, 7) // types, targets, payloads, statuses, errors, fingerprints, keys
	times := make([][]*time.Time, 3)
	retries := make([]int32, 0, len(sorted))
	for i := range sorted {
		a := &sorted[i]
		if err := a.ValidateImport(); err != nil {
			return 0, err
		}
		for j, v := range []string{a.EventType, a.Target, string(chatops.CleanJSON(a.Payload)), string(a.Status), a.ErrorMessage, a.Fingerprint, a.IdempotencyKey} {
			texts[j] = append(texts[j], chatops.CleanText(v))
		}
		for j, at := range []time.Time{a.CreatedAt, a.LastAttemptAt, a.DeliveredAt} {
			times[j] = append(times[j], null(at))
		}
		retries = append(retries, int32(min(a.RetryCount, maxRetryCount))) //nolint:gosec // bounded
	}
	if len(sorted) == 0 {
		return 0, nil
	}
	now := s.now()
	var added int64
	err := s.do(ctx, func(ctx context.Context) error {
		tag, err := s.pool.Exec(ctx, importAlerts, now, texts[0], texts[1], texts[2], texts[3], retries, texts[4], texts[5], texts[6],
			times[0], times[1], times[2])
		added = tag.RowsAffected()
		return err
	})
	return int(added), err
}

// maxRetryCount is more than anybody retries.
const maxRetryCount = 1_000_000
