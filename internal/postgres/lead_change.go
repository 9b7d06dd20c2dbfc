package postgres

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
	"chatops/internal/consent"
)

const (
	// insertLead stores a lead that no conversation made. What follows it in a
	// statement says what becomes of "made".
	insertLead = `
with made as (
  insert into leads (session_id, name, email, phone, interested_package, property_size, property_type, location,
    message, source, status, notes, monday_item_id, lead_score, data_confirmed, marketing_consent, rodo_consent,
    created_at, updated_at)
  values (nullif($2::text, ''), nullif($3::text, ''), nullif($4::text, ''), nullif($5::text, ''),
    nullif($6::text, ''), nullif($7::text, ''), nullif($8::text, ''), nullif($9::text, ''), nullif($10::text, ''),
    coalesce(nullif($11::text, ''), '` + chatops.LeadSource + `'), coalesce(nullif($12::text, ''), 'new'),
    nullif($13::text, ''), nullif($14::text, ''), $15::integer, $16::boolean,
    $17::boolean and not exists (select from suppression where loose_key = any ($19::text[])),
    $18::boolean and ($20::boolean or not exists (select from suppression where loose_key = any ($19::text[]) and scope = 'all')),
    ` + dbNow + `, ` + dbNow + `)
  returning *)`

	createLead = insertLead + `
select ` + leadColumns + ` from made l`

	createLeadOnce = insertLead + `,
kept as (
  update idempotency_key set status = $24::integer, reply = $25::text, record_id = (select id from made),
    expires_at = ` + dbNow + ` + $26::bigint * interval '1 microsecond', locked_until = null
  where scope = $21::text and key = $22::text and owner = $23::text and status is null
  returning 1)
select ` + leadColumns + ` from made l where chatops_require((select count(*) from kept) = 1, ` + notHeld + `)`

	lockLead = `select ` + leadColumns + ` from leads l where l.id = $1::bigint for update`

	// updateLead leaves what is null as it is.
	updateLead = `
update leads l set name = nullif(coalesce($3::text, l.name), ''), email = nullif(coalesce($4::text, l.email), ''),
  phone = nullif(coalesce($5::text, l.phone), ''), message = nullif(coalesce($6::text, l.message), ''),
  notes = nullif(coalesce($7::text, l.notes), ''),
  interested_package = nullif(coalesce($8::text, l.interested_package), ''),
  property_size = nullif(coalesce($9::text, l.property_size), ''),
  property_type = nullif(coalesce($10::text, l.property_type), ''),
  location = nullif(coalesce($11::text, l.location), ''), status = coalesce($12::text, l.status), updated_at = ` + dbNow + `
where l.id = $2::bigint
returning ` + leadColumns

	// setLeadStatus locks the rows in one order, whoever asks.
	setLeadStatus = `
update leads set status = $3::text, updated_at = ` + dbNow + `
where id = any (array(select id from leads where id = any ($2::bigint[]) order by id for update))
returning id`
)

// CreateLead stores a lead that no conversation made, its alerts and the reply for repeated
// requests, in one transaction and one round trip.
func (s *Store) CreateLead(
	ctx context.Context, l *chatops.Lead, alerts []chatops.NewAlert, once *chatops.OnceReply, said ...chatops.ConsentSaid,
) (*chatops.Lead, error) {
	if err := l.Validate(); err != nil {
		return nil, err
	}
	if err := chatops.CheckSaid(l, said); err != nil {
		return nil, err
	}
	columns, err := newAlertColumns(alerts)
	if err != nil {
		return nil, err
	}
	now := s.now()
	session := chatops.CleanText(l.SessionID)
	statement, params := createLead, slices.Concat([]any{now, session}, leadValues(l), []any{s.suppressing(l.Email), chatops.SaysRODO(said)})
	if once != nil {
		if err := once.Validate(); err != nil {
			return nil, err
		}
		statement, params = createLeadOnce, append(params, replyParams(once)...)
	}
	var stored chatops.Lead
	err = s.batch(ctx, func(b *pgx.Batch) {
		if l.MarketingConsent { // a withdrawal at the same time is seen, or sees the lead
			queuePersonLock(b, consent.KeyOf(l.Email))
		}
		b.Queue(statement, params...).QueryRow(func(row pgx.Row) error { return scanLead(row, &stored) })
		if len(alerts) > 0 {
			queueAlerts(b, now, columns)
		}
		queueSaid(b, auditLead, now, session, said)
	})
	if err != nil {
		return nil, err
	}
	return &stored, nil
}

// UpdateLead changes a lead and returns it before and after, in one transaction
// and one round trip.
func (s *Store) UpdateLead(ctx context.Context, id int64, change chatops.LeadChange) (before, after *chatops.Lead, err error) {
	if err := change.Validate(); err != nil {
		return nil, nil, err
	}
	now := s.now()
	before, after = &chatops.Lead{}, &chatops.Lead{}
	err = s.batch(ctx, func(b *pgx.Batch) {
		b.Queue(lockLead, id).QueryRow(func(row pgx.Row) error { return scanLead(row, before) })
		b.Queue(updateLead, now, id, cleanPtr(change.Name), cleanPtr(change.Email), cleanPtr(change.Phone),
			cleanPtr(change.Message), cleanPtr(change.Notes), cleanPtr(change.InterestedPackage),
			cleanPtr(change.PropertySize), cleanPtr(change.PropertyType), cleanPtr(change.Location),
			cleanPtr((*string)(change.Status)),
		).QueryRow(func(row pgx.Row) error { return scanLead(row, after) })
	})
	if err != nil {
		return nil, nil, notFound(err, "lead %d: not found", id)
	}
	return before, after, nil
}

func cleanPtr(s *string) *string {
	if s == nil {
		return nil
	}
	clean := chatops.CleanText(*s)
	return &clean
}

// SetLeadStatus sets the state of several leads in one statement.
func (s *Store) SetLeadStatus(
	ctx context.Context, ids []int64, status chatops.LeadStatus,
) (changed int, missing []int64, err error) {
	change := chatops.LeadChange{Status: &status}
	if err := change.Validate(); err != nil {
		return 0, nil, err
	}
	if len(ids) == 0 {
		return 0, nil, nil
	}
	now := s.now()
	var found []int64
	err = s.do(ctx, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, setLeadStatus, now, ids, string(status))
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		return err
	})
	if err != nil {
		return 0, nil, err
	}
	return len(found), without(ids, found), nil
}

// without lists the ids that were not found, each once, in their order.
func without(ids, found []int64) []int64 {
	seen := make(map[int64]bool, len(ids))
	for _, id := range found {
		seen[id] = true
	}
	var missing []int64
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			missing = append(missing, id)
		}
	}
	return missing
}
