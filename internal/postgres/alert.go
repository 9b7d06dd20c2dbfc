package postgres

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

// alertColumnList are the columns of a whole alert, in the order of scanAlert.
const alertColumnList = `d.id, d.event_type, d.target, d.payload, d.status, d.retry_count, d.error_message,
  d.fingerprint, d.idempotency_key, d.operation_id, d.created_at, d.next_attempt_at, d.last_attempt_at, d.delivered_at`

// scanAlert reads a row that begins with extra columns and goes on with
// alertColumnList.
func scanAlert(row pgx.Row, a *chatops.Alert, extra ...any) error {
	var payload []byte
	var text, fingerprint, key, operation *string
	var last, delivered *time.Time
	err := row.Scan(append(extra, &a.ID, &a.EventType, &a.Target, &payload, &a.Status, &a.RetryCount, &text,
		&fingerprint, &key, &operation, &a.CreatedAt, &a.NextAttemptAt, &last, &delivered)...)
	if err != nil {
		return err
	}
	a.Payload = json.RawMessage(payload)
	a.ErrorMessage, a.Fingerprint = deref(text), deref(fingerprint)
	a.IdempotencyKey, a.OperationID = deref(key), deref(operation)
	a.CreatedAt, a.NextAttemptAt = a.CreatedAt.UTC(), a.NextAttemptAt.UTC()
	a.LastAttemptAt, a.DeliveredAt = utc(last), utc(delivered)
	return nil
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

const (
	selectAlert    = `select ` + alertColumnList + ` from dead_letter_queue d where d.id = $1::bigint`
	selectAttempts = `
select alert_id, started_at, duration_ms, outcome, http_status, coalesce(error, ''), coalesce(replica, '')
from delivery_attempt where alert_id = $1::bigint order by id`
)

// Alert returns one alert and its attempts, oldest first, or CodeNotFound.
func (s *Store) Alert(ctx context.Context, id int64) (*chatops.Alert, []chatops.Attempt, error) {
	var a chatops.Alert
	var attempts []chatops.Attempt
	err := s.batch(ctx, func(b *pgx.Batch) {
		b.Queue(selectAlert, id).QueryRow(func(row pgx.Row) error { return scanAlert(row, &a) })
		b.Queue(selectAttempts, id).Query(func(rows pgx.Rows) (err error) {
			attempts, err = pgx.CollectRows(rows, scanAttempt)
			return err
		})
	})
	if err != nil {
		return nil, nil, notFound(err, "alert %d: not found", id)
	}
	return &a, attempts, nil
}

func scanAttempt(row pgx.CollectableRow) (chatops.Attempt, error) {
	var a chatops.Attempt
	var ms float64
	err := row.Scan(&a.AlertID, &a.StartedAt, &ms, &a.Outcome, &a.HTTPStatus, &a.Error, &a.Replica)
	a.StartedAt = a.StartedAt.UTC()
	a.Duration = time.Duration(ms * float64(time.Millisecond)).Round(time.Microsecond)
	return a, err
}
