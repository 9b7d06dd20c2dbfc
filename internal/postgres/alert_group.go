package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

// selectGroups goes from one cause to the next in idx_dlq_trouble_fingerprint, to
// $3 of them, and counts of each no more than $2 entries; of the $1 largest it
// reads the first and the last entries as well. What is not materialized is counted
// twice: to sort, and to be told.
const (
	selectGroups = `
with recursive walk (cause) as (
  (select d.fingerprint from dead_letter_queue d
   where d.status in ('pending', 'failed') and d.fingerprint is not null order by d.fingerprint limit 1)
  union all
  select (select d.fingerprint from dead_letter_queue d
          where d.status in ('pending', 'failed') and d.fingerprint > walk.cause order by d.fingerprint limit 1)
  from walk where walk.cause is not null),
causes as (select cause from walk where cause is not null limit $3::bigint),
counted as materialized (select c.cause` + groupCounts + ` from causes c),
largest as materialized (
  select cause, pending, failed, count(*) over () as causes from counted order by pending + failed desc, cause limit $1::bigint)
select c.cause, c.pending, c.failed, c.causes` + groupEnds + ` from largest c`

	// groupCounts are counts of a cause, for the condition that the rows are those
	// of c.cause, and groupEnds what is told of its first and last alerts.
	groupCounts = `,
  (select count(*) from (select from dead_letter_queue d where d.fingerprint = c.cause and d.status = 'pending' limit $2::bigint) x) as pending,
  (select count(*) from (select from dead_letter_queue d where d.fingerprint = c.cause and d.status = 'failed' limit $2::bigint) x) as failed`

	groupEnds = `,
  least(
    (select d.created_at from dead_letter_queue d where d.fingerprint = c.cause and d.status = 'pending' order by d.created_at, d.id limit 1),
    (select d.created_at from dead_letter_queue d where d.fingerprint = c.cause and d.status = 'failed' order by d.created_at, d.id limit 1)),
  greatest(
    (select d.created_at from dead_letter_queue d where d.fingerprint = c.cause and d.status = 'pending' order by d.created_at desc, d.id desc limit 1),
    (select d.created_at from dead_letter_queue d where d.fingerprint = c.cause and d.status = 'failed' order by d.created_at desc, d.id desc limit 1)),
  (select array[d.event_type, d.target, coalesce(d.error_message, '')] from dead_letter_queue d where d.id = coalesce(
    (select d.id from dead_letter_queue d where d.fingerprint = c.cause and d.status = 'failed' order by d.created_at desc, d.id desc limit 1),
    (select d.id from dead_letter_queue d where d.fingerprint = c.cause and d.status = 'pending' order by d.created_at desc, d.id desc limit 1)))`
)

// selectUnexplained is the group of alerts without a cause.
var selectUnexplained = strings.ReplaceAll(`
with c as materialized (select null::text as cause`+groupCounts+` where least($1::bigint, $3::bigint) > 0)
select c.cause, c.pending, c.failed, 0::bigint`+groupEnds+` from c`, "d.fingerprint = c.cause", "d.fingerprint is null")

// AlertGroups returns the causes of pending and failed alerts, the largest first.
func (s *Store) AlertGroups(ctx context.Context, limit, countTo int) (*chatops.AlertGroups, error) {
	var groups []chatops.AlertGroup
	causes := 0
	err := s.batch(ctx, func(b *pgx.Batch) {
		groups = nil // the batch may be sent again
		for _, query := range []string{selectGroups, selectUnexplained} {
			b.Queue(query, limit, countTo+1, chatops.CausesLookedAt(limit)+1).Query(func(rows pgx.Rows) error {
				part, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (chatops.AlertGroup, error) { return scanGroup(row, &causes) })
				groups = append(groups, part...)
				return err
			})
		}
	})
	if err != nil {
		return nil, err
	}
	return chatops.BoundGroups(groups, causes, limit, countTo), nil
}

// scanGroup reads a group, and the number of causes where the row tells it.
func scanGroup(row pgx.CollectableRow, causes *int) (chatops.AlertGroup, error) {
	var g chatops.AlertGroup
	var cause *string
	var first, last *time.Time
	var sample []string
	var n int
	if err := row.Scan(&cause, &g.Pending, &g.Failed, &n, &first, &last, &sample); err != nil {
		return g, err
	}
	*causes = max(*causes, n)
	g.Fingerprint, g.First, g.Last = deref(cause), utc(first), utc(last)
	if len(sample) == 3 {
		g.EventType, g.Target, g.Sample = sample[0], sample[1], sample[2]
	}
	return g, nil
}
