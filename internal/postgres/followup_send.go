package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
	"chatops/internal/consent"
)

const (
	// beginFollowup gives a new fence, except to one that was begun before: of
	// that nobody knows whether it was sent.
	beginFollowup = `
update followup_event set status = case status when 'sending' then 'uncertain' else 'sending' end,
  fence = fence + case status when 'sending' then 0 else 1 end
where alert_id = $1::bigint and status in ('queued', 'failed', 'sending')
returning status, fence`

	followupStatus = `select status from followup_event where alert_id = $1::bigint`

	followupAddress = `
select coalesce(c.email, '') from followup_event f join chat_conversations c on c.id = f.conversation_id
where f.alert_id = $1::bigint`

	// loseLock ends the session of a process that is stopped while it holds the
	// person's lock.
	loseLock = `set local idle_in_transaction_session_timeout = '5s'`

	// checkFollowup reads again what may have changed since the plan. Whoever
	// changes the conversation's consent waits until the end of the transaction.
	checkFollowup = `
select f.fence = $2::bigint and f.status = 'sending' and d.status in ('queued', 'pending'),
  c.marketing_consent and c.rodo_consent and c.email = $3::text and c.email = d.payload->>'to' and not ` + contacted + `
from followup_event f join chat_conversations c on c.id = f.conversation_id
  join dead_letter_queue d on d.id = f.alert_id
where f.alert_id = $1::bigint
for share of c`

	cancelFollowup = `update followup_event set status = 'cancelled' where alert_id = $1::bigint and fence = $2::bigint`

	// endFollowup: what was sent, or refused, is known even if somebody else has
	// given it up for uncertain meanwhile.
	endFollowup = `
update followup_event set status = $4::text, sent_at = case $4::text when 'sent' then ` + dbNow + ` else sent_at end
where alert_id = $2::bigint and fence = $3::bigint
  and (status = 'sending' or status = 'uncertain' and $4::text in ('sent', 'failed', 'uncertain'))`
)

// BeginFollowup marks a follow-up as being sent.
func (s *Store) BeginFollowup(ctx context.Context, alertID int64) (fence int64, err error) {
	status := chatops.FollowupStatus("")
	err = s.do(ctx, func(ctx context.Context) error {
		err := s.pool.QueryRow(ctx, beginFollowup, alertID).Scan(&status, &fence)
		if errors.Is(err, pgx.ErrNoRows) {
			err = s.pool.QueryRow(ctx, followupStatus, alertID).Scan(&status)
		}
		if errors.Is(err, pgx.ErrNoRows) {
			status, err = "", nil
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return chatops.FollowupBegun(alertID, status, fence)
}

// maxCheckAge is how old the answer of checkFollowup may be when DATA begins. A
// process that was stopped for longer may have lost its lock.
const maxCheckAge = 3 * time.Second

// SendFollowup calls data while it holds the person's lock.
func (s *Store) SendFollowup(ctx context.Context, alertID, fence int64, data func() error) error {
	var called, withdrawn bool
	var result error
	err := s.tx(ctx, func(ctx context.Context, tx pgx.Tx) (err error) {
		if called {
			return nil // never twice, whatever became of the transaction
		}
		withdrawn, err = s.checkFollowup(ctx, tx, alertID, fence, func() {
			called = true
			result = data()
		})
		return err
	})
	switch {
	case called:
		return result // what was sent cannot be undone by a commit
	case err == nil && withdrawn:
		return chatops.FollowupRefused(alertID)
	case chatops.ErrorCode(err) == chatops.CodeNotFound:
		return chatops.FollowupLost(alertID)
	}
	return err
}

func (s *Store) checkFollowup(
	ctx context.Context, tx pgx.Tx, alertID, fence int64, send func(),
) (withdrawn bool, err error) {
	var address string
	if err := tx.QueryRow(ctx, followupAddress, alertID).Scan(&address); err != nil {
		return false, err
	}
	if _, err := tx.Exec(ctx, loseLock); err != nil {
		return false, err
	}
	if err := lockPersonOf(ctx, tx, consent.KeyOf(address)); err != nil {
		return false, err
	}
	asked := time.Now()
	var mine, allowed bool
	suppressed := 0
	b := &pgx.Batch{}
	b.Queue(checkFollowup, alertID, fence, address).QueryRow(func(row pgx.Row) error { return row.Scan(&mine, &allowed) })
	b.Queue(selectSuppressed, s.suppressing(address)).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			suppressed++
		}
		return rows.Err()
	})
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return false, err
	}
	switch {
	case !mine:
		return false, chatops.FollowupLost(alertID)
	case !allowed || suppressed > 0:
		_, err := tx.Exec(ctx, cancelFollowup, alertID, fence)
		return true, err
	case time.Since(asked) > maxCheckAge:
		return false, chatops.Errorf(chatops.CodeUnavailable, "follow-up of alert %d: consent was read too long ago", alertID)
	}
	send()
	return false, nil
}

// EndFollowup records what became of a follow-up that was begun.
func (s *Store) EndFollowup(ctx context.Context, alertID, fence int64, status chatops.FollowupStatus) error {
	if !status.Endable() {
		return chatops.Errorf(chatops.CodeInvalid, "end follow-up of alert %d as %q: not a result", alertID, status)
	}
	var changed int64
	err := s.do(ctx, func(ctx context.Context) error {
		tag, err := s.pool.Exec(ctx, endFollowup, s.now(), alertID, fence, string(status))
		changed = tag.RowsAffected()
		return err
	})
	if err == nil && changed == 0 {
		return chatops.FollowupLost(alertID)
	}
	return err
}
