package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"chatops/internal/chatops"
)

const (
	// beginFollowup gives a new fence, except to one that was begun before: of
	// that nobody knows whether it was sent.
	beginFollowup = `
update followup_event set status = case status when 'sending' then 'uncertain' else 'sending' end,
  fence = fence + case status when 'sending' then 0 else 1 end
where alert_id = ? and status in ('queued', 'failed', 'sending')
returning status, fence`

	followupStatus = `select status from followup_event where alert_id = ?`

	// checkFollowup reads again what may have changed since the plan.
	checkFollowup = `
select c.email, f.fence = ?2 and f.status = 'sending' and d.status in ('queued', 'pending'),
  c.marketing_consent and c.rodo_consent and coalesce(c.email = json_extract(d.payload, '$.to'), false) and not ` + contacted + `
from followup_event f join chat_conversations c on c.id = f.conversation_id
  join dead_letter_queue d on d.id = f.alert_id
where f.alert_id = ?1`

	cancelFollowup = `update followup_event set status = 'cancelled' where alert_id = ? and fence = ?`

	// endFollowup: what was sent, or refused, is known even if somebody else has
	// given it up for uncertain meanwhile.
	endFollowup = `
update followup_event set status = ?3, sent_at = case ?3 when 'sent' then ?4 else sent_at end
where alert_id = ?1 and fence = ?2
  and (status = 'sending' or status = 'uncertain' and ?3 in ('sent', 'failed', 'uncertain'))`
)

// BeginFollowup marks a follow-up as being sent.
func (s *Store) BeginFollowup(ctx context.Context, alertID int64) (fence int64, err error) {
	var status string
	err = s.write(ctx, func(tx *writeTx) error {
		err := tx.row(beginFollowup, alertID).Scan(&status, &fence)
		if errors.Is(err, sql.ErrNoRows) {
			err = tx.row(followupStatus, alertID).Scan(&status)
		}
		if errors.Is(err, sql.ErrNoRows) {
			status, err = "", nil
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return chatops.FollowupBegun(alertID, chatops.FollowupStatus(status), fence)
}

// SendFollowup calls data inside the transaction that reads consent: nobody else
// writes meanwhile.
func (s *Store) SendFollowup(ctx context.Context, alertID, fence int64, data func() error) error {
	var called, withdrawn bool
	var result error
	err := s.write(ctx, func(tx *writeTx) error {
		var address string
		var mine, allowed bool
		err := tx.row(checkFollowup, alertID, fence).Scan(textColumn{&address}, &mine, &allowed)
		if errors.Is(err, sql.ErrNoRows) || err == nil && !mine {
			return chatops.FollowupLost(alertID)
		}
		if err != nil {
			return err
		}
		err = tx.each(selectSuppressed, func(scanner) error {
			allowed = false
			return nil
		}, s.suppressing(address))
		if err != nil {
			return err
		}
		if !allowed {
			withdrawn = true
			_, err := tx.exec(cancelFollowup, alertID, fence)
			return err
		}
		called = true
		result = chatops.Errorf(chatops.CodeInternal, "follow-up of alert %d: its sending was cut short", alertID) // a panic
		result = data()
		return nil
	})
	switch {
	case called:
		return result // what was sent cannot be undone by a commit
	case err == nil && withdrawn:
		return chatops.FollowupRefused(alertID)
	}
	return err
}

// EndFollowup records what became of a follow-up that was begun.
func (s *Store) EndFollowup(ctx context.Context, alertID, fence int64, status chatops.FollowupStatus) error {
	if !status.Endable() {
		return chatops.Errorf(chatops.CodeInvalid, "end follow-up of alert %d as %q: not a result", alertID, status)
	}
	var changed int64
	err := s.write(ctx, func(tx *writeTx) (err error) {
		changed, err = tx.exec(endFollowup, alertID, fence, string(status), stamp(tx.now))
		return err
	})
	if err == nil && changed == 0 {
		return chatops.FollowupLost(alertID)
	}
	return err
}
