package e2e

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"chatops/internal/sendertest"
)

// outage is a way in which all three receivers fail.
type outage struct {
	name   string
	http   sendertest.Behaviour
	monday sendertest.Behaviour
	smtp   sendertest.Fault
	stop   bool // nobody listens
}

func outages() []outage {
	failing := sendertest.Status(500, "no such luck for jan@przyklad.pl")
	return []outage{
		{
			name: "answering 500", http: failing, monday: failing,
			smtp: sendertest.Fault{Stage: sendertest.StageDot, Reply: "451 4.3.0 try later, jan@przyklad.pl"},
		},
		{
			name: "closing the connection", http: sendertest.Drop(), monday: sendertest.Drop(),
			smtp: sendertest.Fault{Stage: sendertest.StageMail, Drop: true},
		},
		{
			name: "hanging", http: sendertest.Hang(), monday: sendertest.Hang(),
			smtp: sendertest.Fault{Stage: sendertest.StageRcpt, Hang: true},
		},
		{
			name: "refusing with HTTP 200 and 421",
			http: sendertest.Status(200, `{"ok":false,"error":"rollup_error"}`), monday: sendertest.MondayErrors("INTERNAL_SERVER_ERROR", 0),
			smtp: sendertest.Fault{Stage: sendertest.StageBanner, Reply: "421 4.3.2 closing"},
		},
		{name: "not listening", stop: true},
	}
}

func (w *world) breakReceivers(o outage) {
	if o.stop {
		w.slack.Stop()
		w.monday.Stop()
		w.smtp.Stop()
		return
	}
	w.slack.Set(o.http)
	w.monday.Set(o.monday)
	w.smtp.Set(o.smtp)
}

func (w *world) mendReceivers() {
	w.slack.Set(sendertest.OK())
	w.monday.Set(sendertest.OK())
	w.smtp.Set()
	w.slack.Start()
	w.monday.Start()
	w.smtp.Start()
}

// enqueueLead queues what a confirmed lead causes.
func (w *world) enqueueLead(session string) {
	w.t.Helper()
	w.enqueue("slack_alert", "slack:alerts", `{"text":"New lead `+session+`"}`, "lead:"+session+":slack")
	w.enqueue("monday_item", "monday:leads", strings.ReplaceAll(mondayPayload, "s1", session), "lead:"+session+":monday")
	w.enqueue("email_alert", "mailto:sales@firma.example", emailPayload, "lead:"+session+":email")
}

// The heart of the product: nothing is lost while receivers are down, the
// operator sees why, and one command sends everything, with the service
// running and without it.
func TestOutage_KeepsAlertsPendingAndOneCommandDeliversThem(t *testing.T) {
	t.Parallel()
	for _, o := range outages() {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			forEachEngine(t, func(t *testing.T, w *world) {
				s := w.serve()
				w.breakReceivers(o)
				w.enqueueLead("s1")
				w.await(3, `select count(*) from dead_letter_queue where status = 'pending'`)
				w.checkReasons(t)
				w.mendReceivers()
				w.retryAll(t, 3)

				w.breakReceivers(o)
				w.enqueueLead("s2")
				w.await(3, `select count(*) from dead_letter_queue where status = 'pending'`)
				s.term()
				if code := s.wait(); code != 0 {
					t.Errorf("serve ended with %d, want 0", code)
				}
				w.mendReceivers()
				w.retryAll(t, 3)

				if n := len(w.monday.Items()); n != 2 {
					t.Errorf("%d items on the board, want 2", n)
				}
				if n := len(w.smtp.Mails()); n != 2 {
					t.Errorf("%d mails, want 2", n)
				}
				w.expectNoLease(t)
			})
		})
	}
}

// checkReasons looks at every pending row the operator's way: its attempts,
// with a reason that names the integration and gives nothing away.
func (w *world) checkReasons(t *testing.T) {
	t.Helper()
	for _, a := range w.alerts() {
		if a.status != "pending" {
			continue
		}
		var shown struct {
			Status       string `json:"status"`
			RetryCount   int    `json:"retry_count"`
			ErrorMessage string `json:"error_message"`
			Fingerprint  string `json:"fingerprint"`
			Attempts     []struct {
				Outcome string `json:"outcome"`
				Error   string `json:"error"`
				Replica string `json:"replica"`
			} `json:"attempts"`
		}
		r := w.must("dlq", "show", strconv.Itoa(a.id), "-o", "json")
		if err := json.Unmarshal([]byte(r.out), &shown); err != nil {
			t.Fatalf("dlq show: %v\n%s", err, r.out)
		}
		if shown.Status != "pending" || shown.Fingerprint == "" || len(shown.Attempts) != shown.RetryCount+1 {
			t.Errorf("alert %d: %+v, want pending with one attempt, and one more per retry used up", a.id, shown)
			continue
		}
		integration, _, _ := strings.Cut(a.target, ":")
		if integration == "mailto" {
			integration = "email"
		}
		reason := shown.ErrorMessage
		if !strings.HasPrefix(reason, integration+": ") || shown.Attempts[0].Error != reason || shown.Attempts[0].Replica == "" {
			t.Errorf("alert %d: reason %q, attempt %+v", a.id, reason, shown.Attempts[0])
		}
		for _, secret := range append(w.canaries(), "127.", "@", "http://") {
			if strings.Contains(reason, secret) {
				t.Errorf("alert %d: the reason %q holds %q", a.id, reason, secret)
			}
		}
	}
}

// canaries are the secrets of the settings.
func (w *world) canaries() []string {
	return []string{sendertest.SlackSecret, "mondaykey0canary", "smtppassword0canary"}
}

// retryAll is what the engineer on call types.
func (w *world) retryAll(t *testing.T, want int) {
	t.Helper()
	r := w.must("dlq", "retry", "--all", "--yes", "--now", "-o", "json")
	var result struct {
		OperationID string `json:"operation_id"`
		Requeued    int    `json:"requeued"`
		Delivered   int    `json:"delivered"`
		DryRun      bool   `json:"dry_run"`
	}
	if err := json.Unmarshal([]byte(r.out), &result); err != nil {
		t.Fatalf("dlq retry: %v\n%s", err, r.out)
	}
	if result.Requeued != want || result.Delivered != want || !strings.HasPrefix(result.OperationID, "op_") || result.DryRun {
		t.Errorf("dlq retry: %s, want %d delivered\n%s", r.out, want, w.queue())
	}
	if n := w.number(`select count(*) from dead_letter_queue where status <> 'delivered'`); n != 0 {
		t.Errorf("%d alerts are not delivered:\n%s", n, w.queue())
	}
}
