package e2e

import (
	"net/http"
	"testing"
	"time"

	"chatops/internal/sendertest"
)

// F15: a receiver that says how long to wait is left alone for as long, and no
// retry is used up.
func TestRateLimit_PausesTheLaneAndUsesUpNoRetry(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"seconds", "HTTP date"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			takeTurns(t, func(t *testing.T, w *world) {
				w.serve()
				header, until := "2", time.Time{}
				if name == "HTTP date" {
					until = time.Now().Add(4 * time.Second).UTC().Truncate(time.Second)
					header = until.Format(http.TimeFormat)
				}
				w.slack.Script(sendertest.RateLimited(header))
				for _, session := range []string{"s1", "s2", "s3"} {
					w.enqueueLead(session)
				}
				w.await(9, `select count(*) from dead_letter_queue where status = 'delivered'`)
				got := w.slack.Requests()
				if len(got) != 4 {
					t.Fatalf("Slack got %d requests, want one refused and three accepted", len(got))
				}
				if until.IsZero() {
					until = got[0].At.Add(2 * time.Second)
				}
				if early := until.Sub(got[1].At); early > 100*time.Millisecond {
					t.Errorf("the next request came %v too early", early)
				}
				for _, a := range w.alerts() {
					if a.retries != 0 {
						t.Errorf("alert %+v: a retry was used up", a)
					}
				}
			})
		})
	}
}

// F15: what a receiver asks for is capped at a day, and nonsense means 30 s.
func TestRateLimit_CapsWhatIsAbsurd(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, header string
		least, most  int // seconds
	}{
		{"absurd", "99999999999999999999", 23 * 3600, 24 * 3600},
		{"negative", "-5", 10, 30},
		{"nonsense", "next week", 10, 30},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			takeTurns(t, func(t *testing.T, w *world) {
				w.serve()
				w.slack.Script(sendertest.RateLimited(tt.header))
				w.enqueue("slack_alert", "slack:alerts", slackPayload, "lead:s1:slack")
				w.await(1, `select count(*) from delivery_attempt where outcome = 'rate_limited'`)
				w.await(0, `select count(*) from dlq_lease`)
				paused := `select cast((julianday(max(paused_until)) - julianday('now')) * 86400 as integer) from dlq_lane`
				if w.engine == postgres {
					paused = `select extract(epoch from max(paused_until) - now())::int from dlq_lane`
				}
				if n := w.number(paused); n < tt.least || n > tt.most {
					t.Errorf("the lane is paused for %d s, want %d to %d", n, tt.least, tt.most)
				}
				if a := w.alerts()[0]; a.status != "pending" || a.retries != 0 || a.reason == "" {
					t.Errorf("alert %+v, want pending with a reason", a)
				}
				// Others are not held up by Slack's limit.
				w.enqueue("email_alert", "mailto:sales@firma.example", emailPayload, "lead:s1:email")
				w.await(1, `select count(*) from dead_letter_queue where status = 'delivered' and target <> 'slack:alerts'`)
				if n := len(w.slack.Requests()); n != 1 {
					t.Errorf("Slack got %d requests during the pause, want the refused one only", n)
				}
				w.pauseIsOver()
				w.await(2, `select count(*) from dead_letter_queue where status = 'delivered' and retry_count = 0`)
			})
		})
	}
}

// pauseIsOver lets the time of a pause pass.
func (w *world) pauseIsOver() {
	w.t.Helper()
	now := `strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'`
	if w.engine == postgres {
		now = `now()`
	}
	w.exec(`update dlq_lane set paused_until = null`)
	w.exec(`update dead_letter_queue set next_attempt_at = ` + now + ` where status in ('queued', 'pending')`)
}
