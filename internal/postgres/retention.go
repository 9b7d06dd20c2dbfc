package postgres

import (
	"context"
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
