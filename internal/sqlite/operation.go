package sqlite

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"chatops/internal/chatops"
)

const (
	insertOperation = `
insert into dlq_operation (id, kind, filter, actor, reason, matched, max_id, created_at, state, pace, besides)
values (?, ?, ?, ?, ?, ?, ?, ?, 'running', ?, ?)`

	operationColumns = `id, kind, filter, actor, reason, matched, changed, skipped, created_at, done_at, max_id, cursor_at, cursor_id,
  stepped_at, state, pace, run, note, changed_by, changed_at, holder, lease_until, fence, besides`

	selectOperation = `select ` + operationColumns + ` from dlq_operation where id = ?`

	moveOperation = `
update dlq_operation set changed = ?, skipped = ?, cursor_at = ?, cursor_id = ?, stepped_at = ?, done_at = ?, state = ? where id = ?`

	// retryAlert leaves a follow-up alone that may have been sent, unless its alert
	// was named.
	retryAlert = `
update dead_letter_queue set status = case when status = 'queued' then status else 'pending' end, retry_count = 0,
  next_attempt_at = ?1, operation_id = ?2
where id = ?3 and (?4 or event_type <> 'followup_email' or not exists (
  select 1 from followup_event f where f.alert_id = ?3 and f.status in ('sending', 'uncertain')))`

	// allowAgain lets a mail go out that may have gone out before.
	allowAgain = `
update followup_event set status = 'queued' where alert_id = ? and status in ('sending', 'uncertain')`

	discardAlert = `
update dead_letter_queue set status = 'discarded', operation_id = ? where id = ?`

	// What an operation may still change: rows that existed and have not been
	// tried since it was created, and that no other operation has taken which
	// ran at any time since then.
	stillSelected = `id <= ? and coalesce(last_attempt_at, '') <= ?
  and not exists (select 1 from dlq_operation o where o.id = dead_letter_queue.operation_id and o.id <> ?
    and (o.done_at is null and o.state = 'running' or o.done_at > ?))`

	selectProgress = `
select o.changed, coalesce(sum(d.status = 'delivered'), 0), coalesce(sum(d.status = 'failed'), 0),
  coalesce(sum(d.status in ('queued', 'pending') and coalesce(d.last_attempt_at, '') > o.created_at), 0),
  coalesce(sum(d.status in ('queued', 'pending') and coalesce(d.last_attempt_at, '') <= o.created_at), 0)
from dlq_operation o left join dead_letter_queue d on d.operation_id = o.id
where o.id = ? group by o.id`
)

// CreateOperation freezes a selection: not by listing it, which would write as
// many rows as it has, but by conditions that nothing fulfils later.
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
	err = s.write(ctx, func(tx *writeTx) error {
		made.CreatedAt, made.Changed, made.Skipped, made.Matched = tx.now, 0, 0, 0
		made.State, made.Run, made.Besides = chatops.OperationRunning, chatops.OperationRun{}, nil
		if op.ID == "" {
			made.ID = operationID(tx.now)
		}
		if err := tx.selects(&made); err != nil {
			return err
		}
		var newest int64
		if err := tx.row(`select coalesce(max(id), 0) from dead_letter_queue`).Scan(&newest); err != nil {
			return err
		}
		_, err := tx.exec(insertOperation, made.ID, string(op.Kind), string(chatops.CleanJSON(filter)), text(op.Actor),
			text(op.Reason), made.Matched, newest, stamp(tx.now), jsonOrNull(made.Pace), jsonArray(made.Besides))
		return err
	})
	if err == nil {
		*op = made
	}
	return err
}

// operationID sorts by time of creation.
func operationID(now time.Time) string {
	return fmt.Sprintf("op_%014x%s", now.UnixMicro(), strings.ToLower(rand.Text()[:8]))
}

// StepOperation changes the next alerts of the selection.
func (s *Store) StepOperation(ctx context.Context, id string, limit int) (*chatops.Operation, error) {
	if limit <= 0 {
		return nil, chatops.Errorf(chatops.CodeInvalid, "step of %d alerts: must hold at least one", limit)
	}
	var op *storedOperation
	err := s.write(ctx, func(tx *writeTx) (err error) {
		op, err = scanOperation(tx.row(selectOperation, id), id)
		if err != nil || op.State != chatops.OperationRunning || op.Pace != nil {
			return err
		}
		return tx.step(op, limit)
	})
	if err != nil {
		return nil, err
	}
	return &op.Operation, nil
}

// candidate is a selected row that has not been seen yet.
type candidate struct {
	id       int64
	at       string
	inFlight bool
}

func (tx *writeTx) step(op *storedOperation, limit int) error {
	rows, err := tx.candidates(op, limit)
	if err != nil {
		return err
	}
	for _, c := range rows {
		op.cursorAt, op.cursorID = c.at, c.id
		var changed int64
		switch {
		case c.inFlight:
			op.Skipped++
			continue
		case op.Kind == chatops.OperationRetry:
			changed, err = tx.retry(op, c.id)
		default:
			changed, err = tx.exec(discardAlert, op.ID, c.id)
		}
		if err != nil {
			return err
		}
		op.Changed += changed
		op.Skipped += 1 - changed
	}
	if len(rows) < limit {
		op.DoneAt, op.State = tx.now, chatops.OperationDone
		op.Skipped = max(0, op.Matched-op.Changed)
	}
	_, err = tx.exec(moveOperation, op.Changed, op.Skipped, op.cursorAt, op.cursorID, stamp(tx.now), stampOrNull(op.DoneAt),
		string(op.State), op.ID)
	return err
}

// retry makes an alert wait for another attempt and returns how many it changed.
func (tx *writeTx) retry(op *storedOperation, id int64) (int64, error) {
	named := len(op.Filter.IDs) > 0
	changed, err := tx.exec(retryAlert, stamp(tx.now), op.ID, id, named)
	if err == nil && named {
		_, err = tx.exec(allowAgain, id)
	}
	return changed, err
}

func (tx *writeTx) candidates(op *storedOperation, limit int) ([]candidate, error) {
	p := page{filter: op.Filter, statuses: op.Selected(), limit: limit, after: cursor{op.cursorAt, op.cursorID}}
	if len(p.statuses) == 0 {
		return nil, nil
	}
	created := stamp(op.CreatedAt)
	p.and(stillSelected, op.maxID, created, op.ID, created)
	others, err := tx.besides(op.Besides)
	if err != nil {
		return nil, err
	}
	p.extra = append(p.extra, others...)
	query, args := p.keys()
	var rows []candidate
	err = tx.eachOnce(query, func(row scanner) error {
		var c candidate
		err := row.Scan(&c.id, textColumn{&c.at}, &c.inFlight)
		rows = append(rows, c)
		return err
	}, args...)
	return rows, err
}

// Operation returns an operation, or CodeNotFound.
func (s *Store) Operation(ctx context.Context, id string) (*chatops.Operation, error) {
	var op *storedOperation
	err := s.read(ctx, func(r *readTx) (err error) {
		op, err = scanOperation(r.row(selectOperation, id), id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &op.Operation, nil
}

// OperationProgress counts what became of the alerts that an operation changed.
func (s *Store) OperationProgress(ctx context.Context, id string) (*chatops.OperationProgress, error) {
	var p chatops.OperationProgress
	err := s.read(ctx, func(r *readTx) error {
		var changed int64
		err := r.row(selectProgress, id).Scan(&changed, &p.Delivered, &p.Failed, &p.Pending, &p.Waiting)
		p.Other = max(0, changed-p.Delivered-p.Failed-p.Pending-p.Waiting)
		return err
	})
	if err != nil {
		return nil, notFound(err, "operation %s: not found", id)
	}
	return &p, nil
}
