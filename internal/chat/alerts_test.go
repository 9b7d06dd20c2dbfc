package chat

import (
	"encoding/json"
	"strings"
	"testing"

	"chatops/internal/chatops"
)

// alertsOf returns the alerts of a confirmed conversation by event type.
func alertsOf(t *testing.T, message string, change ...func(*Options)) (map[string]chatops.NewAlert, *visitor) {
	t.Helper()
	v := newVisitor(t, change...)
	v.say(message)
	v.say("tak")
	out := map[string]chatops.NewAlert{}
	for _, a := range v.store.alerts {
		if err := a.Validate(); err != nil {
			t.Errorf("%s: %v", a.EventType, err)
		}
		out[a.EventType] = a
	}
	return out, v
}

func TestAlerts_AnnounceACompleteLeadEverywhere(t *testing.T) {
	t.Parallel()
	got, v := alertsOf(t, completeSet)
	for event, want := range map[string][2]string{
		chatops.EventSlackAlert: {"slack:alerts", "slack"},
		chatops.EventMondayItem: {"monday:leads", "monday"},
		chatops.EventEmailAlert: {"mailto:sprzedaz@firma.example", "email"},
		chatops.EventWebhook:    {"webhook:crm", "webhook:crm"},
	} {
		a := got[event]
		if a.Target != want[0] || a.IdempotencyKey != "lead:"+v.session+":"+want[1] {
			t.Errorf("%s: target %q key %q", event, a.Target, a.IdempotencyKey)
		}
	}
	if len(got) != 4 {
		t.Errorf("%d alerts, want 4", len(got))
	}
}

func TestAlerts_CarryTheFacts(t *testing.T) {
	t.Parallel()
	got, v := alertsOf(t, completeSet)
	var slack chatops.SlackPayload
	var mail chatops.EmailPayload
	var monday chatops.MondayPayload
	var hook chatops.WebhookPayload
	for event, into := range map[string]any{
		chatops.EventSlackAlert: &slack, chatops.EventEmailAlert: &mail, chatops.EventMondayItem: &monday, chatops.EventWebhook: &hook,
	} {
		if err := json.Unmarshal(got[event].Payload, into); err != nil {
			t.Fatalf("%s: %v", event, err)
		}
	}
	for _, want := range []string{"Piotr Wiśniewski", "+48511222333", "piotr.w@przyklad.pl", "Express Plus", "95 m²", "Wrocław", "120 000 zł", "92/100"} {
		if !strings.Contains(slack.Text, want) || !strings.Contains(mail.Text, want) {
			t.Errorf("%q is missing in\n%s\nor\n%s", want, slack.Text, mail.Text)
		}
	}
	wantFields := map[string]string{
		"name": "Piotr Wiśniewski", "email": "piotr.w@przyklad.pl", "phone": "+48511222333", "city": "Wrocław",
		"square_meters": "95", "budget": "120000", "package": "Express Plus", "lead_score": "92", "session_id": v.session,
	}
	for k, want := range wantFields {
		if monday.Fields[k] != want || hook.Data[k] != want {
			t.Errorf("%s: Monday %q, webhook %q, want %q", k, monday.Fields[k], hook.Data[k], want)
		}
	}
	if monday.ItemName != "Piotr Wiśniewski" || monday.ExternalID != "lead:"+v.session {
		t.Errorf("Monday %q %q", monday.ItemName, monday.ExternalID)
	}
	if hook.Type != "lead.created" || hook.Timestamp != "2026-03-01T10:00:00Z" {
		t.Errorf("webhook %q %q", hook.Type, hook.Timestamp)
	}
}

func TestAlerts_LowScoreIsNoNewsForSlack(t *testing.T) {
	t.Parallel()
	const little = "Jan Kowalski, Kraków, 600 700 800"
	got, _ := alertsOf(t, little)
	if _, ok := got[chatops.EventSlackAlert]; ok {
		t.Error("Slack hears of a lead under the threshold")
	}
	if _, ok := got[chatops.EventMondayItem]; !ok {
		t.Error("Monday does not hear of every lead")
	}
	got, _ = alertsOf(t, little, func(o *Options) { o.SlackLeadScore = 40 })
	if _, ok := got[chatops.EventSlackAlert]; !ok {
		t.Error("Slack does not hear of a lead at the threshold")
	}
}

func TestAlerts_OnlyMondayWithoutSettings(t *testing.T) {
	t.Parallel()
	got, _ := alertsOf(t, "Jan Kowalski, Kraków, 600 700 800", func(o *Options) { o.AdminEmail, o.Webhooks = "", nil })
	if len(got) != 1 || got[chatops.EventMondayItem].Target == "" {
		t.Errorf("%v", got)
	}
}

func TestAlerts_HostileValuesStayValues(t *testing.T) {
	t.Parallel()
	s, _ := testService(t)
	f := chatops.Facts{Name: "<!channel> & Jan\r\nBcc: x@y.pl", Phone: "+48600700800", City: "Kra\u2028ków", Package: "<@U1>"}
	lead := &chatops.Lead{SessionID: strings.Repeat("ż", 100), Name: f.Name, LeadScore: 99}
	alerts, err := s.leadAlerts(lead, &f, s.opts.NowFunc())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range alerts {
		if err := a.Validate(); err != nil {
			t.Errorf("%s: %v", a.EventType, err)
		}
		switch a.EventType {
		case chatops.EventSlackAlert:
			var p chatops.SlackPayload
			_ = json.Unmarshal(a.Payload, &p)
			if strings.ContainsAny(p.Text, "<>") || !strings.Contains(p.Text, "&lt;!channel&gt; &amp; Jan") {
				t.Errorf("Slack text %q", p.Text)
			}
		case chatops.EventEmailAlert:
			var p chatops.EmailPayload
			_ = json.Unmarshal(a.Payload, &p)
			if strings.ContainsAny(p.Subject, "\r\n") || strings.Contains(p.Text, "\nBcc") {
				t.Errorf("mail %q %q", p.Subject, p.Text)
			}
		}
	}
}
