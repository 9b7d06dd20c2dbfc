package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

const (
	// replaceAlert changes nothing unless the alert is failed: what waits may be in
	// flight, and what is failed can be claimed by nobody.
	replaceAlert = `
with gone as (
  update dead_letter_queue set status = 'discarded' where id = $2::bigint and status = 'failed' returning event_type, target),
made as (
  insert into dead_letter_queue (event_type, target, payload, status, idempotency_key, created_at, next_attempt_at)
  select event_type, target, $3::text::json, 'pending', $4::text, ` + dbNow + `, ` + dbNow + ` from gone returning id)
insert into dlq_replacement (alert_id, replaces, actor, reason, at)
select id, $2::bigint, $5::text, $6::text, ` + dbNow + ` from made returning alert_id`

	selectLineage = `
select alert_id, replaces, actor, reason, at from dlq_replacement
where alert_id = $1::bigint or replaces = $1::bigint order by at, alert_id`
)

// ReplaceAlert puts an alert with another payload in place of a failed one.
func (s *Store) ReplaceAlert(ctx context.Context, e chatops.AlertEdit) (int64, error) {
	was, _, err := s.Alert(ctx, e.AlertID)
	if err != nil {
		return 0, err
	}
	if err := was.CheckEdit(e.Payload); err != nil {
		return 0, err
	}
	now, clean := s.now(), chatops.CleanText
	var made int64
	err = s.do(ctx, func(ctx context.Context) error {
		return s.pool.QueryRow(ctx, replaceAlert, now, e.AlertID, string(chatops.CleanJSON(e.Payload)), clean(was.ReplacementKey()),
			clean(e.Actor), clean(e.Reason)).Scan(&made)
	})
	if err := notFound(err, "alert %d: not failed", e.AlertID); chatops.ErrorCode(err) == chatops.CodeNotFound {
		return 0, chatops.Errorf(chatops.CodeConflict, "alert %d is %s: only failed alerts are replaced", e.AlertID, was.Status)
	}
	return made, err
}

// AlertLineage returns what an alert was replaced by and what it replaces.
func (s *Store) AlertLineage(ctx context.Context, id int64) (*chatops.Lineage, error) {
	var l chatops.Lineage
	err := s.do(ctx, func(ctx context.Context) error {
		l = chatops.Lineage{}
		rows, err := s.pool.Query(ctx, selectLineage, id)
		if err != nil {
			return err
		}
		var alert, replaces int64
		var at time.Time
		_, err = pgx.ForEachRow(rows, []any{&alert, &replaces, &l.Actor, &l.Reason, &at}, func() error {
			l.Add(id, alert, replaces, at)
			return nil
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return &l, nil
}
