package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

const (
	markColumns = `coalesce(m.note, ''), coalesce(m.note_by, ''), m.note_at, coalesce(m.ack_by, ''), m.ack_at,
  coalesce(m.muted_by, ''), coalesce(m.muted_reason, ''), m.muted_at, m.muted_until, m.seen_at, coalesce(m.seen_size, 0)`

	// selectCauses is completed with the scans of the filter. Where its conditions
	// are on the columns of idx_dlq_trouble_fingerprint, the rows are not read.
	selectCauses = `
with told as (
  select fingerprint, count(*) as n,
    count(*) filter (where status = 'queued') as queued, count(*) filter (where status = 'pending') as pending,
    count(*) filter (where status = 'failed') as failed, count(*) filter (where status = 'delivered') as delivered,
    count(*) filter (where status = 'discarded') as discarded, count(*) filter (where status = 'cancelled') as cancelled,
    min(created_at) as first, max(created_at) as last,
    count(*) filter (where created_at > {now} - interval '1 hour') as last_hour,
    count(*) filter (where created_at > {now} - interval '2 hours' and created_at <= {now} - interval '1 hour') as hour_before,
    coalesce(max(id) filter (where status = 'failed'), max(id)) as sample
  from (
{scans}
  ) hit group by fingerprint),
largest as (
  select told.*, count(*) over () as groups, sum(n) over () as alerts from told
  order by n desc, last desc, fingerprint collate "C" nulls last limit {limit})
select coalesce(l.fingerprint, ''), l.queued, l.pending, l.failed, l.delivered, l.discarded, l.cancelled,
  l.first, l.last, l.last_hour, l.hour_before, l.groups, l.alerts::bigint, {now},
  l.sample, coalesce(s.event_type, ''), coalesce(s.target, ''), coalesce(s.error_message, ''),
  coalesce(a.outcome, ''), coalesce(a.http_status, 0), ` + markColumns + `
from largest l
left join dead_letter_queue s on s.id = l.sample
left join lateral (
  select outcome, http_status from delivery_attempt where alert_id = s.id order by id desc limit 1) a on true
left join dlq_cause m on m.fingerprint = l.fingerprint
order by l.n desc, l.last desc, l.fingerprint collate "C" nulls last`

	// selectCauseState counts as far as CauseMark.Grown needs.
	selectCauseState = `
select ` + markColumns + `,
  (select count(*) from (select from dead_letter_queue d where d.fingerprint = $2::text
    and d.status in ('pending', 'failed') limit coalesce(m.seen_size, 0) + 100) x),
  (select count(*) from (select from dead_letter_queue d where d.fingerprint = $2::text
    and d.status in ('pending', 'failed') and d.created_at > m.seen_at limit 100) x),
  ` + dbNow + `
from (select 1) q left join dlq_cause m on m.fingerprint = $2::text`

	sizeOfCause = `(select count(*) from dead_letter_queue d where d.fingerprint = $2::text and d.status in ('pending', 'failed'))`
)

// markCause are the statements of what can be said; $3 is the actor, $4 the text
// and $5 the length of a mute in microseconds.
var markCause = map[chatops.CauseVerb]string{
	chatops.CauseNote: markStatement("note, note_by, note_at", `$4::text, $3::text, `+dbNow),
	chatops.CauseAck:  markStatement("ack_by, ack_at, seen_at, seen_size", `$3::text, `+dbNow+`, `+dbNow+`, `+sizeOfCause),
	chatops.CauseMute: markStatement("muted_by, muted_reason, muted_at, muted_until, seen_at, seen_size",
		`$3::text, $4::text, `+dbNow+`, `+dbNow+` + $5::bigint * interval '1 microsecond', `+dbNow+`, `+sizeOfCause),
	chatops.CauseUnmute: markStatement("muted_by, muted_reason, muted_at, muted_until", `'', '', null, null`),
}

func markStatement(columns, values string) string {
	var sets []string
	for column := range strings.SplitSeq(columns, ", ") {
		sets = append(sets, column+" = excluded."+column)
	}
	return `
with given as (select $1::timestamptz, $2::text, $3::text, $4::text, $5::bigint)
insert into dlq_cause as m (fingerprint, ` + columns + `)
select $2::text, ` + values + ` from given
on conflict (fingerprint) do update set ` + strings.Join(sets, ", ") + `
returning ` + markColumns
}

// Causes returns the causes of the alerts that match, the largest first.
func (s *Store) Causes(ctx context.Context, f chatops.AlertFilter, limit int) (*chatops.CauseList, error) {
	ctx, cancel := s.patient(ctx)
	defer cancel()
	query, args := s.causesQuery(f, limit)
	list := &chatops.CauseList{}
	err := s.do(ctx, func(ctx context.Context) error {
		*list = chatops.CauseList{}
		rows, err := s.pool.Query(ctx, query, adhoc(args)...)
		if err != nil {
			return err
		}
		list.Causes, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (c chatops.Cause, err error) {
			return c, scanCause(row, &c, list)
		})
		if err != nil || len(list.Causes) > 0 {
			return err
		}
		return s.pool.QueryRow(ctx, `select `+dbNow, s.now()).Scan(&list.Now)
	})
	if err != nil {
		return nil, err
	}
	list.Now = list.Now.UTC()
	return list, nil
}

func (s *Store) causesQuery(f chatops.AlertFilter, limit int) (string, []any) {
	sel := selectAlerts(f, chatops.AlertStatuses(), nil)
	now := "coalesce(" + sel.param(s.now(), "timestamptz") + ", statement_timestamp())"
	most := sel.param(max(limit, 0), "bigint")
	branches := sel.branches
	if len(branches) == 0 {
		branches = []string{"false"}
	}
	scans := make([]string, len(branches))
	for i, b := range branches {
		scans[i] = "    select d.fingerprint, d.status, d.created_at, d.id from dead_letter_queue d where " + b
	}
	return strings.NewReplacer("{now}", now, "{limit}", most, "{scans}", strings.Join(scans, "\n    union all\n")).
		Replace(selectCauses), sel.args
}

// scanCause reads a row of selectCauses.
func scanCause(row pgx.Row, c *chatops.Cause, list *chatops.CauseList) error {
	var m markTimes
	counts := make([]int64, len(countedStatuses))
	into := []any{&c.Fingerprint}
	for i := range counts {
		into = append(into, &counts[i])
	}
	into = append(into, &c.First, &c.Last, &c.LastHour, &c.HourBefore, &list.Groups, &list.Alerts, &list.Now,
		&c.SampleID, &c.EventType, &c.Target, &c.Sample, &c.Outcome, &c.SampleStatus)
	if err := row.Scan(append(into, m.columns(&c.CauseMark)...)...); err != nil {
		return err
	}
	m.fill(&c.CauseMark)
	c.First, c.Last = c.First.UTC(), c.Last.UTC()
	c.Counts = map[chatops.AlertStatus]int64{}
	for i, status := range countedStatuses {
		if counts[i] > 0 {
			c.Counts[status] = counts[i]
		}
	}
	return nil
}

// countedStatuses are the statuses in the order of selectCauses.
var countedStatuses = []chatops.AlertStatus{
	chatops.AlertQueued, chatops.AlertPending, chatops.AlertFailed,
	chatops.AlertDelivered, chatops.AlertDiscarded, chatops.AlertCancelled,
}

// markTimes are the times of a mark, of which each may be missing.
type markTimes struct{ note, ack, muted, until, seen *time.Time }

// columns are where markColumns go.
func (t *markTimes) columns(m *chatops.CauseMark) []any {
	return []any{
		&m.Note, &m.NoteBy, &t.note, &m.AckBy, &t.ack,
		&m.MutedBy, &m.MutedReason, &t.muted, &t.until, &t.seen, &m.SeenSize,
	}
}

func (t *markTimes) fill(m *chatops.CauseMark) {
	m.NoteAt, m.AckAt, m.MutedAt, m.MutedUntil, m.SeenAt = utc(t.note), utc(t.ack), utc(t.muted), utc(t.until), utc(t.seen)
}

// CauseState returns the mark and growth of a cause.
func (s *Store) CauseState(ctx context.Context, fingerprint string) (*chatops.CauseState, error) {
	now := s.now()
	st := &chatops.CauseState{CauseMark: chatops.CauseMark{Fingerprint: chatops.CleanText(fingerprint)}}
	err := s.do(ctx, func(ctx context.Context) error {
		var m markTimes
		err := s.pool.QueryRow(ctx, selectCauseState, now, st.Fingerprint).
			Scan(append(m.columns(&st.CauseMark), &st.Size, &st.Since, &st.Now)...)
		m.fill(&st.CauseMark)
		return err
	})
	if err != nil {
		return nil, err
	}
	st.Now = st.Now.UTC()
	return st, nil
}

// MarkCause stores what was said about a cause.
func (s *Store) MarkCause(ctx context.Context, o chatops.CauseOrder) (*chatops.CauseMark, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	now, clean := s.now(), chatops.CleanText
	mark := &chatops.CauseMark{Fingerprint: clean(o.Fingerprint)}
	err := s.do(ctx, func(ctx context.Context) error {
		var m markTimes
		err := s.pool.QueryRow(ctx, markCause[o.Verb], now, mark.Fingerprint, clean(o.Actor), clean(o.Text), o.For.Microseconds()).
			Scan(m.columns(mark)...)
		m.fill(mark)
		return err
	})
	if err != nil {
		return nil, err
	}
	return mark, nil
}
