package sender

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"chatops/internal/chatops"
)

func logRig(t *testing.T) (map[string]chatops.AlertSender, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	senders, err := New(Options{LogMissing: true, Log: slog.New(slog.NewTextHandler(&out, nil))})
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]chatops.AlertSender{}
	for _, s := range senders {
		byName[s.Integration()] = s
	}
	return byName, &out
}

func TestLogSender_TellsOfTheAlertWithoutPersonalData(t *testing.T) {
	t.Parallel()
	senders, out := logRig(t)
	alerts := []*chatops.Alert{
		{ID: 41, EventType: chatops.EventSlackAlert, Target: "slack:alerts", Payload: []byte(`{"text":"Jan Kowalski"}`)},
		{ID: 42, EventType: chatops.EventMondayItem, Target: "monday:leads", Payload: []byte(
			`{"item_name":"Jan Kowalski","fields":{"email":"jan@x.example","phone":"+48600100200"},"jan@x.example":1,"list":["Jan"],"n":5}`)},
		{ID: 43, EventType: chatops.EventEmailAlert, Target: "mailto:jan@x.example", Payload: []byte(`{"subject":"Jan"}`)},
	}
	for _, a := range alerts {
		if err := senders[chatops.Integration(a.Lane())].Send(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	text := out.String()
	for _, want := range []string{
		"slack is not configured", "alert_id=41", "event_type=slack_alert", "target=slack:alerts", "text: 12 characters",
		"monday is not configured", "alert_id=42", "fields: 2 entries, item_name: 12 characters, list: 1 entries, n: a value",
		"email is not configured", "alert_id=43", "mailto:***@x.example",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the log lacks %q:\n%s", want, text)
		}
	}
	for _, canary := range []string{"Kowalski", "Jan", "jan@", "600100200"} {
		if strings.Contains(text, canary) {
			t.Errorf("the log shows %q:\n%s", canary, text)
		}
	}
}

func TestLogSender_KeepsTheContract(t *testing.T) {
	t.Parallel()
	senders, out := logRig(t)
	fails(t, senders["slack"].Send(t.Context(), slackAlert(`[`)), chatops.FailPermanent)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if f := failed(t, senders["slack"].Send(ctx, slackAlert(`{}`)), chatops.FailTransient); f.TripsBreaker() {
		t.Error("a cancelled attempt trips the breaker")
	}
	if out.Len() != 0 {
		t.Errorf("logged %s", out)
	}
}
