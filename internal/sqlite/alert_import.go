package sqlite

import (
	"context"

	"chatops/internal/chatops"
)

const importAlert = `
insert into dead_letter_queue (event_type, target, payload, status, retry_count, error_message, fingerprint, idempotency_key,
  created_at, last_attempt_at, delivered_at, next_attempt_at)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict (idempotency_key) where idempotency_key is not null do nothing`

// maxRetryCount is more than anybody retries.
const maxRetryCount = 1_000_000

// ImportAlerts stores exported alerts in one transaction.
func (s *Store) ImportAlerts(ctx context.Context, alerts []chatops.Alert) (int, error) {
	for i := range alerts {
		if err := alerts[i].ValidateImport(); err != nil {
			return 0, err
		}
	}
	added := 0
	err := s.write(ctx, func(tx *writeTx) error {
		added = 0
		for i := range alerts {
			a := &alerts[i]
			n, err := tx.exec(importAlert, text(a.EventType), text(a.Target), string(chatops.CleanJSON(a.Payload)), string(a.Status),
				min(a.RetryCount, maxRetryCount), textOrNull(a.ErrorMessage), textOrNull(a.Fingerprint), text(a.IdempotencyKey),
				stamp(a.CreatedAt), stampOrNull(a.LastAttemptAt), stampOrNull(a.DeliveredAt), stamp(tx.now))
			if err != nil {
				return err
			}
			added += int(n)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return added, nil
}
