package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"chatops/internal/chatops"
)

func TestStatusOf_KnowsEveryCode(t *testing.T) {
	t.Parallel()
	for _, code := range chatops.Codes() {
		if _, ok := statusByCode[code]; !ok {
			t.Errorf("code %q has no HTTP status", code)
		}
		if s := StatusOf(code); s < 400 || s > 599 || http.StatusText(s) == "" {
			t.Errorf("code %q has status %d", code, s)
		}
	}
	if len(statusByCode) != len(chatops.Codes()) {
		t.Errorf("%d statuses for %d codes", len(statusByCode), len(chatops.Codes()))
	}
	if got := StatusOf("new"); got != http.StatusInternalServerError {
		t.Errorf("unknown code has status %d", got)
	}
}

func TestErrors_OfTheChatServiceBecomeProblems(t *testing.T) {
	t.Parallel()
	secret := errors.New("pq: password=hunter2 jan@x.pl")
	for _, tc := range []struct {
		name   string
		err    error
		status int
		text   string
	}{
		{"unavailable", chatops.WrapError(chatops.CodeUnavailable, secret, "database unreachable"), 503, "database unreachable"},
		{"address of the database", chatops.Errorf(chatops.CodeUnavailable, "connect to db.internal:5432: connection refused"), 503, unavailableText},
		{"no address", chatops.Errorf(chatops.CodeUnavailable, "disk full: nothing can be stored"), 503, "disk full: nothing can be stored"},
		{"folder of the socket", chatops.Errorf(chatops.CodeUnavailable, "connect to /run/postgresql"), 503, unavailableText},
		{"conflict", chatops.Errorf(chatops.CodeConflict, "changed meanwhile"), 409, "changed meanwhile"},
		{"unknown kind", secret, 500, "internal error"},
		{"internal", chatops.WrapError(chatops.CodeInternal, secret, "row 7 of table x"), 500, "internal error"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil)
			f.chat.replyFunc = func(context.Context, chatops.ChatRequest) (*chatops.ChatReply, error) { return nil, tc.err }
			r := f.post(t, `{"message":"hi"}`)
			if got := r.wantProblem(t, tc.status); got != tc.text {
				t.Errorf("error %q, want %q", got, tc.text)
			}
			if strings.Contains(r.Body, "hunter2") || strings.Contains(r.Body, "jan@") {
				t.Errorf("body shows the cause: %s", r.Body)
			}
			if retry := r.Header.Get("Retry-After"); retry != map[int]string{503: "5", 409: "1"}[tc.status] {
				t.Errorf("Retry-After %q with status %d", retry, tc.status)
			}
		})
	}
}

func TestPanic_EndsOneRequestOnly(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.chat.replyFunc = func(_ context.Context, req chatops.ChatRequest) (*chatops.ChatReply, error) {
		panic("about " + req.Message)
	}
	if got := f.post(t, `{"message":"kanarek"}`).wantProblem(t, http.StatusInternalServerError); got != "internal error" {
		t.Errorf("error %q", got)
	}
	if logs := f.logs.String(); !strings.Contains(logs, "handler panicked") || strings.Contains(logs, "kanarek") {
		t.Errorf("logs: %s", logs)
	}
	if r := f.get(t, "/livez"); r.StatusCode != http.StatusOK {
		t.Errorf("livez %d after a panic", r.StatusCode)
	}
	if r := f.get(t, "/metrics"); !strings.Contains(r.Body, "chatops_http_panics_total 1") {
		t.Error("the panic was not counted")
	}
}

func TestPanic_AfterTheResponseBeganBreaksTheConnection(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.mux.HandleFunc("GET /half", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half of")
		_ = strings.Fields("  ")[0]
	})
	defer func() {
		v := recover()
		if err, ok := v.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("panic %v, want http.ErrAbortHandler", v)
		}
		if !strings.Contains(f.logs.String(), "index out of range") {
			t.Errorf("logs do not name the runtime error: %s", f.logs)
		}
	}()
	f.get(t, "/half")
	t.Error("no panic")
}
