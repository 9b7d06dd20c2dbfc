package migrations_test

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/migrations"
)

// The rules of an adoption, one by one and by name: each test makes a table with
// a row for each rule. adopt_property_test.go compares random mixtures with a
// model; a rule that both have wrong is found here.

// adopt takes over what the statements have made, at a fixed time.
func (d database) adopt(t *testing.T, implied bool, statements ...string) (*sql.DB, *chatops.Adoption) {
	t.Helper()
	db := d.open(t)
	d.exec(t, db, statements...)
	m, err := migrations.New(d.open(t), d.dialect, migrations.Options{ImpliedConsent: implied, NowFunc: func() time.Time { return adoptedAt }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	if m.Adopted() == nil {
		t.Fatal("nothing was taken over")
	}
	return db, m.Adopted()
}

// wantRows compares the rows of a query, their values parted by bars, in the
// order of their texts.
func wantRows(t *testing.T, db *sql.DB, query string, want ...string) {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), query)
	if err != nil {
		t.Fatalf("%v\n%s", err, query)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for rows.Next() {
		values, texts := make([]any, len(columns)), make([]string, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			texts[i] = shown(*v.(*any))
		}
		got = append(got, strings.Join(texts, "|"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s\ngives\n  %s\nwant\n  %s", query, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

const archived = `select table_name, row_id, reason from adoption_archive where table_name <> 'chatops'`

// wantFindings compares the findings about a table, by kind.
func wantFindings(t *testing.T, a *chatops.Adoption, table string, want map[string]int64) {
	t.Helper()
	got := map[string]int64{}
	for _, f := range a.Findings {
		if f.Table != table || strings.HasPrefix(f.Kind, "columns_") || strings.HasPrefix(f.Kind, "consent_") {
			continue
		}
		got[f.Kind] += f.Count
		if f.Rule == "" {
			t.Errorf("%s of %s has no rule", f.Kind, table)
		}
	}
	for kind, n := range want {
		if got[kind] != n {
			t.Errorf("%s: %d rows of kind %s, want %d", table, got[kind], kind, n)
		}
		delete(got, kind)
	}
	if len(got) > 0 {
		t.Errorf("%s: findings %v are too many", table, got)
	}
}

const textConversations = `create table chat_conversations (id text, session_id text, email text, started_at text, last_followup_at text,
  context_data text, marketing_consent text, rodo_consent text)`

func TestAdopt_ConversationsByTheirRules(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, d database) {
		db, a := d.adopt(t, false, textConversations,
			`insert into chat_conversations (id, session_id, email, started_at, context_data) values
			('1', 's1', null, '2025-12-01 10:00:00', null),
			('2', 's1', 'earlier@x.pl', '2025-11-30 10:00:00+01:00', null),
			('3', 's3', null, '2025-12-01', '{"email":"from@x.pl","square_meters":"75 m2"}'),
			('x', 's4', null, '2025-12-01 10:00', '[1]'),
			('5', 's5', null, 'yesterday', 'not JSON'),
			('5', 's6', null, '2025-12-01', '{"favourite":"blue"}'),
			('7', null, null, null, null)`)
		wantRows(t, db, `select id, case when session_id like 'adopted-%' then 'new' else session_id end, email, started_at,
			case when context_data is null then 'none' else 'some' end from chat_conversations`,
			"2|s1|earlier@x.pl|2025-11-30 09:00:00.000000|none",
			"3|s3|from@x.pl|2025-12-01 00:00:00.000000|some",
			"5|s5||2026-03-10 12:00:00.000000|none",
			"7|new||2026-03-10 12:00:00.000000|none",
			"8|s4||2025-12-01 10:00:00.000000|none",
			"9|s6||2025-12-01 00:00:00.000000|some",
		)
		wantRows(t, db, archived,
			"chat_conversations|1|session_id: an earlier conversation has it",
			"chat_conversations|3|context_data: values of other types",
			"chat_conversations|5|context_data: not JSON; started_at: not readable",
			"chat_conversations|8|id: missing, not a number, or used twice; context_data: not an object",
			"chat_conversations|9|id: missing, not a number, or used twice; context_data: further fields",
		)
		wantFindings(t, a, "chat_conversations", map[string]int64{
			"duplicate_session": 1, "context_changed": 1, "context_unreadable": 2, "context_further": 1, "id_replaced": 2,
			"session_missing": 1, "email_from_context": 1, "time_missing": 1, "unreadable_value": 1,
		})
		if kept := a.Tables[0]; kept.RowsBefore != 7 || kept.Kept != 6 || kept.Archived != 1 || kept.Changed != 4 || kept.RowsAfter != 6 {
			t.Errorf("the report says %+v", kept)
		}
	})
}

func TestAdopt_MessagesFollowTheConversationThatIsKept(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, d database) {
		db, a := d.adopt(t, false, textConversations,
			`create table chat_messages (id text, conversation_id text, message text, sender text, timestamp text, is_followup text)`,
			`insert into chat_conversations (id, session_id, started_at) values ('1', 's1', '2025-12-01 10:00:00'), ('2', 's1', '2025-12-02 10:00:00')`,
			`insert into chat_messages values
			('1', '1', 'hi', 'USER', '2025-12-01 10:00:01', '0'),
			('2', '2', 'of the other', 'human', null, null),
			('3', '99', 'nobody heard it', 'bot', '2025-12-01 10:00:03', null),
			('4', '1', null, 'assistant', '2025-12-01 10:00:04', '1'),
			('5', '1', 'who am I', 'moderator', '2025-12-01 10:00:05', null),
			('6', '1', 'nobody', null, 'soon', 'yes')`)
		wantRows(t, db, `select id, conversation_id, message, sender, timestamp, is_followup from chat_messages`,
			"1|1|hi|user|2025-12-01 10:00:01.000000|0",
			"2|1|of the other|user|2025-12-01 10:00:00.000000|0",
			"4|1||bot|2025-12-01 10:00:04.000000|1",
			"5|1|who am I|bot|2025-12-01 10:00:05.000000|0",
			"6|1|nobody|bot|2025-12-01 10:00:00.000000|1",
		)
		wantRows(t, db, `select id, last_user_message_at from chat_conversations`, "1|2025-12-01 10:00:01.000000")
		wantRows(t, db, archived,
			"chat_conversations|2|session_id: an earlier conversation has it",
			"chat_messages|3|conversation_id: no such conversation",
			"chat_messages|5|sender: neither the user nor the bot",
			"chat_messages|6|timestamp: not readable",
		)
		wantFindings(t, a, "chat_messages", map[string]int64{
			"orphan": 1, "sender_unknown": 1, "sender_mapped": 2, "sender_missing": 1, "message_missing": 1, "time_missing": 1, "unreadable_value": 1,
		})
	})
}

func TestAdopt_LeadsByTheirRules(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, d database) {
		db, a := d.adopt(t, false,
			`create table leads (id text, session_id text, name text, status text, lead_score text, source text, notes text, created_at text, updated_at text)`,
			`insert into leads values
			('1', 's1', 'Jan', 'NEW', '40', 'form', null, '2025-12-02', '2025-12-03'),
			('2', 's1', 'Jan before', ' Contacted ', '50', null, null, '2025-12-01', null),
			('3', null, 'Ewa', 'hot', 'many', 'form', 'marketing_consent: true', null, '2025-12-05 08:00:00'),
			('4', null, 'Ewa again', null, null, null, null, null, null)`)
		wantRows(t, db, `select id, session_id, name, status, lead_score, source, marketing_consent, created_at, updated_at from leads`,
			"2|s1|Jan before|contacted|50|chatbot|0|2025-12-01 00:00:00.000000|2025-12-01 00:00:00.000000",
			"3||Ewa|new|0|form|1|2025-12-05 08:00:00.000000|2025-12-05 08:00:00.000000",
			"4||Ewa again|new|0|chatbot|0|2026-03-10 12:00:00.000000|2026-03-10 12:00:00.000000",
		)
		wantRows(t, db, archived,
			"leads|1|session_id: an earlier lead has it",
			"leads|3|status: unknown; lead_score: not readable",
		)
		wantFindings(t, a, "leads", map[string]int64{"duplicate_session": 1, "status_unknown": 1, "unreadable_value": 1, "time_missing": 2})
	})
}

func TestAdopt_FollowupsKeepTheEarliestOfANumber(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, d database) {
		db, a := d.adopt(t, false, textConversations,
			`create table followup_events (id text, conversation_id text, followup_number text, sent_at text, status text)`,
			`insert into chat_conversations (id, session_id, started_at, last_followup_at) values
			('1', 's1', '2025-12-01 10:00:00', '2025-12-04 10:00:00'), ('2', 's2', '2025-12-01 11:00:00', null)`,
			`insert into followup_events values
			('1', '1', '1', '2025-12-02 12:00:00', 'sent'),
			('2', '1', '1', '2025-12-02 10:00:00', 'opened'),
			('3', '77', '1', '2025-12-02 10:00:00', 'sent'),
			('4', '2', 'first', '2025-12-03', 'sent'),
			('5', '2', '2', null, 'delivered to the mail server'),
			('6', '1', '3', null, null)`)
		wantRows(t, db, `select id, conversation_id, followup_number, status, sent_at from followup_event`,
			"2|1|1|opened|2025-12-02 10:00:00.000000",
			"5|2|2|delivered to the mai|2025-12-01 11:00:00.000000",
			"6|1|3|sent|2025-12-04 10:00:00.000000",
		)
		// Nobody knows when the second conversation's was sent.
		wantRows(t, db, `select id, followup_count, last_followup_at from chat_conversations`, "1|2|2025-12-04 10:00:00.000000", "2|1|")
		wantRows(t, db, archived,
			"followup_events|1|followup_number: an earlier follow-up of the conversation has it",
			"followup_events|3|conversation_id: no such conversation",
			"followup_events|4|followup_number: missing or not a number; followup_number: not readable",
			"followup_events|5|status: longer than 20 characters",
		)
		wantFindings(t, a, "followup_event", map[string]int64{
			"table_renamed": 1, "duplicate_followup": 1, "orphan": 1, "number_missing": 1, "long_text": 1, "time_missing": 2, "unreadable_value": 1,
		})
	})
}

// An installation that was renamed half-way has both tables.
func TestAdopt_TwoTablesOfFollowupsBecomeOne(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, d database) {
		db, a := d.adopt(t, false, textConversations,
			`create table followup_event (id text, conversation_id text, followup_number text, sent_at text, status text)`,
			`create table followup_events (id text, conversation_id text, followup_number text, sent_at text, campaign text)`,
			`insert into chat_conversations (id, session_id, started_at) values ('1', 's1', '2025-12-01 10:00:00')`,
			`insert into followup_event values ('1', '1', '1', '2025-12-02', 'opened'), ('2', '1', '2', '2025-12-04', 'sent')`,
			`insert into followup_events values ('1', '1', '2', '2025-12-03', 'winter')`)
		wantRows(t, db, `select id, followup_number, status, sent_at, campaign from followup_event`,
			"1|1|opened|2025-12-02 00:00:00.000000|", "3|2|sent|2025-12-03 00:00:00.000000|winter")
		wantRows(t, db, archived,
			"followup_event|2|followup_number: an earlier follow-up of the conversation has it",
			"followup_events|3|id: missing, not a number, or used twice",
		)
		for _, from := range a.Tables {
			before := map[string]int64{"chat_conversations": 1, "followup_event": 2, "followup_events": 1}[from.From]
			if from.RowsBefore != before || from.RowsBefore != from.Kept+from.Archived {
				t.Errorf("the report says %+v", from)
			}
		}
	})
}
