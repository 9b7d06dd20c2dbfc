package e2e

import (
	"strings"
	"testing"
	"time"

	"chatops/internal/sendertest"
)

// F19: alerts fail for good while the mail server is down. The escalation waits
// for it on its own budget, breeds no other escalation, and arrives once with
// commands that work as they stand.
func TestEscalation_WaitsForTheMailServerAndHoldsCommandsThatWork(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		hook := sendertest.StartHTTP(t, "")
		hook.Set(sendertest.Status(400, "no"))
		w.env["WEBHOOKS"] = "crm=" + hook.URL() + "#allow_private"
		w.env["DLQ_MAX_RETRIES"] = "1"
		w.env["DLQ_RETRY_DELAY_MINUTES"] = "0.005"
		w.env["CB_FAIL_MAX"] = "1000"
		w.smtp.Stop()
		w.serve()
		awayFromTheFullHour()
		w.enqueueMany(20, "k", "queued")
		w.await(20, `select count(*) from dead_letter_queue where status = 'failed'`)
		// More attempts than an alert would get.
		w.await(1, `select count(*) from dead_letter_queue where event_type = 'escalation' and status = 'pending' and retry_count >= 3`)
		if n := w.number(`select count(*) from dead_letter_queue where event_type = 'escalation'`); n != 1 {
			t.Errorf("%d escalations of one cause in one hour, want 1:\n%s", n, w.queue())
		}
		w.smtp.Start()
		w.await(1, `select count(*) from dead_letter_queue where event_type = 'escalation' and status = 'delivered'`)

		mails := w.smtp.Mails()
		if len(mails) != 1 || mails[0].To[0] != "oncall@firma.example" {
			t.Fatalf("%d mails, want one to the engineer on call", len(mails))
		}
		text := mails[0].Text()
		if !strings.Contains(text, "20") || !strings.Contains(text, "HTTP 400") {
			t.Errorf("the mail does not tell how many failed and why:\n%s", text)
		}
		hook.Set(sendertest.OK())
		commands := 0
		for line := range strings.Lines(text) {
			command, found := strings.CutPrefix(strings.TrimSpace(line), "chatops ")
			if !found || strings.Contains(command, "ID") || strings.Contains(command, "discard") {
				continue
			}
			commands++
			w.must(append(strings.Fields(command), "--yes")...)
		}
		if commands < 2 {
			t.Errorf("the mail holds %d commands:\n%s", commands, text)
		}
		if n := w.number(`select count(*) from dead_letter_queue where status <> 'delivered'`); n != 0 {
			t.Errorf("after the mail's commands %d alerts are not delivered:\n%s", n, w.queue())
		}
	})
}

// awayFromTheFullHour waits when the hour is about to end: failures before and
// after that have a mail each.
func awayFromTheFullHour() {
	if left := time.Until(time.Now().Truncate(time.Hour).Add(time.Hour)); left < time.Minute {
		<-time.After(left)
	}
}

// F19: an escalation that is refused for good ends there.
func TestEscalation_RefusedForGood_BreedsNoOther(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		w.smtp.Set(sendertest.Fault{Stage: sendertest.StageRcpt, Reply: "550 5.1.1 no such user"})
		s := w.serve()
		w.enqueue("email_alert", "mailto:sales@firma.example", emailPayload, "lead:s1:email")
		w.await(2, `select count(*) from dead_letter_queue where status = 'failed'`)
		s.awaitLog("an escalation could not be delivered and is given up")
		if n := w.number(`select count(*) from dead_letter_queue`); n != 2 {
			t.Errorf("%d rows, want the alert and its escalation:\n%s", n, w.queue())
		}
	})
}
