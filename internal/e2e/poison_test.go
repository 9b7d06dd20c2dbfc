package e2e

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// F14: rows that can never be delivered are quarantined with a reason; what
// waits behind them is delivered and the process lives.
func TestPoison_IsQuarantinedAndItsLaneMovesOn(t *testing.T) {
	t.Parallel()
	poison := []struct{ name, event, target, payload string }{
		{"a string", "slack_alert", "slack:alerts", `"just text"`},
		{"an array", "slack_alert", "slack:alerts", `[{"text":"x"}]`},
		{"null", "slack_alert", "slack:alerts", `null`},
		{"nothing to say", "slack_alert", "slack:alerts", `{}`},
		{"10 MB", "slack_alert", "slack:alerts", `{"text":"` + strings.Repeat("ż", 5<<20) + `"}`},
		{"name of the wrong type", "monday_item", "monday:leads", `{"item_name":{"a":[1]}}`},
		{"no name", "monday_item", "monday:leads", `{"item_name":"  "}`},
		{"fields of the wrong type", "monday_item", "monday:leads", `{"item_name":"x","fields":[1,2]}`},
		{"subject of the wrong type", "email_alert", "mailto:sales@firma.example", `{"subject":["a"],"text":7}`},
		{"two addresses", "email_alert", "mailto:a@firma.example,b@firma.example", emailPayload},
		{"line break in the address", "email_alert", "mailto:a@firma.example\r\nBcc: x@evil.example", emailPayload},
		{"an array for a webhook", "webhook_event", "webhook:crm", `[1,2]`},
		{"deep", "webhook_event", "webhook:crm", strings.Repeat(`[`, 900) + strings.Repeat(`]`, 900)},
		{"target of no integration", "night_call", "pager:night", `{}`},
		{"escalation of nothing", "escalation", "mailto:oncall@firma.example", `{"fingerprint":7}`},
	}
	forEachEngine(t, func(t *testing.T, w *world) {
		sink := startSink(t, "")
		w.env["WEBHOOKS"] = sink.setting()
		delete(w.env, "ESCALATION_EMAIL")
		for i, p := range poison {
			w.enqueue(p.event, p.target, p.payload, "poison-"+strconv.Itoa(i))
		}
		broken := len(poison)
		if w.engine == sqlite { // PostgreSQL's type keeps broken JSON out
			w.enqueueBroken(t)
			broken++
		}
		w.enqueueLead("s1")
		w.enqueue("webhook_event", "webhook:crm", webhookPayload, "lead:s1:webhook:crm")
		s := w.serve()
		w.await(4, `select count(*) from dead_letter_queue where status = 'delivered' and idempotency_key like 'lead:%'`)
		w.await(broken, `select count(*) from dead_letter_queue where status = 'failed' and idempotency_key like 'poison-%'`)
		for _, a := range w.alerts() {
			if a.status == "failed" && (a.reason == "" || a.attempts > 1) {
				t.Errorf("alert %+v, want one attempt at most and a reason", a)
			}
		}
		if status, _ := s.get("/readyz"); status != http.StatusOK {
			t.Errorf("/readyz answers %d", status)
		}
		w.must("dlq", "list", "-o", "json")
		for _, a := range w.alerts() {
			w.must("dlq", "show", strconv.Itoa(a.id))
		}
		if n := len(w.smtp.Mails()); n != 1 {
			t.Errorf("%d mails, want the one of the lead", n)
		}
		w.expectNoLease(t)
	})
}

// enqueueBroken stores what is no JSON at all, as a damaged writer might.
func (w *world) enqueueBroken(t *testing.T) {
	t.Helper()
	conn, err := w.db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	for _, statement := range []string{
		`pragma ignore_check_constraints = 1`,
		`insert into dead_letter_queue (event_type, target, payload, idempotency_key) values ('slack_alert', 'slack:alerts', '{"text":', 'poison-broken')`,
		`pragma ignore_check_constraints = 0`,
	} {
		if _, err := conn.ExecContext(context.Background(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}
