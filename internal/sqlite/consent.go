package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"chatops/internal/chatops"
	"chatops/internal/consent"
)

const (
	makeConversation = `
insert into chat_conversations (session_id, started_at, marketing_consent, rodo_consent, version)
values (?, ?, ?, ?, 1)
on conflict (session_id) do nothing`

	// sameConsent looks at what the session said last; the flag alone may be a
	// default.
	sameConsent = `
select c.rodo_consent = ?2 and coalesce((
  select a.action = ?3 from consent_audit_log a
  where a.conversation_id = c.id and a.action in ('rodo_consent_given', 'rodo_consent_withdrawn')
  order by a.id desc limit 1), false)
from chat_conversations c where c.session_id = ?1`

	setConversationConsent = `
update chat_conversations set rodo_consent = ?2, version = version + 1 where session_id = ?1 and rodo_consent <> ?2`

	setLeadConsent = `
update leads set rodo_consent = ?2, updated_at = ?3 where session_id = ?1 and rodo_consent <> ?2`

	sessionPerson = `
select c.id, coalesce(l.id, 0), coalesce(nullif(c.email, ''), l.email, '')
from chat_conversations c left join leads l on l.session_id = c.session_id
where c.session_id = ?`
)

// SetSessionConsent stores the RODO consent of a session in one transaction. A
// turn that was loaded before finds its version gone.
func (s *Store) SetSessionConsent(
	ctx context.Context, sessionID string, rodo, marketing bool, origin chatops.ConsentOrigin,
) (same bool, err error) {
	session := text(sessionID)
	if session == "" {
		return false, chatops.Errorf(chatops.CodeInvalid, "consent of a session: the session's id is missing")
	}
	action := chatops.ActionRODOWithdraw
	if rodo {
		action = chatops.ActionRODOGiven
	}
	o := origin.Clipped()
	err = s.write(ctx, func(tx *writeTx) error {
		now := stamp(tx.now)
		if _, err := tx.exec(makeConversation, session, now, marketing, rodo); err != nil {
			return err
		}
		if err := tx.row(sameConsent, session, rodo, string(action)).Scan(&same); err != nil {
			return err
		}
		if _, err := tx.exec(setConversationConsent, session, rodo); err != nil {
			return err
		}
		if _, err := tx.exec(setLeadConsent, session, rodo, now); err != nil {
			return err
		}
		e := auditEntry(action, "", o)
		if err := tx.row(sessionPerson, session).Scan(&e.ConversationID, &e.LeadID, textColumn{&e.Email}); err != nil {
			return err
		}
		return tx.audit(e)
	})
	return same && err == nil, err
}

// The statements of a withdrawal. ?1 holds the spellings of the address as a
// JSON array, ?2 the conversation or lead, ?3 whether all processing is meant.
const (
	addressOfConversation = `select email from chat_conversations where id = ?`
	addressOfLead         = `select email from leads where id = ?`

	withdrawConversations = `
update chat_conversations set marketing_consent = false, rodo_consent = rodo_consent and not ?3, version = version + 1
where (lower(email) in (select value from json_each(?1)) or id = ?2) and (marketing_consent or ?3 and rodo_consent)`

	// outdateTurns makes the turns conflict that would write a lead of the
	// address although their conversation has another address, or none.
	outdateTurns = `
update chat_conversations set version = version + 1
where session_id in (
  select session_id from leads
  where (lower(email) in (select value from json_each(?1)) or id = ?2) and (marketing_consent or ?3 and rodo_consent))`

	withdrawLeads = `
update leads set marketing_consent = false, rodo_consent = rodo_consent and not ?3, updated_at = ?4
where (lower(email) in (select value from json_each(?1)) or id = ?2) and (marketing_consent or ?3 and rodo_consent)`

	// suppress never narrows what is suppressed already.
	suppress = `
insert into suppression as s (email_key, scope, source, created_at) values (?, ?, ?, ?)
on conflict (email_key) do update set scope = excluded.scope, source = excluded.source
where s.scope = 'marketing' and excluded.scope = 'all'`
)

// WithdrawConsent withdraws consent of one person in one transaction.
func (s *Store) WithdrawConsent(ctx context.Context, w chatops.ConsentWithdrawal) (changed int, err error) {
	if err := w.Validate(); err != nil {
		return 0, err
	}
	err = s.write(ctx, func(tx *writeTx) error {
		key, err := tx.withdrawnKey(&w)
		if err != nil {
			return err
		}
		changed, err = tx.withdraw(&w, s.mailbox(key))
		return err
	})
	if err != nil {
		return 0, err
	}
	return changed, nil
}

// withdrawnKey is the address that a withdrawal is about, "" when there is none.
func (tx *writeTx) withdrawnKey(w *chatops.ConsentWithdrawal) (string, error) {
	if w.EmailKey != "" {
		return text(w.EmailKey), nil
	}
	for _, holder := range []struct {
		query string
		id    int64
	}{{addressOfConversation, w.ConversationID}, {addressOfLead, w.LeadID}} {
		if holder.id == 0 {
			continue
		}
		var address string
		err := tx.row(holder.query, holder.id).Scan(textColumn{&address})
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return "", err
		}
		if key := consent.KeyOf(address); key != "" {
			return key, nil
		}
	}
	return "", nil
}

// withdraw changes the flags of everything that has the address or is named,
// and stores the suppression and the audit row.
func (tx *writeTx) withdraw(w *chatops.ConsentWithdrawal, m consent.Mailbox) (int, error) {
	spellings, now := jsonArray(m.Spellings), stamp(tx.now)
	all, scope := w.Action == chatops.ActionRevoke, "marketing"
	if all {
		scope = "all"
	}
	conversations, err := tx.exec(withdrawConversations, spellings, w.ConversationID, all)
	if err != nil {
		return 0, err
	}
	if _, err := tx.exec(outdateTurns, spellings, w.LeadID, all); err != nil {
		return 0, err
	}
	leads, err := tx.exec(withdrawLeads, spellings, w.LeadID, all, now)
	if err != nil {
		return 0, err
	}
	if m.Key != "" {
		if _, err := tx.exec(suppress, m.Key, scope, string(w.Action), now); err != nil {
			return 0, err
		}
	}
	e := auditEntry(w.Action, m.Key, w.Origin.Clipped())
	e.ConversationID, e.LeadID = w.ConversationID, w.LeadID
	return int(conversations + leads), tx.audit(e)
}

// ofSession are the actions of a session's own consent.
const ofSession = `'rodo_consent_given', 'rodo_consent_withdrawn', 'marketing_consent_given', 'marketing_consent_withdrawn'`

// consentStatus gives one row for any address. A withdrawal counts until
// something else than a session's own consent follows it.
const consentStatus = `
with held as (
  select marketing_consent, rodo_consent from chat_conversations where lower(email) in (select value from json_each(?1))
  union all
  select marketing_consent, rodo_consent from leads where lower(email) in (select value from json_each(?1))),
said as (
  select id, action, timestamp from consent_audit_log where lower(email) in (select value from json_each(?1))),
blocked as (select 1 from suppression where loose_key in (select value from json_each(?2)))
select exists (select 1 from held) or exists (select 1 from said) or exists (select 1 from blocked),
  exists (select 1 from blocked) or coalesce((
    select action in ('unsubscribe', 'revoke_consent') from said
    where action not in (` + ofSession + `) order by timestamp desc, id desc limit 1), false),
  coalesce((select min(marketing_consent) from held), false),
  coalesce((select min(rodo_consent) from held), false),
  (select action from said order by timestamp desc, id desc limit 1),
  (select timestamp from said order by timestamp desc, id desc limit 1)`

// ConsentStatus returns what is known of an address.
func (s *Store) ConsentStatus(ctx context.Context, emailKey string) (*chatops.ConsentStatus, error) {
	unknown := chatops.Errorf(chatops.CodeNotFound, "consent of this address: nothing is known of it")
	key := text(emailKey)
	if key == "" {
		return nil, unknown
	}
	var st chatops.ConsentStatus
	var known bool
	m := s.mailbox(key)
	var action string
	err := s.read(ctx, func(r *readTx) error {
		return r.row(consentStatus, jsonArray(m.Spellings), jsonArray(m.Suppressing)).Scan(
			&known, &st.IsUnsubscribed, &st.MarketingConsent, &st.RODOConsent, textColumn{&action}, timeColumn{&st.LastActionAt})
	})
	if err != nil {
		return nil, err
	}
	if !known {
		return nil, unknown
	}
	st.LastAction = chatops.ConsentAction(action)
	return &st, nil
}
