package chatops_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestReference_IsTheKeyOrElseTheNumber(t *testing.T) {
	t.Parallel()
	for want, a := range map[string]chatops.Alert{
		"followup:4711:1": {ID: 7, IdempotencyKey: "followup:4711:1"},
		"alert:7":         {ID: 7},
	} {
		if got := a.Reference(); got != want {
			t.Errorf("the reference of %+v is %q, want %q", a, got, want)
		}
	}
}

// Mails that were sent by an older version are found in the mail server's log by
// what this one shows.
func TestMessageID_StaysWhatItWas(t *testing.T) {
	t.Parallel()
	a := chatops.Alert{IdempotencyKey: "followup:4711:1"}
	if got := a.MessageID(); got != "xukf2h6sjowsa7jcyvgnesvfvhlfdmx6sqrt7qij" {
		t.Errorf("the Message-ID begins with %q", got)
	}
}

func TestMessageID_IsOneForAllAttemptsAndAnotherForAnotherAlert(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key, other := rapid.String().Draw(t, "key"), rapid.String().Draw(t, "other key")
		first := chatops.Alert{ID: 1, IdempotencyKey: key}
		again := chatops.Alert{ID: 1, IdempotencyKey: key, RetryCount: 3, Status: chatops.AlertFailed}
		another := chatops.Alert{ID: 2, IdempotencyKey: other}
		if first.MessageID() != again.MessageID() || (first.MessageID() == another.MessageID()) != (first.Reference() == another.Reference()) {
			t.Fatalf("keys %q and %q make %s, %s and %s", key, other, first.MessageID(), again.MessageID(), another.MessageID())
		}
		if rest := strings.Trim(first.MessageID(), "abcdefghijklmnopqrstuvwxyz234567"); rest != "" || len(first.MessageID()) != 40 {
			t.Fatalf("the Message-ID %q could not stand in front of an @", first.MessageID())
		}
	})
}
