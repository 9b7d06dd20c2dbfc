package server

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// wantSane checks what the chat service is promised about a request.
func wantSane(tb rapid.TB, req chatops.ChatRequest) {
	tb.Helper()
	n := utf8.RuneCountInString(req.Message)
	switch {
	case n < 1 || n > chatops.MaxMessageLength:
		tb.Fatalf("message of %d characters", n)
	case strings.TrimSpace(req.Message) != req.Message:
		tb.Fatalf("message %q is not trimmed", req.Message)
	case !utf8.ValidString(req.Message) || strings.ContainsRune(req.Message, 0):
		tb.Fatalf("message %q is not clean", req.Message)
	case req.SessionID != "" && !validSessionID(req.SessionID):
		tb.Fatalf("session %q", req.SessionID)
	}
}

func FuzzDecodeChat(f *testing.F) {
	for _, seed := range []string{
		`{"message":"a","session_id":"s","consent":{"rodo":true,"marketing":null}}`, `{"message":"\u0000\ud800"}`,
		`{"message":" \u00a0 "}`, `{"message":5}`, `{"message":"a","session_id":"a\u0000"}`, `{"consent":[]}`, `{`, `[]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		req, err := decodeChat(body)
		if err == nil {
			wantSane(t, req)
			return
		}
		if code := chatops.ErrorCode(err); code != chatops.CodeInvalid && code != chatops.CodeTooLarge {
			t.Fatalf("%q: code %q: %v", body, code, err)
		}
		if p := problemOf(err, "r"); p.Status != 400 && p.Status != 413 || p.Message == "" || p.Detail == "" {
			t.Fatalf("%q: problem %+v", body, p)
		}
	})
}

func TestDecodeChat_TakesWhatAClientCanWrite(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		message := rapid.StringN(0, 5000, -1).Draw(t, "message")
		session := rapid.StringMatching(`[A-Za-z0-9_-]{0,101}`).Draw(t, "session")
		given := rapid.Ptr(rapid.Bool(), true).Draw(t, "marketing")
		body, err := json.Marshal(map[string]any{
			"message": message, "session_id": session, "consent": map[string]any{"marketing": given},
		})
		if err != nil {
			t.Fatal(err)
		}
		want := chatops.CleanText(strings.TrimSpace(message))
		req, err := decodeChat(body)
		switch {
		case want == "", utf8.RuneCountInString(want) > chatops.MaxMessageLength, len(session) > chatops.MaxSessionIDLength:
			if err == nil {
				t.Fatalf("%s is accepted", body)
			}
			return
		case err != nil:
			t.Fatalf("%s: %v", body, err)
		}
		wantSane(t, req)
		if req.Message != want || req.SessionID != session {
			t.Fatalf("%s became %+v", body, req)
		}
		if (given == nil) != (req.Consent.Marketing == nil) || given != nil && *given != *req.Consent.Marketing || req.Consent.RODO != nil {
			t.Fatalf("%s: consent %+v", body, req.Consent)
		}
	})
}

func TestSaneRequestID_AcceptsOnlyItsAlphabet(t *testing.T) {
	t.Parallel()
	const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.OneOf(rapid.String(), rapid.StringMatching(`[A-Za-z0-9._-]{0,70}`)).Draw(t, "id")
		want := len(id) >= 1 && len(id) <= maxRequestID && strings.Trim(id, alphabet) == ""
		if got := saneRequestID(id); got != want {
			t.Fatalf("%q: %v, want %v", id, got, want)
		}
	})
	if id := newRequestID(); len(id) != 24 || !saneRequestID(id) {
		t.Errorf("made the id %q", id)
	}
}
