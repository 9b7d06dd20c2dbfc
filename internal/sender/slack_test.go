package sender

import (
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/sendertest"
)

func slackAlert(text string) *chatops.Alert {
	return &chatops.Alert{ID: 5, EventType: chatops.EventSlackAlert, Target: "slack:alerts", Payload: []byte(text)}
}

func TestSlack_PostsThePayloadAsItIsStored(t *testing.T) {
	t.Parallel()
	fake := sendertest.StartSlack(t, "")
	s := only(t, Options{Slack: SlackOptions{WebhookURL: fake.URL()}, Version: "1.2.3"})
	for _, stored := range []string{
		`{"text":"Lead: *Żaneta* &lt;85&gt;"}`,
		`{"attachments": [{"color":"good","text":"of the older system"}]}`,
		`{"blocks":[{"type":"section"}], "text": ""}`,
	} {
		if err := s.Send(t.Context(), slackAlert(stored)); err != nil {
			t.Fatalf("%s: %v", stored, err)
		}
		requests := fake.Requests()
		last := requests[len(requests)-1]
		if string(last.Body) != stored {
			t.Errorf("posted %s, want %s", last.Body, stored)
		}
		if last.Method != http.MethodPost || !strings.HasPrefix(last.Header.Get("Content-Type"), "application/json") ||
			last.Header.Get("User-Agent") != "chatops/1.2.3" {
			t.Errorf("posted as %s %v", last.Method, last.Header)
		}
	}
}

func TestSlack_ClassifiesItsAnswers(t *testing.T) {
	t.Parallel()
	fake := sendertest.StartSlack(t, "")
	s := only(t, Options{Slack: SlackOptions{WebhookURL: fake.URL()}})
	tests := []struct {
		status int
		body   string
		kind   chatops.FailureKind
		code   string
	}{
		{400, "invalid_payload", chatops.FailPermanent, "invalid_payload"},
		{400, "no_text", chatops.FailPermanent, "no_text"},
		{400, "user_not_found", chatops.FailMisconfigured, "user_not_found"},
		{403, "action_prohibited", chatops.FailMisconfigured, "action_prohibited"},
		{403, "invalid_token", chatops.FailMisconfigured, "invalid_token"},
		{404, "no_service", chatops.FailMisconfigured, "no_service"},
		{404, "channel_not_found", chatops.FailMisconfigured, "channel_not_found"},
		{410, "channel_is_archived", chatops.FailMisconfigured, "channel_is_archived"},
		{410, "", chatops.FailMisconfigured, "http_410"},
		{413, "too large", chatops.FailPermanent, "http_413"},
		{429, "rate_limited", chatops.FailRateLimited, "rate_limited"},
		{500, "rollup_error", chatops.FailTransient, "rollup_error"},
		{500, "Jan Kowalski <script>", chatops.FailTransient, "http_500"},
		{502, "", chatops.FailTransient, "http_502"},
		{302, "", chatops.FailMisconfigured, "http_302"},
		{200, `{"ok":false,"error":"invalid_auth"}`, chatops.FailMisconfigured, "invalid_auth"},
		{200, `{"ok":false,"error":"ratelimited"}`, chatops.FailRateLimited, "ratelimited"},
		{200, `{"ok":false,"error":"msg_too_long"}`, chatops.FailPermanent, "msg_too_long"},
		{200, `{"ok":false}`, chatops.FailMisconfigured, "http_200"},
	}
	for _, tt := range tests {
		fake.Set(sendertest.Status(tt.status, tt.body))
		f := failed(t, s.Send(t.Context(), slackAlert(`{"text":"x"}`)), tt.kind)
		if f.Code != tt.code || f.HTTPStatus != tt.status {
			t.Errorf("%d %s: code %q, status %d", tt.status, tt.body, f.Code, f.HTTPStatus)
		}
	}
	for _, body := range []string{"ok", "", `{"ok":true}`, "nonsense"} {
		fake.Set(sendertest.Status(202, body))
		if err := s.Send(t.Context(), slackAlert(`{"text":"x"}`)); err != nil {
			t.Errorf("202 %q: %v", body, err)
		}
	}
}

func TestSlack_DoesNotFollowRedirects(t *testing.T) {
	t.Parallel()
	fake, other := sendertest.StartSlack(t, ""), sendertest.StartSlack(t, "")
	s := only(t, Options{Slack: SlackOptions{WebhookURL: fake.URL()}})
	fake.Set(sendertest.Behaviour{Status: 307, Header: map[string]string{"Location": other.URL()}})
	fails(t, s.Send(t.Context(), slackAlert(`{"text":"x"}`)), chatops.FailMisconfigured)
	if n := len(other.Requests()); n != 0 {
		t.Errorf("%d requests followed the redirect", n)
	}
}

func TestSlack_RateBecomesTheLanesInterval(t *testing.T) {
	t.Parallel()
	for rate, want := range map[float64]time.Duration{0: time.Second, 1: time.Second, 4: 250 * time.Millisecond, 0.5: 2 * time.Second} {
		s := only(t, Options{Slack: SlackOptions{WebhookURL: "https://hooks.slack.com/services/T/B/x", Rate: rate}})
		if p := s.Policy(); !p.Serial || p.Interval != want {
			t.Errorf("rate %v: %+v", rate, p)
		}
	}
	for _, rate := range []float64{-1, math.NaN(), math.Inf(1)} {
		_, err := New(Options{Slack: SlackOptions{WebhookURL: "https://x.example", Rate: rate}})
		if chatops.ErrorCode(err) != chatops.CodeInvalid {
			t.Errorf("rate %v: %v", rate, err)
		}
	}
}
