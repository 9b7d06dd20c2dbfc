package postgres

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
	"chatops/internal/consent"
)

// previewColumns tell alerts apart. The outcome of the last attempt is looked up
// for failed ones only, and consent for follow-ups only.
const previewColumns = `coalesce(d.fingerprint, ''), d.event_type, d.lane,
  d.status = 'failed' and coalesce((select a.outcome from delivery_attempt a where a.alert_id = d.id order by a.id desc limit 1), '') = 'permanent',
  d.event_type = 'followup_email' and exists (select from followup_event f join chat_conversations c on c.id = f.conversation_id
    where f.alert_id = d.id and not (c.marketing_consent and c.rodo_consent))`

// previewMails are the follow-ups and whom they go to.
const previewMails = `coalesce(json_agg(json_build_object('id', d.id, 'email', coalesce((select c.email
    from followup_event f join chat_conversations c on c.id = f.conversation_id where f.alert_id = d.id), '')))
  filter (where d.event_type = 'followup_email')::text, '')`

// PreviewOperation counts what an operation would select.
func (s *Store) PreviewOperation(ctx context.Context, op *chatops.Operation, countTo int) (*chatops.Preview, error) {
	ctx, cancel := s.patient(ctx)
	defer cancel()
	if err := op.Validate(); err != nil {
		return nil, err
	}
	var p chatops.Preview
	err := s.tx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		p = chatops.Preview{}
		var to consent.Addressees
		plan := operationPlan{op: *op}
		if err := plan.leaveAlone(ctx, tx); err != nil {
			return err
		}
		query, args := plan.preview(s.now(), countTo+1)
		rows, err := tx.Query(ctx, query, adhoc(args)...)
		if err != nil {
			return err
		}
		var r chatops.PreviewRow
		var mails string
		row := []any{&r.Fingerprint, &r.EventType, &r.Lane, &r.Permanent, &r.Withdrawn, &r.Elsewhere, &r.Age, &r.Count, &r.Newest, &mails}
		_, err = pgx.ForEachRow(rows, row, func() error {
			p.Rows = append(p.Rows, r)
			return to.Add(len(p.Rows)-1, mails)
		})
		if err != nil {
			return err
		}
		if err := bar(ctx, tx, to.Candidates(s.mailbox)); err != nil {
			return err
		}
		to.Withdraw(&p)
		done := op.Filter
		done.Statuses = []chatops.AlertStatus{chatops.AlertDelivered}
		sel := selectAlerts(done, done.Statuses, nil)
		query = "select count(*) from (" + sel.list("d.id, d.created_at", newestFirst, countTo+1) + ") x"
		return tx.QueryRow(ctx, query, adhoc(sel.args)...).Scan(&p.Delivered)
	})
	if err != nil {
		return nil, err
	}
	p.Bound(countTo)
	return &p, nil
}

// preview writes the query: the newest alerts, told apart and counted.
func (p *operationPlan) preview(at *time.Time, limit int) (string, []any) {
	sel := selectAlerts(p.op.Filter, p.op.Statuses(), nil)
	picked := sel.list("d.id, d.created_at", newestFirst, limit)
	elsewhere := []string{"false"}
	for _, other := range p.besides {
		elsewhere = append(elsewhere, other.theirs(sel)+" is true")
	}
	now := "coalesce(" + sel.param(at, "timestamptz") + ", statement_timestamp())"
	age := make([]string, 0, len(chatops.PreviewAges()))
	for i, bound := range chatops.PreviewAges() {
		age = append(age, fmt.Sprintf("when d.created_at > %s - interval '%d seconds' then %d", now, int(bound.Seconds()), i))
	}
	// Looked up one by one: the planner would rather read millions than join some.
	return "select " + previewColumns + ", " + strings.Join(elsewhere, " or ") + ", case " + strings.Join(age, " ") +
		" else " + strconv.Itoa(len(age)) + " end, count(*), max(d.id), " + previewMails + "\nfrom (" + picked +
		") k cross join lateral (select * from dead_letter_queue where id = k.id limit 1) d group by 1, 2, 3, 4, 5, 6, 7", sel.args
}
