package migrations_test

import (
	"slices"
	"strings"
	"testing"
)

func TestAdopt_TheAuditLogKeepsEveryRowAndItsLastWordCounts(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 60)
	eachEngine(t, func(t *testing.T, d database) {
		db, a := d.adopt(t, false, textConversations,
			`create table leads (id text, email text, marketing_consent text, rodo_consent text)`,
			`create table consent_audit_log (id text, conversation_id text, lead_id text, email text, action text, timestamp text)`,
			`insert into chat_conversations (id, session_id, email, marketing_consent, rodo_consent) values
			('1', 's1', 'jan@x.pl', 'true', 'true'), ('2', 's2', 'Back@x.pl', 'true', 'true'), ('3', 's3', 'zofia@żółw.pl', 'true', 'true')`,
			`insert into leads values ('5', 'ewa@x.pl', 'true', 'true')`,
			`insert into consent_audit_log values
			('1', '1', null, null, 'unsubscribe', '2025-12-01 10:00:00'),
			('2', null, '5', null, 'Revoke_Consent', '2025-12-01 11:00:00'),
			('3', null, null, null, null, null),
			('4', null, null, 'Zofia@ŻÓŁW.pl', 'opt_out', '2025-12-01 12:00:00'),
			('5', null, null, 'back@x.pl', 'unsubscribe', '2025-12-01'),
			('6', null, null, 'BACK@x.pl', 'subscribe', '2025-12-02'),
			('7', null, null, 'x@x.pl', '`+long+`', '2025-12-03')`)
		wantRows(t, db, `select id, conversation_id, lead_id, email, action, timestamp from consent_audit_log`,
			"1|1||jan@x.pl|unsubscribe|2025-12-01 10:00:00.000000",
			"2||5|ewa@x.pl|Revoke_Consent|2025-12-01 11:00:00.000000",
			"3||||unknown|2026-03-10 12:00:00.000000",
			"4|||Zofia@ŻÓŁW.pl|opt_out|2025-12-01 12:00:00.000000",
			"5|||back@x.pl|unsubscribe|2025-12-01 00:00:00.000000",
			"6|||BACK@x.pl|subscribe|2025-12-02 00:00:00.000000",
			"7|||x@x.pl|"+long[:50]+"|2025-12-03 00:00:00.000000",
		)
		// Looked up as the rest of the program does: the domain in ASCII.
		wantRows(t, db, `select email_key, scope, source from suppression`,
			"ewa@x.pl|all|adoption", "jan@x.pl|marketing|adoption", "zofia@xn--w-uga1v8h.pl|marketing|adoption")
		wantRows(t, db, `select id, marketing_consent, rodo_consent from chat_conversations`, "1|0|1", "2|1|1", "3|0|1")
		wantRows(t, db, `select id, marketing_consent, rodo_consent from leads`, "5|0|0")
		wantRows(t, db, archived, "consent_audit_log|7|action: longer than 50 characters")
		wantFindings(t, a, "consent_audit_log", map[string]int64{"long_text": 1, "action_missing": 1, "email_found": 2, "email_missing": 1, "time_missing": 1})
		wantFindings(t, a, "suppression", map[string]int64{"suppressed": 3})
	})
}

func TestAdopt_ConsentIsWhatAnyoneOfTheSessionSaidAndElseTheMode(t *testing.T) {
	t.Parallel()
	for _, mode := range []struct {
		name                 string
		implied              bool
		conversations, leads []string
	}{
		{"explicit", false, []string{"1|0|0", "2|0|0", "3|0|0", "4|0|0", "5|1|1", "6|1|0"}, []string{"1|0|0", "2|1|0", "3|0|1"}},
		{"implied", true, []string{"1|0|1", "2|1|1", "3|1|0", "4|0|1", "5|1|1", "6|1|1"}, []string{"1|0|1", "2|1|1", "3|0|1"}},
	} {
		t.Run(mode.name, func(t *testing.T) {
			t.Parallel()
			eachEngine(t, func(t *testing.T, d database) {
				db, _ := d.adopt(t, mode.implied, textConversations,
					`create table leads (id text, session_id text, notes text, marketing_consent text, rodo_consent text)`, ormConsents,
					`insert into chat_conversations (id, session_id, context_data, marketing_consent, rodo_consent) values
					('1', 's1', null, 'yes', null), ('2', 's2', null, null, null), ('3', 's3', null, null, 'true'),
					('4', 's4', '{"marketing_consent": "nie"}', null, null), ('5', 's5', null, '1', 'tak'), ('6', 's6', null, null, null)`,
					`insert into leads values ('1', 's1', null, 'no', null), ('2', 's6', 'marketing_consent=true', null, null),
					('3', null, 'marketing_consent:false', null, 'true')`,
					`insert into rodo_consents (id, session_id, consent_given) values (1, 's3', false)`)
				wantRows(t, db, `select id, marketing_consent, rodo_consent from chat_conversations`, slices.Clone(mode.conversations)...)
				wantRows(t, db, `select id, marketing_consent, rodo_consent from leads`, slices.Clone(mode.leads)...)
				wantRows(t, db, `select count(*) from rodo_consents`, "1") // evidence is left as it is
			})
		})
	}
}

func TestAdopt_AlertsByTheirRules(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, d database) {
		db, a := d.adopt(t, false,
			`create table dead_letter_queue (id text, event_type text, target text, payload text, error_message text, retry_count text, status text,
			created_at text, last_retry_at text)`,
			`insert into dead_letter_queue values
			('1', 'slack_alert', 'https://hooks.slack.com/services/T0/B0/TopSecret', '{"text":"hi"}',
				'POST https://hooks.slack.com/services/T0/B0/TopSecret failed for jan@x.pl', '2', 'retrying', '2025-12-01', '2025-12-02'),
			('2', 'sms', '+48600700800', '{"text":"x"}', null, '0', 'pending', '2025-12-01', null),
			('3', 'email', 'jan@x.pl', '{"body":"Hello","title":"Hi"}', null, '-3', 'sent', '2025-12-01 10:00', '2025-12-01 10:05'),
			('4', 'monday_item', 'board', 'just text', 'boom', '1', 'odd', '2025-12-01', null),
			('5', null, null, null, null, null, null, null, null),
			('6', 'slack_alert', 'slack:alerts', '{"text":"no"}', null, '5', 'dead', '2025-12-01', null)`)
		wantRows(t, db, `select id, event_type, target, status, retry_count, error_message, delivered_at from dead_letter_queue`,
			"1|slack_alert|slack:alerts|pending|2|POST https://hooks.slack.com/[redacted] failed for [address]|",
			"2|sms|older:sms|failed|0|adopted: no integration serves sms|",
			"3|email|mailto:jan@x.pl|delivered|0||2025-12-01 10:05:00.000000",
			"4|monday_item|monday:leads|failed|1|adopted with the unknown status odd; boom|",
			"5|unknown|older:unknown|failed|0|adopted: no integration serves it|",
			"6|slack_alert|slack:alerts|failed|5||",
		)
		for id, want := range map[string]string{
			"3": `{"body":"Hello","subject":"Hi","text":"Hello","title":"Hi"}`, "4": `{"raw":"just text"}`, "5": `{}`,
		} {
			got := one(t, db, `select cast(payload as text) from dead_letter_queue where id = `+id)
			if !sameJSON(got, want) {
				t.Errorf("payload of alert %s is %s, want %s", id, got, want)
			}
		}
		wantRows(t, db, archived,
			"dead_letter_queue|2|target: no integration serves it",
			"dead_letter_queue|3|payload: not as its receiver accepts it",
			"dead_letter_queue|4|target: replaced by a logical name; payload: not JSON; status: unknown",
			"dead_letter_queue|5|target: no integration serves it",
		)
		wantFindings(t, a, "dead_letter_queue", map[string]int64{
			"target_unknown": 2, "target_changed": 1, "target_secret": 1, "payload_unreadable": 1, "payload_changed": 1, "payload_missing": 1,
			"status_unknown": 1, "status_mapped": 3, "alert_waiting": 1, "time_missing": 1,
		})
		wantRows(t, db, `select count(*) from adoption_archive where cast(data as text) like '%TopSecret%'`, "0")
	})
}
