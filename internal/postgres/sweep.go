package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const sweepBatch = 1000

const (
	// freeExpired ends one lease that has run out. SKIP LOCKED leaves leases
	// to a sweep elsewhere or to an owner who is just recording. Its alerts may
	// have reached their receiver, also those never tried as far as is known:
	// last_attempt_at says so, and a sender that can look for what exists does
	// it before it repeats a create.
	freeExpired = `
with ended as (
  delete from dlq_lease where id = (
    select id from dlq_lease where until <= ` + dbNow + ` order by until limit 1 for update skip locked)
  returning ids),
freed as (
  update dead_letter_queue d
  set next_attempt_at = ` + dbNow + `, last_attempt_at = case when d.status = 'queued' then ` + dbNow + ` else d.last_attempt_at end from ended
  where d.id = any (ended.ids) and d.status in ('queued', 'pending') returning 1)
select count(*), (select count(*) from freed) from ended`

	// findStray looks for waiting alerts that the cursor has passed and nobody
	// holds: committed later than the window, or changed by hand.
	findStray = `
select l.lane, array_agg(x.id) from dlq_lane l cross join lateral (
  select d.id from dead_letter_queue d
  where d.lane = l.lane and d.status = 'CLASS' and (d.next_attempt_at, d.id) <= (l.cursor_at, l.cursor_id)
    and d.next_attempt_at <= ` + dbNow + ` - ` + lateWindow + `
    and d.id not in (select unnest(e.ids) from dlq_lease e)
  order by d.next_attempt_at, d.id limit $2::bigint) x
where l.status = 'CLASS' group by l.lane`

	// freeStray repeats the conditions, now that the cursor is locked.
	freeStray = `
update dead_letter_queue d set next_attempt_at = ` + dbNow + ` from dlq_lane l
where l.lane = $2::text and l.status = 'CLASS' and d.id = any ($3::bigint[]) and d.lane = l.lane and d.status = 'CLASS'
  and (d.next_attempt_at, d.id) <= (l.cursor_at, l.cursor_id)
  and d.id not in (select unnest(e.ids) from dlq_lease e)`
)

// Sweep frees leases that have run out and alerts that the cursor has left
// behind, and returns how many alerts became claimable.
func (s *Store) Sweep(ctx context.Context) (int, error) {
	freed, err := s.sweepLeases(ctx)
	if err != nil {
		return freed, err
	}
	for _, class := range classes {
		n, err := s.sweepStray(ctx, class)
		freed += n
		if err != nil {
			return freed, err
		}
	}
	return freed, nil
}

func (s *Store) sweepLeases(ctx context.Context) (int, error) {
	total := 0
	now := s.now()
	for {
		var leases, freed int
		err := s.do(ctx, func(ctx context.Context) error {
			return s.pool.QueryRow(ctx, freeExpired, now).Scan(&leases, &freed)
		})
		if err != nil || leases == 0 {
			return total, err
		}
		total += freed
	}
}

// sweepStray looks without a lock first, and locks a lane's cursor only where
// there is something to do.
func (s *Store) sweepStray(ctx context.Context, class string) (int, error) {
	total := 0
	for {
		type stray struct {
			lane string
			ids  []int64
		}
		var found []stray
		err := s.do(ctx, func(ctx context.Context) error {
			rows, err := s.pool.Query(ctx, forClass(findStray, class), s.now(), sweepBatch)
			if err != nil {
				return err
			}
			found, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (f stray, err error) {
				return f, row.Scan(&f.lane, &f.ids)
			})
			return err
		})
		if err != nil {
			return total, err
		}
		more := false
		for _, f := range found {
			n, err := s.freeStray(ctx, class, f.lane, f.ids)
			if err != nil {
				return total, err
			}
			total += n
			more = more || (len(f.ids) == sweepBatch && n > 0)
		}
		if !more {
			return total, nil
		}
	}
}

func (s *Store) freeStray(ctx context.Context, class, lane string, ids []int64) (int, error) {
	freed := 0
	now := s.now()
	err := s.batch(ctx, func(b *pgx.Batch) {
		b.Queue(lockLane, lane, class, false)
		b.Queue(forClass(freeStray, class), now, lane, ids).Exec(func(tag pgconn.CommandTag) error {
			freed = int(tag.RowsAffected())
			return nil
		})
	})
	return freed, err
}
