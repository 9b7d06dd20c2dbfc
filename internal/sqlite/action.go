package sqlite

import (
	"context"

	"chatops/internal/chatops"
)

const (
	insertAction = `
insert into operator_action (at, actor, host, command, filter, reason, result) values (?, ?, ?, ?, ?, ?, ?) returning id`

	finishAction = `update operator_action set result = ?, finished_at = ? where id = ?`

	selectActions = `
select id, at, actor, host, command, filter, reason, result, finished_at from operator_action
where (?1 = 0 or id < ?1) and (?2 = '' or actor = ?2) and (?3 = '' or instr(command, ?3) > 0)
  and (?4 is null or at >= ?4) and (?5 is null or at < ?5)
order by id desc limit ?6`
)

// BeginAction stores an operator action and sets its ID and, where it is zero,
// its time.
func (s *Store) BeginAction(ctx context.Context, a *chatops.OperatorAction) error {
	made := *a
	err := s.write(ctx, func(tx *writeTx) error {
		made = *a
		if made.At.IsZero() {
			made.At = tx.now
		}
		return tx.row(insertAction, stamp(made.At), text(a.Actor), text(a.Host), text(a.Command), text(a.Filter),
			text(a.Reason), text(a.Result)).Scan(&made.ID)
	})
	if err == nil {
		*a = made
	}
	return err
}

// FinishAction stores an action's result, or gives CodeNotFound.
func (s *Store) FinishAction(ctx context.Context, id int64, result string) error {
	return s.write(ctx, func(tx *writeTx) error {
		n, err := tx.exec(finishAction, text(result), stamp(tx.now), id)
		if err == nil && n == 0 {
			return chatops.Errorf(chatops.CodeNotFound, "operator action %d: not found", id)
		}
		return err
	})
}

// Actions returns actions that match, newest first.
func (s *Store) Actions(
	ctx context.Context, f chatops.ActionFilter, before int64, limit int,
) ([]chatops.OperatorAction, bool, error) {
	limit = max(limit, 0)
	list, err := s.actions(ctx, selectActions, before, text(f.Actor), text(f.Command), stampOrNull(f.Since), stampOrNull(f.Until), limit+1)
	if err != nil {
		return nil, false, err
	}
	return list[:min(len(list), limit)], len(list) > limit, nil
}

func (s *Store) actions(ctx context.Context, query string, args ...any) ([]chatops.OperatorAction, error) {
	var list []chatops.OperatorAction
	err := s.read(ctx, func(r *readTx) error {
		return r.each(query, func(row scanner) error {
			var a chatops.OperatorAction
			err := row.Scan(&a.ID, timeColumn{&a.At}, &a.Actor, &a.Host, &a.Command, &a.Filter, &a.Reason, &a.Result,
				timeColumn{&a.Finished})
			list = append(list, a)
			return err
		}, args...)
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}
