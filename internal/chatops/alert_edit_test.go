package chatops

import (
	"strings"
	"testing"
	"time"
)

func TestCheckEdit_KeepsTheFormOfTheType(t *testing.T) {
	t.Parallel()
	const webhook = `{"type":"lead","timestamp":"2026-03-01T08:00:00Z","data":{"a":1}}`
	for _, tt := range []struct{ event, was, is, says string }{
		{EventSlackAlert, `{"text":"a"}`, `{"text":"b"}`, ""},
		{EventSlackAlert, `{"text":"a"}`, `{"text":""}`, "lacks what has to be in it"},
		{EventSlackAlert, `{"text":"a"}`, `{"text":"b"} {}`, "something is missing"},
		{EventSlackAlert, `{"text":"a"}`, `{"text":"b","blocks":[]}`, "a field is not known"},
		{EventSlackAlert, `{"text":"a"}`, `["text"]`, "it is no JSON object"},
		{EventSlackAlert, `{"text":"a"}`, `{`, "the form of slack_alert"},
		{EventSlackAlert, `{"attachments":[]}`, `{"attachments":[1]}`, ""}, // of an older writer
		{EventSlackAlert, `{"attachments":[]}`, `7`, "is no JSON object"},
		{EventSlackAlert, `{"attachments":[]}`, `null`, "is no JSON object"},
		{EventMondayItem, `{"item_name":"a","external_id":"x","fields":{}}`, `{"item_name":"b","external_id":"x","fields":{"city":"c"}}`, ""},
		{EventMondayItem, `{"item_name":"a","external_id":"x"}`, `{"item_name":"b"}`, "lacks"},
		{EventEmailAlert, `{"subject":"a","text":"b"}`, `{"subject":"a","text":"c","html":"<p>"}`, ""},
		{EventEmailAlert, `{"subject":"a","text":"b"}`, `{"subject":"a"}`, "lacks"},
		{EventWebhook, webhook, strings.Replace(webhook, "1", "2", 1), ""},
		{EventWebhook, webhook, `{"type":"lead","timestamp":"t","data":7}`, "the field data has a value of the wrong kind"},
		{"sms", `{}`, `{"a":1}`, ""},
		{"sms", `{}`, `"a"`, "is no JSON object"},
		{EventFollowup, `{}`, `{}`, "are not edited"},
		{EventEscalation, `{}`, `{}`, "are not edited"},
		{EventConsentMail, `{}`, `{}`, "are not edited"},
		{EventMondayDelete, `{}`, `{}`, "are not edited"},
	} {
		a := Alert{EventType: tt.event, Payload: []byte(tt.was)}
		err := a.CheckEdit([]byte(tt.is))
		if tt.says == "" && err != nil || tt.says != "" && (ErrorCode(err) != CodeInvalid || !strings.Contains(ErrorMessage(err), tt.says)) {
			t.Errorf("%s from %s to %s: %v, want %q", tt.event, tt.was, tt.is, err, tt.says)
		}
	}
}

func TestReplacementKey_IsAnotherOneOfTheSameLead(t *testing.T) {
	t.Parallel()
	for was, want := range map[string]string{
		"lead:s1:monday": "lead:s1:monday~17", "": "edit~17", strings.Repeat("k", 253): "edit~17", "lead:s1:webhook:crm": "lead:s1:webhook:crm~17",
	} {
		a := Alert{ID: 17, EventType: EventWebhook, IdempotencyKey: was}
		made := a
		made.IdempotencyKey = a.ReplacementKey()
		if made.IdempotencyKey != want || len(was) < 200 && made.LeadSession() != a.LeadSession() {
			t.Errorf("%q becomes %q of the lead %q", was, made.IdempotencyKey, made.LeadSession())
		}
	}
}

func TestLineage_TellsBothDirections(t *testing.T) {
	t.Parallel()
	var l Lineage
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	l.Add(2, 2, 1, at)
	l.Add(2, 3, 2, at.Add(time.Hour))
	if l.Replaces != 1 || l.ReplacedBy != 3 || !l.At.Equal(at.Add(time.Hour)) {
		t.Errorf("%+v", l)
	}
}
