package sqlite

import (
	"context"
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
