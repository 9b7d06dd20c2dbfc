package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

const (
	personSuppression = `
select email_key, scope, source, created_at from suppression where loose_key = any ($1::text[])
order by email_key = $2::text desc, id limit 1`

	listConversations = `
select id, session_id, coalesce(email, ''), started_at, coalesce(marketing_consent, false), coalesce(rodo_consent, false),
  coalesce(context_data::text, '')
from chat_conversations where id = any ($1::bigint[]) order by id`

	listMessages = `
select conversation_id, sender, message, timestamp, is_followup from chat_messages
where conversation_id = any ($1::bigint[]) order by conversation_id, id`

	listLeads = `select ` + leadColumns + ` from leads l where l.id = any ($1::bigint[]) order by l.id`

	listAudit = `
select ` + auditColumns + ` from consent_audit_log a
where lower(a.email) = any ($1::text[]) or a.conversation_id = any ($2::bigint[]) or a.lead_id = any ($3::bigint[])
order by a.id`

	listFollowups = `
select id, conversation_id, followup_number, status, sent_at from followup_event
where conversation_id = any ($1::bigint[]) order by conversation_id, followup_number`

	listAlerts = `select d.id, d.event_type, d.target, d.status, d.created_at, d.delivered_at ` + personAlerts + ` order by d.id`
)

// Person returns everything about an address, or CodeNotFound.
func (s *Store) Person(ctx context.Context, emailKey string) (*chatops.Person, error) {
	key := chatops.CleanText(emailKey)
	m := s.mailbox(key)
	var p *chatops.Person
	err := s.tx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		p = &chatops.Person{EmailKey: key}
		var conversations, leads []int64
		var sessions []string
		if err := tx.QueryRow(ctx, personConversations, m.Spellings).Scan(&conversations, &sessions); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, personLeads, m.Spellings, sessions).Scan(&leads); err != nil {
			return err
		}
		var held chatops.Suppression
		err := tx.QueryRow(ctx, personSuppression, m.Suppressing, key).Scan(&held.EmailKey, &held.Scope, &held.Source, &held.CreatedAt)
		switch {
		case err == nil:
			held.CreatedAt = held.CreatedAt.UTC()
			p.Suppression = &held
		case !errors.Is(err, pgx.ErrNoRows):
			return err
		}
		b := &pgx.Batch{}
		queuePerson(b, p, m.Spellings, personNames(m.Spellings, sessions), conversations, leads)
		return tx.SendBatch(ctx, b).Close()
	})
	if err != nil {
		return nil, err
	}
	if p.Suppression == nil && len(p.Conversations)+len(p.Leads)+len(p.Audit)+len(p.Alerts) == 0 {
		return nil, chatops.Errorf(chatops.CodeNotFound, "person of this address: nothing is known")
	}
	return p, nil
}

func queuePerson(b *pgx.Batch, p *chatops.Person, spellings, names []string, conversations, leads []int64) {
	place := map[int64]int{}
	queueEach(b, listConversations, func(row pgx.Row) error {
		var c chatops.PersonConversation
		err := row.Scan(&c.ID, &c.SessionID, &c.Email, &c.StartedAt, &c.MarketingConsent, &c.RODOConsent, &c.Context)
		c.StartedAt = c.StartedAt.UTC()
		place[c.ID] = len(p.Conversations)
		p.Conversations = append(p.Conversations, c)
		return err
	}, conversations)
	queueEach(b, listMessages, func(row pgx.Row) error {
		var id int64
		var m chatops.PersonMessage
		if err := row.Scan(&id, &m.Sender, &m.Text, &m.At, &m.Followup); err != nil {
			return err
		}
		m.At = m.At.UTC()
		if i, ok := place[id]; ok {
			p.Conversations[i].Messages = append(p.Conversations[i].Messages, m)
		}
		return nil
	}, conversations)
	queueEach(b, listLeads, func(row pgx.Row) error {
		var l chatops.Lead
		err := scanLead(row, &l)
		p.Leads = append(p.Leads, l)
		return err
	}, leads)
	queueEach(b, listAudit, func(row pgx.Row) error {
		var e chatops.AuditEntry
		err := scanAudit(row, &e)
		p.Audit = append(p.Audit, e)
		return err
	}, spellings, conversations, leads)
	queueEach(b, listFollowups, func(row pgx.Row) error {
		var f chatops.Followup
		err := row.Scan(&f.ID, &f.ConversationID, &f.Number, &f.Status, &f.SentAt)
		f.SentAt = f.SentAt.UTC()
		p.Followups = append(p.Followups, f)
		return err
	}, conversations)
	queueEach(b, listAlerts, func(row pgx.Row) error {
		var a chatops.PersonAlert
		var created, delivered *time.Time
		err := row.Scan(&a.ID, &a.EventType, &a.Target, &a.Status, &created, &delivered)
		a.CreatedAt, a.DeliveredAt = utc(created), utc(delivered)
		p.Alerts = append(p.Alerts, a)
		return err
	}, names)
}

// queueEach queues a query and calls scan for each row.
func queueEach(b *pgx.Batch, sql string, scan func(row pgx.Row) error, args ...any) {
	b.Queue(sql, args...).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			if err := scan(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}
