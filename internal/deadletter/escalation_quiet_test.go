package deadletter

import (
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

// archived is the cause of nine in ten failures of a lossy Slack.
func archived() string {
	return Fingerprint("slack", "channel_is_archived", "slack: channel_is_archived (request 7)")
}

// quietly runs an engine whose nine failures are of a cause that was marked.
func quietly(t *testing.T, mark chatops.CauseMark) (*fakeQueue, *fakeSender, *rig) {
	t.Helper()
	q, mail := newFakeQueue(), &fakeSender{name: "email"}
	q.marks = map[string]chatops.CauseMark{archived(): mark}
	q.add(9, chatops.EventSlackAlert, "slack:alerts")
	r := start(t, q, Options{EscalationEmail: "ops@firma.example", RandFunc: half}, lossy(), mail)
	r.settle()
	return q, mail, r
}

func TestEscalation_OfAMutedCauseIsNotSent(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		now := time.Now()
		q, mail, _ := quietly(t, chatops.CauseMark{SeenAt: now, SeenSize: 20, MutedUntil: now.Add(5 * time.Hour)})
		waiting := q.find(chatops.EventEscalation)
		if len(waiting) != 1 || waiting[0].Status != chatops.AlertQueued || !strings.Contains(waiting[0].ErrorMessage, "the cause is muted until 2000-01-01 05:00:00 UTC: sent only if it grows") {
			t.Fatalf("escalations %+v", waiting)
		}
		pass(70 * time.Minute)
		if got := q.find(chatops.EventEscalation)[0]; got.Status != chatops.AlertCancelled || mail.calls() != 0 || !strings.HasSuffix(got.ErrorMessage, "not sent") {
			t.Fatalf("after %d mails: %+v", mail.calls(), got)
		}
	})
}

func TestEscalation_OfAMutedCauseIsSentWhenItGrows(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		now := time.Now()
		q, mail, r := quietly(t, chatops.CauseMark{SeenAt: now, AckAt: now})
		if mail.calls() != 0 {
			t.Fatal("a mail about a cause that somebody is at")
		}
		q.add(9, chatops.EventSlackAlert, "slack:alerts")
		r.e.Wake()
		r.settle()
		pass(11 * time.Minute)
		if got := q.find(chatops.EventEscalation)[0]; got.Status != chatops.AlertDelivered || mail.calls() != 1 {
			t.Fatalf("after %d mails: %+v", mail.calls(), got)
		}
	})
}

func TestEscalation_IsSentWhenTheMuteIsOver(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		now := time.Now()
		_, mail, _ := quietly(t, chatops.CauseMark{SeenAt: now, SeenSize: 20, MutedUntil: now.Add(15 * time.Minute)})
		pass(25 * time.Minute)
		if mail.calls() != 1 {
			t.Fatalf("%d mails", mail.calls())
		}
	})
}
