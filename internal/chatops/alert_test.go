package chatops_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestLane_GroupsMailByServerAndEveryOtherTargetByItself(t *testing.T) {
	t.Parallel()
	tests := []struct{ target, lane, integration string }{
		{"slack:alerts", "slack:alerts", "slack"},
		{"slack:sales", "slack:sales", "slack"},
		{"monday:leads", "monday:leads", "monday"},
		{"mailto:jan@przyklad.pl", "mailto", "email"},
		{"mailto:anna@przyklad.pl", "mailto", "email"},
		{"webhook:crm", "webhook:crm", "webhook:crm"},
		{"pager:night", "pager:night", "pager"},
		{"nonsense", "nonsense", "nonsense"},
		{"", "", ""},
	}
	for _, tt := range tests {
		a := chatops.Alert{Target: tt.target}
		if got := a.Lane(); got != tt.lane {
			t.Errorf("Lane(%q) = %q, want %q", tt.target, got, tt.lane)
		}
		if got := chatops.Integration(a.Lane()); got != tt.integration {
			t.Errorf("Integration(%q) = %q, want %q", tt.lane, got, tt.integration)
		}
	}
}

func TestLane_NeverNamesAPerson(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		local := rapid.StringMatching(`[a-z.+]{1,20}`).Draw(t, "local")
		if lane := chatops.Lane("mailto:" + local + "@przyklad.pl"); strings.Contains(lane, "@") {
			t.Fatalf("lane %q holds an address", lane)
		}
	})
}

func TestNewAlertValidate_NamesTheFieldThatAQueueCannotStore(t *testing.T) {
	t.Parallel()
	good := chatops.NewAlert{EventType: "slack_alert", Target: "slack:alerts", Payload: json.RawMessage(`{"text":"x"}`)}
	if err := good.Validate(); err != nil {
		t.Fatalf("a good alert: %v", err)
	}
	tests := []struct {
		name   string
		change func(*chatops.NewAlert)
		want   string
	}{
		{"no type", func(a *chatops.NewAlert) { a.EventType = "" }, "event type"},
		{"long type", func(a *chatops.NewAlert) { a.EventType = strings.Repeat("x", 51) }, "event type"},
		{"no target", func(a *chatops.NewAlert) { a.Target = "" }, "target"},
		{"long target", func(a *chatops.NewAlert) { a.Target = strings.Repeat("x", 256) }, "target"},
		{"long key", func(a *chatops.NewAlert) { a.IdempotencyKey = strings.Repeat("x", 256) }, "idempotency key"},
		{"no payload", func(a *chatops.NewAlert) { a.Payload = nil }, "payload"},
		{"broken payload", func(a *chatops.NewAlert) { a.Payload = json.RawMessage(`{"text":`) }, "payload"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			bad := good
			tt.change(&bad)
			err := bad.Validate()
			if chatops.ErrorCode(err) != chatops.CodeInvalid || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Validate = %v, want an invalid error that names the %s", err, tt.want)
			}
		})
	}
}

func TestQueueStatsTotal_AddsOnlyTheStatusesAskedFor(t *testing.T) {
	t.Parallel()
	s := chatops.QueueStats{Counts: []chatops.AlertCount{
		{EventType: "slack_alert", Status: chatops.AlertPending, Count: 3},
		{EventType: "monday_item", Status: chatops.AlertPending, Count: 4},
		{EventType: "monday_item", Status: chatops.AlertFailed, Count: 5},
	}}
	if got := s.Total(chatops.AlertPending, chatops.AlertQueued); got != 7 {
		t.Errorf("Total(pending, queued) = %d, want 7", got)
	}
	if got := s.Total(chatops.AlertStatuses()...); got != 12 {
		t.Errorf("Total of all = %d, want 12", got)
	}
}

func TestOperationKindStatuses_LeavesFinishedAlertsAlone(t *testing.T) {
	t.Parallel()
	for _, kind := range []chatops.OperationKind{chatops.OperationRetry, chatops.OperationDiscard} {
		statuses := kind.Statuses()
		if len(statuses) != 3 {
			t.Errorf("%s may change alerts that are %v, want the queued, pending and failed ones", kind, statuses)
		}
		for _, s := range statuses {
			if s == chatops.AlertDelivered || s == chatops.AlertDiscarded || s == chatops.AlertCancelled {
				t.Errorf("%s may change %s alerts", kind, s)
			}
		}
	}
	if got := chatops.OperationKind("shred").Statuses(); got != nil {
		t.Errorf("a kind that does not exist may change %v", got)
	}
}

func TestAlert_NamesTheSessionOfItsLead(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"lead:s-1:monday": "s-1", "lead:a:b:c:slack": "a:b:c", "lead::monday": "", "lead:": "", "lead:x": "",
		"": "", "mislead:x:monday": "",
	} {
		a := chatops.Alert{EventType: chatops.EventMondayItem, IdempotencyKey: key}
		if got := a.LeadSession(); got != want {
			t.Errorf("key %q is of session %q, want %q", key, got, want)
		}
	}
	hook := chatops.Alert{EventType: chatops.EventWebhook, IdempotencyKey: "lead:s-1:webhook:crm"}
	if got := hook.LeadSession(); got != "s-1" {
		t.Errorf("a webhook's alert is of session %q, want s-1", got)
	}
}

func TestShownTarget_HidesTheSecretOfAnAddress(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"slack:alerts":                                  "slack:alerts",
		"mailto:sales@firma.example":                    "mailto:sales@firma.example",
		"https://hooks.slack.com/services/T0/B0/secret": "https://hooks.slack.com/…",
		"https://user:secret@hook.example/x":            "https://hook.example/…",
		"https://hook.example?token=secret":             "https://hook.example/…",
		"https://":                                      "https:///…",
	} {
		if got := chatops.ShownTarget(target); got != want {
			t.Errorf("%q is shown as %q, want %q", target, got, want)
		}
	}
}
