package sqlite

import (
	"context"
	"time"

	"chatops/internal/chatops"
)

const selectLanes = `
select l.lane, c.status,
  (select d.next_attempt_at from dead_letter_queue d
   where d.lane = l.lane and d.status = c.status and d.status in ('queued', 'pending') and d.lease_id is null
   order by d.next_attempt_at limit 1) as due,
  l.paused_until,
  (select max(e.until) from dlq_lease e where e.lane = l.lane and e.exclusive)
from dlq_lane l, (select 'queued' as status union all select 'pending') c
where due is not null
order by l.lane, c.status desc`

// Lanes reports each lane and class with alerts that wait and are not in
// flight.
func (s *Store) Lanes(ctx context.Context) ([]chatops.LaneState, error) {
	var list []chatops.LaneState
	err := s.read(ctx, func(r *readTx) error {
		now := s.now()
		return r.each(selectLanes, func(row scanner) error {
			var l chatops.LaneState
			var class string
			var due, paused, held time.Time
			err := row.Scan(&l.Lane, &class, timeColumn{&due}, timeColumn{&paused}, timeColumn{&held})
			l.Fresh = class == string(chatops.AlertQueued)
			l.DueIn = due.Sub(now)
			if held.After(paused) {
				paused = held
			}
			l.BlockedFor = paused.Sub(now)
			if paused.IsZero() {
				l.BlockedFor = 0
			}
			list = append(list, l)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}
