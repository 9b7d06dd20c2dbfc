package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

// selectGroups goes from one cause to the next in idx_dlq_trouble_fingerprint,
// and reads of each its first and last entries and no more than $2 others.
const (
	selectGroups = `
with recursive walk (cause) as (
  (select d.fingerprint from dead_letter_queue d
   where d.status in ('pending', 'failed') and d.fingerprint is not null order by d.fingerprint limit 1)
  union all
  select (select d.fingerprint from dead_letter_queue d
          where d.status in ('pending', 'failed') and d.fingerprint > walk.cause order by d.fingerprint limit 1)
  from walk where walk.cause is not null)
select c.cause` + groupColumns + `
from (select cause from walk where cause is not null limit $1::bigint) c`

	// groupColumns are what is told of a cause, for the condition that the rows
	// are those of c.cause.
	groupColumns = `,
  (select count(*) from (select from dead_letter_queue d where d.fingerprint = c.cause and d.status = 'pending' limit $2::bigint) x),
  (select count(*) from (select from dead_letter_queue d where d.fingerprint = c.cause and d.status = 'failed' limit $2::bigint) x),
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
var selectUnexplained = `select null::text` + strings.ReplaceAll(groupColumns, "d.fingerprint = c.cause", "d.fingerprint is null") +
	` where $1::bigint > 0`

// AlertGroups returns the causes of pending and failed alerts, the largest first.
func (s *Store) AlertGroups(ctx context.Context, limit, countTo int) ([]chatops.AlertGroup, error) {
	var groups []chatops.AlertGroup
	err := s.batch(ctx, func(b *pgx.Batch) {
		groups = nil // the batch may be sent again
		for _, query := range []string{selectGroups, selectUnexplained} {
			b.Queue(query, limit, countTo+1).Query(func(rows pgx.Rows) error {
				part, err := pgx.CollectRows(rows, scanGroup)
				groups = append(groups, part...)
				return err
			})
		}
	})
	if err != nil {
		return nil, err
	}
	return chatops.BoundGroups(groups, limit, countTo), nil
}

func scanGroup(row pgx.CollectableRow) (chatops.AlertGroup, error) {
	var g chatops.AlertGroup
	var cause *string
	var first, last *time.Time
	var sample []string
	if err := row.Scan(&cause, &g.Pending, &g.Failed, &first, &last, &sample); err != nil {
		return g, err
	}
	g.Fingerprint, g.First, g.Last = deref(cause), utc(first), utc(last)
	if len(sample) == 3 {
		g.EventType, g.Target, g.Sample = sample[0], sample[1], sample[2]
	}
	return g, nil
}
