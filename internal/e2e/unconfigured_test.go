package e2e

import (
	"maps"
	"strings"
	"testing"
)

// What is not configured: with the embedded database a log sender plays its
// part, so that a laptop shows the whole flow.
func TestUnconfigured_OnSQLite_PrintsTheAlertAndSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqlite)
	w.forgetIntegrations()
	w.env["ADMIN_EMAIL"] = "sales@firma.example"
	s := w.serve()
	for _, line := range script("Jan Kowalski", "jan@przyklad.pl") {
		s.mustSay("visit-1", line)
	}
	w.await(3, `select count(*) from dead_letter_queue where status = 'delivered'`)
	for _, name := range []string{"slack", "monday", "email"} {
		s.awaitLog(name + " is not configured, the alert is only logged")
	}
	for _, private := range []string{"Kowalski", "jan@przyklad.pl", "600700800", "sales@"} {
		if strings.Contains(s.err.String(), private) {
			t.Errorf("the log holds %q", private)
		}
	}
}

// With PostgreSQL, which means production, alerts are held with the reason until
// somebody configures the integration; then they go out.
func TestUnconfigured_OnPostgreSQL_HoldsAlertsUntilItIsConfigured(t *testing.T) {
	t.Parallel()
	w := newWorld(t, postgres)
	settings := w.forgetIntegrations()
	s := w.serve()
	w.enqueueLead("s1")
	w.await(3, `select count(*) from dead_letter_queue where status = 'pending' and retry_count = 0 and error_message like '%is not configured%'`)
	if n := w.number(`select count(*) from delivery_attempt`); n != 0 {
		t.Errorf("%d attempts were made, want none", n)
	}
	s.term()
	if code := s.wait(); code != 0 {
		t.Errorf("serve ended with %d", code)
	}
	maps.Copy(w.env, settings)
	w.serve()
	w.await(3, `select count(*) from dead_letter_queue where status = 'delivered'`)
	if len(w.slack.Texts()) != 1 || len(w.monday.Items()) != 1 || len(w.smtp.Mails()) != 1 {
		t.Error("not every receiver got its alert once")
	}
}

// forgetIntegrations removes the settings of all integrations and returns them.
func (w *world) forgetIntegrations() map[string]string {
	removed := make(map[string]string)
	for _, name := range []string{
		"SLACK_WEBHOOK_URL", "MONDAY_API_KEY", "MONDAY_BOARD_ID", "MONDAY_API_URL", "SMTP_URL", "MAIL_FROM", "ADMIN_EMAIL", "ESCALATION_EMAIL",
	} {
		removed[name] = w.env[name]
		delete(w.env, name)
	}
	return removed
}
