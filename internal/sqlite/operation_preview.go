package sqlite

import (
	"context"
	"strconv"
	"strings"

	"chatops/internal/chatops"
	"chatops/internal/consent"
)

const (
	// previewColumns tell alerts apart. The outcome of the last attempt is looked
	// up for failed ones only, and consent for follow-ups only.
	previewColumns = `coalesce(fingerprint, ''), event_type, lane,
  status = 'failed' and coalesce((select a.outcome from delivery_attempt a
    where a.alert_id = dead_letter_queue.id order by a.id desc limit 1), '') = 'permanent',
  event_type = 'followup_email' and exists (select 1 from followup_event f join chat_conversations c on c.id = f.conversation_id
    where f.alert_id = dead_letter_queue.id and not (c.marketing_consent and c.rodo_consent))`

	// previewMails are the follow-ups and whom they go to.
	previewMails = `json_group_array(json_object('id', id, 'email', coalesce((select cast(c.email as text)
    from followup_event f join chat_conversations c on c.id = f.conversation_id where f.alert_id = dead_letter_queue.id), '')))
  filter (where event_type = 'followup_email')`
)

// PreviewOperation counts what an operation would select.
func (s *Store) PreviewOperation(ctx context.Context, op *chatops.Operation, countTo int) (*chatops.Preview, error) {
	ctx, cancel := s.patient(ctx)
	defer cancel()
	if err := op.Validate(); err != nil {
		return nil, err
	}
	var p chatops.Preview
	var to consent.Addressees
	err := s.read(ctx, func(r *readTx) error {
		elsewhere, err := r.elsewhere()
		if err != nil {
			return err
		}
		query, args := s.preview(op, elsewhere, countTo+1)
		err = r.eachOnce(query, func(row scanner) error {
			var g chatops.PreviewRow
			var mails string
			err := row.Scan(&g.Fingerprint, &g.EventType, &g.Lane, &g.Permanent, &g.Withdrawn, &g.Elsewhere, &g.Age, &g.Count, &g.Newest, &mails)
			if err != nil {
				return err
			}
			p.Rows = append(p.Rows, g)
			return to.Add(len(p.Rows)-1, mails)
		}, args...)
		if err != nil {
			return err
		}
		if err := s.bar(r.each, to.Candidates(s.mailbox)); err != nil {
			return err
		}
		to.Withdraw(&p)
		done := page{filter: op.Filter, statuses: []chatops.AlertStatus{chatops.AlertDelivered}, limit: countTo + 1}
		keys, args := done.keys()
		return r.eachOnce("select count(*) from ("+keys+")", func(row scanner) error { return row.Scan(&p.Delivered) }, args...)
	})
	if err != nil {
		return nil, err
	}
	p.Bound(countTo)
	return &p, nil
}

// elsewhere is the condition that an alert belongs to a live paced operation.
func (r *readTx) elsewhere() (condition, error) {
	var ids []string
	err := r.each(livePaced, func(row scanner) error {
		var id string
		err := row.Scan(&id)
		ids = append(ids, id)
		return err
	})
	if err != nil {
		return condition{}, err
	}
	is := condition{sql: "0"}
	for _, id := range ids {
		op, err := scanOperation(r.row(selectOperation, id), id)
		if err != nil {
			return condition{}, err
		}
		theirs := op.theirs()
		is.sql += " or coalesce(" + theirs.sql + ", 0)"
		is.args = append(is.args, theirs.args...)
	}
	return is, nil
}

// preview writes the query: the newest alerts, told apart and counted.
func (s *Store) preview(op *chatops.Operation, elsewhere condition, limit int) (string, []any) {
	picked := page{filter: op.Filter, statuses: op.Selected(), limit: limit}
	if len(picked.statuses) == 0 {
		picked.and("0")
	}
	keys, keyArgs := picked.keys()
	args := elsewhere.args
	age := make([]string, 0, len(chatops.PreviewAges()))
	for i, bound := range chatops.PreviewAges() {
		age = append(age, "when created_at > ? then "+strconv.Itoa(i))
		args = append(args, stamp(s.now().Add(-bound)))
	}
	return "select " + previewColumns + ", " + elsewhere.sql + ", case " + strings.Join(age, " ") + " else " + strconv.Itoa(len(age)) +
		" end, count(*), max(id), " + previewMails + "\nfrom dead_letter_queue" +
		" where id in (select id from (" + keys + ")) group by 1, 2, 3, 4, 5, 6, 7", append(args, keyArgs...)
}
