package sqlite

import (
	"context"
	"strconv"
	"strings"
	"time"

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
    sum(status = 'queued') as queued, sum(status = 'pending') as pending, sum(status = 'failed') as failed,
    sum(status = 'delivered') as delivered, sum(status = 'discarded') as discarded, sum(status = 'cancelled') as cancelled,
    min(created_at) as first, max(created_at) as last,
    sum(created_at > ?) as last_hour, sum(created_at > ? and created_at <= ?) as hour_before,
    coalesce(max(id) filter (where status = 'failed'), max(id)) as sample
  from (
{scans}
  ) group by fingerprint),
largest as (
  select told.*, count(*) over () as groups, sum(n) over () as alerts from told
  order by n desc, last desc, fingerprint nulls last limit {limit})
select l.fingerprint, l.queued, l.pending, l.failed, l.delivered, l.discarded, l.cancelled,
  l.first, l.last, l.last_hour, l.hour_before, l.groups, l.alerts,
  l.sample, s.event_type, s.target, s.error_message,
  (select outcome from delivery_attempt where alert_id = l.sample order by id desc limit 1),
  coalesce((select http_status from delivery_attempt where alert_id = l.sample order by id desc limit 1), 0), ` + markColumns + `
from largest l
left join dead_letter_queue s on s.id = l.sample
left join dlq_cause m on m.fingerprint = l.fingerprint
order by l.n desc, l.last desc, l.fingerprint nulls last`

	selectMark = `select ` + markColumns + ` from (select 1) left join dlq_cause m on m.fingerprint = ?`

	countCause = `
select count(*) from (select 1 from dead_letter_queue where fingerprint = ?` + trouble + ` limit ?)`

	countCauseSince = `
select count(*) from (select 1 from dead_letter_queue where fingerprint = ?` + trouble + ` and created_at > ? limit ?)`

	sizeOfCause = `select count(*) from dead_letter_queue where fingerprint = ?` + trouble

	noteCause = `
insert into dlq_cause (fingerprint, note, note_by, note_at) values (?, ?, ?, ?)
on conflict (fingerprint) do update set note = excluded.note, note_by = excluded.note_by, note_at = excluded.note_at`

	ackCause = `
insert into dlq_cause (fingerprint, ack_by, ack_at, seen_at, seen_size) values (?, ?, ?, ?, ?)
on conflict (fingerprint) do update set ack_by = excluded.ack_by, ack_at = excluded.ack_at,
  seen_at = excluded.seen_at, seen_size = excluded.seen_size`

	muteCause = `
insert into dlq_cause (fingerprint, muted_by, muted_reason, muted_at, muted_until, seen_at, seen_size) values (?, ?, ?, ?, ?, ?, ?)
on conflict (fingerprint) do update set muted_by = excluded.muted_by, muted_reason = excluded.muted_reason,
  muted_at = excluded.muted_at, muted_until = excluded.muted_until, seen_at = excluded.seen_at, seen_size = excluded.seen_size`

	unmuteCause = `
insert into dlq_cause (fingerprint) values (?)
on conflict (fingerprint) do update set muted_by = '', muted_reason = '', muted_at = null, muted_until = null`
)

// Causes returns the causes of the alerts that match, the largest first.
func (s *Store) Causes(ctx context.Context, f chatops.AlertFilter, limit int) (*chatops.CauseList, error) {
	ctx, cancel := s.patient(ctx)
	defer cancel()
	list := &chatops.CauseList{Now: s.now()}
	query, args := causesQuery(f, limit, list.Now)
	err := s.read(ctx, func(r *readTx) error {
		return r.eachOnce(query, func(row scanner) error {
			var c chatops.Cause
			err := scanCause(row, &c, list)
			list.Causes = append(list.Causes, c)
			return err
		}, args...)
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

func causesQuery(f chatops.AlertFilter, limit int, now time.Time) (string, []any) {
	p := page{filter: f, statuses: f.Statuses}
	first, rest := p.branches()
	hour, before := stamp(now.Add(-time.Hour)), stamp(now.Add(-2*time.Hour))
	args := []any{hour, before, hour}
	scans := []string{"    select null as fingerprint, '' as status, '' as created_at, 0 as id where false"}
	for _, b := range first {
		where, whereArgs := conjunction(append([]condition{b}, rest...))
		args = append(args, whereArgs...)
		scans = append(scans, "    select fingerprint, status, created_at, id from dead_letter_queue"+where)
	}
	return strings.NewReplacer("{scans}", strings.Join(scans, "\n    union all\n"), "{limit}", strconv.Itoa(max(limit, 0))).
		Replace(selectCauses), args
}

// scanCause reads a row of selectCauses.
func scanCause(row scanner, c *chatops.Cause, list *chatops.CauseList) error {
	counts := make([]int64, len(countedStatuses))
	into := []any{textColumn{&c.Fingerprint}}
	for i := range counts {
		into = append(into, &counts[i])
	}
	into = append(into, timeColumn{&c.First}, timeColumn{&c.Last}, &c.LastHour, &c.HourBefore, &list.Groups, &list.Alerts,
		&c.SampleID, textColumn{&c.EventType}, textColumn{&c.Target}, textColumn{&c.Sample}, textColumn{&c.Outcome}, &c.SampleStatus)
	if err := row.Scan(append(into, markInto(&c.CauseMark)...)...); err != nil {
		return err
	}
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

// markInto are where markColumns go.
func markInto(m *chatops.CauseMark) []any {
	return []any{
		&m.Note, &m.NoteBy, timeColumn{&m.NoteAt}, &m.AckBy, timeColumn{&m.AckAt},
		&m.MutedBy, &m.MutedReason, timeColumn{&m.MutedAt}, timeColumn{&m.MutedUntil}, timeColumn{&m.SeenAt}, &m.SeenSize,
	}
}

// CauseState returns the mark and growth of a cause.
func (s *Store) CauseState(ctx context.Context, fingerprint string) (*chatops.CauseState, error) {
	st := &chatops.CauseState{CauseMark: chatops.CauseMark{Fingerprint: text(fingerprint)}, Now: s.now()}
	err := s.read(ctx, func(r *readTx) error {
		if err := r.row(selectMark, st.Fingerprint).Scan(markInto(&st.CauseMark)...); err != nil {
			return err
		}
		// As far as CauseMark.Grown needs.
		if err := r.row(countCause, st.Fingerprint, st.SeenSize+100).Scan(&st.Size); err != nil || st.SeenAt.IsZero() {
			return err
		}
		return r.row(countCauseSince, st.Fingerprint, stamp(st.SeenAt), 100).Scan(&st.Since)
	})
	if err != nil {
		return nil, err
	}
	return st, nil
}

// MarkCause stores what was said about a cause.
func (s *Store) MarkCause(ctx context.Context, o chatops.CauseOrder) (*chatops.CauseMark, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	var mark chatops.CauseMark
	err := s.write(ctx, func(tx *writeTx) error {
		mark = chatops.CauseMark{Fingerprint: text(o.Fingerprint)}
		if err := tx.markCause(mark.Fingerprint, &o); err != nil {
			return err
		}
		return tx.row(selectMark, mark.Fingerprint).Scan(markInto(&mark)...)
	})
	if err != nil {
		return nil, err
	}
	return &mark, nil
}

func (tx *writeTx) markCause(fingerprint string, o *chatops.CauseOrder) error {
	var size int64
	if o.Verb == chatops.CauseAck || o.Verb == chatops.CauseMute {
		if err := tx.row(sizeOfCause, fingerprint).Scan(&size); err != nil {
			return err
		}
	}
	now, actor, said := stamp(tx.now), text(o.Actor), text(o.Text)
	var err error
	switch o.Verb {
	case chatops.CauseNote:
		_, err = tx.exec(noteCause, fingerprint, said, actor, now)
	case chatops.CauseAck:
		_, err = tx.exec(ackCause, fingerprint, actor, now, now, size)
	case chatops.CauseMute:
		_, err = tx.exec(muteCause, fingerprint, actor, said, now, stamp(tx.now.Add(o.For)), now, size)
	case chatops.CauseUnmute:
		_, err = tx.exec(unmuteCause, fingerprint)
	}
	return err
}
