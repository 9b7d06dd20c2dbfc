package chatops_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestNewAlertValidate_AcceptsTheLongestFieldsAndNothingLonger(t *testing.T) {
	t.Parallel()
	for _, field := range []struct {
		name    string
		longest int
		set     func(*chatops.NewAlert, string)
	}{
		{"event type", 50, func(a *chatops.NewAlert, s string) { a.EventType = s }},
		{"target", 255, func(a *chatops.NewAlert, s string) { a.Target = s }},
		{"idempotency key", 255, func(a *chatops.NewAlert, s string) { a.IdempotencyKey = s }},
	} {
		for extra, want := range []chatops.Code{"", chatops.CodeInvalid} {
			a := chatops.NewAlert{EventType: "slack_alert", Target: "slack:alerts", Payload: json.RawMessage(`{}`)}
			field.set(&a, strings.Repeat("x", field.longest+extra))
			if err := a.Validate(); chatops.ErrorCode(err) != want {
				t.Errorf("%s of %d: %v, want code %q", field.name, field.longest+extra, err, want)
			}
		}
	}
}

func TestNewAlertValidate_DoesNotRepeatAnAddressOrPayload(t *testing.T) {
	t.Parallel()
	for _, a := range []chatops.NewAlert{
		{EventType: "email_alert", Target: "mailto:jan@przyklad.pl" + strings.Repeat("x", 255), Payload: json.RawMessage(`{}`)},
		{EventType: "email_alert", Target: "mailto:jan@przyklad.pl", IdempotencyKey: strings.Repeat("jan@przyklad.pl", 20), Payload: json.RawMessage(`{}`)},
		{EventType: "email_alert", Target: "mailto:jan@przyklad.pl", Payload: json.RawMessage(`{"to":"jan@przyklad.pl"`)},
	} {
		err := a.Validate()
		if err == nil || strings.Contains(err.Error(), "przyklad") {
			t.Errorf("error is %v, want one without the address", err)
		}
	}
}

func TestLeadSession_IsReadBackFromEveryReceiversKey(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		session := rapid.StringMatching(`[a-zł:]{1,12}|[a-z]{0,3}:webhook:[a-z]{1,3}`).Draw(t, "session")
		name := rapid.StringMatching(`[a-z0-9_-]{1,10}`).Draw(t, "webhook")
		for event, receiver := range map[string]string{
			chatops.EventSlackAlert: "slack", chatops.EventMondayItem: "monday",
			chatops.EventEmailAlert: "email", chatops.EventWebhook: "webhook:" + name,
		} {
			a := chatops.Alert{EventType: event, IdempotencyKey: "lead:" + session + ":" + receiver}
			if got := a.LeadSession(); got != session {
				t.Fatalf("key %q of %s is of session %q, want %q", a.IdempotencyKey, event, got, session)
			}
		}
	})
}

func TestIntegration_OfALaneIsThatOfItsTarget(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		scheme := rapid.SampledFrom([]string{"slack", "monday", "email", "pager", "webhook", "mailto"}).Draw(t, "scheme")
		target := scheme + ":" + rapid.StringMatching(`[a-z@.:]{0,20}`).Draw(t, "rest")
		lane := chatops.Lane(target)
		if again := chatops.Lane(lane); again != lane {
			t.Fatalf("the lane of lane %q is %q", lane, again)
		}
		want := map[string]string{"mailto": "email", "webhook": target}[scheme]
		if want == "" {
			want = scheme
		}
		if got := chatops.Integration(lane); got != want {
			t.Fatalf("%q is served by %q, want %q", target, got, want)
		}
	})
}

func TestShownTarget_ShowsTheHostThatIsCalledAndNothingBehindIt(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"https://user:p@secret@hook.example/x":          "https://hook.example/…",
		"https://hook.example?to=jan@secret.example":    "https://hook.example/…",
		"https://hook.example#secret":                   "https://hook.example/…",
		"https://hook.example/x@secret":                 "https://hook.example/…",
		"https://hook.example:8443/secret?next=http://": "https://hook.example:8443/…",
	} {
		if got := chatops.ShownTarget(target); got != want {
			t.Errorf("%q is shown as %q, want %q", target, got, want)
		}
	}
}

func TestShownTarget_AgreesWithNetURLAboutTheHost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		target := "https://" + rapid.StringMatching(`[a-z@:/?#.=]{0,20}`).Draw(t, "address")
		u, err := url.Parse(target)
		if err != nil {
			t.Skip("no address")
		}
		shown := chatops.ShownTarget(target)
		if want := "https://" + u.Host + "/…"; shown != want {
			t.Fatalf("%q is shown as %q, want %q", target, shown, want)
		}
		if again := chatops.ShownTarget(shown); again != shown {
			t.Fatalf("%q, shown twice, is %q", shown, again)
		}
	})
}
