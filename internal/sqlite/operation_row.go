package sqlite

import (
	"encoding/json"
	"time"

	"chatops/internal/chatops"
)

const (
	// livePaced are the operations whose selections others leave alone.
	livePaced = `
select id from dlq_operation where done_at is null and pace is not null and state in ('running', 'paused', 'halted') order by id`

	updateOperation = `
update dlq_operation set state = ?2, pace = ?3, run = ?4, note = ?5, changed_by = ?6, changed_at = ?7, holder = ?8,
  lease_until = ?9, fence = ?10, done_at = ?11
where id = ?1`
)

// storedOperation is an operation with how far it has got.
type storedOperation struct {
	chatops.Operation

	maxID     int64
	cursorAt  string // created_at of the last alert seen, as it is stored
	cursorID  int64
	steppedAt time.Time
}

func scanOperation(row scanner, id string) (*storedOperation, error) {
	var op storedOperation
	var filter, pace, run, besides string
	err := row.Scan(&op.ID, &op.Kind, &filter, &op.Actor, &op.Reason, &op.Matched, &op.Changed, &op.Skipped,
		timeColumn{&op.CreatedAt}, timeColumn{&op.DoneAt}, &op.maxID, &op.cursorAt, &op.cursorID,
		timeColumn{&op.steppedAt}, &op.State, textColumn{&pace}, textColumn{&run}, &op.Note, &op.ChangedBy,
		timeColumn{&op.ChangedAt}, &op.Holder, timeColumn{&op.LeaseUntil}, &op.Fence, textColumn{&besides})
	if err != nil {
		return nil, notFound(translate(err), "operation %s: not found", id)
	}
	for _, part := range []struct {
		stored string
		to     any
	}{{filter, &op.Filter}, {pace, &op.Pace}, {run, &op.Run}, {besides, &op.Besides}} {
		if part.stored == "" {
			continue
		}
		if err := json.Unmarshal([]byte(part.stored), part.to); err != nil {
			return nil, chatops.WrapError(chatops.CodeInternal, err, "stored operation "+op.ID+" cannot be read")
		}
	}
	op.Settle()
	return &op, nil
}

// jsonOrNull renders a pace as one parameter.
func jsonOrNull(p *chatops.OperationPace) any {
	if p == nil {
		return nil
	}
	raw, err := json.Marshal(p)
	if err != nil {
		return nil // numbers always marshal: NaN was refused
	}
	return string(raw)
}

// save stores what is not the concern of a step.
func (tx *writeTx) save(op *storedOperation) error {
	run, err := json.Marshal(op.Run)
	if err != nil {
		return chatops.WrapError(chatops.CodeInternal, err, "state of operation "+op.ID+" cannot be stored")
	}
	_, err = tx.exec(updateOperation, op.ID, string(op.State), jsonOrNull(op.Pace), string(chatops.CleanJSON(run)), text(op.Note),
		text(op.ChangedBy), stampOrNull(op.ChangedAt), text(op.Holder), stampOrNull(op.LeaseUntil), op.Fence, stampOrNull(op.DoneAt))
	return err
}

// selects names the operations that a new one leaves alone, and counts what is
// left for it.
func (tx *writeTx) selects(op *chatops.Operation) error {
	err := tx.each(livePaced, func(row scanner) error {
		var id string
		err := row.Scan(&id)
		op.Besides = append(op.Besides, id)
		return err
	})
	if err != nil {
		return err
	}
	statuses := op.Selected()
	if len(statuses) == 0 {
		return nil
	}
	others, err := tx.besides(op.Besides)
	if err != nil {
		return err
	}
	query, args := countQuery(op.Filter, statuses, others...)
	return tx.eachOnce(query, func(row scanner) error { return row.Scan(&op.Matched) }, args...)
}

// besides renders the conditions that leave alone what other operations had
// selected when they were created, and what they have changed.
func (tx *writeTx) besides(ids []string) ([]condition, error) {
	var list []condition
	for _, id := range ids {
		op, err := scanOperation(tx.row(selectOperation, id), id)
		if err != nil {
			return nil, err
		}
		theirs := op.theirs()
		list = append(list, condition{"not coalesce(" + theirs.sql + ", 0)", theirs.args})
	}
	return list, nil
}

// theirs is the condition that an alert belongs to the operation: it was selected
// and has not been tried since, or was changed by it.
func (op *storedOperation) theirs() condition {
	created := stamp(op.CreatedAt)
	parts := append(conditions(&op.Filter),
		condition{sql: inLiterals(op.Selected())},
		condition{"id <= ?", []any{op.maxID}},
		condition{"coalesce(last_attempt_at, '') <= ?", []any{created}})
	sql, args := conjoin(parts)
	return condition{"(operation_id = ? or " + sql + ")", append([]any{op.ID}, args...)}
}
