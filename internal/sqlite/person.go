package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"unicode/utf8"

	"chatops/internal/chatops"
)

// The rows of a person. ?1 holds the spellings of the address, or what names
// the person, as a JSON array; ids and sessions are JSON arrays too.
const (
	// personConversations also finds those that know the address by their lead
	// only.
	personConversations = `
select id, session_id from chat_conversations where lower(email) in (select value from json_each(?1))
union
select c.id, c.session_id from leads l join chat_conversations c on c.session_id = l.session_id
where lower(l.email) in (select value from json_each(?1)) and coalesce(c.email, '') = ''
order by 1`

	personLeads = `
select id from leads where lower(email) in (select value from json_each(?1))
  or session_id in (select value from json_each(?2)) and coalesce(email, '') = ''
order by id`

	personSuppression = `
select email_key, scope, source, created_at from suppression where loose_key in (select value from json_each(?1))
order by email_key = ?2 desc, id limit 1`

	listConversations = `
select id, session_id, email, started_at, coalesce(marketing_consent, 0), coalesce(rodo_consent, 0), context_data
from chat_conversations where id in (select value from json_each(?1)) order by id`

	listMessages = `
select conversation_id, sender, message, timestamp, is_followup from chat_messages
where conversation_id in (select value from json_each(?1)) order by conversation_id, id`

	listLeads = `select ` + leadColumns + ` from leads where id in (select value from json_each(?1)) order by id`

	listAudit = `
select ` + auditColumns + ` from consent_audit_log
where lower(email) in (select value from json_each(?1)) or conversation_id in (select value from json_each(?2))
  or lead_id in (select value from json_each(?3))
order by id`

	listFollowups = `
select id, conversation_id, followup_number, status, sent_at from followup_event
where conversation_id in (select value from json_each(?1)) order by conversation_id, followup_number`

	personAlerts = `
from dead_letter_queue d where exists (
  select 1 from json_each(?1) name where instr(lower(d.payload || ' ' || d.target), lower(name.value)) > 0)`

	listAlerts = `select d.id, d.event_type, d.target, d.status, d.created_at, d.delivered_at ` + personAlerts + ` order by d.id`
)

// found are the rows of a person.
type found struct {
	conversations, leads []int64
	sessions             []string
}

// find looks a person's rows up by the spellings of the address.
func find(each func(query string, scan func(row scanner) error, args ...any) error, spellings []string) (f found, err error) {
	err = each(personConversations, func(row scanner) error {
		var id int64
		var session string
		err := row.Scan(&id, textColumn{&session})
		f.conversations, f.sessions = append(f.conversations, id), append(f.sessions, session)
		return err
	}, jsonArray(spellings))
	if err != nil {
		return f, err
	}
	err = each(personLeads, func(row scanner) error {
		var id int64
		err := row.Scan(&id)
		f.leads = append(f.leads, id)
		return err
	}, jsonArray(spellings), jsonArray(f.sessions))
	return f, err
}

// names are the texts that name a person in a document: the address, and ids of
// sessions that are too long to be found by chance.
func (f *found) names(spellings []string) string {
	const chance = 16
	names := append([]string(nil), spellings...)
	for _, session := range f.sessions {
		if utf8.RuneCountInString(session) >= chance {
			names = append(names, session)
		}
	}
	return jsonArray(names)
}

// Person returns everything about an address, or CodeNotFound.
func (s *Store) Person(ctx context.Context, emailKey string) (*chatops.Person, error) {
	key := text(emailKey)
	m := s.mailbox(key)
	p := &chatops.Person{EmailKey: key}
	err := s.read(ctx, func(r *readTx) error {
		f, err := find(r.each, m.Spellings)
		if err != nil {
			return err
		}
		var held chatops.Suppression
		err = r.row(personSuppression, jsonArray(m.Suppressing), key).Scan(&held.EmailKey, &held.Scope, &held.Source, timeColumn{&held.CreatedAt})
		switch {
		case err == nil:
			p.Suppression = &held
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		if err := r.conversations(p, jsonArray(f.conversations)); err != nil {
			return err
		}
		return r.personRest(p, &f, m.Spellings)
	})
	if err != nil {
		return nil, err
	}
	if p.Suppression == nil && len(p.Conversations)+len(p.Leads)+len(p.Audit)+len(p.Alerts) == 0 {
		return nil, chatops.Errorf(chatops.CodeNotFound, "person of this address: nothing is known")
	}
	return p, nil
}

// conversations reads conversations with their messages.
func (r *readTx) conversations(p *chatops.Person, ids string) error {
	place := map[int64]int{}
	err := r.each(listConversations, func(row scanner) error {
		var c chatops.PersonConversation
		err := row.Scan(&c.ID, textColumn{&c.SessionID}, textColumn{&c.Email}, timeColumn{&c.StartedAt},
			&c.MarketingConsent, &c.RODOConsent, textColumn{&c.Context})
		place[c.ID] = len(p.Conversations)
		p.Conversations = append(p.Conversations, c)
		return err
	}, ids)
	if err != nil {
		return err
	}
	return r.each(listMessages, func(row scanner) error {
		var id int64
		var m chatops.PersonMessage
		if err := row.Scan(&id, &m.Sender, textColumn{&m.Text}, timeColumn{&m.At}, &m.Followup); err != nil {
			return err
		}
		if i, ok := place[id]; ok {
			p.Conversations[i].Messages = append(p.Conversations[i].Messages, m)
		}
		return nil
	}, ids)
}

// personRest reads what is not a conversation.
func (r *readTx) personRest(p *chatops.Person, f *found, spellings []string) error {
	conversations, leads := jsonArray(f.conversations), jsonArray(f.leads)
	err := r.each(listLeads, func(row scanner) error {
		var l chatops.Lead
		err := scanLead(row, &l)
		p.Leads = append(p.Leads, l)
		return err
	}, leads)
	if err != nil {
		return err
	}
	err = r.each(listAudit, func(row scanner) error {
		var e chatops.AuditEntry
		err := scanAudit(row, &e)
		p.Audit = append(p.Audit, e)
		return err
	}, jsonArray(spellings), conversations, leads)
	if err != nil {
		return err
	}
	err = r.each(listFollowups, func(row scanner) error {
		var u chatops.Followup
		err := row.Scan(&u.ID, &u.ConversationID, &u.Number, &u.Status, timeColumn{&u.SentAt})
		p.Followups = append(p.Followups, u)
		return err
	}, conversations)
	if err != nil {
		return err
	}
	return r.each(listAlerts, func(row scanner) error {
		var a chatops.PersonAlert
		err := row.Scan(&a.ID, &a.EventType, &a.Target, &a.Status, timeColumn{&a.CreatedAt}, timeColumn{&a.DeliveredAt})
		p.Alerts = append(p.Alerts, a)
		return err
	}, f.names(spellings))
}
