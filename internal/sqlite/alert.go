package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"chatops/internal/chatops"
)

// alertColumns are the columns of a whole alert, in the order of scanAlert.
const alertColumns = `id, event_type, target, payload, status, retry_count, error_message, fingerprint, idempotency_key,
  operation_id, created_at, next_attempt_at, last_attempt_at, delivered_at`

func scanAlert(row scanner, a *chatops.Alert) error {
	var payload string
	err := row.Scan(&a.ID, &a.EventType, &a.Target, textColumn{&payload}, &a.Status, &a.RetryCount,
		textColumn{&a.ErrorMessage}, textColumn{&a.Fingerprint}, textColumn{&a.IdempotencyKey}, textColumn{&a.OperationID},
		timeColumn{&a.CreatedAt}, timeColumn{&a.NextAttemptAt}, timeColumn{&a.LastAttemptAt}, timeColumn{&a.DeliveredAt})
	a.Payload = json.RawMessage(payload)
	return err
}

const (
	selectAlert    = `select ` + alertColumns + ` from dead_letter_queue where id = ?`
	selectAttempts = `
select alert_id, started_at, duration_ms, outcome, http_status, error, replica
from delivery_attempt where alert_id = ? order by id`
)

// Alert returns one alert and its attempts, oldest first, or CodeNotFound.
func (s *Store) Alert(ctx context.Context, id int64) (*chatops.Alert, []chatops.Attempt, error) {
	var a chatops.Alert
	var attempts []chatops.Attempt
	err := s.read(ctx, func(r *readTx) error {
		if err := scanAlert(r.row(selectAlert, id), &a); err != nil {
			return err
		}
		return r.each(selectAttempts, func(row scanner) error {
			var t chatops.Attempt
			var ms float64
			err := row.Scan(&t.AlertID, timeColumn{&t.StartedAt}, &ms, &t.Outcome, &t.HTTPStatus,
				textColumn{&t.Error}, textColumn{&t.Replica})
			t.Duration = time.Duration(ms * float64(time.Millisecond)).Round(time.Microsecond)
			attempts = append(attempts, t)
			return err
		}, id)
	})
	if err != nil {
		return nil, nil, notFound(err, "alert %d: not found", id)
	}
	return &a, attempts, nil
}

// selectCursor finds a cursor's created_at as it is stored.
const selectCursor = `select created_at from dead_letter_queue where id = ? and substr(created_at, 1, 19) = ?`

// cursorOf returns the cursor in the database's own spelling.
func (r *readTx) cursorOf(after chatops.AlertCursor) (cursor, error) {
	if after == (chatops.AlertCursor{}) {
		return cursor{}, nil
	}
	c := cursor{at: stamp(after.CreatedAt), id: after.ID}
	err := r.row(selectCursor, c.id, c.at[:19]).Scan(&c.at)
	if errors.Is(err, sql.ErrNoRows) {
		return c, nil // the alert is gone; its place is not
	}
	return c, err
}

// Alerts returns a page of alerts, newest first, and where the next one begins.
func (s *Store) Alerts(
	ctx context.Context, f chatops.AlertFilter, after chatops.AlertCursor, limit int,
) ([]chatops.Alert, *chatops.AlertCursor, error) {
	if limit <= 0 {
		return nil, nil, chatops.Errorf(chatops.CodeInvalid, "page of %d alerts: must hold at least one", limit)
	}
	p := page{filter: f, statuses: f.Statuses, limit: limit + 1}
	var list []chatops.Alert
	err := s.read(ctx, func(r *readTx) (err error) {
		if p.after, err = r.cursorOf(after); err != nil {
			return err
		}
		query, args := p.sql()
		return r.eachOnce(query, func(row scanner) error {
			var a chatops.Alert
			err := scanAlert(row, &a)
			list = append(list, a)
			return err
		}, args...)
	})
	if err != nil || len(list) <= limit {
		return list, nil, err
	}
	list = list[:limit]
	last := &list[limit-1]
	return list, &chatops.AlertCursor{CreatedAt: last.CreatedAt, ID: last.ID}, nil
}

// CountAlerts returns how many alerts match; from the counters where they can
// tell.
func (s *Store) CountAlerts(ctx context.Context, f chatops.AlertFilter) (int64, error) {
	query, args := countQuery(f, f.Statuses)
	var n int64
	err := s.read(ctx, func(r *readTx) error {
		return r.eachOnce(query, func(row scanner) error { return row.Scan(&n) }, args...)
	})
	return n, err
}
