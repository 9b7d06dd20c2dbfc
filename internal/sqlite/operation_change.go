package sqlite

import (
	"context"

	"chatops/internal/chatops"
)

const (
	selectOperations = `select ` + operationColumns + ` from dlq_operation order by created_at desc, id desc limit ?`

	liveOperations = `
select ` + operationColumns + ` from dlq_operation
where done_at is null and state in ('running', 'paused', 'halted') order by created_at desc, id desc limit ?`

	runningOperations = `
select ` + operationColumns + ` from dlq_operation where done_at is null and state = 'running' order by created_at, id`

	selectOutcomes = `
select d.lane, d.status, d.retry_count > 0, count(*) from dead_letter_queue d
where d.operation_id = ? and d.status in ('queued', 'pending', 'failed') group by 1, 2, 3`
)

// Operations returns the newest operations first.
func (s *Store) Operations(ctx context.Context, live bool, limit int) ([]chatops.Operation, error) {
	query := selectOperations
	if live {
		query = liveOperations
	}
	var list []chatops.Operation
	err := s.read(ctx, func(r *readTx) error {
		return r.each(query, func(row scanner) error {
			op, err := scanOperation(row, "")
			if err == nil {
				list = append(list, op.Operation)
			}
			return err
		}, limit)
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// ChangeOperation pauses, resumes, cancels or paces an operation.
func (s *Store) ChangeOperation(ctx context.Context, c chatops.OperationChange) (*chatops.Operation, error) {
	c.Actor, c.Reason = text(c.Actor), text(c.Reason)
	var op *storedOperation
	err := s.write(ctx, func(tx *writeTx) (err error) {
		if op, err = scanOperation(tx.row(selectOperation, text(c.ID)), c.ID); err != nil {
			return err
		}
		changed, err := op.Change(&c, tx.now)
		if err != nil || !changed {
			return err
		}
		return tx.save(op)
	})
	if err != nil {
		return nil, err
	}
	return &op.Operation, nil
}

// ClaimOperations claims the running operations that nobody carries. It looks
// before it asks for the lock of writers.
func (s *Store) ClaimOperations(ctx context.Context, c chatops.OperationClaim) ([]chatops.Operation, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	running := 0
	err := s.read(ctx, func(r *readTx) error {
		return r.each(runningOperations, func(row scanner) error {
			op, err := scanOperation(row, "")
			if err == nil && op.Claim(&c, op.steppedAt, s.now().UTC()) {
				running++
			}
			return err
		})
	})
	if err != nil || running == 0 {
		return nil, err
	}
	var list []chatops.Operation
	err = s.write(ctx, func(tx *writeTx) error {
		list = nil
		var taken []*storedOperation
		err := tx.each(runningOperations, func(row scanner) error {
			op, err := scanOperation(row, "")
			if err == nil && op.Claim(&c, op.steppedAt, tx.now) {
				taken = append(taken, op)
			}
			return err
		})
		for _, op := range taken {
			if err == nil {
				err = tx.save(op)
			}
			list = append(list, op.Operation)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// ReleaseOperation makes a step of a paced operation.
func (s *Store) ReleaseOperation(ctx context.Context, r chatops.OperationRelease) (*chatops.Operation, error) {
	var op *storedOperation
	err := s.write(ctx, func(tx *writeTx) (err error) {
		if op, err = scanOperation(tx.row(selectOperation, text(r.ID)), r.ID); err != nil {
			return err
		}
		if err := op.Admit(&r, tx.now); err != nil {
			return err
		}
		if r.Limit > 0 && op.State == chatops.OperationRunning {
			if err := tx.step(op, r.Limit); err != nil {
				return err
			}
		}
		return tx.save(op)
	})
	if err != nil {
		return nil, err
	}
	return &op.Operation, nil
}

// OperationOutcomes counts what became of an operation's alerts.
func (s *Store) OperationOutcomes(ctx context.Context, id string) (*chatops.OperationOutcomes, error) {
	var o chatops.OperationOutcomes
	err := s.read(ctx, func(r *readTx) error {
		op, err := scanOperation(r.row(selectOperation, text(id)), id)
		if err != nil {
			return err
		}
		o = chatops.OperationOutcomes{Released: op.Changed}
		return r.each(selectOutcomes, func(row scanner) error {
			var c chatops.OperationOutcome
			err := row.Scan(&c.Lane, &c.Status, &c.Retried, &c.Count)
			o.Add(&c)
			return err
		}, op.ID)
	})
	if err != nil {
		return nil, err
	}
	return &o, nil
}
