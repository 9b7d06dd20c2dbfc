package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

const (
	selectCounts = `
select event_type, status, sum(n)::bigint from dlq_count group by 1, 2 having sum(n) <> 0 order by 1, 2`

	// selectOldest asks the counters first: looking for the first of no rows
	// would pass over every entry that the index still has of those that left.
	selectOldest = `
select least(
    case when (select sum(n) from dlq_count where status = 'queued') > 0 then
      (select created_at from dead_letter_queue where status = 'queued' order by created_at, id limit 1) end,
    case when (select sum(n) from dlq_count where status = 'pending') > 0 then
      (select created_at from dead_letter_queue where status = 'pending' order by created_at, id limit 1) end),
  case when (select sum(n) from dlq_count where status = 'failed') > 0 then
    (select created_at from dead_letter_queue where status = 'failed' order by created_at, id limit 1) end,
  ` + dbNow

	selectDigest = `
select count(*), min(created_at), max(created_at) from dead_letter_queue
where fingerprint = $1::text and status = 'failed'`

	selectSample = `
select event_type, target, coalesce(error_message, '') from dead_letter_queue
where fingerprint = $1::text and status = 'failed' order by created_at desc, id desc limit 1`
)

// QueueStats reads the counters that triggers keep, and the oldest alerts by
// index.
func (s *Store) QueueStats(ctx context.Context) (*chatops.QueueStats, error) {
	var stats chatops.QueueStats
	now := s.now()
	err := s.batch(ctx, func(b *pgx.Batch) {
		b.Queue(selectCounts).Query(func(rows pgx.Rows) (err error) {
			stats.Counts, err = pgx.CollectRows(rows, pgx.RowToStructByPos[chatops.AlertCount])
			return err
		})
		b.Queue(selectOldest, now).QueryRow(func(row pgx.Row) error {
			var waiting, failed *time.Time
			err := row.Scan(&waiting, &failed, &stats.Now)
			stats.OldestWaiting, stats.OldestFailed, stats.Now = utc(waiting), utc(failed), stats.Now.UTC()
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return &stats, nil
}

// FailureDigest counts the failed alerts of a cause; Failed is 0 when there is
// none.
func (s *Store) FailureDigest(ctx context.Context, fingerprint string) (*chatops.FailureDigest, error) {
	fingerprint = chatops.CleanText(fingerprint)
	d := chatops.FailureDigest{Fingerprint: fingerprint}
	err := s.batch(ctx, func(b *pgx.Batch) {
		b.Queue(selectDigest, fingerprint).QueryRow(func(row pgx.Row) error {
			var first, last *time.Time
			err := row.Scan(&d.Failed, &first, &last)
			d.First, d.Last = utc(first), utc(last)
			return err
		})
		b.Queue(selectSample, fingerprint).Query(func(rows pgx.Rows) error {
			for rows.Next() {
				if err := rows.Scan(&d.EventType, &d.Target, &d.Sample); err != nil {
					return err
				}
			}
			return rows.Err()
		})
	})
	if err != nil {
		return nil, err
	}
	return &d, nil
}
