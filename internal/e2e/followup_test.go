package e2e

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"chatops/internal/sendertest"
)

// useFollowups lets follow-ups be planned: their mails need a link.
func (w *world) useFollowups() {
	w.env["PUBLIC_URL"] = "https://bot.firma.example"
	w.env["CONSENT_KEYS"] = "k1:" + strings.Repeat("QUJD", 11)
	delete(w.env, "ESCALATION_EMAIL")
}

// silence stores a conversation with both consents whose person wrote last so
// many hours ago.
func (w *world) silence(session, email, language string, hours int) int {
	w.t.Helper()
	w.exec(`insert into chat_conversations (session_id, email, context_data, started_at, last_user_message_at, marketing_consent, rodo_consent)
		values (?, ?, ?, ?, ?, ?, ?)`, session, email, `{"language":"`+language+`"}`, w.ago(hours), w.ago(hours), true, true)
	return w.number(`select id from chat_conversations where session_id = ?`, session)
}

// ago is a moment as both engines store it.
func (w *world) ago(hours int) string {
	return time.Now().UTC().Add(-time.Duration(hours) * time.Hour).Format("2006-01-02 15:04:05.000000")
}

// planNow asks the fleet for a run of the planner, as an operator does.
func (w *world) planNow() {
	w.t.Helper()
	w.await(1, `select count(*) from scheduled_job where name = 'followups'`)
	w.exec(`update scheduled_job set requested = ? where name = 'followups'`, w.ago(0))
}

func (w *world) awaitFollowup(status string, n int) {
	w.t.Helper()
	w.awaitFor(2*patience, n, `select count(*) from followup_event where status = ?`, status)
}

func TestFollowup_MailHasBothPartsAndTheLinkThatEndsIt(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		w.useFollowups()
		w.silence("pl", "Jan@x.example", "pl", 30)
		w.silence("en", "Eve@x.example", "en", 35)
		w.silence("early", "ewa@x.example", "pl", 12)
		w.serve()
		w.planNow()
		w.awaitFollowup("sent", 2)
		w.await(2, `select count(*) from dead_letter_queue where status = 'delivered' and target = 'email:followups'`)
		w.await(2, `select count(*) from chat_messages where is_followup`)
		mails := w.smtp.Mails()
		if len(mails) != 2 {
			t.Fatalf("%d mails, want 2", len(mails))
		}
		for _, m := range mails {
			word, link := "Dzień dobry", m.Header("List-Unsubscribe")
			if m.To[0] == "Eve@x.example" {
				word = "Hello"
			}
			if !strings.Contains(m.Text(), word) || !strings.Contains(m.HTML(), "<p>"+word) || m.MessageID() == "" {
				t.Errorf("mail to %s:\n%s", m.To[0], m.Data)
			}
			link = strings.Trim(link, "<>")
			if !strings.HasPrefix(link, "https://bot.firma.example/unsubscribe?token=") || !strings.Contains(m.Text(), link) ||
				m.Header("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" {
				t.Errorf("link %q in\n%s", link, m.Data)
			}
		}
		due := w.must("followup", "due", "-o", "json")
		if strings.Contains(due.out, "x.example") || !strings.Contains(due.out, `"items": []`) {
			t.Errorf("afterwards due: %s", due.out)
		}
	})
}

// F2 and F3 for follow-ups: the mail server has the mail, and its answer is lost
// or the process dies before it can be recorded.
func TestFollowup_ThatMayHaveBeenSentIsNotRepeatedByItself(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]struct {
		fault sendertest.Fault
		kill  bool
	}{
		"killed after the final dot":     {sendertest.Fault{Stage: sendertest.StageDot, Hang: true, Keep: true}, true},
		"reply to the final dot is lost": {sendertest.Fault{Stage: sendertest.StageDot, Drop: true, Keep: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forEachEngine(t, func(t *testing.T, w *world) {
				w.useFollowups()
				w.silence("s", "jan@x.example", "pl", 30)
				w.smtp.Set(f.fault)
				s := w.serve()
				w.planNow()
				if len(w.smtp.Wait(t.Context(), 1)) != 1 {
					t.Fatal("no mail arrived")
				}
				if f.kill {
					s.kill()
					w.leasesRunOut()
					w.smtp.Set()
					s = w.serve()
				}
				w.awaitFollowup("uncertain", 1)
				w.await(1, `select count(*) from dead_letter_queue where status = 'failed' and target = 'email:followups'`)
				w.smtp.Set()
				s.term()
				s.wait()

				w.must("dlq", "retry", "--all", "--yes") // skips it
				w.await(1, `select count(*) from dead_letter_queue where status = 'failed' and target = 'email:followups'`)
				if n := len(w.smtp.Mails()); n != 1 {
					t.Fatalf("%d mails, want 1", n)
				}
				id := w.number(`select id from dead_letter_queue where target = 'email:followups'`)
				w.must("dlq", "retry", strconv.Itoa(id), "--yes", "--now")
				w.awaitFollowup("sent", 1)
				mails := w.smtp.Mails()
				if len(mails) != 2 || mails[0].MessageID() != mails[1].MessageID() {
					t.Errorf("%d mails after an operator named it, want 2 with one Message-ID", len(mails))
				}
			})
		})
	}
}

// F4: the recipient is accepted, then consent is withdrawn. No DATA begins.
func TestFollowup_OptOutInFlightStopsIt(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		w.useFollowups()
		w.silence("s", "Jan+chat@x.example", "pl", 30)
		hold := make(chan struct{})
		w.smtp.Set(sendertest.Fault{Stage: sendertest.StageRcpt, Hold: hold})
		s := w.serve()
		w.planNow()
		w.awaitCommand(t, "RCPT")
		s.optOut(t, "jan@x.example") // another address of the mailbox
		close(hold)
		w.awaitFollowup("cancelled", 1)
		w.await(1, `select count(*) from dead_letter_queue where status = 'cancelled'`)
		if all := strings.Join(w.smtp.Commands(), "\n"); strings.Contains(all, "DATA") || len(w.smtp.Mails()) != 0 {
			t.Errorf("DATA began after the opt-out:\n%s", all)
		}
	})
}

// The other way round: DATA has begun, and the server does not answer. The
// opt-out waits for a moment, not for the server.
func TestFollowup_OptOutAfterDATADoesNotWaitForTheMailServer(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		w.useFollowups()
		w.silence("s", "jan@x.example", "pl", 30)
		hold := make(chan struct{})
		w.smtp.Set(sendertest.Fault{Stage: sendertest.StageData, Hold: hold})
		s := w.serve()
		w.planNow()
		w.awaitCommand(t, "DATA")
		s.optOut(t, "jan@x.example")
		close(hold)
		w.awaitFollowup("sent", 1)
	})
}

// Eight processes, whose claims of the job are taken from them all the time, race
// each other to plan and send.
func TestFollowup_ManyProcessesSendEachOnce(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		w.useFollowups()
		const people = 30
		for i := range people {
			w.silence(fmt.Sprintf("s%d", i), fmt.Sprintf("jan%d@x.example", i/2), "pl", 30+i)
		}
		w.replicas(8)
		for range 20 {
			w.planNow()
			w.exec(`update scheduled_job set lease_until = ? where name = 'followups'`, w.ago(1))
		}
		w.awaitFollowup("sent", people/2)
		w.await(0, `select count(*) from dead_letter_queue where status in ('queued', 'pending')`)
		to := map[string]int{}
		for _, m := range w.smtp.Mails() {
			to[m.To[0]]++
		}
		if len(to) != people/2 || len(w.smtp.Mails()) != people/2 {
			t.Errorf("mails %v, want one for each of %d people", to, people/2)
		}
	})
}

func (w *world) awaitCommand(t *testing.T, verb string) {
	t.Helper()
	for n := 1; ; n++ {
		commands := w.smtp.WaitCommands(t.Context(), n)
		if len(commands) < n {
			t.Fatalf("no %s among %q", verb, commands)
		}
		if strings.HasPrefix(commands[n-1], verb) {
			return
		}
	}
}

func (s *server) optOut(t *testing.T, address string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.base+"/api/unsubscribe", strings.NewReader(`{"email":"`+address+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("opt-out answered %d", res.StatusCode)
	}
}
