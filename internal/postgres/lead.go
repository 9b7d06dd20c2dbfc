package postgres

import (
	"context"

	"chatops/internal/chatops"
)

const selectLead = `
select id, coalesce(session_id, ''), coalesce(name, ''), coalesce(email, ''), coalesce(phone, ''),
       coalesce(interested_package, ''), coalesce(property_size, ''), coalesce(property_type, ''),
       coalesce(location, ''), coalesce(message, ''), source, status, coalesce(notes, ''),
       coalesce(monday_item_id, ''), lead_score, data_confirmed, marketing_consent, rodo_consent,
       created_at, updated_at
from leads where session_id = $1::text`

// LeadBySession returns the session's lead, or CodeNotFound.
func (s *Store) LeadBySession(ctx context.Context, sessionID string) (*chatops.Lead, error) {
	var l chatops.Lead
	err := s.do(ctx, func(ctx context.Context) error {
		return s.pool.QueryRow(ctx, selectLead, chatops.CleanText(sessionID)).Scan(
			&l.ID, &l.SessionID, &l.Name, &l.Email, &l.Phone,
			&l.InterestedPackage, &l.PropertySize, &l.PropertyType,
			&l.Location, &l.Message, &l.Source, &l.Status, &l.Notes,
			&l.MondayItemID, &l.LeadScore, &l.DataConfirmed, &l.MarketingConsent, &l.RODOConsent,
			&l.CreatedAt, &l.UpdatedAt)
	})
	if err != nil {
		return nil, notFound(err, "lead of this session: not found")
	}
	l.CreatedAt, l.UpdatedAt = l.CreatedAt.UTC(), l.UpdatedAt.UTC()
	return &l, nil
}
