package migrations_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"chatops/migrations"
)

// The tables as the older application's ORM creates them at start. {id}, {time}
// and {bool} are the engines' words.
const (
	ormConversations = `
create table chat_conversations (id {id}, session_id varchar(100) not null unique, email varchar(255), started_at {time} not null,
  ended_at {time}, context_data text, user_satisfaction integer, feedback_text text, awaiting_confirmation {bool},
  followup_variant varchar(10), conversation_summary text, needs_human_review {bool}, followup_count integer,
  last_followup_at {time}, marketing_consent {bool}, rodo_consent {bool});
create index ix_chat_conversations_email on chat_conversations (email)`
	ormMessages = `
create table chat_messages (id {id}, conversation_id integer not null references chat_conversations (id) on delete cascade,
  message text not null, sender varchar(20) not null, timestamp {time} not null, is_followup {bool})`
	ormLeads = `
create table leads (id {id}, session_id varchar(100), name varchar(100), email varchar(100), phone varchar(20),
  interested_package varchar(50), property_size varchar(20), property_type varchar(50), location varchar(100),
  additional_info text, message text, source varchar(50), status varchar(50), notes text, monday_item_id varchar(100),
  lead_score integer, conversation_summary text, data_confirmed {bool}, last_interaction {time}, email_verified {bool},
  email_verification_token varchar(128), email_verified_at {time}, phone_verified {bool}, phone_verification_code varchar(6),
  phone_verified_at {time}, assigned_to_user_id varchar(100), assigned_at {time}, first_contact_at {time},
  expected_contact_by {time}, marketing_consent {bool}, rodo_consent {bool}, created_at {time}, updated_at {time})`
	ormFollowups = `
create table followup_events (id {id}, conversation_id integer not null, followup_number integer not null,
  sent_at {time} not null, status varchar(20) not null,
  constraint uq_conversation_followup unique (conversation_id, followup_number))`
	ormAudit = `
create table consent_audit_log (id {id}, conversation_id integer, lead_id integer, email varchar(255), action varchar(50) not null,
  timestamp {time} not null, ip_address varchar(50), user_agent text, reason text, notes text);
create index ix_consent_audit_log_email on consent_audit_log (email);
create index ix_consent_audit_log_timestamp on consent_audit_log (timestamp)`
	ormQueue = `
create table dead_letter_queue (id {id}, event_type varchar(50) not null, target varchar(255) not null, payload text not null,
  error_message text, retry_count integer, created_at {time} not null, last_retry_at {time}, status varchar(20));
create index ix_dead_letter_queue_created_at on dead_letter_queue (created_at)`
	ormConsents = `
create table rodo_consents (id {id}, session_id varchar(100) not null, consent_given {bool}, consent_date {time},
  ip_address varchar(50), user_agent varchar(500))`
	ormOthers = `
create table bookings (id {id}, conversation_id integer references chat_conversations (id), slot varchar(50));
create table audit_logs (id {id}, action varchar(100), session_id varchar(100), details text, timestamp {time})`

	// The tables that the older application's own migration notes add.
	seedFollowups = `
create table followup_event (id {id}, conversation_id integer not null references chat_conversations (id),
  followup_number integer not null, status varchar(20) default 'sent', sent_at {time} not null default current_timestamp,
  unique (conversation_id, followup_number));
create index idx_followup_conversation on followup_event (conversation_id);
create index idx_followup_sent_at on followup_event (sent_at)`
	seedAudit = `
create table consent_audit_log (id {id}, conversation_id integer, lead_id integer, email varchar(255) not null,
  action varchar(50) not null, timestamp {time} not null default current_timestamp, ip_address varchar(50), user_agent text,
  reason text, notes text)`
	seedQueue = `
create table dead_letter_queue (id {id}, event_type varchar(50) not null, target varchar(255) not null, payload json not null,
  error_message text, retry_count integer default 0, status varchar(20) default 'pending',
  created_at {time} not null default current_timestamp, last_attempt_at {time}, delivered_at {time});
create index idx_dlq_status on dead_letter_queue (status, created_at);
create index idx_dlq_created on dead_letter_queue (created_at)`
)

// ormShape and seedShape are whole databases.
func ormShape() []string {
	return []string{ormConversations, ormMessages, ormLeads, ormFollowups, ormAudit, ormQueue, ormConsents, ormOthers}
}

func seedShape() []string {
	return []string{ormConversations, ormMessages, ormLeads, seedFollowups, seedAudit, seedQueue, ormConsents, ormOthers}
}

// ddl puts an engine's words into statements.
func (d database) ddl(text string) string {
	words := []string{"{id}", "serial primary key", "{time}", "timestamp", "{bool}", "boolean"}
	if d.dialect == migrations.SQLite {
		words = []string{"{id}", "integer not null primary key", "{time}", "datetime", "{bool}", "boolean"}
	}
	return strings.NewReplacer(words...).Replace(text)
}

// exec runs statements on a connection that checks no foreign keys, as the older
// application's did.
func (d database) exec(tb testing.TB, db *sql.DB, statements ...string) {
	tb.Helper()
	conn, err := db.Conn(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if d.dialect == migrations.SQLite {
		statements = append(append([]string{"pragma foreign_keys = off"}, statements...), "pragma foreign_keys = on")
	}
	for _, statement := range statements {
		if _, err := conn.ExecContext(context.Background(), d.ddl(statement)); err != nil {
			tb.Fatalf("%v\n%s", err, statement)
		}
	}
}

// one reads a single value as text; null is "".
func one(tb testing.TB, db *sql.DB, query string, args ...any) string {
	tb.Helper()
	var v any
	if err := db.QueryRowContext(context.Background(), query, args...).Scan(&v); err != nil {
		tb.Fatalf("%v\n%s", err, query)
	}
	return show(v)
}

func show(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case []byte:
		return string(v)
	case bool:
		if v {
			return "1"
		}
		return "0"
	}
	return fmt.Sprint(v)
}

// up takes over and fails the test when that fails.
func (d database) up(t *testing.T) *migrations.Migrator {
	t.Helper()
	m := d.migrator(t)
	if _, err := m.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m
}
