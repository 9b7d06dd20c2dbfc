package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

// lockLane takes the cursor's row, both classes' for an exclusive claim. It is a
// statement of its own because the claim needs the snapshot after the lock.
const lockLane = `
select status from dlq_lane where lane = $1::text and (status = $2::text or $3::boolean) order by status for update`

// claimQuery takes the next due alerts beyond the cursor and, only when these
// are fewer than asked for, those that were committed late behind it. The
// alerts themselves are not touched: the lease names them.
const claimQuery = `
with l as materialized (
  select k.lane, k.cursor_at, k.cursor_id from dlq_lane k
  where k.lane = $2::text and k.status = 'CLASS' and coalesce(k.paused_until <= ` + dbNow + `, true)
    and not ($3::boolean and exists (select from dlq_lease e where e.lane = $2::text and e.until > ` + dbNow + `))),
ahead as materialized (
  select ` + alertColumnList + ` from l cross join lateral (
    select ` + alertColumnList + ` from dead_letter_queue d
    where d.lane = $2::text and d.status = 'CLASS' and d.next_attempt_at <= ` + dbNow + `
      and (d.next_attempt_at, d.id) > (l.cursor_at, l.cursor_id)
    order by d.next_attempt_at, d.id limit $4::bigint) d),
late as materialized (
  select ` + alertColumnList + ` from l cross join lateral (
    select ` + alertColumnList + ` from dead_letter_queue d
    where ` + behind + `
    order by d.next_attempt_at, d.id limit $4::bigint - (select count(*) from ahead)) d),
moved as (
  update dlq_lane k set cursor_at = a.next_attempt_at, cursor_id = a.id
  from (select next_attempt_at, id from ahead order by next_attempt_at desc, id desc limit 1) a
  where k.lane = $2::text and k.status = 'CLASS'),
taken as (
  select ` + alertColumnList + ` from late d union all select ` + alertColumnList + ` from ahead d),
lease as (
  insert into dlq_lease (lane, status, owner, until, exclusive, ids)
  select $2::text, 'CLASS', $5::text, ` + dbNow + ` + $6::bigint * interval '1 microsecond', $3::boolean, array_agg(id)
  from taken having count(*) > 0
  returning id)
select lease.id, ` + alertColumnList + ` from taken d cross join lease order by d.next_attempt_at, d.id`

var claimSQL = map[bool]string{
	true:  forClass(claimQuery, classes[0]),
	false: forClass(claimQuery, classes[1]),
}

// Claim takes the next due alerts of a lane in one round trip.
func (s *Store) Claim(ctx context.Context, req chatops.ClaimRequest) (*chatops.Batch, error) {
	var batch *chatops.Batch
	now := s.now()
	err := s.batch(ctx, func(b *pgx.Batch) { batch = queueClaim(b, now, req) })
	if err != nil {
		return nil, err
	}
	return batch, nil
}

// queueClaim adds the statements of a claim to a batch and returns what they
// will fill.
func queueClaim(b *pgx.Batch, now *time.Time, req chatops.ClaimRequest) *chatops.Batch {
	batch := &chatops.Batch{Request: req}
	limit := max(req.Limit, 0)
	class := classes[1]
	if req.Fresh {
		class = classes[0]
	}
	b.Queue(lockLane, req.Lane, class, req.Exclusive)
	b.Queue(claimSQL[req.Fresh], now, req.Lane, req.Exclusive, limit, req.Owner, req.Lease.Microseconds()).
		Query(func(rows pgx.Rows) error {
			batch.Alerts = make([]chatops.Alert, 0, min(limit, 512))
			for rows.Next() {
				var a chatops.Alert
				if err := scanAlert(rows, &a, &batch.LeaseID); err != nil {
					return err
				}
				batch.Alerts = append(batch.Alerts, a)
			}
			return rows.Err()
		})
	return batch
}
