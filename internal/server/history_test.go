package server

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"chatops/internal/chatops"
)

// session is an id as this server makes them.
const session = "0f1e2d3c-4b5a-4978-8796-a5b4c3d2e1f0"

func TestHistory_ListsMessages(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	at := time.Date(2026, 3, 29, 3, 30, 0, 125_000_000, time.FixedZone("CEST", 7200))
	var asked string
	f.chat.historyFunc = func(_ context.Context, id string) ([]chatops.Message, error) {
		asked = id
		return []chatops.Message{
			{ID: 1, Text: "<b>cześć</b>", Sender: chatops.SenderUser, At: at},
			{ID: 2, Text: "Dzień dobry", Sender: chatops.SenderBot, At: at.Add(time.Second)},
		}, nil
	}
	got := f.get(t, "/api/chatbot/history/"+session+"%C5%BC%251").Body
	want := `{"messages":[{"message":"<b>cześć</b>","sender":"user","timestamp":"2026-03-29T01:30:00.125Z"},` +
		`{"message":"Dzień dobry","sender":"bot","timestamp":"2026-03-29T01:30:01.125Z"}]}`
	if strings.TrimSpace(got) != want || asked != session+"ż%1" {
		t.Errorf("history of %q: %s", asked, got)
	}
	f.chat.historyFunc = nil
	if got := f.get(t, "/api/chatbot/history/unknown").Body; strings.TrimSpace(got) != `{"messages":[]}` {
		t.Errorf("unknown session: %s", got)
	}
}

func TestHistory_SaysWhenTheDatabaseIsDown(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.chat.historyFunc = func(context.Context, string) ([]chatops.Message, error) {
		return nil, chatops.Errorf(chatops.CodeUnavailable, "database unreachable")
	}
	r := f.get(t, "/api/chatbot/history/"+session)
	r.wantProblem(t, http.StatusServiceUnavailable)
	if r.Header.Get("Retry-After") != "5" {
		t.Errorf("Retry-After %q", r.Header.Get("Retry-After"))
	}
}

func TestHistory_OfAGuessableIDIsEmptyWithoutTheAdminKey(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	f.chat.historyFunc = func(context.Context, string) ([]chatops.Message, error) {
		return []chatops.Message{{Text: "Jan, 600 700 800", Sender: chatops.SenderUser}}, nil
	}
	for _, id := range []string{"s1", "tour", "visit-2", "session-2026-0001"} {
		r := f.get(t, "/api/chatbot/history/"+id)
		if r.StatusCode != http.StatusOK || strings.TrimSpace(r.Body) != `{"messages":[]}` {
			t.Errorf("%s: status %d: %s", id, r.StatusCode, r.Body)
		}
		if r := f.admin(t, "GET", "/api/chatbot/history/"+id, ""); !strings.Contains(r.Body, "600 700 800") {
			t.Errorf("%s with the key: %s", id, r.Body)
		}
	}
	if r := f.get(t, "/api/chatbot/history/"+session); !strings.Contains(r.Body, "600 700 800") {
		t.Errorf("an id that cannot be guessed: %s", r.Body)
	}
}

func TestUnguessable_TellsTokensFromWordsAndCounters(t *testing.T) {
	t.Parallel()
	for _, id := range []string{
		session, strings.ToUpper(session), strings.ReplaceAll(session, "-", ""), "V1StGXR8_Z5jdHi6B-myT",
		"session_1732412345678_k3j9x0abc", "sess-9f86d081884c7d65", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "31415926535897932384626433832795",
	} {
		if !unguessable(id) {
			t.Errorf("%s counts as guessable", id)
		}
	}
	for _, id := range []string{
		"", "s1", "tour", "jan@przyklad.pl", "visitor-00000001", "session_1732412345678", "1732412345678901", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"00000000-0000-0000-0000-000000000000", "rozmowa-z-jan-kowalski-gdansk", "user-jan.kowalski@example.com-session-2026",
		"1111111111111111111111111111111111", "zażółćgęśląjaźńzażółćgęśląjaźń", "a1b2c3d4e5f6g7",
	} {
		if unguessable(id) {
			t.Errorf("%q counts as a secret", id)
		}
	}
}

func TestUnguessable_AcceptsNearlyAllRandomTokens(t *testing.T) {
	t.Parallel()
	const drawn = 2000
	makers := map[string]func() string{
		"uuid":      uuid.NewString,
		"128 bits":  func() string { return hex.EncodeToString(random(16)) },
		"base64url": func() string { return base64.RawURLEncoding.EncodeToString(random(16)) },
	}
	for name, draw := range makers {
		refused := 0
		for range drawn {
			if !unguessable(draw()) {
				refused++
			}
		}
		if refused > drawn/100 {
			t.Errorf("%s: %d of %d are refused", name, refused, drawn)
		}
	}
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}
