package deadletter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

// lossy is a Slack that refuses everything for good, for two reasons.
func lossy() *fakeSender {
	s := &fakeSender{name: "slack"}
	s.do(func(_ context.Context, a *chatops.Alert) error {
		code := "channel_is_archived"
		if a.ID%10 == 0 {
			code = "invalid_blocks"
		}
		return &chatops.SendError{Kind: chatops.FailPermanent, HTTPStatus: 400, Code: code, Err: fmt.Errorf("slack: %s (request %d)", code, a.ID)}
	})
	return s
}

func TestEscalation_OneMailPerCauseAndHour(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, mail := newFakeQueue(), &fakeSender{name: "email"}
		pass(time.Until(time.Now().Truncate(time.Hour).Add(time.Hour)))
		q.add(1000, chatops.EventSlackAlert, "slack:alerts")
		r := start(t, q, Options{EscalationEmail: "ops@firma.example", Replica: "web-1"}, lossy(), mail)
		r.settle()
		r.wantCount(chatops.AlertFailed, 1000)
		esc := q.find(chatops.EventEscalation)
		if len(esc) != 2 || mail.calls() != 2 {
			t.Fatalf("%d escalations, %d mails; want one per cause", len(esc), mail.calls())
		}
		for _, a := range esc {
			var p chatops.EscalationPayload
			if err := json.Unmarshal(a.Payload, &p); err != nil {
				t.Fatal(err)
			}
			want := "escalation:" + p.Fingerprint + ":" + time.Now().UTC().Format("2006-01-02T15")
			if a.IdempotencyKey != want || a.Target != "mailto:ops@firma.example" || p.Integration != "slack" {
				t.Fatalf("escalation = %+v", a)
			}
		}
		q.add(50, chatops.EventSlackAlert, "slack:alerts")
		r.e.Wake()
		r.settle()
		if mail.calls() != 2 {
			t.Fatal("a second mail within the hour")
		}
		pass(time.Hour)
		q.add(50, chatops.EventSlackAlert, "slack:alerts")
		r.e.Wake()
		r.settle()
		if mail.calls() != 4 {
			t.Fatalf("%d mails, want 4 after the hour has passed", mail.calls())
		}
	})
}

func TestEscalation_MailHoldsCountsAndCommands(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, mail := newFakeQueue(), &fakeSender{name: "email"}
		q.add(9, chatops.EventSlackAlert, "slack:alerts")
		mail.do(fail(chatops.FailTransient, "later"))
		r := start(t, q, Options{EscalationEmail: "ops@firma.example", Replica: "web-1", RandFunc: half}, lossy(), mail)
		r.settle()
		mail.do(nil)
		q.add(3, chatops.EventSlackAlert, "slack:alerts") // before the mail gets through
		pass(time.Hour)
		var got chatops.EmailPayload
		found := false
		for _, a := range mail.alerts() {
			var p chatops.EmailPayload
			if err := json.Unmarshal(a.Payload, &p); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(p.Subject, "12 alerts failed: slack: channel_is_archived") {
				got, found = p, true
			}
		}
		if !found {
			t.Fatalf("no mail tells the count of the moment it was sent: %s", mail.alerts()[len(mail.alerts())-1].Payload)
		}
		fp := Fingerprint("slack", "channel_is_archived", "slack: channel_is_archived (request 7)")
		for _, want := range []string{
			"Integration:  slack\n", "Failed alerts:12\n", "Type:         slack_alert\n", "Target:       slack:alerts\n",
			"Error:        slack: channel_is_archived", "First:        2000-01-01 00:00:00 UTC\n", "Reported by:  web-1\n",
			"  chatops dlq list --fingerprint " + fp + "\n",
			"  chatops dlq show ID\n",
			"  chatops dlq retry --fingerprint " + fp + " --dry-run\n",
			"  chatops dlq retry --fingerprint " + fp + " --now\n",
		} {
			if !strings.Contains(got.Text, want) {
				t.Errorf("the mail lacks %q:\n%s", want, got.Text)
			}
		}
	})
}

func TestEscalationMail_ShowsNoPersonalDataAndNoHostileText(t *testing.T) {
	t.Parallel()
	m := EscalationMail(
		chatops.EscalationPayload{Fingerprint: "abc; rm -rf / #\n", Integration: "email\r\nBcc: x@y.example", Sample: "x"},
		&chatops.FailureDigest{Failed: 1, Target: "mailto:jan@firma.example", Sample: "550 <jan@firma.example>\r\nno \x1b[31m such user"},
		"web-1")
	all := m.Subject + m.Text
	if strings.Contains(all, "jan@") || strings.Contains(all, "y.example") || strings.ContainsAny(all, "\x1b\r") || strings.Contains(m.Subject, "\n") {
		t.Fatalf("mail = %q", all)
	}
	if !strings.Contains(m.Text, "chatops dlq list --fingerprint abcrm-rf\n") {
		t.Fatalf("the command can be abused:\n%s", m.Text)
	}
	if !strings.Contains(m.Subject, "1 alert failed") || !strings.Contains(m.Text, "Target:       mailto\n") {
		t.Fatalf("mail = %q", all)
	}
}

func TestEscalationMail_SaysWhenTheCauseIsGone(t *testing.T) {
	t.Parallel()
	m := EscalationMail(chatops.EscalationPayload{Fingerprint: "abc", Integration: "slack", Sample: "no"}, &chatops.FailureDigest{}, "r")
	if !strings.Contains(m.Text, "None of them is failed any more") || !strings.Contains(m.Text, "Error:        no\n") {
		t.Fatalf("text = %s", m.Text)
	}
}

func TestEscalation_HasItsOwnBudgetAndNeverRecurses(t *testing.T) { // fault F19
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, mail := newFakeQueue(), &fakeSender{name: "email"}
		mail.do(fail(chatops.FailTransient, "connection refused"))
		q.add(9, chatops.EventSlackAlert, "slack:alerts")
		r := start(t, q, Options{EscalationEmail: "ops@firma.example", Breakers: patient(), RandFunc: half, SweepEvery: time.Minute}, lossy(), mail)
		pass(70 * time.Hour)
		esc := q.find(chatops.EventEscalation)
		if len(esc) != 1 || esc[0].Status != chatops.AlertPending || esc[0].RetryCount < 20 {
			t.Fatalf("escalations = %+v", esc)
		}
		pass(10 * time.Hour)
		esc = q.find(chatops.EventEscalation)
		if len(esc) != 1 || esc[0].Status != chatops.AlertFailed {
			t.Fatalf("escalations = %+v", esc)
		}
		if !strings.Contains(r.logs.String(), "an escalation could not be delivered and is given up") {
			t.Fatal("nothing in the log")
		}
		if got := counterValue(t, r.e.met.escalationsLost); got != 1 {
			t.Fatalf("metric = %v", got)
		}
	})
}

func TestEscalation_WaitsWhenItsTextCannotBeWritten(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, mail := newFakeQueue(), &fakeSender{name: "email"}
		q.setFault(func(call string) error {
			if call == "digest" {
				return chatops.Errorf(chatops.CodeUnavailable, "database away")
			}
			return nil
		})
		q.add(1, chatops.EventSlackAlert, "slack:alerts")
		r := start(t, q, Options{EscalationEmail: "ops@firma.example"}, lossy(), mail)
		pass(15 * time.Second)
		if esc := q.find(chatops.EventEscalation); len(esc) != 1 || esc[0].Status != chatops.AlertQueued || mail.calls() != 0 {
			t.Fatalf("escalations = %+v", esc)
		}
		q.setFault(nil)
		pass(11 * time.Second)
		r.wantCount(chatops.AlertDelivered, 1)
	})
}

func TestEscalation_WithABrokenPayloadIsJudgedByItsSender(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q, mail := newFakeQueue(), &fakeSender{name: "email"}
		mail.do(func(_ context.Context, a *chatops.Alert) error {
			if string(a.Payload) != `{}` {
				return nil
			}
			return &chatops.SendError{Kind: chatops.FailPermanent, Err: errors.New("mail: no subject")}
		})
		id := q.add(1, chatops.EventEscalation, "mailto:ops@firma.example")[0]
		r := start(t, q, Options{EscalationEmail: "ops@firma.example"}, mail)
		r.settle()
		r.wantStatus(id, chatops.AlertFailed)
		if n := len(q.find(chatops.EventEscalation)); n != 1 {
			t.Fatalf("%d escalations", n)
		}
	})
}

func TestEscalation_NobodyIsToldWithoutAnAddress(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		q := newFakeQueue()
		q.add(5, chatops.EventSlackAlert, "slack:alerts")
		r := start(t, q, Options{}, lossy())
		r.settle()
		r.wantCount(chatops.AlertFailed, 5)
		if len(q.find(chatops.EventEscalation)) != 0 {
			t.Fatal("an escalation to nobody")
		}
		if !strings.Contains(r.logs.String(), "alerts failed for good") {
			t.Fatal("nothing in the log")
		}
	})
}
