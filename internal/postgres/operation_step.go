package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

const (
	// lockLanes keeps claims away from waiting alerts while they are changed.
	// Failed ones cannot be claimed and need no lock, as long as they are failed.
	lockLanes = `
select l.lane from dlq_lane l
where (l.lane, l.status) in (select d.lane, d.status from dead_letter_queue d
  where d.id = any ($1::bigint[]) and d.status in ('queued', 'pending'))
order by l.lane, l.status for update`

	// stepRetry and stepDiscard repeat the conditions that may have changed
	// since the candidates were read, in the snapshot after the lock. The status
	// must be the one that was read: an alert that was failed then and that
	// somebody else has requeued since may be in flight under a lease which this
	// snapshot does not show.
	stepRetry = `
update dead_letter_queue d set status = case when d.status = 'queued' then d.status else 'pending' end, retry_count = 0,
  next_attempt_at = ` + dbNow + `, operation_id = $2::text
from unnest($3::bigint[], $5::text[]) c (id, status) where d.id = c.id and d.status = c.status
  and ($6::boolean or d.event_type <> 'followup_email' or not exists (
    select from followup_event f where f.alert_id = d.id and f.status in ('sending', 'uncertain')))` + stepStill

	// allowAgain lets mails go out that may have gone out before: an operator has
	// named them.
	allowAgain = `
update followup_event f set status = 'queued' from dead_letter_queue d
where d.operation_id = $1::text and d.id = any ($2::bigint[]) and d.event_type = 'followup_email'
  and d.status in ('queued', 'pending') and f.alert_id = d.id and f.status in ('sending', 'uncertain')`

	stepDiscard = `
update dead_letter_queue d set status = 'discarded', operation_id = $2::text
from unnest($3::bigint[], $5::text[]) c (id, status) where d.id = c.id and d.status = c.status
  and ` + dbNow + ` is not null` + stepStill

	stepStill = `
  and (d.last_attempt_at is null or d.last_attempt_at <= $4::timestamptz)
  and (d.operation_id is null or d.operation_id not in (select o.id from dlq_operation o where o.stepped_at >= $4::timestamptz))
  and d.id not in (select unnest(e.ids) from dlq_lease e)`

	// saveStep ends an operation with what is left counted as skipped.
	saveStep = `
update dlq_operation set changed = changed + $3::bigint, cursor_at = $4::timestamptz, cursor_id = $5::bigint,
  skipped = case when $7::boolean then greatest(0, matched - changed - $3::bigint) else skipped + $6::bigint end,
  stepped_at = ` + dbNow + `, done_at = case when $7::boolean then ` + dbNow + ` end,
  state = case when $7::boolean then 'done' else state end
where id = $2::text`
)

// StepOperation changes up to limit alerts of an operation in one transaction.
func (s *Store) StepOperation(ctx context.Context, id string, limit int) (*chatops.Operation, error) {
	var op chatops.Operation
	err := s.tx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		// The lock makes processes that step the same operation take turns.
		plan, err := scanOperation(tx.QueryRow(ctx, selectOperation+` for update`, chatops.CleanText(id)))
		if err != nil {
			return err
		}
		if plan.op.State == chatops.OperationRunning && plan.op.Pace == nil {
			if err := s.step(ctx, tx, plan, max(limit, 1)); err != nil {
				return err
			}
			if plan, err = scanOperation(tx.QueryRow(ctx, selectOperation, plan.op.ID)); err != nil {
				return err
			}
		}
		op = plan.op
		return nil
	})
	if err != nil {
		return nil, notFound(err, "operation %s: not found", id)
	}
	return &op, nil
}

// candidate is an alert that a step may change.
type candidate struct {
	id      int64
	created time.Time
	status  chatops.AlertStatus
}

func (s *Store) step(ctx context.Context, tx pgx.Tx, plan *operationPlan, limit int) error {
	if err := plan.recall(ctx, tx); err != nil {
		return err
	}
	found, err := candidates(ctx, tx, plan, limit)
	if err != nil {
		return err
	}
	ids, statuses := make([]int64, 0, len(found)), make([]string, 0, len(found))
	waiting := false
	for _, c := range found {
		ids, statuses = append(ids, c.id), append(statuses, string(c.status))
		waiting = waiting || c.status != chatops.AlertFailed
	}
	if waiting {
		if _, err := tx.Exec(ctx, lockLanes, ids); err != nil {
			return err
		}
	}
	now := s.now()
	changed, err := changeAlerts(ctx, tx, now, plan, ids, statuses)
	if err != nil {
		return err
	}
	if n := len(found); n > 0 {
		plan.cursorAt, plan.cursorID = found[n-1].created, found[n-1].id
	}
	_, err = tx.Exec(ctx, saveStep, now, plan.op.ID, changed, plan.cursorAt, plan.cursorID,
		int64(len(found))-changed, len(found) < limit)
	return err
}

// changeAlerts retries or discards alerts. A follow-up that may have been sent is
// sent again only where its alert was named.
func changeAlerts(
	ctx context.Context, tx pgx.Tx, now *time.Time, plan *operationPlan, ids []int64, statuses []string,
) (changed int64, err error) {
	statement, args := stepDiscard, []any{now, plan.op.ID, ids, plan.op.CreatedAt, statuses}
	named := len(plan.op.Filter.IDs) > 0
	if plan.op.Kind == chatops.OperationRetry {
		statement, args = stepRetry, append(args, named)
	}
	tag, err := tx.Exec(ctx, statement, args...)
	if err == nil && named && plan.op.Kind == chatops.OperationRetry {
		_, err = tx.Exec(ctx, allowAgain, plan.op.ID, ids)
	}
	return tag.RowsAffected(), err
}

// candidates reads the next alerts of the operation, oldest first.
func candidates(ctx context.Context, tx pgx.Tx, plan *operationPlan, limit int) ([]candidate, error) {
	sel := plan.selection()
	query := sel.list("d.id, d.created_at, d.status", "created_at, id", limit)
	rows, err := tx.Query(ctx, query, adhoc(sel.args)...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c candidate, err error) {
		return c, row.Scan(&c.id, &c.created, &c.status)
	})
}
