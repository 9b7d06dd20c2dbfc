package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

const (
	insertAction = `
insert into operator_action (at, actor, host, command, filter, reason, result)
values (coalesce($1::timestamptz, now()), $2::text, $3::text, $4::text, $5::text, $6::text, $7::text)
returning id, at`

	finishAction = `
update operator_action set result = $3::text, finished_at = coalesce($1::timestamptz, now()) where id = $2::bigint`

	selectActions = `
select id, at, actor, host, command, filter, reason, result, finished_at
from operator_action
where ($1::bigint = 0 or id < $1::bigint) and ($2::text = '' or actor = $2::text)
  and ($3::text = '' or position($3::text in command) > 0)
  and ($4::timestamptz is null or at >= $4::timestamptz) and ($5::timestamptz is null or at < $5::timestamptz)
order by id desc limit $6::bigint`
)

// BeginAction stores an operator action and sets its ID and, where it is zero,
// its time.
func (s *Store) BeginAction(ctx context.Context, a *chatops.OperatorAction) error {
	at := null(a.At)
	if at == nil {
		at = s.now()
	}
	clean := chatops.CleanText
	return s.do(ctx, func(ctx context.Context) error {
		err := s.pool.QueryRow(ctx, insertAction, at, clean(a.Actor), clean(a.Host), clean(a.Command),
			clean(a.Filter), clean(a.Reason), clean(a.Result)).Scan(&a.ID, &a.At)
		a.At = a.At.UTC()
		return err
	})
}

// FinishAction stores an action's result, or gives CodeNotFound.
func (s *Store) FinishAction(ctx context.Context, id int64, result string) error {
	now := s.now()
	err := s.do(ctx, func(ctx context.Context) error {
		tag, err := s.pool.Exec(ctx, finishAction, now, id, chatops.CleanText(result))
		if err == nil && tag.RowsAffected() == 0 {
			return pgx.ErrNoRows
		}
		return err
	})
	return notFound(err, "operator action %d: not found", id)
}

// Actions returns actions that match, newest first.
func (s *Store) Actions(
	ctx context.Context, f chatops.ActionFilter, before int64, limit int,
) ([]chatops.OperatorAction, bool, error) {
	limit = max(limit, 0)
	list, err := s.actions(ctx, selectActions, before, chatops.CleanText(f.Actor), chatops.CleanText(f.Command),
		null(f.Since), null(f.Until), limit+1)
	if err != nil {
		return nil, false, err
	}
	return list[:min(len(list), limit)], len(list) > limit, nil
}

func (s *Store) actions(ctx context.Context, query string, args ...any) ([]chatops.OperatorAction, error) {
	var list []chatops.OperatorAction
	err := s.do(ctx, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (a chatops.OperatorAction, err error) {
			var finished *time.Time
			err = row.Scan(&a.ID, &a.At, &a.Actor, &a.Host, &a.Command, &a.Filter, &a.Reason, &a.Result, &finished)
			a.At, a.Finished = a.At.UTC(), utc(finished)
			return a, err
		})
		return err
	})
	return list, err
}
