package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
	"chatops/internal/consent"
)

// The statements of a plan, one transaction. The event comes first: its UNIQUE
// constraints decide between several that try, also where a conversation's lock
// does not.
const (
	insertFollowup = `
insert into followup_event (conversation_id, followup_number, status, sent_at, person_key)
values ($2::bigint, $3::integer, 'queued', ` + dbNow + `, $4::text)
on conflict do nothing
returning id`

	setFollowupAlert = `update followup_event set alert_id = $2::bigint where id = $1::bigint`

	insertFollowupMessage = `
insert into chat_messages (conversation_id, message, sender, timestamp, is_followup)
values ($2::bigint, $3::text, 'bot', ` + dbNow + `, true)`

	countFollowup = `
update chat_conversations set followup_count = followup_count + 1, last_followup_at = ` + dbNow + `, version = version + 1
where id = $2::bigint`
)

// errNotPlanned rolls a plan back that somebody else has made.
var errNotPlanned = errors.New("the follow-up is planned already")

// PlanFollowup stores a follow-up in one transaction, unless it is not due.
func (s *Store) PlanFollowup(ctx context.Context, p *chatops.FollowupPlan) (planned bool, err error) {
	if err := p.Validate(); err != nil {
		return false, err
	}
	mail, err := newAlertColumns([]chatops.NewAlert{p.Mail})
	if err != nil {
		return false, err
	}
	now := s.now()
	err = s.tx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		planned = false
		due, err := s.stillDue(ctx, tx, now, p)
		if err != nil || !due {
			return err
		}
		if err := storeFollowup(ctx, tx, now, p, mail); err != nil {
			return err
		}
		planned = true
		return nil
	})
	if errors.Is(err, errNotPlanned) {
		return false, nil
	}
	return planned && err == nil, err
}

// stillDue locks the person and the conversation and looks again.
func (s *Store) stillDue(ctx context.Context, tx pgx.Tx, now *time.Time, p *chatops.FollowupPlan) (bool, error) {
	if err := lockPersonOf(ctx, tx, consent.KeyOf(p.Email)); err != nil {
		return false, err
	}
	rows, err := tx.Query(ctx, lockSilent, now, p.ConversationID, chatops.CleanText(p.Email))
	if err != nil {
		return false, err
	}
	list, err := pgx.CollectRows(rows, scanSilent)
	if err != nil || len(list) == 0 {
		return false, err
	}
	if err := s.judgeSilent(ctx, tx, list); err != nil {
		return false, err
	}
	return p.Holds(&list[0]), nil
}

func storeFollowup(ctx context.Context, tx pgx.Tx, now *time.Time, p *chatops.FollowupPlan, mail *alertColumns) error {
	person := consent.LooseKey(consent.KeyOf(p.Email))
	var event, alert int64
	err := tx.QueryRow(ctx, insertFollowup, now, p.ConversationID, p.Number, person).Scan(&event)
	if err == nil {
		err = tx.QueryRow(ctx, insertAlerts+` returning id`, append([]any{now}, mail.params()...)...).Scan(&alert)
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return errNotPlanned
	}
	if err != nil {
		return err
	}
	b := &pgx.Batch{}
	b.Queue(setFollowupAlert, event, alert)
	b.Queue(insertFollowupMessage, now, p.ConversationID, chatops.CleanText(p.Message))
	b.Queue(countFollowup, now, p.ConversationID)
	return tx.SendBatch(ctx, b).Close()
}

const selectFollowups = `
select id, conversation_id, followup_number, status, sent_at, coalesce(alert_id, 0) from followup_event
where ($1::bigint = 0 or conversation_id = $1::bigint) and ($2::text = '' or status = $2::text)
order by sent_at desc, id desc limit $3::bigint`

// Followups returns the newest follow-ups.
func (s *Store) Followups(
	ctx context.Context, conversationID int64, status chatops.FollowupStatus, limit int,
) ([]chatops.Followup, error) {
	var list []chatops.Followup
	err := s.do(ctx, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, selectFollowups, conversationID, string(status), max(limit, 0))
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (f chatops.Followup, err error) {
			err = row.Scan(&f.ID, &f.ConversationID, &f.Number, &f.Status, &f.SentAt, &f.AlertID)
			f.SentAt = f.SentAt.UTC()
			return f, err
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}
