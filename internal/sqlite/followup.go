package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"chatops/internal/chatops"
	"chatops/internal/consent"
)

// The statements of a plan, one transaction. The event comes first: its UNIQUE
// constraints decide between several that try.
const (
	insertFollowup = `
insert into followup_event (conversation_id, followup_number, status, sent_at, person_key)
values (?, ?, 'queued', ?, ?)
on conflict do nothing
returning id`

	insertFollowupMail = insertAlert + ` returning id`

	setFollowupAlert = `update followup_event set alert_id = ? where id = ?`

	insertFollowupMessage = `
insert into chat_messages (conversation_id, message, sender, timestamp, is_followup) values (?, ?, 'bot', ?, true)`

	countFollowup = `
update chat_conversations set followup_count = followup_count + 1, last_followup_at = ?, version = version + 1 where id = ?`
)

// errNotPlanned rolls a plan back that somebody else has made.
var errNotPlanned = errors.New("the follow-up is planned already")

// PlanFollowup stores a follow-up in one transaction, unless it is not due.
func (s *Store) PlanFollowup(ctx context.Context, p *chatops.FollowupPlan) (planned bool, err error) {
	if err := p.Validate(); err != nil {
		return false, err
	}
	err = s.write(ctx, func(tx *writeTx) error {
		planned = false
		due, err := s.stillDue(tx, p)
		if err != nil || !due {
			return err
		}
		if err := tx.storeFollowup(p); err != nil {
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

// stillDue looks again, now that nobody else writes.
func (s *Store) stillDue(tx *writeTx, p *chatops.FollowupPlan) (bool, error) {
	var list []chatops.FollowupCandidate
	err := tx.each(selectSilentOne, silentInto(&list, tx.now), p.ConversationID, text(p.Email))
	if err != nil || len(list) == 0 {
		return false, err
	}
	if err := s.judgeSilent(tx.each, list); err != nil {
		return false, err
	}
	return p.Holds(&list[0]), nil
}

func (tx *writeTx) storeFollowup(p *chatops.FollowupPlan) error {
	person, now, mail := consent.LooseKey(consent.KeyOf(p.Email)), stamp(tx.now), &p.Mail
	var event, alert int64
	err := tx.row(insertFollowup, p.ConversationID, p.Number, now, person).Scan(&event)
	if err == nil {
		err = tx.row(insertFollowupMail, text(mail.EventType), text(mail.Target), string(chatops.CleanJSON(mail.Payload)),
			now, stamp(tx.now.Add(max(mail.Delay, 0))), textOrNull(mail.IdempotencyKey)).Scan(&alert)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return errNotPlanned
	}
	if err != nil {
		return err
	}
	if _, err := tx.exec(setFollowupAlert, alert, event); err != nil {
		return err
	}
	if _, err := tx.exec(insertFollowupMessage, p.ConversationID, text(p.Message), now); err != nil {
		return err
	}
	_, err = tx.exec(countFollowup, now, p.ConversationID)
	return err
}

const selectFollowups = `
select id, conversation_id, followup_number, status, sent_at, coalesce(alert_id, 0) from followup_event
where (?1 = 0 or conversation_id = ?1) and (?2 = '' or status = ?2)
order by sent_at desc, id desc limit ?3`

// Followups returns the newest follow-ups.
func (s *Store) Followups(
	ctx context.Context, conversationID int64, status chatops.FollowupStatus, limit int,
) ([]chatops.Followup, error) {
	var list []chatops.Followup
	err := s.read(ctx, func(r *readTx) error {
		return r.each(selectFollowups, func(row scanner) error {
			var f chatops.Followup
			err := row.Scan(&f.ID, &f.ConversationID, &f.Number, &f.Status, timeColumn{&f.SentAt}, &f.AlertID)
			list = append(list, f)
			return err
		}, conversationID, string(status), max(limit, 0))
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}
