package e2e

import (
	"encoding/json"
	"strconv"
	"testing"

	"chatops/internal/sendertest"
)

// F3, for alerts: everything that a mail server can do wrong, how it is
// classified, and that the mail arrives afterwards with one Message-ID.
func TestMail_FaultsAreClassifiedAndTheMailArrivesAfterwards(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name            string
		fault           sendertest.Fault
		status, outcome string
		code            int // SMTP reply, 0: none
	}{
		{"stalls at the banner", sendertest.Fault{Stage: sendertest.StageBanner, Hang: true}, "pending", "transient", 0},
		{"stalls at RCPT", sendertest.Fault{Stage: sendertest.StageRcpt, Hang: true}, "pending", "transient", 0},
		{"stalls after the final dot", sendertest.Fault{Stage: sendertest.StageDot, Hang: true, Keep: true}, "pending", "ambiguous", 0},
		{"drops after the final dot", sendertest.Fault{Stage: sendertest.StageDot, Drop: true, Keep: true}, "pending", "ambiguous", 0},
		{"drops before the text", sendertest.Fault{Stage: sendertest.StageData, Drop: true}, "pending", "transient", 0},
		{"421 at the banner", sendertest.Fault{Stage: sendertest.StageBanner, Reply: "421 4.3.2 shutting down"}, "pending", "transient", 421},
		{"450 at RCPT", sendertest.Fault{Stage: sendertest.StageRcpt, Reply: "450 4.2.1 busy"}, "pending", "transient", 450},
		{"451 after the final dot", sendertest.Fault{Stage: sendertest.StageDot, Reply: "451 4.3.0 later"}, "pending", "transient", 451},
		{"550 at RCPT", sendertest.Fault{Stage: sendertest.StageRcpt, Reply: "550 5.1.1 no such user"}, "failed", "permanent", 550},
		{"554 after the final dot", sendertest.Fault{Stage: sendertest.StageDot, Reply: "554 5.6.0 spam"}, "failed", "permanent", 554},
		{"535 at log-in", sendertest.Fault{Stage: sendertest.StageAuth, Reply: "535 5.7.8 no"}, "pending", "misconfigured", 535},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			takeTurns(t, func(t *testing.T, w *world) {
				delete(w.env, "ESCALATION_EMAIL")
				w.smtp.Set(tt.fault)
				s := w.serve()
				id := w.enqueue("email_alert", "mailto:sales@firma.example", emailPayload, "lead:s1:email")
				w.awaitFor(2*patience, 1, `select count(*) from dead_letter_queue where status = ?`, tt.status)
				r := w.must("dlq", "show", strconv.Itoa(id), "-o", "json")
				var shown struct {
					RetryCount int `json:"retry_count"`
					Attempts   []struct {
						Outcome    string `json:"outcome"`
						HTTPStatus int    `json:"http_status"`
					} `json:"attempts"`
				}
				if err := json.Unmarshal([]byte(r.out), &shown); err != nil {
					t.Fatal(err)
				}
				if len(shown.Attempts) != 1 || shown.Attempts[0].Outcome != tt.outcome || shown.Attempts[0].HTTPStatus != tt.code {
					t.Errorf("%s\nwant one attempt, %s, reply %d", r.out, tt.outcome, tt.code)
				}
				s.term()
				if code := s.wait(); code != 0 {
					t.Errorf("serve ended with %d", code)
				}
				w.smtp.Set()
				w.must("dlq", "retry", strconv.Itoa(id), "--yes", "--now")
				mails := w.smtp.Mails()
				want := 1
				if tt.fault.Keep {
					want = 2
				}
				if len(mails) != want {
					t.Fatalf("%d mails, want %d", len(mails), want)
				}
				for _, m := range mails {
					if m.MessageID() == "" || m.MessageID() != mails[0].MessageID() {
						t.Errorf("Message-ID %q beside %q", m.MessageID(), mails[0].MessageID())
					}
				}
			})
		})
	}
}
