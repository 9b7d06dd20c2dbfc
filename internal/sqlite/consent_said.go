package sqlite

import (
	"database/sql"
	"errors"

	"chatops/internal/chatops"
)

const (
	// lastSaid is what a conversation said last about one consent.
	lastSaid = `
select action, notes from consent_audit_log where conversation_id = ? and action in (?, ?) order by id desc limit 1`

	// unprocessLead is unmarketLead for RODO consent.
	unprocessLead = `
update leads set rodo_consent = false
where id = ?1 and exists (
  select 1 from suppression where loose_key in (select value from json_each(?2)) and scope = 'all')`
)

// auditTurn puts on record what is news of what a visitor said about consent.
func (tx *writeTx) auditTurn(session string, said []chatops.ConsentSaid) error {
	for i := range said {
		s := &said[i]
		e := auditEntry(s.Action(), "", s.Origin.Clipped())
		e.Notes = s.AuditNotes()
		if err := tx.row(sessionPerson, session).Scan(&e.ConversationID, &e.LeadID, textColumn{&e.Email}); err != nil {
			return err
		}
		given, withdrawn := s.Actions()
		var last, notes string
		err := tx.row(lastSaid, e.ConversationID, string(given), string(withdrawn)).Scan(&last, textColumn{&notes})
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if !s.News(chatops.ConsentAction(last), notes) {
			continue
		}
		if err := tx.audit(e); err != nil {
			return err
		}
	}
	return nil
}

// auditLead puts on record what was said about consent with a form.
func (tx *writeTx) auditLead(id int64, email string, said []chatops.ConsentSaid) error {
	for i := range said {
		if !said[i].News("", "") {
			continue
		}
		e := auditEntry(said[i].Action(), email, said[i].Origin.Clipped())
		e.LeadID, e.Notes = id, said[i].AuditNotes()
		if err := tx.audit(e); err != nil {
			return err
		}
	}
	return nil
}

// restrictLead takes consent from a new lead that its suppressed address does
// not have: marketing always, RODO unless the person has just given it.
func (tx *writeTx) restrictLead(id int64, suppressing string, saidRODO bool) error {
	_, err := tx.exec(unmarketLead, id, suppressing)
	if err == nil && !saidRODO {
		_, err = tx.exec(unprocessLead, id, suppressing)
	}
	return err
}
