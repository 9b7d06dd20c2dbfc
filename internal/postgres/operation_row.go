package postgres

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

const (
	operationColumns = `id, kind, filter::text, actor, reason, matched, changed, skipped, created_at, done_at, max_id, cursor_at, cursor_id,
  stepped_at, state, pace::text, run::text, note, changed_by, changed_at, holder, lease_until, fence, besides::text`

	selectOperation = `select ` + operationColumns + ` from dlq_operation where id = $1::text`

	// livePaced are the operations whose selections others leave alone.
	livePaced = `
select ` + operationColumns + ` from dlq_operation
where done_at is null and pace is not null and state in ('running', 'paused', 'halted') order by id`

	selectBesides = `select ` + operationColumns + ` from dlq_operation where id = any ($1::text[]) order by id`

	updateOperation = `
update dlq_operation set state = $2::text, pace = $3::text::json, run = $4::text::json, note = $5::text,
  changed_by = $6::text, changed_at = $7::timestamptz, holder = $8::text, lease_until = $9::timestamptz,
  fence = $10::bigint, done_at = $11::timestamptz
where id = $1::text`
)

// operationPlan is an operation with what only the store knows of it.
type operationPlan struct {
	op        chatops.Operation
	maxID     int64
	cursorAt  time.Time
	cursorID  int64
	steppedAt time.Time
	besides   []*operationPlan // whose alerts it leaves alone
}

func scanOperation(row pgx.Row) (*operationPlan, error) {
	var p operationPlan
	var filter string
	var done, stepped, changed, lease *time.Time
	var pace, run, besides *string
	op := &p.op
	err := row.Scan(&op.ID, &op.Kind, &filter, &op.Actor, &op.Reason, &op.Matched, &op.Changed,
		&op.Skipped, &op.CreatedAt, &done, &p.maxID, &p.cursorAt, &p.cursorID,
		&stepped, &op.State, &pace, &run, &op.Note, &op.ChangedBy, &changed, &op.Holder, &lease, &op.Fence, &besides)
	if err != nil {
		return nil, err
	}
	op.CreatedAt, op.DoneAt, op.ChangedAt, op.LeaseUntil = op.CreatedAt.UTC(), utc(done), utc(changed), utc(lease)
	p.steppedAt = utc(stepped)
	for _, part := range []struct {
		stored *string
		to     any
	}{{&filter, &op.Filter}, {pace, &op.Pace}, {run, &op.Run}, {besides, &op.Besides}} {
		if part.stored == nil {
			continue
		}
		if err := json.Unmarshal([]byte(*part.stored), part.to); err != nil {
			return nil, chatops.WrapError(chatops.CodeInternal, err, "stored operation "+op.ID+" cannot be read")
		}
	}
	op.Settle()
	return &p, nil
}

// jsonOrNull renders a pace as one parameter.
func jsonOrNull(p *chatops.OperationPace) *string {
	if p == nil {
		return nil
	}
	raw, err := json.Marshal(p)
	if err != nil {
		return nil // numbers always marshal: NaN was refused
	}
	text := string(raw)
	return &text
}

// save stores what is not the concern of a step.
func (p *operationPlan) save(ctx context.Context, tx pgx.Tx) error {
	op := &p.op
	run, err := json.Marshal(op.Run)
	if err != nil {
		return chatops.WrapError(chatops.CodeInternal, err, "state of operation "+op.ID+" cannot be stored")
	}
	_, err = tx.Exec(ctx, updateOperation, op.ID, string(op.State), jsonOrNull(op.Pace), string(chatops.CleanJSON(run)),
		chatops.CleanText(op.Note), chatops.CleanText(op.ChangedBy), null(op.ChangedAt), chatops.CleanText(op.Holder),
		null(op.LeaseUntil), op.Fence, null(op.DoneAt))
	return err
}

// leaveAlone names the operations whose alerts a new one leaves alone.
func (p *operationPlan) leaveAlone(ctx context.Context, tx pgx.Tx) (err error) {
	p.besides, err = operations(ctx, tx, livePaced)
	p.op.Besides = []string{}
	for _, other := range p.besides {
		p.op.Besides = append(p.op.Besides, other.op.ID)
	}
	return err
}

// recall reads the operations whose alerts this one leaves alone.
func (p *operationPlan) recall(ctx context.Context, tx pgx.Tx) (err error) {
	if len(p.op.Besides) > 0 {
		p.besides, err = operations(ctx, tx, selectBesides, p.op.Besides)
	}
	return err
}

func operations(ctx context.Context, db querier, query string, args ...any) ([]*operationPlan, error) {
	rows, err := db.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (*operationPlan, error) { return scanOperation(row) })
}

// selection selects the operation's alerts that lie beyond its cursor and that
// nobody has tried, and no other operation has taken, since it was created.
func (p *operationPlan) selection() *selection {
	return selectAlerts(p.op.Filter, p.op.Statuses(), func(s *selection) []string {
		created := s.param(p.op.CreatedAt, "timestamptz")
		c := []string{
			"d.id <= " + s.param(p.maxID, "bigint"),
			"(d.last_attempt_at is null or d.last_attempt_at <= " + created + ")",
			"(d.operation_id is null or d.operation_id not in (select o.id from dlq_operation o where o.stepped_at >= " + created + "))",
		}
		if !p.cursorAt.IsZero() {
			c = append(c, "(d.created_at, d.id) > ("+s.param(p.cursorAt, "timestamptz")+", "+s.param(p.cursorID, "bigint")+")")
		}
		for _, other := range p.besides {
			c = append(c, other.theirs(s)+" is not true")
		}
		return c
	})
}

// theirs is the condition that an alert belongs to the operation: it was selected
// and has not been tried since, or was changed by it.
func (p *operationPlan) theirs(s *selection) string {
	c := append(s.common(p.op.Filter, ""), inStatuses(p.op.Selected()),
		"d.id <= "+s.param(p.maxID, "bigint"),
		"(d.last_attempt_at is null or d.last_attempt_at <= "+s.param(p.op.CreatedAt, "timestamptz")+")")
	if len(p.op.Filter.IDs) > 0 {
		c = append(c, "d.id = any ("+s.param(p.op.Filter.IDs, "bigint[]")+")")
	}
	return "(d.operation_id = " + s.param(p.op.ID, "text") + " or " + strings.Join(c, " and ") + ")"
}
