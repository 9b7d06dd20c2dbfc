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

// The mail is what an engineer reads at 3 a.m.: all of it.
func TestEscalationMail_IsReadFromTopToBottom(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 10, 2, 55, 0, 0, time.UTC)
	m := EscalationMail(
		chatops.EscalationPayload{Fingerprint: "0162e7cd4702", Integration: "slack"},
		&chatops.FailureDigest{Failed: 1204, First: at, Last: at.Add(time.Hour), EventType: "slack_alert", Target: "slack:alerts", Sample: "slack: HTTP 503: upstream down"},
		"web-1")
	const want = `Alerts could not be delivered and wait for your decision. None is lost.

Integration:  slack
Failed alerts:1204
Type:         slack_alert
Target:       slack:alerts
First:        2026-03-10 02:55:00 UTC
Last:         2026-03-10 03:55:00 UTC
Error:        slack: HTTP 503: upstream down
Fingerprint:  0162e7cd4702
Reported by:  web-1

Look at them (show takes an id from the list):
  chatops dlq list --fingerprint 0162e7cd4702
  chatops dlq show ID

When the cause is gone, see what a retry would do, then send them again:
  chatops dlq retry --fingerprint 0162e7cd4702 --dry-run
  chatops dlq retry --fingerprint 0162e7cd4702 --now

To get no further mail about this cause for a day, unless it grows:
  chatops dlq groups ack 0162e7cd4702

If they must not be sent any more:
  chatops dlq discard --fingerprint 0162e7cd4702 --reason "..."

There is at most one such mail per cause and hour.
`
	if m.Text != want {
		t.Errorf("the mail is\n%s\nwant\n%s", m.Text, want)
	}
	if m.Subject != "[chatops] slack: 1204 alerts failed: slack: HTTP 503: upstream down" {
		t.Errorf("subject %q", m.Subject)
	}
}
