package server

import (
	"context"
	"net/http"
	"time"

	"chatops/internal/chatops"

	"github.com/danielgtaylor/huma/v2"
)

type historyInput struct {
	SessionID string `path:"session_id" maxLength:"100" doc:"The conversation's session_id"`
}

type historyOutput struct{ Body historyBody }

type historyBody struct {
	Messages []historyMessage `json:"messages" nullable:"false"`
}

type historyMessage struct {
	Message   string    `json:"message"`
	Sender    string    `json:"sender" enum:"user,bot"`
	Timestamp time.Time `json:"timestamp" doc:"UTC"`
}

func (s *Server) addHistory() {
	addOperation(s, huma.Operation{
		OperationID: "history", Method: http.MethodGet, Path: "/api/chatbot/history/{session_id}",
		Summary: "Messages of a conversation, oldest first",
		Description: "Whoever knows the session_id may read: it is the key. An id that could be guessed is none, and its " +
			"history is empty without the admin key; ids that this server has made cannot be guessed.",
		Tags: []string{"Chat"}, Errors: []int{http.StatusBadRequest},
	}, s.history)
}

func (s *Server) history(ctx context.Context, in *historyInput) (*historyOutput, error) {
	if !validSessionID(in.SessionID) {
		return nil, errSessionID
	}
	var messages []chatops.Message
	if unguessable(in.SessionID) || s.isAdmin(exchangeOf(ctx).request) {
		var err error
		if messages, err = s.opts.Chat.History(ctx, in.SessionID); err != nil {
			return nil, err
		}
	}
	out := &historyOutput{Body: historyBody{Messages: make([]historyMessage, len(messages))}}
	for i, m := range messages {
		out.Body.Messages[i] = historyMessage{Message: m.Text, Sender: string(m.Sender), Timestamp: m.At.UTC()}
	}
	return out, nil
}

// What an id must have to count as impossible to guess.
const (
	minCapability = 16 // letters and digits
	minDistinct   = 8  // different ones among them
	minChanges    = 3  // places where letters and digits meet, or small and capital ones
	longNumber    = 32 // digits of a number that no clock and no counter shows
)

// unguessable reports whether a session id looks drawn at random, as a UUID and
// any usual token do, and not made of words, counters and moments, as in
// "session-2026-0001". It judges a single id, so it can only look at its form:
// letters, capitals and digits of a token take turns often, within a word they
// do not.
func unguessable(id string) bool {
	var seen [128]bool
	length, distinct, changes, digits, last := 0, 0, 0, 0, 0
	for i := range len(id) {
		kind := kindOf(id[i])
		if kind == 0 { // a separator joins parts and proves nothing
			last = 0
			continue
		}
		length++
		if c := id[i]; !seen[c] {
			seen[c] = true
			distinct++
		}
		if kind == digit {
			digits++
		}
		if last != 0 && kind != last {
			changes++
		}
		last = kind
	}
	return length >= minCapability && distinct >= minDistinct && (changes >= minChanges || digits == length && digits >= longNumber)
}

// The kinds of ASCII characters that tokens are made of.
const (
	digit = iota + 1
	capital
	small
)

// kindOf returns the kind of a character; 0 is any other.
func kindOf(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return digit
	case c >= 'A' && c <= 'Z':
		return capital
	case c >= 'a' && c <= 'z':
		return small
	}
	return 0
}
