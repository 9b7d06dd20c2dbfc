package sqlite

import (
	"context"
	"time"

	"chatops/internal/chatops"
)

const (
	selectQueueAlarm = `
select raised_at, waiting, oldest_us, told, ack_at, ack_by, ack_reason, revision from queue_alarm where id = 1`

	updateQueueAlarm = `
update queue_alarm set raised_at = ?, waiting = ?, oldest_us = ?, told = ?, ack_at = ?, ack_by = ?, ack_reason = ?, revision = revision + 1
where id = 1 and revision = ?`
)

// QueueAlarm returns the alarm.
func (s *Store) QueueAlarm(ctx context.Context) (*chatops.QueueAlarm, error) {
	a := &chatops.QueueAlarm{}
	var oldest int64
	err := s.read(ctx, func(r *readTx) error {
		return r.row(selectQueueAlarm).Scan(timeColumn{&a.RaisedAt}, &a.Waiting, &oldest, &a.Told, timeColumn{&a.AckAt}, &a.AckBy, &a.AckReason, &a.Revision)
	})
	if err != nil {
		return nil, err
	}
	a.Oldest = time.Duration(oldest) * time.Microsecond
	return a, nil
}

// SaveQueueAlarm stores the alarm and queues alerts in one transaction.
func (s *Store) SaveQueueAlarm(ctx context.Context, a *chatops.QueueAlarm, alerts []chatops.NewAlert) error {
	if err := validateAlerts(alerts); err != nil {
		return err
	}
	err := s.write(ctx, func(tx *writeTx) error {
		n, err := tx.exec(updateQueueAlarm, stampOrNull(a.RaisedAt), a.Waiting, a.Oldest.Microseconds(), a.Told,
			stampOrNull(a.AckAt), text(a.AckBy), text(a.AckReason), a.Revision)
		if err == nil && n == 0 {
			err = chatops.QueueAlarmChanged()
		}
		if err == nil {
			_, err = tx.enqueue(alerts)
		}
		return err
	})
	if err == nil {
		a.Revision++
	}
	return err
}
