package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"chatops/internal/chatops"
)

// A later turn of the session does not undo what the sales team has noted.
const (
	insertLead = `
insert into leads (name, email, phone, interested_package, property_size, property_type, location, message, lead_score,
  data_confirmed, marketing_consent, rodo_consent, updated_at, notes, monday_item_id, session_id, source, status, created_at)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?13, ?, ?, ?, ?, ?, ?13)
on conflict (session_id) do nothing
returning id`

	updateLead = `
update leads set name = ?, email = ?, phone = ?, interested_package = ?, property_size = ?, property_type = ?,
  location = ?, message = ?, lead_score = ?, data_confirmed = ?, marketing_consent = ?, rodo_consent = ?, updated_at = ?,
  notes = coalesce(notes, ?), monday_item_id = coalesce(monday_item_id, ?)
where session_id = ?
returning id`

	selectLead = `
select id, session_id, name, email, phone, interested_package, property_size, property_type, location, message, source,
  status, notes, monday_item_id, lead_score, data_confirmed, marketing_consent, rodo_consent, created_at, updated_at
from leads where session_id = ?`
)

// saveLead stores the session's only lead.
func (tx *writeTx) saveLead(session string, l *chatops.Lead, res *chatops.TurnResult) error {
	args := []any{
		textOrNull(l.Name), textOrNull(l.Email), textOrNull(l.Phone), textOrNull(l.InterestedPackage),
		textOrNull(l.PropertySize), textOrNull(l.PropertyType), textOrNull(l.Location), textOrNull(l.Message),
		l.LeadScore, l.DataConfirmed, l.MarketingConsent, l.RODOConsent, stamp(tx.now), textOrNull(l.Notes),
		textOrNull(l.MondayItemID), session,
	}
	source, status := or(text(l.Source), "chatbot"), or(string(l.Status), string(chatops.LeadNew))
	err := tx.row(insertLead, slices.Concat(args, []any{source, status})...).Scan(&res.LeadID)
	if !errors.Is(err, sql.ErrNoRows) {
		res.LeadCreated = err == nil
		return err
	}
	return tx.row(updateLead, args...).Scan(&res.LeadID)
}

// LeadBySession returns the session's lead, or CodeNotFound.
func (s *Store) LeadBySession(ctx context.Context, sessionID string) (*chatops.Lead, error) {
	var l chatops.Lead
	err := s.read(ctx, func(r *readTx) error {
		return r.row(selectLead, text(sessionID)).Scan(
			&l.ID, textColumn{&l.SessionID}, textColumn{&l.Name}, textColumn{&l.Email}, textColumn{&l.Phone},
			textColumn{&l.InterestedPackage}, textColumn{&l.PropertySize}, textColumn{&l.PropertyType},
			textColumn{&l.Location}, textColumn{&l.Message}, &l.Source, &l.Status, textColumn{&l.Notes},
			textColumn{&l.MondayItemID}, &l.LeadScore, &l.DataConfirmed, &l.MarketingConsent, &l.RODOConsent,
			timeColumn{&l.CreatedAt}, timeColumn{&l.UpdatedAt})
	})
	if err != nil {
		return nil, notFound(err, "lead of this session: not found")
	}
	return &l, nil
}
