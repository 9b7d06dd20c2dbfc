package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

const (
	selectQueueAlarm = `
select raised_at, waiting, oldest_us, told, ack_at, ack_by, ack_reason, revision from queue_alarm where id = 1`

	updateQueueAlarm = `
update queue_alarm set raised_at = $1::timestamptz, waiting = $2::bigint, oldest_us = $3::bigint, told = $4::integer,
  ack_at = $5::timestamptz, ack_by = $6::text, ack_reason = $7::text, revision = revision + 1
where id = 1 and revision = $8::bigint`
)

// QueueAlarm returns the alarm.
func (s *Store) QueueAlarm(ctx context.Context) (*chatops.QueueAlarm, error) {
	a := &chatops.QueueAlarm{}
	err := s.do(ctx, func(ctx context.Context) error {
		var raised, acked *time.Time
		var oldest int64
		err := s.pool.QueryRow(ctx, selectQueueAlarm).Scan(&raised, &a.Waiting, &oldest, &a.Told, &acked, &a.AckBy, &a.AckReason, &a.Revision)
		a.RaisedAt, a.AckAt, a.Oldest = utc(raised), utc(acked), time.Duration(oldest)*time.Microsecond
		return err
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// SaveQueueAlarm stores the alarm and queues alerts in one transaction.
func (s *Store) SaveQueueAlarm(ctx context.Context, a *chatops.QueueAlarm, alerts []chatops.NewAlert) error {
	columns, err := newAlertColumns(alerts)
	if err != nil {
		return err
	}
	params := append([]any{s.now()}, columns.params()...)
	err = s.tx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, updateQueueAlarm, null(a.RaisedAt), a.Waiting, a.Oldest.Microseconds(), a.Told,
			null(a.AckAt), chatops.CleanText(a.AckBy), chatops.CleanText(a.AckReason), a.Revision)
		if err == nil && tag.RowsAffected() == 0 {
			err = chatops.QueueAlarmChanged()
		}
		if err == nil && len(alerts) > 0 {
			_, err = tx.Exec(ctx, insertAlerts, params...)
		}
		return err
	})
	if err == nil {
		a.Revision++
	}
	return err
}
