package sqlite

import (
	"context"
	"time"

	"chatops/internal/chatops"
)

const (
	// One statement, so that all figures are of one moment. The oldest are found
	// by idx_dlq_status.
	selectStats = `
select 0 as kind, event_type, status, n, null from dlq_count where n <> 0
union all select 1, '', '', 0, (select created_at from dead_letter_queue where status = 'queued' order by created_at, id limit 1)
union all select 1, '', '', 0, (select created_at from dead_letter_queue where status = 'pending' order by created_at, id limit 1)
union all select 2, '', '', 0, (select created_at from dead_letter_queue where status = 'failed' order by created_at, id limit 1)
order by 1, 2, 3`

	selectDigest = `
select count(*),
  (select created_at from dead_letter_queue where fingerprint = ?1 and status = 'failed'
     and status in ('pending', 'failed') order by created_at, id limit 1),
  (select created_at from dead_letter_queue where fingerprint = ?1 and status = 'failed'
     and status in ('pending', 'failed') order by created_at desc, id desc limit 1)
from dead_letter_queue where fingerprint = ?1 and status = 'failed' and status in ('pending', 'failed')`

	selectSample = `
select event_type, target, error_message from dead_letter_queue
where fingerprint = ? and status = 'failed' and status in ('pending', 'failed') order by created_at desc, id desc limit 1`
)

// QueueStats reads the counters that triggers keep, and the oldest alerts by
// index.
func (s *Store) QueueStats(ctx context.Context) (*chatops.QueueStats, error) {
	stats := &chatops.QueueStats{Now: s.now()}
	err := s.read(ctx, func(r *readTx) error {
		return r.each(selectStats, func(row scanner) error {
			var kind int
			var c chatops.AlertCount
			var oldest time.Time
			if err := row.Scan(&kind, &c.EventType, &c.Status, &c.Count, timeColumn{&oldest}); err != nil {
				return err
			}
			switch kind {
			case 0:
				stats.Counts = append(stats.Counts, c)
			case 1:
				if stats.OldestWaiting.IsZero() || !oldest.IsZero() && oldest.Before(stats.OldestWaiting) {
					stats.OldestWaiting = oldest
				}
			default:
				stats.OldestFailed = oldest
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return stats, nil
}

// FailureDigest counts the failed alerts of a cause; Failed is 0 when there is
// none.
func (s *Store) FailureDigest(ctx context.Context, fingerprint string) (*chatops.FailureDigest, error) {
	d := &chatops.FailureDigest{Fingerprint: text(fingerprint)}
	err := s.read(ctx, func(r *readTx) error {
		err := r.row(selectDigest, d.Fingerprint).Scan(&d.Failed, timeColumn{&d.First}, timeColumn{&d.Last})
		if err != nil || d.Failed == 0 {
			return err
		}
		return r.each(selectSample, func(row scanner) error {
			return row.Scan(&d.EventType, &d.Target, textColumn{&d.Sample})
		}, d.Fingerprint)
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}
