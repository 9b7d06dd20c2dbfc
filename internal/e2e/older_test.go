package e2e

import (
	"strings"
	"testing"
)

// olderSecret is part of the webhook address that the older application kept
// in dead_letter_queue.target.
const olderSecret = "T00/B00/olderwebhookcanary"

// olderSchema is the database as the older application's ORM makes it at start;
// %id% and %time% are the engine's words.
const olderSchema = `
create table chat_conversations (id %id% primary key, session_id varchar(100) not null unique, email varchar(255),
  started_at %time% not null, ended_at %time%, context_data text, user_satisfaction integer, feedback_text text,
  awaiting_confirmation boolean, followup_variant varchar(10), conversation_summary text, needs_human_review boolean,
  followup_count integer, last_followup_at %time%);
create table chat_messages (id %id% primary key, conversation_id integer not null references chat_conversations (id),
  message text not null, sender varchar(20) not null, timestamp %time% not null, is_followup boolean);
create table leads (id %id% primary key, session_id varchar(100), name varchar(100), email varchar(100), phone varchar(20),
  interested_package varchar(50), property_size varchar(20), property_type varchar(50), location varchar(100),
  additional_info text, message text, source varchar(50), status varchar(50), notes text, monday_item_id varchar(100),
  lead_score integer, data_confirmed boolean, assigned_to_user_id varchar(100), created_at %time%, updated_at %time%);
create table followup_events (id %id% primary key, conversation_id integer not null, followup_number integer not null,
  sent_at %time% not null, status varchar(20) not null);
create table consent_audit_log (id %id% primary key, conversation_id integer, lead_id integer, email varchar(255),
  action varchar(50) not null, timestamp %time% not null, ip_address varchar(50), user_agent text, reason text, notes text);
create table dead_letter_queue (id %id% primary key, event_type varchar(50) not null, target varchar(255) not null,
  payload text not null, error_message text, retry_count integer, created_at %time%, last_retry_at %time%, status varchar(20));
create table rodo_consents (id %id% primary key, session_id varchar(100) not null, consent_given boolean, consent_date %time%,
  ip_address varchar(50), user_agent varchar(500));
create table bookings (id %id% primary key, conversation_id integer references chat_conversations (id), note text)`

var olderRows = []string{
	`insert into chat_conversations (id, session_id, started_at, context_data, awaiting_confirmation) values
	 (1, 'older-1', '2025-11-01 10:00:00', '{"name": "Ewa Zając", "email": "Ewa@Przyklad.pl", "city": "Kraków", "square_meters": 70, "package": "comfort"}', false),
	 (7, 'older-2', '2025-11-02 11:30:00.250000', '{"marketing_consent": true}', false)`,
	`insert into chat_messages (id, conversation_id, message, sender, timestamp) values
	 (1, 1, 'Jestem Ewa Zając z Krakowa', 'user', '2025-11-01 10:00:01'), (2, 1, 'Dzień dobry!', 'bot', '2025-11-01 10:00:02'),
	 (5, 7, 'Hej', 'user', '2025-11-02 11:30:01'), (6, 7, 'Dzień dobry!', 'bot', '2025-11-02 11:30:02')`,
	`insert into leads (id, session_id, name, email, status, notes, created_at, assigned_to_user_id) values
	 (1, 'older-9', 'Adam Pierwszy', 'adam@przyklad.pl', 'new', 'marketing_consent:false', '2025-10-01 08:00:00', 'u-17'),
	 (2, 'older-9', 'Adam Drugi', 'adam2@przyklad.pl', 'contacted', null, '2025-10-02 08:00:00', null),
	 (3, null, 'Bez Sesji', 'bez@przyklad.pl', 'converted', null, '2025-10-03 08:00:00', null)`,
	`insert into followup_events (id, conversation_id, followup_number, sent_at, status) values
	 (1, 1, 1, '2025-11-02 10:00:00', 'sent'), (2, 1, 1, '2025-11-02 10:00:01', 'sent'), (3, 1, 2, '2025-11-05 10:00:00', 'failed')`,
	`insert into consent_audit_log (id, conversation_id, lead_id, email, action, timestamp) values
	 (1, null, 3, null, 'unsubscribe', '2025-11-03 09:00:00')`,
	`insert into dead_letter_queue (id, event_type, target, payload, error_message, retry_count, created_at, last_retry_at, status) values
	 (1, 'slack_alert', 'https://hooks.slack.example/services/` + olderSecret + `', '{"text": "Nowy lead: Adam"}', 'timeout', 2, '2025-11-01 10:05:00', '2025-11-01 10:15:00', 'pending'),
	 (2, 'slack_alert', 'https://hooks.slack.example/services/` + olderSecret + `', '{"text": "Nowy lead: Ewa"}', 'timeout', 5, '2025-11-01 10:06:00', '2025-11-01 10:30:00', 'failed')`,
	`insert into rodo_consents (id, session_id, consent_given) values (1, 'older-1', true)`,
	`insert into bookings (id, conversation_id, note) values (1, 7, 'środa')`,
}

// olderWorld has the database of the older application, filled.
func olderWorld(t *testing.T, e engine) *world {
	t.Helper()
	w := emptyWorld(t, e)
	id, moment := "serial", "timestamp without time zone"
	if e == sqlite {
		id, moment = "integer", "datetime"
	}
	for statement := range strings.SplitSeq(strings.NewReplacer("%id%", id, "%time%", moment).Replace(olderSchema), ";") {
		w.exec(statement)
	}
	for _, statement := range olderRows {
		w.exec(statement)
	}
	w.useReceivers()
	return w
}

// The main job of stage 2: the older application's database, migrated by one
// command, serves its visitors, its leads and its waiting alerts.
func TestOlder_DatabaseIsTakenOverAndServedFromTheNextRequestOn(t *testing.T) {
	t.Parallel()
	for _, e := range []engine{sqlite, postgres} {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			w := olderWorld(t, e)
			dry := w.must("migrate", "up", "--dry-run")
			if n := w.number(`select count(*) from followup_events`); n != 3 {
				t.Errorf("a dry run changed the database: %d follow-ups", n)
			}
			done := w.must("migrate", "up", "--yes")
			checkOlderReport(t, "dry run", dry.out)
			checkOlderReport(t, "migrate up", done.out)
			w.checkOlderRows(t)
			w.checkOlderServed(t)
			if again := w.must("migrate", "up"); strings.Contains(again.out, "followup_events") {
				t.Errorf("the second run adopts again:\n%s", again.out)
			}
		})
	}
}

// checkOlderReport checks that the rows of every table are accounted for, on
// paper before it is done and again when it is.
func checkOlderReport(t *testing.T, name, out string) {
	t.Helper()
	for _, line := range []string{
		"table\tfrom\tbefore\tkept\tarchived\tchanged\tafter",
		"chat_conversations\tchat_conversations\t2\t2\t0\t1\t2",
		"chat_messages\tchat_messages\t4\t4\t0\t0\t4",
		"leads\tleads\t3\t2\t1\t0\t2",
		"followup_event\tfollowup_events\t3\t2\t1\t0\t2",
		"dead_letter_queue\tdead_letter_queue\t2\t2\t0\t0\t2",
		"followup_event\tduplicate_followup\t1\t",
		"dead_letter_queue\ttarget_secret\t2\t",
	} {
		if !strings.Contains(out, "\n"+line) {
			t.Errorf("%s does not tell %q:\n%s", name, line, out)
		}
	}
}

func (w *world) checkOlderRows(t *testing.T) {
	t.Helper()
	for query, want := range map[string]int{
		`select count(*) from chat_conversations`:                                         2,
		`select count(*) from chat_messages`:                                              4,
		`select count(*) from leads`:                                                      2,
		`select count(*) from followup_event`:                                             2,
		`select count(*) from dead_letter_queue`:                                          2,
		`select count(*) from consent_audit_log`:                                          1,
		`select count(*) from bookings`:                                                   1,
		`select count(*) from adoption_archive where table_name = 'leads' and row_id = 2`: 1,
		`select count(*) from adoption_archive where table_name like 'followup_event%'`:   1,
		`select sum(n) from dlq_count`:                                                    2,
		`select followup_number from followup_event where id = 1`:                         1,
		// Consent: what was withdrawn stays withdrawn, what nobody gave is not given.
		`select count(*) from leads where marketing_consent`:                                         0,
		`select count(*) from chat_conversations where marketing_consent`:                            1,
		`select count(*) from chat_conversations where rodo_consent`:                                 1,
		`select count(*) from suppression where email_key = 'bez@przyklad.pl'`:                       1,
		`select retry_count from dead_letter_queue where id = 1`:                                     2,
		`select count(*) from chat_messages m join chat_conversations c on c.id = m.conversation_id`: 4,
	} {
		if got := w.number(query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
	for query, want := range map[string]string{
		`select lower(email) from chat_conversations where id = 1`:                          "ewa@przyklad.pl",
		`select name from leads where session_id = 'older-9'`:                               "Adam Pierwszy",
		`select assigned_to_user_id from leads where id = 1`:                                "u-17",
		`select target from dead_letter_queue where id = 2`:                                 "slack:alerts",
		`select status from dead_letter_queue where id = 2`:                                 "failed",
		`select email from consent_audit_log`:                                               "bez@przyklad.pl",
		`select session_id from chat_conversations where id = 7`:                            "older-2",
		`select name from leads where id = 3 and session_id is null`:                        "Bez Sesji",
		`select note from bookings b join chat_conversations c on c.id = b.conversation_id`: "środa",
	} {
		if got := w.text(query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	for table, text := range map[string]string{
		"dead_letter_queue": "target || coalesce(error_message, '') || cast(payload as text)",
		"adoption_archive":  "reason || cast(data as text)",
		"dlq_lane":          "lane",
	} {
		if n := w.number(`select count(*) from ` + table + ` where ` + text + ` like '%olderwebhookcanary%'`); n != 0 {
			t.Errorf("%s still holds the webhook's secret in %d rows", table, n)
		}
	}
}

func (w *world) checkOlderServed(t *testing.T) {
	t.Helper()
	w.env["ADMIN_API_KEY"] = "adminkey0canary"
	s := w.serve()
	// The conversation goes on where it was left.
	r := s.mustSay("older-1", "Mój telefon to 600 700 800")
	if r.Context["name"] != "Ewa Zając" || r.Context["city"] != "Kraków" || r.Context["phone"] != "+48600700800" {
		t.Errorf("the conversation goes on with %v", r.Context)
	}
	s.mustSay("older-1", "tak, zgadza się")
	if n := w.number(`select count(*) from leads where session_id = 'older-1'`); n != 1 {
		t.Errorf("%d leads of the older conversation, want 1", n)
	}
	list := s.mustSend(200, "GET", "/api/leads/", nil, "Authorization", "Bearer adminkey0canary").body
	for _, name := range []string{"Adam Pierwszy", "Bez Sesji", "Ewa Zając"} {
		if !strings.Contains(list, name) {
			t.Errorf("the list of leads lacks %s: %s", name, list)
		}
	}
	history := s.mustSend(200, "GET", "/api/chatbot/history/older-1", nil, "Authorization", "Bearer adminkey0canary").body
	if !strings.Contains(history, "Jestem Ewa Zając z Krakowa") || !strings.Contains(history, "2025-11-01T10:00:01Z") {
		t.Errorf("the history is %s", history)
	}
	// The alert that waited is sent by itself, the one that had failed by command.
	w.await(1, `select count(*) from dead_letter_queue where id = 1 and status = 'delivered'`)
	w.must("dlq", "retry", "2", "--yes", "--now")
	texts := strings.Join(w.slack.Texts(), "\n")
	if !strings.Contains(texts, "Nowy lead: Adam") || !strings.Contains(texts, "Nowy lead: Ewa") {
		t.Errorf("Slack got %s", texts)
	}
}

// With MIGRATION_SECRET a server on PostgreSQL waits for its migrations and can
// be told to make them, as the older runbook does.
func TestOlder_DatabaseIsMigratedOverHTTPAndThenServed(t *testing.T) {
	t.Parallel()
	w := olderWorld(t, postgres)
	w.env["MIGRATION_SECRET"] = "migration0canary"
	p := w.start("serve")
	s := w.serverAt(p, p.awaitLog("waits for its migrations"))
	s.awaitStatus("/readyz", 503)
	if r, err := s.say(t.Context(), "older-1", "hej"); err != nil || r.status != 503 || r.header.Get("Retry-After") == "" {
		t.Errorf("before the migration: %+v, %v", r, err)
	}
	s.mustSend(401, "POST", "/api/migration/create-dead-letter-queue", nil, "X-Migration-Secret", "wrong")
	a := s.mustSend(200, "POST", "/api/migration/create-dead-letter-queue", nil, "X-Migration-Secret", "migration0canary")
	if !strings.Contains(a.body, `"success":true`) || !strings.Contains(a.body, `"chat_messages"`) {
		t.Errorf("the endpoint answers %s", a.body)
	}
	s.awaitStatus("/readyz", 200)
	s.mustSay("older-1", "Mój telefon to 600 700 800")
	s.expectNowhere("migration0canary")
	s.term()
	if code := s.wait(); code != 0 {
		t.Errorf("serve ended with %d, want 0", code)
	}
}
