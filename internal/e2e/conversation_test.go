package e2e

import (
	"net/http"
	"strings"
	"sync"
	"testing"
)

// The main job of stage 1, from the first hello to the last receiver.
func TestConversation_BecomesOneLeadAndOneAlertForEachReceiver(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		s := w.serve()
		for _, line := range script("Jan Kowalski", "Jan.Kowalski@Przyklad.pl") {
			s.mustSay("visit-1", line)
		}
		w.await(3, `select count(*) from dead_letter_queue where status = 'delivered'`)
		w.checkLead(t)
		w.checkArrivals(t)
		if n := w.number(`select count(*) from dead_letter_queue`); n != 3 {
			t.Errorf("%d rows in the queue, want 3:\n%s", n, w.queue())
		}

		// A second visitor whose browser sends the confirmation five times at once.
		lines := script("Anna Nowak", "anna.nowak@przyklad.pl")
		for _, line := range lines[:4] {
			s.mustSay("visit-2", line)
		}
		var visits sync.WaitGroup
		for range 5 {
			visits.Go(func() {
				r, err := s.say(t.Context(), "visit-2", lines[4])
				if err != nil || r.status != http.StatusOK {
					t.Errorf("parallel confirmation: %+v %v", r, err)
				}
			})
		}
		visits.Wait()
		w.await(6, `select count(*) from dead_letter_queue where status = 'delivered'`)
		if n := w.number(`select count(*) from leads where session_id = 'visit-2'`); n != 1 {
			t.Errorf("%d leads of the second session, want 1", n)
		}
		if n := w.number(`select count(*) from dead_letter_queue`); n != 6 {
			t.Errorf("%d rows in the queue, want 6:\n%s", n, w.queue())
		}
		slack, items, mails := len(w.slack.Texts()), len(w.monday.Items()), len(w.smtp.Mails())
		if slack != 2 || items != 2 || mails != 2 {
			t.Errorf("%d Slack messages, %d items, %d mails, want 2 of each", slack, items, mails)
		}
		w.expectNoLease(t)
	})
}

func (w *world) checkLead(t *testing.T) {
	t.Helper()
	if n := w.number(`select count(*) from leads`); n != 1 {
		t.Fatalf("%d leads, want 1", n)
	}
	want := map[string]string{
		"session_id": "visit-1", "name": "Jan Kowalski", "email": "jan.kowalski@przyklad.pl",
		"phone": "+48600700800", "interested_package": "Comfort", "property_size": "85",
		"location": "Warszawa", "source": "chatbot", "status": "new",
	}
	for column, value := range want {
		if got := w.text(`select ` + column + ` from leads`); got != value {
			t.Errorf("lead's %s is %q, want %q", column, got, value)
		}
	}
	if n := w.number(`select lead_score from leads`); n < 70 || n > 100 {
		t.Errorf("lead's score is %d, want 70 to 100", n)
	}
	if n := w.number(`select count(*) from leads where data_confirmed`); n != 1 {
		t.Error("the lead's data are not marked as confirmed")
	}
	if n := w.number(`select count(*) from leads where marketing_consent`); n != 0 {
		t.Error("marketing consent was never given and is stored as given")
	}
}

func (w *world) checkArrivals(t *testing.T) {
	t.Helper()
	texts := w.slack.Texts()
	if len(texts) != 1 || !strings.Contains(texts[0], "Jan Kowalski") {
		t.Errorf("Slack got %q, want one message that names the visitor", texts)
	}
	items := w.monday.Items()
	if len(items) != 1 || !strings.Contains(items[0].Name, "Jan Kowalski") || items[0].Board != "4711" {
		t.Errorf("the board holds %+v, want one item of the visitor", items)
	} else if got := w.text(`select monday_item_id from leads`); got != items[0].ID {
		t.Errorf("the lead's item is %q, want %q", got, items[0].ID)
	}
	mails := w.smtp.Mails()
	if len(mails) != 1 {
		t.Fatalf("%d mails, want 1", len(mails))
	}
	m := mails[0]
	if len(m.To) != 1 || m.To[0] != "sales@firma.example" || m.From != "robot@firma.example" || m.MessageID() == "" ||
		!strings.Contains(m.Text(), "Jan Kowalski") || !strings.Contains(m.Text(), "+48600700800") {
		t.Errorf("mail from %s to %v:\n%s", m.From, m.To, m.Data)
	}
}

// A lead below SLACK_LEAD_SCORE is kept and filed, but nobody is called over.
func TestConversation_TellsSlackOnlyAboutPromisingLeads(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		w.env["SLACK_LEAD_SCORE"] = "100"
		s := w.serve()
		for _, line := range script("Jan Kowalski", "jan@przyklad.pl") {
			s.mustSay("visit-1", line)
		}
		w.await(2, `select count(*) from dead_letter_queue where status = 'delivered'`)
		if n := w.number(`select count(*) from dead_letter_queue where target like 'slack:%'`); n != 0 {
			t.Errorf("%d Slack alerts for a lead below the score, want none", n)
		}
	})
}
