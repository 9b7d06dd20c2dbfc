package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// answer is a reply to any request.
type answer struct {
	status int
	header http.Header
	body   string
}

// post sends JSON, with headers given as name, value, name, value.
func (s *server) post(ctx context.Context, path string, body any, headers ...string) (*answer, error) {
	return s.send(ctx, http.MethodPost, path, body, headers...)
}

func (s *server) send(ctx context.Context, method, path string, body any, headers ...string) (*answer, error) {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, s.base+path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	got, err := io.ReadAll(res.Body)
	return &answer{status: res.StatusCode, header: res.Header, body: string(got)}, err
}

// mustSend is send for a request that has to be answered with a status.
func (s *server) mustSend(want int, method, path string, body any, headers ...string) *answer {
	s.t.Helper()
	a, err := s.send(s.t.Context(), method, path, body, headers...)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	if a.status != want {
		s.t.Fatalf("%s %s: %d, want %d: %s", method, path, a.status, want, a.body)
	}
	return a
}

// replicas starts n services on one database.
func (w *world) replicas(n int) []*server {
	w.t.Helper()
	processes := make([]*process, n)
	for i := range processes {
		processes[i] = w.start("serve")
	}
	list := make([]*server, n)
	for i, p := range processes {
		list[i] = w.serveBy(p)
		list[i].awaitReady()
	}
	return list
}

// Whatever a visitor's browser repeats, on whichever replica it arrives, there
// is one lead, one item and one alert of each kind.
func TestRepeats_OverTwoReplicasGiveOneLeadOneItemAndOneAlert(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		pair := w.replicas(2)
		ways := map[string]func(i int, session, text string) (*answer, error){
			"parallel": func(i int, session, text string) (*answer, error) {
				return pair[i%2].post(t.Context(), "/api/chatbot/chat", map[string]string{"session_id": session, "message": text + strings.Repeat("!", i)})
			},
			"repost": func(i int, session, text string) (*answer, error) {
				return pair[i%2].post(t.Context(), "/api/chatbot/chat", map[string]string{"session_id": session, "message": text})
			},
			"key": func(i int, session, text string) (*answer, error) {
				return pair[i%2].post(t.Context(), "/api/chatbot/chat", map[string]string{"session_id": session, "message": text},
					"Idempotency-Key", "confirm-"+session)
			},
		}
		for way, send := range ways {
			lines := script("Jan Kowalski", way+"@przyklad.pl")
			for i, line := range lines[:4] {
				pair[i%2].mustSay("visit-"+way, line)
			}
			var visits sync.WaitGroup
			for i := range 5 {
				visits.Go(func() {
					a, err := send(i, "visit-"+way, lines[4])
					if err != nil {
						t.Errorf("%s: %v", way, err)
						return
					}
					running := way == "key" && a.status == http.StatusConflict
					if a.status != http.StatusOK && !running {
						t.Errorf("%s: %d %s", way, a.status, a.body)
					}
				})
			}
			visits.Wait()
		}
		w.await(9, `select count(*) from dead_letter_queue where status = 'delivered'`)
		for way := range ways {
			if n := w.number(`select count(*) from leads where session_id = ?`, "visit-"+way); n != 1 {
				t.Errorf("%s: %d leads, want 1", way, n)
			}
		}
		if n := w.number(`select count(*) from dead_letter_queue`); n != 9 {
			t.Errorf("%d rows in the queue, want 9:\n%s", n, w.queue())
		}
		slack, items, mails := len(w.slack.Texts()), len(w.monday.Items()), len(w.smtp.Mails())
		if slack != 3 || items != 3 || mails != 3 {
			t.Errorf("%d Slack messages, %d items, %d mails, want 3 of each", slack, items, mails)
		}
	})
}

// A key gives the first answer again, on the other replica and after a restart;
// with another body it is refused.
func TestRepeats_WithAKeyGetTheFirstAnswerFromAnyReplica(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		pair := w.replicas(2)
		body := map[string]string{"session_id": "visit-1", "message": "Ile kosztuje pakiet Comfort?"}
		first := pair[0].mustSend(http.StatusOK, http.MethodPost, "/api/chatbot/chat", body, "Idempotency-Key", "k-1")
		again := pair[1].mustSend(http.StatusOK, http.MethodPost, "/api/chatbot/chat", body, "Idempotency-Key", "k-1")
		if first.body != again.body {
			t.Errorf("the replicas answer\n%s\n%s", first.body, again.body)
		}
		if again.header.Get("Idempotent-Replayed") != "true" || first.header.Get("Idempotent-Replayed") != "" {
			t.Errorf("Idempotent-Replayed is %q and %q", first.header.Get("Idempotent-Replayed"), again.header.Get("Idempotent-Replayed"))
		}
		pair[0].kill()
		restarted := w.serve()
		if a := restarted.mustSend(http.StatusOK, http.MethodPost, "/api/chatbot/chat", body, "Idempotency-Key", "k-1"); a.body != first.body {
			t.Errorf("after a restart: %s", a.body)
		}
		body["message"] = "A Premium?"
		restarted.mustSend(http.StatusUnprocessableEntity, http.MethodPost, "/api/chatbot/chat", body, "Idempotency-Key", "k-1")
		if n := w.number(`select count(*) from chat_messages`); n != 2 {
			t.Errorf("%d messages are stored, want 2", n)
		}

		form := map[string]string{"name": "Anna Nowak", "email": "anna@przyklad.pl", "message": "proszę o kontakt"}
		lead := pair[1].mustSend(http.StatusCreated, http.MethodPost, "/api/leads/", form, "Idempotency-Key", "form-1")
		same := restarted.mustSend(http.StatusCreated, http.MethodPost, "/api/leads/", form, "Idempotency-Key", "form-1")
		if lead.body != same.body {
			t.Errorf("the replicas answer\n%s\n%s", lead.body, same.body)
		}
		w.await(1, `select count(*) from dead_letter_queue where event_type = 'monday_item' and status = 'delivered'`)
		if leads, items := w.number(`select count(*) from leads`), len(w.monday.Items()); leads != 1 || items != 1 {
			t.Errorf("%d leads and %d items, want 1 of each", leads, items)
		}
	})
}
