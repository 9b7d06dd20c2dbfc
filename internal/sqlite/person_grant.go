package sqlite

import (
	"context"

	"chatops/internal/chatops"
)

const (
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
