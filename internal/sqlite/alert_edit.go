package sqlite

import (
	"context"
	"time"

	"chatops/internal/chatops"
)

const (
	discardReplaced = `update dead_letter_queue set status = 'discarded' where id = ? and status = 'failed'`

	insertReplacing = `
insert into dead_letter_queue (event_type, target, payload, status, idempotency_key, created_at, next_attempt_at)
values (?, ?, ?, 'pending', ?, ?, ?) returning id`

	insertReplacement = `insert into dlq_replacement (alert_id, replaces, actor, reason, at) values (?, ?, ?, ?, ?)`

	selectLineage = `
select alert_id, replaces, actor, reason, at from dlq_replacement where alert_id = ?1 or replaces = ?1 order by at, alert_id`
)

// ReplaceAlert puts an alert with another payload in place of a failed one.
func (s *Store) ReplaceAlert(ctx context.Context, e chatops.AlertEdit) (int64, error) {
	var made int64
	err := s.write(ctx, func(tx *writeTx) error {
		var was chatops.Alert
		if err := scanAlert(tx.row(selectAlert, e.AlertID), &was); err != nil {
			return notFound(err, "alert %d: not found", e.AlertID)
		}
		if err := was.CheckEdit(e.Payload); err != nil {
			return err
		}
		n, err := tx.exec(discardReplaced, e.AlertID)
		if err != nil {
			return err
		}
		if n == 0 {
			return chatops.Errorf(chatops.CodeConflict, "alert %d is %s: only failed alerts are replaced", e.AlertID, was.Status)
		}
		now := stamp(tx.now)
		err = tx.row(insertReplacing, was.EventType, was.Target, string(chatops.CleanJSON(e.Payload)), text(was.ReplacementKey()), now, now).Scan(&made)
		if err != nil {
			return err
		}
		_, err = tx.exec(insertReplacement, made, e.AlertID, text(e.Actor), text(e.Reason), now)
		return err
	})
	if err != nil {
		return 0, err
	}
	return made, nil
}

// AlertLineage returns what an alert was replaced by and what it replaces.
func (s *Store) AlertLineage(ctx context.Context, id int64) (*chatops.Lineage, error) {
	l := &chatops.Lineage{}
	err := s.read(ctx, func(r *readTx) error {
		return r.each(selectLineage, func(row scanner) error {
			var alert, replaces int64
			var at time.Time
			err := row.Scan(&alert, &replaces, &l.Actor, &l.Reason, timeColumn{&at})
			l.Add(id, alert, replaces, at)
			return err
		}, id)
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}
