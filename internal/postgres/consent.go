package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"chatops/internal/chatops"
	"chatops/internal/consent"
)

// The statements of a session's consent, one transaction. The row of the
// conversation is made or locked first; a turn that was loaded before finds its
// version gone.
const (
	makeConversation = `
insert into chat_conversations (session_id, started_at, marketing_consent, rodo_consent, version)
values ($2::text, ` + dbNow + `, $3::boolean, $4::boolean, 1)
on conflict (session_id) do nothing`

	lockConversation = `select 1 from chat_conversations where session_id = $1::text for update`

	// sameConsent looks at what the session said last; the flag alone may be a
	// default.
	sameConsent = `
select c.rodo_consent = $2::boolean and coalesce((
  select a.action = $3::text from consent_audit_log a
  where a.conversation_id = c.id and a.action in ('rodo_consent_given', 'rodo_consent_withdrawn')
  order by a.id desc limit 1), false)
from chat_conversations c where c.session_id = $1::text`

	setConversationConsent = `
update chat_conversations set rodo_consent = $2::boolean, version = version + 1
where session_id = $1::text and rodo_consent <> $2::boolean`

	setLeadConsent = `
update leads set rodo_consent = $3::boolean, updated_at = ` + dbNow + `
where session_id = $2::text and rodo_consent <> $3::boolean`

	auditSession = `
select chatops_audit_append(` + dbNow + `, c.id, l.id, coalesce(nullif(c.email, ''), l.email, ''), $3::text,
  $4::text, $5::text, $6::text, null)
from chat_conversations c left join leads l on l.session_id = c.session_id
where c.session_id = $2::text`
)

// SetSessionConsent stores the RODO consent of a session in one transaction and
// one round trip.
func (s *Store) SetSessionConsent(
	ctx context.Context, sessionID string, rodo, marketing bool, origin chatops.ConsentOrigin,
) (same bool, err error) {
	session := chatops.CleanText(sessionID)
	if session == "" {
		return false, chatops.Errorf(chatops.CodeInvalid, "consent of a session: the session's id is missing")
	}
	action := chatops.ActionRODOWithdraw
	if rodo {
		action = chatops.ActionRODOGiven
	}
	o, now := origin.Clipped(), s.now()
	err = s.batch(ctx, func(b *pgx.Batch) {
		b.Queue(makeConversation, now, session, marketing, rodo)
		b.Queue(lockConversation, session)
		b.Queue(sameConsent, session, rodo, string(action)).QueryRow(func(row pgx.Row) error { return row.Scan(&same) })
		b.Queue(setConversationConsent, session, rodo)
		b.Queue(setLeadConsent, now, session, rodo)
		b.Queue(auditSession, now, session, string(action), o.IPAddress, o.UserAgent, o.Reason)
	})
	return same && err == nil, err
}

// The statements of a withdrawal, one transaction. Parameters: the spellings of
// the address, the conversation, the lead, whether all processing is meant.
// Rows are locked in the order of their ids, conversations first, as a turn does.
const (
	addressOfConversation = `select coalesce(email, '') from chat_conversations where id = $1::bigint`
	addressOfLead         = `select coalesce(email, '') from leads where id = $1::bigint`

	withdrawConversations = `
update chat_conversations set marketing_consent = false, rodo_consent = rodo_consent and not $3::boolean,
  version = version + 1
where id = any (array(
  select id from chat_conversations
  where (lower(email) = any ($1::text[]) or id = $2::bigint) and (marketing_consent or $3::boolean and rodo_consent)
  order by id for update))`

	// outdateTurns makes the turns conflict that would write a lead of the
	// address although their conversation has another address, or none.
	outdateTurns = `
update chat_conversations set version = version + 1
where id = any (array(
  select c.id from chat_conversations c
  where c.session_id in (
    select l.session_id from leads l
    where (lower(l.email) = any ($1::text[]) or l.id = $2::bigint) and (l.marketing_consent or $3::boolean and l.rodo_consent))
  order by c.id for update))`

	withdrawLeads = `
update leads set marketing_consent = false, rodo_consent = rodo_consent and not $4::boolean, updated_at = ` + dbNow + `
where id = any (array(
  select id from leads
  where (lower(email) = any ($2::text[]) or id = $3::bigint) and (marketing_consent or $4::boolean and rodo_consent)
  order by id for update))`

	// suppress never narrows what is suppressed already.
	suppress = `
insert into suppression as s (email_key, scope, source, created_at)
values ($2::text, $3::text, $4::text, ` + dbNow + `)
on conflict (email_key) do update set scope = excluded.scope, source = excluded.source
where s.scope = 'marketing' and excluded.scope = 'all'`

	auditWithdrawal = `
select chatops_audit_append(` + dbNow + `, nullif($2::bigint, 0), nullif($3::bigint, 0), $4::text, $5::text,
  $6::text, $7::text, $8::text, null)`
)

// WithdrawConsent withdraws consent of one person in one transaction, and in one
// round trip when it is named by the address.
func (s *Store) WithdrawConsent(ctx context.Context, w chatops.ConsentWithdrawal) (changed int, err error) {
	if err := w.Validate(); err != nil {
		return 0, err
	}
	if w.EmailKey != "" {
		key := chatops.CleanText(w.EmailKey)
		err = s.batch(ctx, func(b *pgx.Batch) {
			changed = 0
			queuePersonLock(b, key)
			s.queueWithdrawal(b, &w, key, &changed)
		})
	} else {
		err = s.tx(ctx, func(ctx context.Context, tx pgx.Tx) error {
			changed = 0
			key, err := withdrawnKey(ctx, tx, &w)
			if err != nil {
				return err
			}
			if err := lockPersonOf(ctx, tx, key); err != nil {
				return err
			}
			b := &pgx.Batch{}
			s.queueWithdrawal(b, &w, key, &changed)
			return tx.SendBatch(ctx, b).Close()
		})
	}
	if err != nil {
		return 0, err
	}
	return changed, nil
}

// withdrawnKey is the key of the address that the named conversation or lead
// holds, "" when there is none.
func withdrawnKey(ctx context.Context, tx pgx.Tx, w *chatops.ConsentWithdrawal) (string, error) {
	for _, holder := range []struct {
		query string
		id    int64
	}{{addressOfConversation, w.ConversationID}, {addressOfLead, w.LeadID}} {
		if holder.id == 0 {
			continue
		}
		var address string
		err := tx.QueryRow(ctx, holder.query, holder.id).Scan(&address)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return "", err
		}
		if key := consent.KeyOf(address); key != "" {
			return key, nil
		}
	}
	return "", nil
}

func (s *Store) queueWithdrawal(b *pgx.Batch, w *chatops.ConsentWithdrawal, key string, changed *int) {
	count := func(tag pgconn.CommandTag) error {
		*changed += int(tag.RowsAffected())
		return nil
	}
	now, spellings := s.now(), s.mailbox(key).Spellings
	all, scope := w.Action == chatops.ActionRevoke, "marketing"
	if all {
		scope = "all"
	}
	o := w.Origin.Clipped()
	b.Queue(withdrawConversations, spellings, w.ConversationID, all).Exec(count)
	b.Queue(outdateTurns, spellings, w.LeadID, all)
	b.Queue(withdrawLeads, now, spellings, w.LeadID, all).Exec(count)
	if key != "" {
		b.Queue(suppress, now, key, scope, string(w.Action))
	}
	b.Queue(auditWithdrawal, now, w.ConversationID, w.LeadID, key, string(w.Action), o.IPAddress, o.UserAgent, o.Reason)
}

// ofSession are the actions of a session's own consent.
const ofSession = `'rodo_consent_given', 'rodo_consent_withdrawn', 'marketing_consent_given', 'marketing_consent_withdrawn'`

// consentStatus gives one row for any address. A withdrawal counts until
// something else than a session's own consent follows it.
const consentStatus = `
with held as (
  select marketing_consent, rodo_consent from chat_conversations where lower(email) = any ($1::text[])
  union all select marketing_consent, rodo_consent from leads where lower(email) = any ($1::text[])),
said as (select id, action, timestamp from consent_audit_log where lower(email) = any ($1::text[])),
blocked as (select 1 from suppression where loose_key = any ($2::text[]))
select exists (select from held) or exists (select from said) or exists (select from blocked),
  exists (select from blocked) or coalesce((
    select action in ('unsubscribe', 'revoke_consent') from said
    where action not in (` + ofSession + `) order by timestamp desc, id desc limit 1), false),
  coalesce((select bool_and(marketing_consent) from held), false),
  coalesce((select bool_and(rodo_consent) from held), false),
  coalesce((select action from said order by timestamp desc, id desc limit 1), ''),
  (select timestamp from said order by timestamp desc, id desc limit 1)`

// ConsentStatus returns what is known of an address, in one round trip.
func (s *Store) ConsentStatus(ctx context.Context, emailKey string) (*chatops.ConsentStatus, error) {
	key := chatops.CleanText(emailKey)
	unknown := chatops.Errorf(chatops.CodeNotFound, "consent of this address: nothing is known of it")
	if key == "" {
		return nil, unknown
	}
	var st chatops.ConsentStatus
	known, m := false, s.mailbox(key)
	err := s.do(ctx, func(ctx context.Context) error {
		var at *time.Time
		err := s.pool.QueryRow(ctx, consentStatus, m.Spellings, m.Suppressing).Scan(
			&known, &st.IsUnsubscribed, &st.MarketingConsent, &st.RODOConsent, &st.LastAction, &at)
		st.LastActionAt = utc(at)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !known {
		return nil, unknown
	}
	return &st, nil
}
