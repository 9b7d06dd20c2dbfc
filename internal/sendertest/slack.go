package sendertest

import (
	"encoding/json"
	"testing"
)

// Slack plays an incoming webhook.
type Slack struct{ *HTTP }

// StartSlack starts the fake; see StartHTTP.
func StartSlack(tb testing.TB, addr string) *Slack {
	tb.Helper()
	return &Slack{StartHTTP(tb, addr)}
}

// URL returns the webhook's address. Like a real one it holds a secret, which
// must never show in an error, a log or a row.
func (s *Slack) URL() string { return s.HTTP.URL() + "services/T0000/B0000/" + SlackSecret }

// SlackSecret is the secret part of URL.
const SlackSecret = "slacksecret0canary"

// Texts returns the text of every received message, whatever the answer was.
func (s *Slack) Texts() []string {
	var texts []string
	for _, r := range s.Requests() {
		var message struct {
			Text string `json:"text"`
		}
		if json.Unmarshal(r.Body, &message) == nil {
			texts = append(texts, message.Text)
		}
	}
	return texts
}
