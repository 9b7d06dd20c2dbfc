package postgres

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

const insertOperation = `
insert into dlq_operation (id, kind, filter, actor, reason, max_id, created_at, state, pace, besides)
values ($2::text, $3::text, $4::text::json, $5::text, $6::text,
  coalesce((select max(id) from dead_letter_queue), 0), $1::timestamptz, 'running', $7::text::json, to_json($8::text[]))
returning max_id`

// CreateOperation stores an operation and counts what it has selected. The
// selection is the filter, cut off at this moment: alerts created or tried
// later do not belong to it.
func (s *Store) CreateOperation(ctx context.Context, op *chatops.Operation) error {
	ctx, cancel := s.patient(ctx)
	defer cancel()
	if err := op.Validate(); err != nil {
		return err
	}
	filter, err := json.Marshal(op.Filter)
	if err != nil {
		return chatops.WrapError(chatops.CodeInvalid, err, "filter of the operation cannot be stored")
	}
	made := *op
	err = s.tx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, `select `+dbNow, s.now()).Scan(&made.CreatedAt); err != nil {
			return err
		}
		made.CreatedAt = made.CreatedAt.UTC()
		made.ID = operationID(made.CreatedAt)
		made.State, made.Run, made.Changed, made.Skipped = chatops.OperationRunning, chatops.OperationRun{}, 0, 0
		plan := operationPlan{op: made}
		if err := plan.leaveAlone(ctx, tx); err != nil {
			return err
		}
		made.Besides = plan.op.Besides
		err := tx.QueryRow(ctx, insertOperation, made.CreatedAt, made.ID, string(made.Kind),
			string(chatops.CleanJSON(filter)), chatops.CleanText(made.Actor), chatops.CleanText(made.Reason),
			jsonOrNull(made.Pace), made.Besides,
		).Scan(&plan.maxID)
		if err != nil {
			return err
		}
		sel := plan.selection()
		if err := tx.QueryRow(ctx, sel.count(), adhoc(sel.args)...).Scan(&made.Matched); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `update dlq_operation set matched = $2::bigint where id = $1::text`, made.ID, made.Matched)
		return err
	})
	if err == nil {
		*op = made
	}
	return err
}

// operationID makes an id that sorts by time.
func operationID(at time.Time) string {
	return fmt.Sprintf("op_%s%06d_%s", at.Format("20060102150405"), at.Nanosecond()/1000, strings.ToLower(rand.Text()[:5]))
}

// Operation returns an operation, or CodeNotFound.
func (s *Store) Operation(ctx context.Context, id string) (*chatops.Operation, error) {
	var plan *operationPlan
	err := s.do(ctx, func(ctx context.Context) (err error) {
		plan, err = scanOperation(s.pool.QueryRow(ctx, selectOperation, chatops.CleanText(id)))
		return err
	})
	if err != nil {
		return nil, notFound(err, "operation %s: not found", id)
	}
	return &plan.op, nil
}

// selectProgress counts an operation's alerts. Waiting ones have not been tried
// since the operation was created.
const selectProgress = `
select o.changed,
  count(*) filter (where d.status = 'delivered'),
  count(*) filter (where d.status = 'failed'),
  count(*) filter (where d.status in ('queued', 'pending') and d.last_attempt_at > o.created_at),
  count(*) filter (where d.status in ('queued', 'pending') and (d.last_attempt_at > o.created_at) is not true)
from dlq_operation o left join dead_letter_queue d on d.operation_id = o.id
where o.id = $1::text group by o.id`

// OperationProgress counts what became of the operation's alerts.
func (s *Store) OperationProgress(ctx context.Context, id string) (*chatops.OperationProgress, error) {
	var p chatops.OperationProgress
	var changed int64
	err := s.do(ctx, func(ctx context.Context) error {
		return s.pool.QueryRow(ctx, selectProgress, chatops.CleanText(id)).
			Scan(&changed, &p.Delivered, &p.Failed, &p.Pending, &p.Waiting)
	})
	if err != nil {
		return nil, notFound(err, "operation %s: not found", id)
	}
	p.Other = max(0, changed-p.Delivered-p.Failed-p.Pending-p.Waiting)
	return &p, nil
}
