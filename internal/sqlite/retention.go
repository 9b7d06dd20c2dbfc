package sqlite

import (
	"context"
	"slices"
	"time"

	"chatops/internal/chatops"
)

const deleteOld = `
delete from dead_letter_queue where id in (
  select id from dead_letter_queue where status = ? and created_at < ? order by created_at, id limit ?)`

// Cleanup deletes up to limit old alerts that need nothing more. A trigger
// deletes their attempts.
func (s *Store) Cleanup(ctx context.Context, age time.Duration, limit int) (int, error) {
	var deleted int
	err := s.write(ctx, func(tx *writeTx) error {
		deleted = 0
		for _, status := range []chatops.AlertStatus{chatops.AlertDelivered, chatops.AlertDiscarded, chatops.AlertCancelled} {
			if deleted >= limit {
				return nil
			}
			n, err := tx.exec(deleteOld, string(status), stamp(tx.now.Add(-age)), limit-deleted)
			if err != nil {
				return err
			}
			deleted += int(n)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return deleted, nil
}

const (
	// oldRemark holds for a remark m that was made before ?1 and whose cause no
	// alert in trouble has: those are found by an index.
	oldRemark = `max(coalesce(m.note_at, ''), coalesce(m.ack_at, ''), coalesce(m.muted_at, ''), coalesce(m.muted_until, ''),
    coalesce(m.seen_at, '')) < ?1
  and not exists (select 1 from dead_letter_queue d where d.fingerprint = m.fingerprint and d.status in ('pending', 'failed'))`

	selectOldRemarks = `select m.fingerprint from dlq_cause m where ` + oldRemark

	// selectHeld reads every alert.
	selectHeld = `select distinct fingerprint from dead_letter_queue where fingerprint in (select value from json_each(?))`

	deleteRemarks = `delete from dlq_cause as m where m.fingerprint in (select value from json_each(?2)) and ` + oldRemark

	deleteLinks = `
delete from dlq_replacement as r where not exists (select 1 from dead_letter_queue d where d.id = r.alert_id)
  and not exists (select 1 from dead_letter_queue d where d.id = r.replaces)`
)

// CleanupRemarks deletes remarks about what is gone. The alerts are read before
// the writer's turn.
func (s *Store) CleanupRemarks(ctx context.Context, age time.Duration) (int, error) {
	before := stamp(s.now().Add(-age))
	var old []string
	err := s.read(ctx, func(r *readTx) error {
		var err error
		if old, err = r.texts(selectOldRemarks, before); err != nil || len(old) == 0 {
			return err
		}
		held, err := r.texts(selectHeld, jsonArray(old))
		old = slices.DeleteFunc(old, func(f string) bool { return slices.Contains(held, f) })
		return err
	})
	if err != nil {
		return 0, err
	}
	var deleted int64
	err = s.write(ctx, func(tx *writeTx) error {
		var links int64
		var err error
		if deleted, err = tx.exec(deleteRemarks, before, jsonArray(old)); err != nil {
			return err
		}
		links, err = tx.exec(deleteLinks)
		deleted += links
		return err
	})
	if err != nil {
		return 0, err
	}
	return int(deleted), nil
}

// texts reads a column.
func (r *readTx) texts(query string, args ...any) (list []string, err error) {
	err = r.each(query, func(row scanner) error {
		var one string
		err := row.Scan(&one)
		list = append(list, one)
		return err
	}, args...)
	return list, err
}
