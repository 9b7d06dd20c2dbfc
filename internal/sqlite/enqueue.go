package sqlite

import (
	"context"

	"chatops/internal/chatops"
)

const insertAlert = `
insert into dead_letter_queue (event_type, target, payload, status, created_at, next_attempt_at, idempotency_key)
values (?, ?, ?, 'queued', ?, ?, ?)
on conflict (idempotency_key) where idempotency_key is not null do nothing`

func validateAlerts(alerts []chatops.NewAlert) error {
	for i := range alerts {
		if err := alerts[i].Validate(); err != nil {
			return err
		}
	}
	return nil
}

// enqueue stores alerts whose keys are new and returns how many.
func (tx *writeTx) enqueue(alerts []chatops.NewAlert) (int, error) {
	added := 0
	for i := range alerts {
		a := &alerts[i]
		n, err := tx.exec(insertAlert, text(a.EventType), text(a.Target), string(chatops.CleanJSON(a.Payload)),
			stamp(tx.now), stamp(tx.now.Add(max(a.Delay, 0))), textOrNull(a.IdempotencyKey))
		if err != nil {
			return 0, err
		}
		added += int(n)
	}
	return added, nil
}

// Enqueue stores alerts in a transaction of their own and returns how many were
// new.
func (s *Store) Enqueue(ctx context.Context, alerts []chatops.NewAlert) (int, error) {
	if len(alerts) == 0 {
		return 0, nil
	}
	if err := validateAlerts(alerts); err != nil {
		return 0, err
	}
	added := 0
	err := s.write(ctx, func(tx *writeTx) (err error) {
		added, err = tx.enqueue(alerts)
		return err
	})
	if err != nil {
		return 0, err
	}
	return added, nil
}
