package migrations_test

import (
	"strings"
	"testing"
)

// The two whole databases that are known: what the older application's ORM made,
// and what its migration notes add to that.
func TestAdopt_WholeDatabasesOfTheOlderApplication(t *testing.T) {
	t.Parallel()
	for name, shape := range map[string][]string{"made by the ORM": ormShape(), "made from the notes": seedShape()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachEngine(t, func(t *testing.T, d database) { adoptWhole(t, d, shape) })
		})
	}
}

func adoptWhole(t *testing.T, d database, shape []string) {
	t.Helper()
	db := d.open(t)
	d.exec(t, db, shape...)
	d.exec(t, db, `insert into chat_conversations (id, session_id, started_at, context_data, marketing_consent, rodo_consent)
		values (7, 's7', '2025-12-01 10:00:00.123456', '{"name":"Jan","email":"jan@x.pl","square_meters":"75 m2"}', true, true)`,
		`insert into chat_messages (id, conversation_id, message, sender, timestamp, is_followup) values
		(1, 7, 'Dzień dobry', 'user', '2025-12-01 10:00:01', false), (2, 7, 'Witam', 'assistant', '2025-12-01 10:00:02.5', null)`,
		`insert into leads (id, session_id, name, email, status, created_at) values (3, 's7', 'Jan', 'jan@x.pl', 'NEW', '2025-12-01 10:01:00'),
		(4, 's7', 'Jan 2', 'jan@x.pl', 'odd', '2025-12-01 10:02:00')`,
		`insert into dead_letter_queue (id, event_type, target, payload, status, retry_count, created_at) values
		(9, 'slack_alert', 'https://hooks.slack.com/services/T0/B0/secret', '{"text":"hi"}', 'pending', 2, '2025-12-01 10:01:00')`,
	)
	m := d.migrator(t)
	preview, err := m.PreviewAdoption(t.Context())
	if err != nil || preview == nil {
		t.Fatalf("preview %v, %v", preview, err)
	}
	before := map[string][2]int64{}
	for _, table := range preview.Tables {
		before[table.Table] = [2]int64{table.RowsBefore, table.Kept}
	}
	for table, want := range map[string][2]int64{"chat_conversations": {1, 1}, "chat_messages": {2, 2}, "leads": {2, 1}, "dead_letter_queue": {1, 1}} {
		if before[table] != want {
			t.Errorf("the preview says of %s: %v rows before and kept, want %v", table, before[table], want)
		}
	}
	if _, err := m.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		`select email from chat_conversations where id = 7`:                       "jan@x.pl",
		`select count(*) from chat_messages where sender in ('user', 'bot')`:      "2",
		`select name from leads`:                                                  "Jan",
		`select status from leads`:                                                "new",
		`select count(*) from adoption_archive where table_name = 'leads'`:        "1",
		`select sum(n) from dlq_count where status = 'pending'`:                   "1",
		`select target from dead_letter_queue where id = 9`:                       "slack:alerts",
		`select retry_count from dead_letter_queue where id = 9`:                  "2",
		`select count(*) from followup_event`:                                     "0",
		`select count(*) from dead_letter_queue where target like '%secret%'`:     "0",
		`select count(*) from adoption_archive where reason like '%hooks.slack%'`: "0",
	} {
		if got := one(t, db, query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	if last := one(t, db, `select cast(last_user_message_at as text) from chat_conversations`); !strings.Contains(last, ":00:01") {
		t.Errorf("the visitor's last message was at %q", last)
	}
}
