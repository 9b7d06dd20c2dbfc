package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

// dbNow is the time in a statement: a test's clock, or the server's at the
// moment the statement reached it, after any wait for a lock before.
const dbNow = `coalesce($1::timestamptz, statement_timestamp())`

// lateWindow is how far behind the cursor a claim looks for alerts that were
// committed late. A transaction that took longer is left to the sweep.
const lateWindow = `interval '10 seconds'`

// behind is the condition on a row d that it was passed over by the cursor of
// lane l, within the window, and that no batch holds it.
const behind = `
  d.lane = l.lane and d.status = 'CLASS' and d.next_attempt_at > ` + dbNow + ` - ` + lateWindow + `
  and (d.next_attempt_at, d.id) <= (l.cursor_at, l.cursor_id)
  and d.id not in (select unnest(e.ids) from dlq_lease e)`

// laneQuery looks at one class: the first alert beyond the cursor, and behind
// the cursor only where that one is not due, because then a claim would too.
const laneQuery = `
select l.lane, 'CLASS' = 'queued',
  (extract(epoch from coalesce(late.next_attempt_at, first.next_attempt_at) - ` + dbNow + `) * 1e6)::bigint,
  (extract(epoch from greatest(l.paused_until,
     (select max(e.until) from dlq_lease e where e.lane = l.lane and e.exclusive)) - ` + dbNow + `) * 1e6)::bigint
from dlq_lane l
left join lateral (
  select d.next_attempt_at from dead_letter_queue d
  where d.lane = l.lane and d.status = 'CLASS' and (d.next_attempt_at, d.id) > (l.cursor_at, l.cursor_id)
  order by d.next_attempt_at, d.id limit 1) first on true
left join lateral (
  select d.next_attempt_at from dead_letter_queue d
  where coalesce(first.next_attempt_at > ` + dbNow + `, true) and ` + behind + `
  order by d.next_attempt_at, d.id limit 1) late on true
where l.status = 'CLASS' and coalesce(late.next_attempt_at, first.next_attempt_at) is not null`

// classes are the waiting states, fresh first.
var classes = []string{string(chatops.AlertQueued), string(chatops.AlertPending)}

var lanesSQL = forClass(laneQuery, classes[0]) + "\nunion all" + forClass(laneQuery, classes[1])

// forClass writes a class into a statement as a literal, because only then does
// the planner see that the partial index covers it.
func forClass(statement, class string) string { return strings.ReplaceAll(statement, "CLASS", class) }

// Lanes reports each lane and class that has waiting alerts which no batch
// holds.
func (s *Store) Lanes(ctx context.Context) ([]chatops.LaneState, error) {
	var list []chatops.LaneState
	err := s.do(ctx, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, lanesSQL, s.now())
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (chatops.LaneState, error) {
			var l chatops.LaneState
			var due int64
			var blocked *int64
			err := row.Scan(&l.Lane, &l.Fresh, &due, &blocked)
			l.DueIn = time.Duration(due) * time.Microsecond
			if blocked != nil {
				l.BlockedFor = time.Duration(*blocked) * time.Microsecond
			}
			return l, err
		})
		return err
	})
	return list, err
}
