package migrations_test

import (
	"encoding/json"
	"testing"
)

func TestAdopt_TheORMsShape(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, d database) {
		db := d.open(t)
		d.exec(t, db, ormShape()...)
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
		p, err := m.PreviewAdoption(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := json.MarshalIndent(p, "", " ")
		t.Logf("%s", raw)
		if _, err := m.Up(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, q := range []string{`select count(*) from adoption_archive`, `select cast(context_data as text) from chat_conversations`,
			`select n from dlq_count`, `select target from dead_letter_queue`, `select last_user_message_at from chat_conversations`} {
			t.Log(q, one(t, db, q))
		}
	})
}
