package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

// oldRows selects the oldest rows of one final status by idx_dlq_status.
const oldRows = `
(select id from dead_letter_queue
 where status = 'CLASS' and created_at < ` + dbNow + ` - $2::bigint * interval '1 microsecond'
 order by created_at, id limit $3::bigint)`

// deleteOld leaves the attempts and the counters to the delete trigger.
var deleteOld = `delete from dead_letter_queue where id in (select id from (` +
	forClass(oldRows, string(chatops.AlertDelivered)) + " union all " +
	forClass(oldRows, string(chatops.AlertDiscarded)) + " union all " +
	forClass(oldRows, string(chatops.AlertCancelled)) + `) old limit $3::bigint)`

// Cleanup deletes up to limit old alerts that need nothing more.
func (s *Store) Cleanup(ctx context.Context, age time.Duration, limit int) (int, error) {
	var deleted int64
	now := s.now()
	err := s.do(ctx, func(ctx context.Context) error {
		tag, err := s.pool.Exec(ctx, deleteOld, pgx.QueryExecModeExec, now, age.Microseconds(), max(limit, 0))
		deleted = tag.RowsAffected()
		return err
	})
	return int(deleted), err
}

const (
	// oldRemark holds for a remark m that was made longer ago than age and whose
	// cause no alert in trouble has: those are found by an index.
	oldRemark = `coalesce(greatest(m.note_at, m.ack_at, m.muted_at, m.muted_until, m.seen_at), '-infinity')
    < ` + dbNow + ` - $2::bigint * interval '1 microsecond'
  and not exists (select from dead_letter_queue d where d.fingerprint = m.fingerprint and d.status in ('pending', 'failed'))`

	selectOldRemarks = `select m.fingerprint from dlq_cause m where ` + oldRemark

	// selectHeld reads every alert.
	selectHeld = `select distinct d.fingerprint from dead_letter_queue d where d.fingerprint = any ($1::text[])`

	deleteRemarks = `delete from dlq_cause m where m.fingerprint = any ($3::text[]) and ` + oldRemark

	deleteLinks = `
delete from dlq_replacement r where not exists (select from dead_letter_queue d where d.id = r.alert_id)
  and not exists (select from dead_letter_queue d where d.id = r.replaces)`
)

// CleanupRemarks deletes remarks about what is gone.
func (s *Store) CleanupRemarks(ctx context.Context, age time.Duration) (int, error) {
	deleted := int64(0)
	now := s.now()
	err := s.do(ctx, func(ctx context.Context) error {
		deleted = 0
		old, err := s.texts(ctx, selectOldRemarks, now, age.Microseconds())
		if err != nil {
			return err
		}
		if len(old) > 0 {
			held, err := s.texts(ctx, selectHeld, old)
			if err != nil {
				return err
			}
			old = slices.DeleteFunc(old, func(f string) bool { return slices.Contains(held, f) })
			tag, err := s.pool.Exec(ctx, deleteRemarks, now, age.Microseconds(), old)
			if err != nil {
				return err
			}
			deleted = tag.RowsAffected()
		}
		tag, err := s.pool.Exec(ctx, deleteLinks)
		deleted += tag.RowsAffected()
		return err
	})
	return int(deleted), err
}

// texts reads a column.
func (s *Store) texts(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := s.pool.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
