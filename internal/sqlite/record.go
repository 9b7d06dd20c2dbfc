package sqlite

import (
	"context"
	"time"

	"chatops/internal/chatops"
)

// Every update is guarded by the lease that the row carries.
const (
	extendLease = `update dlq_lease set until = ? where id = ?`
	deleteLease = `delete from dlq_lease where id = ?`
	freeLeased  = `update dead_letter_queue set lease_id = null where lease_id = ?`

	recordDelivered = `
update dead_letter_queue set status = 'delivered', delivered_at = ?1, last_attempt_at = ?1, lease_id = null
where id = ?2 and lease_id = ?3 and status in ('queued', 'pending')`

	recordFailure = `
update dead_letter_queue set status = ?1, retry_count = retry_count + (status = 'pending'), error_message = ?2,
  fingerprint = ?3, last_attempt_at = ?4, next_attempt_at = ?5, lease_id = null
where id = ?6 and lease_id = ?7 and status in ('queued', 'pending')`

	recordCancelled = `
update dead_letter_queue set status = 'cancelled', error_message = ?1, fingerprint = ?2,
  last_attempt_at = coalesce(?3, last_attempt_at), lease_id = null
where id = ?4 and lease_id = ?5 and status in ('queued', 'pending')`

	recordHeld = `
update dead_letter_queue set error_message = coalesce(?1, error_message), fingerprint = coalesce(?2, fingerprint),
  last_attempt_at = coalesce(?3, last_attempt_at), next_attempt_at = ?4, lease_id = null
where id = ?5 and lease_id = ?6 and status in ('queued', 'pending')`

	recordParked = `
update dead_letter_queue set status = 'pending', error_message = ?1, fingerprint = ?2,
  last_attempt_at = coalesce(?3, last_attempt_at), next_attempt_at = ?4, lease_id = null
where id = ?5 and lease_id = ?6 and status in ('queued', 'pending')`

	insertAttempt = `
insert into delivery_attempt (alert_id, started_at, duration_ms, outcome, http_status, error, replica)
select ?1, ?2, ?3, ?4, ?5, ?6, ?7 where exists (select 1 from dead_letter_queue where id = ?1)`

	pauseLane = `
insert into dlq_lane (lane, paused_until) values (?1, ?2)
on conflict (lane) do update set paused_until = max(coalesce(paused_until, ''), excluded.paused_until)`
)

// Record stores outcomes while the lease exists.
func (s *Store) Record(ctx context.Context, rec chatops.Record) (*chatops.Batch, error) {
	if rec.Batch == nil || rec.Batch.LeaseID == 0 {
		return nil, errNoLease()
	}
	if err := validateAlerts(rec.Enqueue); err != nil {
		return nil, err
	}
	var next *chatops.Batch
	err := s.write(ctx, func(tx *writeTx) (err error) {
		next = nil
		if err := tx.record(&rec); err != nil || rec.Next == nil || !rec.Done {
			return err
		}
		next, err = tx.claim(*rec.Next)
		return err
	})
	if err != nil {
		return nil, err
	}
	return next, nil
}

func errNoLease() error {
	return chatops.Errorf(chatops.CodeConflict, "lease on this batch of alerts has ended")
}

func (tx *writeTx) record(rec *chatops.Record) error {
	lease, req := rec.Batch.LeaseID, &rec.Batch.Request
	held, err := tx.exec(extendLease, stamp(tx.now.Add(req.Lease)), lease)
	if err != nil {
		return err
	}
	if held == 0 {
		return errNoLease()
	}
	for i := range rec.Outcomes {
		if err := tx.recordOutcome(&rec.Outcomes[i], lease); err != nil {
			return err
		}
	}
	if err := tx.keepReceipts(rec); err != nil {
		return err
	}
	if rec.Done {
		if err := tx.endLease(lease); err != nil {
			return err
		}
	}
	if rec.PauseLane > 0 {
		if _, err := tx.exec(pauseLane, text(req.Lane), stamp(tx.now.Add(rec.PauseLane))); err != nil {
			return err
		}
	}
	_, err = tx.enqueue(rec.Enqueue)
	return err
}

// endLease gives a lease up with the rows that carry it.
func (tx *writeTx) endLease(lease int64) error {
	if _, err := tx.exec(freeLeased, lease); err != nil {
		return err
	}
	_, err := tx.exec(deleteLease, lease)
	return err
}

// recordOutcome changes a row that still belongs to the lease, and stores the
// attempt.
func (tx *writeTx) recordOutcome(o *chatops.Outcome, lease int64) error {
	now, next := stamp(tx.now), stamp(tx.now.Add(max(o.Delay, 0)))
	cause, fingerprint := textOrNull(o.Error), textOrNull(o.Fingerprint)
	var tried any
	if o.Attempt != nil {
		tried = now
	}
	var n int64
	var err error
	switch o.Kind {
	case chatops.OutcomeDelivered:
		n, err = tx.exec(recordDelivered, now, o.AlertID, lease)
	case chatops.OutcomeRetry:
		n, err = tx.exec(recordFailure, "pending", cause, fingerprint, now, next, o.AlertID, lease)
	case chatops.OutcomeFailed:
		n, err = tx.exec(recordFailure, "failed", cause, fingerprint, now, now, o.AlertID, lease)
	case chatops.OutcomeHeld:
		n, err = tx.exec(recordHeld, cause, fingerprint, tried, next, o.AlertID, lease)
	case chatops.OutcomeParked:
		n, err = tx.exec(recordParked, cause, fingerprint, tried, next, o.AlertID, lease)
	case chatops.OutcomeCancelled:
		n, err = tx.exec(recordCancelled, cause, fingerprint, tried, o.AlertID, lease)
	default:
		return chatops.Errorf(chatops.CodeInvalid, "outcome %q of an alert: unknown kind", o.Kind)
	}
	if err != nil || n == 0 || o.Attempt == nil {
		return err
	}
	a := o.Attempt
	_, err = tx.exec(insertAttempt, o.AlertID, stamp(a.StartedAt), float64(a.Duration)/float64(time.Millisecond),
		a.Outcome, a.HTTPStatus, textOrNull(a.Error), textOrNull(a.Replica))
	return err
}
