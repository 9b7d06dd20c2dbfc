package sqlite

import (
	"context"
	"strings"

	"chatops/internal/chatops"
)

// selectGroups goes from one cause to the next in idx_dlq_trouble_fingerprint, to
// ?3 of them, and counts of each no more than ?2 entries; of the ?1 largest it
// reads the first and the last entries as well. The repeated condition is what lets
// SQLite use that index.
const (
	selectGroups = `
with recursive walk (cause) as (
  select * from (select fingerprint from dead_letter_queue indexed by idx_dlq_trouble_fingerprint
   where status in ('pending', 'failed') and fingerprint is not null order by fingerprint limit 1)
  union all
  select (select d.fingerprint from dead_letter_queue d indexed by idx_dlq_trouble_fingerprint
          where d.status in ('pending', 'failed') and d.fingerprint > walk.cause order by d.fingerprint limit 1)
  from walk where walk.cause is not null),
causes as (select cause from walk where cause is not null limit ?3),
counted as materialized (select c.cause as cause` + groupCounts + ` from causes c),
largest as materialized (
  select cause, pending, failed, (select count(*) from counted) as causes from counted order by pending + failed desc, cause limit ?1),
told as (select c.cause as cause, c.pending as pending, c.failed as failed, c.causes as causes` + groupEnds + ` from largest c)
` + selectTold

	selectUnexplained = `
with c as materialized (select null as cause, 0 as causes` + groupCounts + ` where min(?1, ?3) > 0),
told as (select c.cause as cause, c.pending as pending, c.failed as failed, c.causes as causes` + groupEnds + ` from c)
` + selectTold

	groupCounts = `,
  (select count(*) from (select 1 from dead_letter_queue where {pending} limit ?2)) as pending,
  (select count(*) from (select 1 from dead_letter_queue where {failed} limit ?2)) as failed`

	groupEnds = `,
  (select id from dead_letter_queue where {pending} order by created_at, id limit 1) as p1,
  (select id from dead_letter_queue where {failed} order by created_at, id limit 1) as f1,
  (select id from dead_letter_queue where {pending} order by created_at desc, id desc limit 1) as p2,
  (select id from dead_letter_queue where {failed} order by created_at desc, id desc limit 1) as f2`

	selectTold = `
select t.cause, t.pending, t.failed, t.causes,
  (select min(d.created_at) from dead_letter_queue d where d.id in (t.p1, t.f1)),
  (select max(d.created_at) from dead_letter_queue d where d.id in (t.p2, t.f2)),
  s.event_type, s.target, s.error_message
from told t join dead_letter_queue s on s.id = coalesce(t.f2, t.p2)`
)

// groupQueries are the query for the causes and the one for alerts without any.
var groupQueries = [2]string{
	groupQuery(selectGroups, "fingerprint = c.cause"),
	groupQuery(selectUnexplained, "fingerprint is null"),
}

func groupQuery(query, ofCause string) string {
	return strings.NewReplacer(
		"{pending}", ofCause+" and status = 'pending'"+trouble, "{failed}", ofCause+" and status = 'failed'"+trouble,
	).Replace(query)
}

// AlertGroups returns the causes of pending and failed alerts, the largest first.
func (s *Store) AlertGroups(ctx context.Context, limit, countTo int) (*chatops.AlertGroups, error) {
	causes := 0
	var groups []chatops.AlertGroup
	err := s.read(ctx, func(r *readTx) error {
		for _, query := range groupQueries {
			err := r.each(query, func(row scanner) error {
				var g chatops.AlertGroup
				var n int
				err := row.Scan(textColumn{&g.Fingerprint}, &g.Pending, &g.Failed, &n, timeColumn{&g.First}, timeColumn{&g.Last},
					&g.EventType, &g.Target, textColumn{&g.Sample})
				groups, causes = append(groups, g), max(causes, n)
				return err
			}, limit, countTo+1, chatops.CausesLookedAt(limit)+1)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return chatops.BoundGroups(groups, causes, limit, countTo), nil
}
