package sqlite

import (
	"context"

	"chatops/internal/chatops"
	"chatops/internal/consent"
)

const (
	// withdrawalMark is of a plain address (?1) and of the marks that erasing it
	// leaves (?2).
	withdrawalMark = `
select coalesce((
    select max(id) from consent_audit_log where lower(email) in (select value from json_each(?1))
    and action in ('unsubscribe', 'revoke_consent', 'marketing_consent_withdrawn')), 0)
  || coalesce((
    select '+' || replace(max(created_at), ' ', 'T') from suppression where email_key in (select value from json_each(?2))), '')`

	grantConversations = `
update chat_conversations set marketing_consent = marketing_consent or ?2, rodo_consent = rodo_consent or ?3,
  version = version + 1
where lower(email) in (select value from json_each(?1)) and (?2 and not marketing_consent or ?3 and not rodo_consent)`

	grantLeads = `
update leads set marketing_consent = marketing_consent or ?2, rodo_consent = rodo_consent or ?3, updated_at = ?4
where lower(email) in (select value from json_each(?1)) and (?2 and not marketing_consent or ?3 and not rodo_consent)`

	// liftSuppression is of the address itself, not of others of its mailbox.
	liftSuppression   = `delete from suppression where email_key in (select value from json_each(?))`
	narrowSuppression = `
update suppression set scope = 'marketing' where email_key in (select value from json_each(?)) and scope = 'all'`
)

// GrantConsent gives consent in one transaction.
func (s *Store) GrantConsent(ctx context.Context, g chatops.ConsentGrant) (changed int, err error) {
	if err := g.Validate(); err != nil {
		return 0, err
	}
	key := text(g.EmailKey)
	m := s.mailbox(key)
	own := append([]string{key}, m.Suppressing[1:]...) // the address and its marks
	lift := narrowSuppression
	if g.Marketing {
		lift = liftSuppression
	}
	err = s.write(ctx, func(tx *writeTx) error {
		if err := tx.stillAsked(&g, m); err != nil {
			return err
		}
		conversations, err := tx.exec(grantConversations, jsonArray(m.Spellings), g.Marketing, g.RODO)
		if err != nil {
			return err
		}
		leads, err := tx.exec(grantLeads, jsonArray(m.Spellings), g.Marketing, g.RODO, stamp(tx.now))
		if err != nil {
			return err
		}
		changed = int(conversations + leads)
		if _, err := tx.exec(lift, jsonArray(own)); err != nil {
			return err
		}
		e := auditEntry(chatops.ActionGrant, key, g.Origin.Clipped())
		e.Notes = g.AuditNotes()
		return tx.audit(e)
	})
	if err != nil {
		return 0, err
	}
	return changed, nil
}

// WithdrawalMark returns what changes with every withdrawal.
func (s *Store) WithdrawalMark(ctx context.Context, emailKey string) (mark string, err error) {
	key := text(emailKey)
	if key == "" {
		return "", chatops.Errorf(chatops.CodeInvalid, "withdrawals of consent: must name an e-mail address")
	}
	m := s.mailbox(key)
	err = s.read(ctx, func(r *readTx) error {
		return r.row(withdrawalMark, jsonArray(m.Spellings), jsonArray(m.Suppressing[1:])).Scan(&mark)
	})
	return mark, err
}

// stillAsked refuses a grant that was asked for before a withdrawal.
func (tx *writeTx) stillAsked(g *chatops.ConsentGrant, m consent.Mailbox) error {
	if g.AskedAt == "" {
		return nil
	}
	var mark string
	err := tx.row(withdrawalMark, jsonArray(m.Spellings), jsonArray(m.Suppressing[1:])).Scan(&mark)
	if err == nil && mark != g.AskedAt {
		return chatops.Errorf(chatops.CodeConflict, "grant of consent: it was withdrawn since the person was asked")
	}
	return err
}
