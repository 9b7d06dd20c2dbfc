package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

// leadColumns are the columns of a whole lead, in the order of scanLead. A
// table that an older program made may hold nulls where ours cannot.
const leadColumns = `l.id, coalesce(l.session_id, ''), coalesce(l.name, ''), coalesce(l.email, ''), coalesce(l.phone, ''),
  coalesce(l.interested_package, ''), coalesce(l.property_size, ''), coalesce(l.property_type, ''),
  coalesce(l.location, ''), coalesce(l.message, ''), coalesce(l.source, ''), coalesce(l.status, 'new'),
  coalesce(l.notes, ''), coalesce(l.monday_item_id, ''), coalesce(l.lead_score, 0), coalesce(l.data_confirmed, false),
  coalesce(l.marketing_consent, false), coalesce(l.rodo_consent, false), l.created_at, l.updated_at`

func scanLead(row pgx.Row, l *chatops.Lead) error {
	var created, updated *time.Time
	err := row.Scan(
		&l.ID, &l.SessionID, &l.Name, &l.Email, &l.Phone,
		&l.InterestedPackage, &l.PropertySize, &l.PropertyType,
		&l.Location, &l.Message, &l.Source, &l.Status,
		&l.Notes, &l.MondayItemID, &l.LeadScore, &l.DataConfirmed,
		&l.MarketingConsent, &l.RODOConsent, &created, &updated)
	l.CreatedAt, l.UpdatedAt = utc(created), utc(updated)
	return err
}

const (
	selectLead     = `select ` + leadColumns + ` from leads l where l.session_id = $1::text`
	selectLeadByID = `select ` + leadColumns + ` from leads l where l.id = $1::bigint`
)

// LeadBySession returns the session's lead, or CodeNotFound.
func (s *Store) LeadBySession(ctx context.Context, sessionID string) (*chatops.Lead, error) {
	l, err := s.oneLead(ctx, selectLead, chatops.CleanText(sessionID))
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
	err := s.do(ctx, func(ctx context.Context) error { return scanLead(s.pool.QueryRow(ctx, query, key), &l) })
	if err != nil {
		return nil, err
	}
	return &l, nil
}
