package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"chatops/internal/chatops"
)

const (
	selectOperations = `
select ` + operationColumns + ` from dlq_operation order by created_at desc, id desc limit $1::bigint`

	liveOperations = `
select ` + operationColumns + ` from dlq_operation
where done_at is null and state in ('running', 'paused', 'halted') order by created_at desc, id desc limit $1::bigint`

	// unclaimed looks without a lock, so that a fleet that has nothing to carry
	// does not queue up for it.
	unclaimed = `
select count(*) from dlq_operation
where done_at is null and state = 'running' and (lease_until is null or lease_until <= ` + dbNow + `)`

	lockUnclaimed = `
select ` + operationColumns + ` from dlq_operation
where done_at is null and state = 'running' and (lease_until is null or lease_until <= ` + dbNow + `)
order by created_at, id for update skip locked`

	operationNow = `select ` + dbNow

	// selectOutcomes has a scan of idx_dlq_operation for each status: with a list
	// of them the planner reads all of the operation's rows, most of which are
	// delivered. byIndex goes before it: of a large operation, the planner believes
	// that as many have failed as there are failed alerts and alerts of it, since it
	// takes the two for independent, and would rather read the table.
	selectOutcomes = `
select d.lane, d.status, d.retried, count(*) from (
  select lane, status, retry_count > 0 as retried from dead_letter_queue where operation_id = $1::text and status = 'queued'
  union all
  select lane, status, retry_count > 0 from dead_letter_queue where operation_id = $1::text and status = 'pending'
  union all
  select lane, status, retry_count > 0 from dead_letter_queue where operation_id = $1::text and status = 'failed') d
group by 1, 2, 3 order by 1`

	byIndex = `select set_config('enable_seqscan', 'off', true)`

	selectReleased = `select changed from dlq_operation where id = $1::text`
)

// Operations returns the newest operations first.
func (s *Store) Operations(ctx context.Context, live bool, limit int) ([]chatops.Operation, error) {
	query := selectOperations
	if live {
		query = liveOperations
	}
	var list []chatops.Operation
	err := s.do(ctx, func(ctx context.Context) error {
		list = nil
		plans, err := operations(ctx, s.pool, query, int64(limit))
		for _, p := range plans {
			list = append(list, p.op)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// ChangeOperation pauses, resumes, cancels or paces an operation.
func (s *Store) ChangeOperation(ctx context.Context, c chatops.OperationChange) (*chatops.Operation, error) {
	c.Actor, c.Reason = chatops.CleanText(c.Actor), chatops.CleanText(c.Reason)
	return s.changeOperation(ctx, c.ID, func(_ context.Context, _ pgx.Tx, p *operationPlan, now time.Time) (bool, error) {
		return p.op.Change(&c, now)
	})
}

// ReleaseOperation makes a step of a paced operation.
func (s *Store) ReleaseOperation(ctx context.Context, r chatops.OperationRelease) (*chatops.Operation, error) {
	return s.changeOperation(ctx, r.ID, func(ctx context.Context, tx pgx.Tx, p *operationPlan, now time.Time) (bool, error) {
		if err := p.op.Admit(&r, now); err != nil {
			return false, err
		}
		if err := p.save(ctx, tx); err != nil || r.Limit <= 0 || p.op.State != chatops.OperationRunning {
			return false, err
		}
		return false, s.step(ctx, tx, p, r.Limit)
	})
}

// changeOperation changes an operation while it is locked, and returns it as it
// stands then.
func (s *Store) changeOperation(
	ctx context.Context, id string, change func(ctx context.Context, tx pgx.Tx, p *operationPlan, now time.Time) (bool, error),
) (*chatops.Operation, error) {
	var op chatops.Operation
	err := s.tx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		plan, err := scanOperation(tx.QueryRow(ctx, selectOperation+` for update`, chatops.CleanText(id)))
		if err != nil {
			return err
		}
		var now time.Time
		if err := tx.QueryRow(ctx, operationNow, s.now()).Scan(&now); err != nil {
			return err
		}
		changed, err := change(ctx, tx, plan, now.UTC())
		if err == nil && changed {
			err = plan.save(ctx, tx)
		}
		if err != nil {
			return err
		}
		if plan, err = scanOperation(tx.QueryRow(ctx, selectOperation, plan.op.ID)); err == nil {
			op = plan.op
		}
		return err
	})
	if err != nil {
		return nil, notFound(err, "operation %s: not found", id)
	}
	return &op, nil
}

// ClaimOperations claims the running operations that nobody carries.
func (s *Store) ClaimOperations(ctx context.Context, c chatops.OperationClaim) ([]chatops.Operation, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	var free int64
	err := s.do(ctx, func(ctx context.Context) error { return s.pool.QueryRow(ctx, unclaimed, s.now()).Scan(&free) })
	if err != nil || free == 0 {
		return nil, err
	}
	var list []chatops.Operation
	err = s.tx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		list = nil
		var now time.Time
		if err := tx.QueryRow(ctx, operationNow, s.now()).Scan(&now); err != nil {
			return err
		}
		plans, err := operations(ctx, tx, lockUnclaimed, s.now())
		for _, p := range plans {
			if err != nil || !p.op.Claim(&c, p.steppedAt, now.UTC()) {
				continue
			}
			err = p.save(ctx, tx)
			list = append(list, p.op)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// OperationOutcomes counts what became of an operation's alerts. What has been
// released is read first: what is released meanwhile is not counted as delivered.
func (s *Store) OperationOutcomes(ctx context.Context, id string) (*chatops.OperationOutcomes, error) {
	var o chatops.OperationOutcomes
	id = chatops.CleanText(id)
	err := s.batch(ctx, func(b *pgx.Batch) {
		o = chatops.OperationOutcomes{}
		b.Queue(byIndex).Exec(func(pgconn.CommandTag) error { return nil })
		b.Queue(selectReleased, id).QueryRow(func(row pgx.Row) error { return row.Scan(&o.Released) })
		b.Queue(selectOutcomes, id).Query(func(rows pgx.Rows) error {
			for rows.Next() {
				var c chatops.OperationOutcome
				if err := rows.Scan(&c.Lane, &c.Status, &c.Retried, &c.Count); err != nil {
					return err
				}
				o.Add(&c)
			}
			return rows.Err()
		})
	})
	if err != nil {
		return nil, notFound(err, "operation %s: not found", id)
	}
	return &o, nil
}
