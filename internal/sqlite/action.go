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
select id, at, actor, host, command, filter, reason, result, finished_at from operator_action order by id desc limit ?`
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

// Actions returns the newest actions first.
func (s *Store) Actions(ctx context.Context, limit int) ([]chatops.OperatorAction, error) {
	var list []chatops.OperatorAction
	err := s.read(ctx, func(r *readTx) error {
		return r.each(selectActions, func(row scanner) error {
			var a chatops.OperatorAction
			err := row.Scan(&a.ID, timeColumn{&a.At}, &a.Actor, &a.Host, &a.Command, &a.Filter, &a.Reason, &a.Result,
				timeColumn{&a.Finished})
			list = append(list, a)
			return err
		}, max(limit, 0))
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}
