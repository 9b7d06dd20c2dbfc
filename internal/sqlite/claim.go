package sqlite

import (
	"cmp"
	"context"
	"slices"

	"chatops/internal/chatops"
)

// The two queries of due rows repeat the condition of idx_dlq_due word for
// word, because SQLite uses a partial index only then.
const (
	selectBlocked = `
select exists (select 1 from dlq_lane where lane = ?1 and paused_until > ?2)
    or (?3 and exists (select 1 from dlq_lease where lane = ?1 and until > ?2))
    or not exists (select 1 from dead_letter_queue
      where lane = ?1 and status = ?4 and next_attempt_at <= ?2
        and status in ('queued', 'pending') and lease_id is null)`

	insertLease = `
insert into dlq_lease (lane, status, owner, until, exclusive) values (?, ?, ?, ?, ?) returning id`

	claimDue = `
update dead_letter_queue set lease_id = ?1
where id in (select id from dead_letter_queue
  where lane = ?2 and status = ?3 and next_attempt_at <= ?4
    and status in ('queued', 'pending') and lease_id is null
  order by next_attempt_at, id limit ?5)
returning ` + alertColumns
)

// classOf is the status of fresh alerts and of those that wait for a retry.
func classOf(fresh bool) string {
	if fresh {
		return string(chatops.AlertQueued)
	}
	return string(chatops.AlertPending)
}

// Claim takes the next due alerts of a lane.
func (s *Store) Claim(ctx context.Context, req chatops.ClaimRequest) (*chatops.Batch, error) {
	var b *chatops.Batch
	err := s.write(ctx, func(tx *writeTx) (err error) {
		b, err = tx.claim(req)
		return err
	})
	if err != nil {
		return nil, err
	}
	return b, nil
}

// claim takes due alerts; the rows carry the lease's id until it ends.
func (tx *writeTx) claim(req chatops.ClaimRequest) (*chatops.Batch, error) {
	b := &chatops.Batch{Request: req}
	lane, class, now := text(req.Lane), classOf(req.Fresh), stamp(tx.now)
	var blocked bool
	if err := tx.row(selectBlocked, lane, now, req.Exclusive, class).Scan(&blocked); err != nil || blocked || req.Limit <= 0 {
		return b, err
	}
	err := tx.row(insertLease, lane, class, text(req.Owner), stamp(tx.now.Add(req.Lease)), req.Exclusive).Scan(&b.LeaseID)
	if err != nil {
		return nil, err
	}
	err = tx.each(claimDue, func(row scanner) error {
		var a chatops.Alert
		err := scanAlert(row, &a)
		b.Alerts = append(b.Alerts, a)
		return err
	}, b.LeaseID, lane, class, now, req.Limit)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(b.Alerts, func(x, y chatops.Alert) int {
		return cmp.Or(x.NextAttemptAt.Compare(y.NextAttemptAt), cmp.Compare(x.ID, y.ID))
	})
	return b, nil
}
