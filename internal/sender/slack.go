package sender

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// SlackOptions configures the Slack sender.
type SlackOptions struct {
	WebhookURL string // an incoming webhook; empty: not configured
	// Rate is messages per second and channel; 0 means 1, what Slack allows a
	// webhook in the long run.
	Rate float64
}

// slack posts to an incoming webhook.
type slack struct {
	url      string
	interval time.Duration
	http     *httpClient
	nowFunc  func() time.Time
}

func buildSlack(o *Options) ([]chatops.AlertSender, error) {
	if o.Slack.WebhookURL == "" {
		return nil, nil
	}
	if err := checkEndpoint("SLACK_WEBHOOK_URL", o.Slack.WebhookURL); err != nil {
		return nil, err
	}
	rate := o.Slack.Rate
	if rate == 0 {
		rate = 1
	}
	if !(rate > 0) || math.IsInf(rate, 0) {
		return nil, chatops.Errorf(chatops.CodeInvalid, "SLACK_RATE: %v: must be messages per second, such as 1 or 0.5", rate)
	}
	return []chatops.AlertSender{&slack{
		url: o.Slack.WebhookURL, interval: time.Duration(float64(time.Second) / rate),
		http: newHTTPClient("slack", o.Version, nil), nowFunc: o.NowFunc,
	}}, nil
}

func (s *slack) Integration() string { return "slack" }

func (s *slack) Policy() chatops.LanePolicy {
	return chatops.LanePolicy{Serial: true, Interval: s.interval}
}

// Send posts the payload as it is stored: a chatops.SlackPayload or any other
// message object of Slack's.
func (s *slack) Send(ctx context.Context, alert *chatops.Alert) error {
	var message map[string]json.RawMessage
	if f := decodePayload("slack", alert, &message); f != nil {
		return f
	}
	if !hasContent(message) {
		return failure(chatops.FailPermanent, "no_text", "slack: payload has no text, blocks or attachments")
	}
	reply, err := s.http.post(ctx, s.url, alert.Payload, nil)
	if err != nil {
		return err
	}
	if f := s.judge(reply); f != nil {
		return f
	}
	return nil
}

// hasContent reports whether Slack would have something to show.
func hasContent(message map[string]json.RawMessage) bool {
	for _, field := range []string{"text", "blocks", "attachments"} {
		switch value := string(bytes.TrimSpace(message[field])); value {
		case "", "null", `""`, "[]":
		default:
			return true
		}
	}
	return false
}

// judge reads Slack's answer: 2xx is success, except for the Web API's own way
// of saying no, HTTP 200 with "ok":false.
func (s *slack) judge(reply *httpReply) *chatops.SendError {
	code := shortCode(string(reply.body))
	var answer struct {
		OK    *bool  `json:"ok"`
		Error string `json:"error"`
	}
	refused := json.Unmarshal(reply.body, &answer) == nil && answer.OK != nil && !*answer.OK
	if refused {
		code = shortCode(answer.Error)
	}
	if reply.ok() && !refused {
		return nil
	}
	f := statusFailure("slack", reply, code, s.nowFunc())
	if kind, known := slackCodes[strings.ToLower(code)]; known {
		f.Kind = kind
	} else if reply.ok() || reply.status == 410 {
		f.Kind = chatops.FailMisconfigured
	}
	return f
}

// slackCodes are the answers of an incoming webhook whose meaning the HTTP
// status does not give (https://api.slack.com/messaging/webhooks, "Handling
// errors").
var slackCodes = map[string]chatops.FailureKind{
	"action_prohibited":                 chatops.FailMisconfigured,
	"account_inactive":                  chatops.FailMisconfigured,
	"channel_is_archived":               chatops.FailMisconfigured,
	"channel_not_found":                 chatops.FailMisconfigured,
	"invalid_auth":                      chatops.FailMisconfigured,
	"invalid_token":                     chatops.FailMisconfigured,
	"no_active_hooks":                   chatops.FailMisconfigured,
	"no_service":                        chatops.FailMisconfigured,
	"no_team":                           chatops.FailMisconfigured,
	"not_authed":                        chatops.FailMisconfigured,
	"posting_to_general_channel_denied": chatops.FailMisconfigured,
	"team_disabled":                     chatops.FailMisconfigured,
	"token_revoked":                     chatops.FailMisconfigured,
	"user_not_found":                    chatops.FailMisconfigured,
	"invalid_blocks":                    chatops.FailPermanent,
	"invalid_payload":                   chatops.FailPermanent,
	"msg_too_long":                      chatops.FailPermanent,
	"no_text":                           chatops.FailPermanent,
	"too_many_attachments":              chatops.FailPermanent,
	"rate_limited":                      chatops.FailRateLimited,
	"ratelimited":                       chatops.FailRateLimited,
	"rollup_error":                      chatops.FailTransient,
}
