package server

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"chatops/internal/chatops"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeChat answers with what its functions return.
type fakeChat struct {
	replyFunc   func(context.Context, chatops.ChatRequest) (*chatops.ChatReply, error)
	historyFunc func(context.Context, string) ([]chatops.Message, error)

	mu   sync.Mutex
	seen []chatops.ChatRequest
}

func (f *fakeChat) Reply(ctx context.Context, req chatops.ChatRequest) (*chatops.ChatReply, error) {
	f.mu.Lock()
	f.seen = append(f.seen, req)
	f.mu.Unlock()
	if f.replyFunc != nil {
		return f.replyFunc(ctx, req)
	}
	return &chatops.ChatReply{
		Response: "Dzień dobry", SessionID: "s-1", ConversationID: 7, LeadScore: 40, NextBestAction: "ask_email",
		Context: chatops.Facts{City: "Kraków", SquareMeters: 60}, Sources: []string{"price"}, Language: "pl",
	}, nil
}

func (f *fakeChat) History(ctx context.Context, session string) ([]chatops.Message, error) {
	if f.historyFunc != nil {
		return f.historyFunc(ctx, session)
	}
	return nil, nil
}

func (f *fakeChat) requests() []chatops.ChatRequest {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]chatops.ChatRequest(nil), f.seen...)
}

// syncBuffer collects logs of concurrent requests.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

type fixture struct {
	*Server
	chat *fakeChat
	logs *syncBuffer
}

// newFixture makes a server with a healthy database and a chat that answers;
// change may alter the options.
func newFixture(tb testing.TB, change func(*Options)) *fixture {
	tb.Helper()
	f := &fixture{chat: &fakeChat{}, logs: &syncBuffer{}}
	opts := Options{
		Chat:    f.chat,
		Health:  Health{PingFunc: func(context.Context) error { return nil }},
		Version: Version{Version: "1.2.3"},
		Log:     slog.New(slog.NewJSONHandler(f.logs, nil)),
	}
	if change != nil {
		change(&opts)
	}
	f.Server = New(opts)
	return f
}

// answer is a whole response.
type answer struct {
	StatusCode int
	Header     http.Header
	Body       string
}

// read takes a response in and closes it.
func read(tb testing.TB, r *http.Response) *answer {
	tb.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		tb.Fatal(err)
	}
	if err := r.Body.Close(); err != nil {
		tb.Fatal(err)
	}
	return &answer{r.StatusCode, r.Header, string(body)}
}

// serve sends a request to the handler itself.
func (f *fixture) serve(tb testing.TB, r *http.Request) *answer {
	tb.Helper()
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return read(tb, w.Result())
}

// newRequest makes a request as clients send it.
func newRequest(tb testing.TB, method, target, body string) *http.Request {
	tb.Helper()
	r := httptest.NewRequestWithContext(tb.Context(), method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return r
}

// do sends a request and returns the response; POST carries JSON.
func (f *fixture) do(tb testing.TB, method, target, body string, header ...string) *answer {
	tb.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(tb.Context(), method, target, reader)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return f.serve(tb, r)
}

func (f *fixture) post(tb testing.TB, body string, header ...string) *answer {
	tb.Helper()
	return f.do(tb, http.MethodPost, "/api/chatbot/chat", body, header...)
}

func (f *fixture) get(tb testing.TB, target string, header ...string) *answer {
	tb.Helper()
	return f.do(tb, http.MethodGet, target, "", header...)
}

// decode reads the body as a JSON object.
func (a *answer) decode(tb testing.TB) map[string]any {
	tb.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(a.Body), &v); err != nil {
		tb.Fatalf("status %d, body %q: %v", a.StatusCode, a.Body, err)
	}
	return v
}

// wantProblem checks the whole shape of an error and returns its text.
func (a *answer) wantProblem(tb testing.TB, status int) string {
	tb.Helper()
	if a.StatusCode != status {
		tb.Fatalf("status %d, want %d: %s", a.StatusCode, status, a.Body)
	}
	if got := a.Header.Get("Content-Type"); got != "application/problem+json" {
		tb.Errorf("Content-Type %q", got)
	}
	v := a.decode(tb)
	if v["type"] != "about:blank" || v["status"] != float64(status) || v["title"] != http.StatusText(status) {
		tb.Errorf("problem %v: wrong type, status or title", v)
	}
	if v["request_id"] != a.Header.Get("X-Request-ID") || v["request_id"] == "" {
		tb.Errorf("request_id %q, header %q", v["request_id"], a.Header.Get("X-Request-ID"))
	}
	if v["detail"] == "" || v["detail"] == nil {
		tb.Errorf("problem %v: no detail", v)
	}
	text, _ := v["error"].(string)
	if text == "" {
		tb.Errorf("problem %v: no error text", v)
	}
	return text
}
