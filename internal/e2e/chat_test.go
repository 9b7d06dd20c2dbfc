package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"chatops/internal/testserver"
)

// reply is an answer of the chat API.
type reply struct {
	status int
	header http.Header
	raw    string

	Response  string         `json:"response"`
	SessionID string         `json:"session_id"`
	Context   map[string]any `json:"context"`
	LeadScore int            `json:"lead_score"`
	Error     string         `json:"error"`
}

// say posts one message. An error means that there was no answer.
func (s *server) say(ctx context.Context, session, message string) (*reply, error) {
	body, err := json.Marshal(map[string]string{"session_id": session, "message": message})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+"/api/chatbot/chat", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	r := &reply{status: res.StatusCode, header: res.Header, raw: string(text)}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("reply %q: %w", text, err)
	}
	return r, nil
}

// mustSay is say for a message that has to be answered with 200.
func (s *server) mustSay(session, message string) *reply {
	s.t.Helper()
	r, err := s.say(s.t.Context(), session, message)
	if err != nil {
		s.t.Fatalf("say %q: %v", message, err)
	}
	if r.status != http.StatusOK {
		s.t.Fatalf("say %q: %d %s", message, r.status, r.raw)
	}
	return r
}

// script is a visitor who tells everything; the last line confirms it.
func script(name, email string) []string {
	return []string{
		"Dzień dobry, nazywam się " + name + ", mieszkanie jest w Warszawie",
		"Ma 85 m2, interesuje mnie pakiet Comfort",
		"Mój e-mail to " + email + ", telefon 600 700 800",
		"Mam budżet 150 000 zł",
		"Tak, wszystko się zgadza",
	}
}

// get returns the body of a page.
func (s *server) get(path string) (status int, body string) {
	s.t.Helper()
	res, err := s.client.Get(s.base + path)
	if err != nil {
		s.t.Fatalf("GET %s: %v", path, err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatalf("GET %s: %v", path, err)
	}
	return res.StatusCode, string(text)
}

// awaitStatus waits until a page answers with a status.
func (s *server) awaitStatus(path string, want int) {
	s.t.Helper()
	got := 0
	err := testserver.Poll(patience, func(context.Context) error {
		if got, _ = s.get(path); got != want {
			return errNotYet
		}
		return nil
	})
	if err != nil {
		s.t.Fatalf("%s answers %d, want %d", path, got, want)
	}
}

// load is a crowd of visitors who chat until they are told to stop.
type load struct {
	s      *server
	cancel context.CancelFunc
	done   sync.WaitGroup
	sent   atomic.Int64

	mu       sync.Mutex
	stored   []string    // messages answered with 200
	statuses map[int]int // answers by status
	bare     int         // 503 without Retry-After
	refused  int         // no answer at all
}

// chatter starts n visitors. Each message is unique, so that what was answered
// can be compared with what was stored.
func (s *server) chatter(n int) *load {
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{s: s, cancel: cancel, statuses: make(map[int]int)}
	for visitor := range n {
		l.done.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				message := fmt.Sprintf("Ile kosztuje pakiet Comfort? Pytanie %d-%d-%d", s.pid(), visitor, i)
				l.sent.Add(1)
				r, err := s.say(context.Background(), fmt.Sprintf("load-%d-%d", visitor, i/5), message)
				l.note(message, r, err)
			}
		})
	}
	s.t.Cleanup(func() { l.stop() })
	return l
}

func (l *load) note(message string, r *reply, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.refused++
		return
	}
	l.statuses[r.status]++
	switch r.status {
	case http.StatusOK:
		l.stored = append(l.stored, message)
	case http.StatusServiceUnavailable:
		if r.header.Get("Retry-After") == "" {
			l.bare++
		}
	}
}

// answers returns how many answers of a status there were so far.
func (l *load) answers(status int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.statuses[status]
}

func (l *load) stop() {
	l.cancel()
	l.done.Wait()
}

// reconcile compares the messages answered with 200 with those in the database:
// none may be missing there.
func (l *load) reconcile(t *testing.T, w *world) {
	t.Helper()
	rows, err := w.db.Query(`select message from chat_messages where sender = 'user'`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	kept := make(map[string]int)
	for rows.Next() {
		var m string
		if err := rows.Scan(&m); err != nil {
			t.Fatal(err)
		}
		kept[m]++
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	lost, twice := 0, 0
	for _, m := range l.stored {
		switch kept[m] {
		case 0:
			lost++
		case 1:
		default:
			twice++
		}
	}
	if lost > 0 || twice > 0 {
		t.Errorf("of %d messages answered with 200, %d are not stored and %d are stored twice", len(l.stored), lost, twice)
	}
	t.Logf("%d answered with 200, %d rows, statuses %v, %d without an answer", len(l.stored), len(kept), l.statuses, l.refused)
}
