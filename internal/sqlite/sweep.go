package sqlite

import "context"

const (
	// selectStale looks without the write lock, so that an idle sweep costs
	// nobody anything.
	selectStale = `
select exists (select 1 from dlq_lease where until <= ?)
    or exists (select 1 from dead_letter_queue d where d.lease_id is not null
      and not exists (select 1 from dlq_lease e where e.id = d.lease_id))`

	deleteStale = `delete from dlq_lease where until <= ?`

	// Rows of leases that are gone. One that was settled by hand in flight is
	// freed too, and is not counted. The others may have reached their
	// receiver, also those never tried as far as is known: last_attempt_at says
	// so, and a sender that can look for what exists does it before it repeats
	// a create.
	freeStaleWaiting = `
update dead_letter_queue set lease_id = null, last_attempt_at = case when status = 'queued' then ? else last_attempt_at end
where lease_id is not null and +status in ('queued', 'pending')
  and not exists (select 1 from dlq_lease e where e.id = dead_letter_queue.lease_id)`

	freeStaleSettled = `
update dead_letter_queue set lease_id = null
where lease_id is not null and +status not in ('queued', 'pending')
  and not exists (select 1 from dlq_lease e where e.id = dead_letter_queue.lease_id)`
)

// Sweep frees the alerts of leases that have run out. Rows that were inserted
// or changed by hand need no help here: triggers make them due.
func (s *Store) Sweep(ctx context.Context) (int, error) {
	var stale bool
	err := s.read(ctx, func(r *readTx) error { return r.row(selectStale, stamp(s.now())).Scan(&stale) })
	if err != nil || !stale {
		return 0, err
	}
	var freed int64
	err = s.write(ctx, func(tx *writeTx) (err error) {
		if _, err = tx.exec(deleteStale, stamp(tx.now)); err != nil {
			return err
		}
		if freed, err = tx.exec(freeStaleWaiting, stamp(tx.now)); err != nil {
			return err
		}
		_, err = tx.exec(freeStaleSettled)
		return err
	})
	if err != nil {
		return 0, err
	}
	return int(freed), nil
}
