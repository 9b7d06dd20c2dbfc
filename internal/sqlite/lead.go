package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"chatops/internal/chatops"
)

const (
	insertLead = `
insert into leads (name, email, phone, interested_package, property_size, property_type, location, message, lead_score,
  data_confirmed, marketing_consent, rodo_consent, updated_at, notes, monday_item_id, session_id, source, status, created_at)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?13, ?, ?, ?, ?, ?, ?13)
on conflict (session_id) do nothing
returning id`

	// updateLead is a later turn of the session. It does not undo what the
	// sales team has noted; and a consent that was withdrawn on record, by the
	// lead's address or one of the same mailbox or for the lead itself, does not
	// come back.
	updateLead = `
update leads set name = ?1, email = ?2, phone = ?3, interested_package = ?4, property_size = ?5, property_type = ?6,
  location = ?7, message = ?8, lead_score = ?9, data_confirmed = ?10,
  marketing_consent = ?11 and (marketing_consent or not (
    exists (select 1 from suppression s
      where s.email_key in (lower(leads.email), lower(?2)) or s.loose_key in (select value from json_each(?17)))
    or exists (select 1 from consent_audit_log a where a.lead_id = leads.id and a.action in ('unsubscribe', 'revoke_consent')))),
  rodo_consent = ?12 and (rodo_consent or not (
    exists (select 1 from suppression s where s.scope = 'all'
      and (s.email_key in (lower(leads.email), lower(?2)) or s.loose_key in (select value from json_each(?17))))
    or exists (select 1 from consent_audit_log a where a.lead_id = leads.id and a.action = 'revoke_consent'))),
  updated_at = ?13, notes = coalesce(notes, ?14), monday_item_id = coalesce(monday_item_id, ?15)
where session_id = ?16
returning id`

	unmarketLead = `
update leads set marketing_consent = false
where id = ?1 and exists (select 1 from suppression where loose_key in (select value from json_each(?2)))`

	// leadColumns are the columns of a whole lead, in the order of scanLead. A
	// table that an older program made may hold nulls where ours cannot.
	leadColumns = `id, session_id, name, email, phone, interested_package, property_size, property_type, location, message,
  source, coalesce(status, 'new'), notes, monday_item_id, coalesce(lead_score, 0), coalesce(data_confirmed, 0),
  coalesce(marketing_consent, 0), coalesce(rodo_consent, 0), created_at, updated_at`

	selectLead     = `select ` + leadColumns + ` from leads where session_id = ?`
	selectLeadByID = `select ` + leadColumns + ` from leads where id = ?`
)

func scanLead(row scanner, l *chatops.Lead) error {
	return row.Scan(
		&l.ID, textColumn{&l.SessionID}, textColumn{&l.Name}, textColumn{&l.Email}, textColumn{&l.Phone},
		textColumn{&l.InterestedPackage}, textColumn{&l.PropertySize}, textColumn{&l.PropertyType},
		textColumn{&l.Location}, textColumn{&l.Message}, textColumn{&l.Source}, &l.Status, textColumn{&l.Notes},
		textColumn{&l.MondayItemID}, &l.LeadScore, &l.DataConfirmed, &l.MarketingConsent, &l.RODOConsent,
		timeColumn{&l.CreatedAt}, timeColumn{&l.UpdatedAt})
}

// leadArgs are the parameters that insertLead and updateLead share; session is
// nil for a lead without one.
func (tx *writeTx) leadArgs(session any, l *chatops.Lead) []any {
	return []any{
		textOrNull(l.Name), textOrNull(l.Email), textOrNull(l.Phone), textOrNull(l.InterestedPackage),
		textOrNull(l.PropertySize), textOrNull(l.PropertyType), textOrNull(l.Location), textOrNull(l.Message),
		l.LeadScore, l.DataConfirmed, l.MarketingConsent, l.RODOConsent, stamp(tx.now), textOrNull(l.Notes),
		textOrNull(l.MondayItemID), session,
	}
}

// addLead inserts a lead; sql.ErrNoRows when the session has one.
func (tx *writeTx) addLead(session any, l *chatops.Lead) (id int64, err error) {
	source, status := or(text(l.Source), chatops.LeadSource), or(string(l.Status), string(chatops.LeadNew))
	err = tx.row(insertLead, slices.Concat(tx.leadArgs(session, l), []any{source, status})...).Scan(&id)
	return id, err
}

// saveLead stores the session's only lead.
func (tx *writeTx) saveLead(session string, l *chatops.Lead, suppressing string, res *chatops.TurnResult) (err error) {
	res.LeadID, err = tx.addLead(session, l)
	if errors.Is(err, sql.ErrNoRows) {
		return tx.row(updateLead, append(tx.leadArgs(session, l), suppressing)...).Scan(&res.LeadID)
	}
	if err == nil && l.MarketingConsent {
		_, err = tx.exec(unmarketLead, res.LeadID, suppressing)
	}
	res.LeadCreated = err == nil
	return err
}

// LeadBySession returns the session's lead, or CodeNotFound.
func (s *Store) LeadBySession(ctx context.Context, sessionID string) (*chatops.Lead, error) {
	l, err := s.oneLead(ctx, selectLead, text(sessionID))
	if err != nil {
		return nil, notFound(err, "lead of this session: not found")
	}
	return l, nil
}

// Lead returns a lead, or CodeNotFound.
func (s *Store) Lead(ctx context.Context, id int64) (*chatops.Lead, error) {
	l, err := s.oneLead(ctx, selectLeadByID, id)
	if err != nil {
		return nil, notFound(err, "lead %d: not found", id)
	}
	return l, nil
}

func (s *Store) oneLead(ctx context.Context, query string, key any) (*chatops.Lead, error) {
	var l chatops.Lead
	err := s.read(ctx, func(r *readTx) error { return scanLead(r.row(query, key), &l) })
	if err != nil {
		return nil, err
	}
	return &l, nil
}
