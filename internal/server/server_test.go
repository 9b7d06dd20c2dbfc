package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

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
func newFixture(t testing.TB, change func(*Options)) *fixture {
	t.Helper()
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

// do sends a request and returns the response; a body makes it a JSON POST.
func (f *fixture) do(t testing.TB, method, target, body string, header ...string) *http.Response {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, target, reader)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w.Result()
}

func (f *fixture) post(t testing.TB, body string, header ...string) *http.Response {
	t.Helper()
	return f.do(t, http.MethodPost, "/api/chatbot/chat", body, header...)
}

func readAll(t testing.TB, r *http.Response) string {
	t.Helper()
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func decode(t testing.TB, r *http.Response) map[string]any {
	t.Helper()
	text := readAll(t, r)
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("status %d, body %q: %v", r.StatusCode, text, err)
	}
	return v
}

// wantProblem checks the whole shape of an error and returns its text.
func wantProblem(t testing.TB, r *http.Response, status int) string {
	t.Helper()
	if r.StatusCode != status {
		t.Fatalf("status %d, want %d: %s", r.StatusCode, status, readAll(t, r))
	}
	if got := r.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q", got)
	}
	v := decode(t, r)
	if v["type"] != "about:blank" || v["status"] != float64(status) || v["title"] != http.StatusText(status) {
		t.Errorf("problem %v: wrong type, status or title", v)
	}
	if v["request_id"] != r.Header.Get("X-Request-ID") || v["request_id"] == "" {
		t.Errorf("request_id %q, header %q", v["request_id"], r.Header.Get("X-Request-ID"))
	}
	if v["detail"] == "" || v["detail"] == nil {
		t.Errorf("problem %v: no detail", v)
	}
	text, _ := v["error"].(string)
	if text == "" {
		t.Errorf("problem %v: no error text", v)
	}
	return text
}

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
		{"conflict", chatops.Errorf(chatops.CodeConflict, "changed meanwhile"), 409, "changed meanwhile"},
		{"unknown kind", secret, 500, "internal error"},
		{"internal", chatops.WrapError(chatops.CodeInternal, secret, "row 7 of table x"), 500, "internal error"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil)
			f.chat.replyFunc = func(context.Context, chatops.ChatRequest) (*chatops.ChatReply, error) { return nil, tc.err }
			r := f.post(t, `{"message":"hi"}`)
			body := readAll(t, r)
			r.Body = io.NopCloser(strings.NewReader(body))
			if got := wantProblem(t, r, tc.status); got != tc.text {
				t.Errorf("error %q, want %q", got, tc.text)
			}
			if strings.Contains(body, "hunter2") || strings.Contains(body, "jan@") {
				t.Errorf("body shows the cause: %s", body)
			}
			if retry := r.Header.Get("Retry-After"); (retry != "") != (tc.status == 503) {
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
	if got := wantProblem(t, f.post(t, `{"message":"kanarek"}`), 500); got != "internal error" {
		t.Errorf("error %q", got)
	}
	if logs := f.logs.String(); !strings.Contains(logs, "handler panicked") || strings.Contains(logs, "kanarek") {
		t.Errorf("logs: %s", logs)
	}
	if r := f.do(t, "GET", "/livez", ""); r.StatusCode != 200 {
		t.Errorf("livez %d after a panic", r.StatusCode)
	}
	if r := f.do(t, "GET", "/metrics", ""); !strings.Contains(readAll(t, r), "chatops_http_panics_total 1") {
		t.Error("the panic was not counted")
	}
}

func TestPanic_AfterTheResponseBeganBreaksTheConnection(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.mux.HandleFunc("GET /half", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half of")
		var m map[string]int
		m["x"] = 1
	})
	defer func() {
		if v := recover(); v != http.ErrAbortHandler {
			t.Errorf("panic %v, want http.ErrAbortHandler", v)
		}
		if !strings.Contains(f.logs.String(), "nil map") {
			t.Errorf("logs do not name the runtime error: %s", f.logs)
		}
	}()
	f.do(t, "GET", "/half", "")
	t.Error("no panic")
}

func TestUnknownPaths_AreProblems(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for _, path := range []string{"/api/", "/api/nothing", "/nothing", "/api/chatbot/history/", "/api/chatbot", "/static/../server.go", "/static/chat.html"} {
		if r := f.do(t, "GET", path, ""); r.StatusCode == http.StatusTemporaryRedirect || r.StatusCode == http.StatusMovedPermanently {
			r = f.do(t, "GET", r.Header.Get("Location"), "")
			wantProblem(t, r, 404)
		} else {
			wantProblem(t, r, 404)
		}
	}
}

func TestWrongMethod_NamesTheRightOnes(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for _, tc := range []struct{ method, path, allow string }{
		{"GET", "/api/chatbot/chat", "POST"},
		{"DELETE", "/api/health", "GET, HEAD"},
		{"POST", "/livez", "GET, HEAD"},
		{"OPTIONS", "/api/chatbot/chat", "POST"},
		{"BREW", "/api/chatbot/chat", "POST"},
	} {
		r := f.do(t, tc.method, tc.path, "")
		wantProblem(t, r, 405)
		if got := r.Header.Get("Allow"); got != tc.allow {
			t.Errorf("%s %s: Allow %q, want %q", tc.method, tc.path, got, tc.allow)
		}
	}
}

func TestPaths_ThatCouldBeReadTwoWaysAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for path, status := range map[string]int{
		"/api%2Fhealth":                                    404,
		"/api/chatbot/history/a%2fb":                       404,
		"/api/chatbot/history/a%5Cb":                       404,
		"/api/chatbot/history/..%2f..%2fhealth":            404,
		"/api/chatbot/history/a%00b":                       400,
		"/api/health%00":                                   400,
		"/api/chatbot/history/a%0d%0aSet-Cookie:%20x":      400,
		"/api/chatbot/history/%ff":                         400,
		"/api/chatbot/history/a%20b":                       400,
		"/api/chatbot/history/" + strings.Repeat("x", 101): 400,
	} {
		wantProblem(t, f.do(t, "GET", path, ""), status)
	}
}

func TestHEAD_AnswersWhereGETDoes(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	srv := httptest.NewServer(f)
	defer srv.Close()
	for _, path := range []string{"/", "/api/health", "/api/chatbot/history/s-1", "/livez", "/openapi.json", "/docs"} {
		r, err := srv.Client().Head(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		if body := readAll(t, r); r.StatusCode != 200 || body != "" {
			t.Errorf("HEAD %s: status %d, %d bytes", path, r.StatusCode, len(body))
		}
	}
}

func TestRequestID_KeepsASaneOneAndReplacesTheRest(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for id, keep := range map[string]bool{
		"abc-DEF_1.2": true, strings.Repeat("a", 64): true,
		"": false, strings.Repeat("a", 65): false, "a b": false, "<script>": false, "zażółć": false, "a\"b": false,
	} {
		got := f.do(t, "GET", "/livez", "", "X-Request-ID", id).Header.Get("X-Request-ID")
		if keep && got != id || !keep && (got == id || !saneRequestID(got)) {
			t.Errorf("X-Request-ID %q became %q", id, got)
		}
	}
	a := f.do(t, "GET", "/livez", "").Header.Get("X-Request-ID")
	if b := f.do(t, "GET", "/livez", "").Header.Get("X-Request-ID"); a == b {
		t.Errorf("two requests have the id %s", a)
	}
}

func TestAccessLog_NamesRoutesAndNothingOfTheVisitor(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.post(t, `{"message":"kanarek","session_id":"sesja-7"}`, "X-Request-ID", "r-1", "User-Agent", "agent-9")
	f.do(t, "GET", "/api/chatbot/history/sesja-7?token=tajne", "")
	f.do(t, "GET", "/sesja-7/nowhere?token=tajne", "")
	logs := f.logs.String()
	for _, secret := range []string{"kanarek", "sesja-7", "tajne", "agent-9", "192.0.2.1"} {
		if strings.Contains(logs, secret) {
			t.Errorf("logs hold %q: %s", secret, logs)
		}
	}
	var first map[string]any
	if err := json.Unmarshal([]byte(strings.SplitN(logs, "\n", 2)[0]), &first); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"msg": "request", "method": "POST", "route": "/api/chatbot/chat", "status": 200.0, "request_id": "r-1",
	} {
		if first[key] != want {
			t.Errorf("%s is %v, want %v", key, first[key], want)
		}
	}
	if n, _ := first["bytes"].(float64); n < 50 {
		t.Errorf("bytes %v", first["bytes"])
	}
	if !strings.Contains(logs, `"route":"/api/chatbot/history/{session_id}"`) || !strings.Contains(logs, `"route":"unmatched"`) {
		t.Errorf("logs: %s", logs)
	}
}

func TestMetrics_CountPerRoutePattern(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.do(t, "GET", "/api/chatbot/history/one", "")
	f.do(t, "GET", "/api/chatbot/history/two", "")
	f.do(t, "GET", "/wp-admin", "")
	f.do(t, "BREW", "/api/health", "")
	text := readAll(t, f.do(t, "GET", "/metrics", ""))
	for _, want := range []string{
		`chatops_http_requests_total{method="GET",route="/api/chatbot/history/{session_id}",status="200"} 2`,
		`chatops_http_requests_total{method="GET",route="unmatched",status="404"} 1`,
		`chatops_http_requests_total{method="other",route="unmatched",status="405"} 1`,
		`chatops_http_request_seconds_count{route="/api/chatbot/history/{session_id}"} 2`,
		"chatops_http_requests_in_flight 1",
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("metrics lack %s", want)
		}
	}
	for _, leak := range []string{"one", "wp-admin", "BREW"} {
		if strings.Contains(text, `"`+leak) || strings.Contains(text, "/"+leak) {
			t.Errorf("metrics hold %s", leak)
		}
	}
}

func TestMetrics_TwoServersShareARegistry(t *testing.T) {
	t.Parallel()
	a := newFixture(t, nil)
	b := newFixture(t, func(o *Options) { o.Metrics = a.opts.Metrics })
	a.do(t, "GET", "/livez", "")
	b.do(t, "GET", "/livez", "")
	if text := readAll(t, a.do(t, "GET", "/metrics", "")); !strings.Contains(text, `route="/livez",status="200"} 2`) {
		t.Errorf("metrics: %s", text)
	}
}

func TestSecurityHeaders_OnEveryResponse(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for _, path := range []string{"/", "/api/health", "/nothing", "/static/chat.js", "/api/chatbot/chat"} {
		h := f.do(t, "GET", path, "").Header
		for key, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Referrer-Policy": "strict-origin-when-cross-origin",
		} {
			if got := h[http.CanonicalHeaderKey(key)]; len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s %q", path, key, got)
			}
		}
		csp := h.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: CSP %q", path, csp)
		}
		if h.Get("Strict-Transport-Security") != "" {
			t.Errorf("%s: HSTS over http", path)
		}
	}
	secure := newFixture(t, func(o *Options) { o.PublicURL = "https://czat.example" })
	if got := secure.do(t, "GET", "/", "").Header.Get("Strict-Transport-Security"); got != "max-age=31536000" {
		t.Errorf("HSTS %q with an https PublicURL", got)
	}
	if got := f.do(t, "GET", "/api/health", "").Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
}

func TestCORS_AllowsExactOriginsOnly(t *testing.T) {
	t.Parallel()
	const origin = "https://firma.example"
	f := newFixture(t, func(o *Options) { o.CORSOrigins = []string{origin} })
	for _, tc := range []struct {
		name, method, path, origin string
		preflight                  bool
		status                     int
		allowed                    bool
	}{
		{"allowed call", "GET", "/api/health", origin, false, 200, true},
		{"other scheme", "GET", "/api/health", "http://firma.example", false, 200, false},
		{"other port", "GET", "/api/health", origin + ":8443", false, 200, false},
		{"longer host", "GET", "/api/health", origin + ".evil.example", false, 200, false},
		{"null", "GET", "/api/health", "null", false, 200, false},
		{"preflight", "OPTIONS", "/api/chatbot/chat", origin, true, 204, true},
		{"foreign preflight", "OPTIONS", "/api/chatbot/chat", "https://evil.example", true, 405, false},
		{"page", "GET", "/", origin, false, 200, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			header := []string{"Origin", tc.origin}
			if tc.preflight {
				header = append(header, "Access-Control-Request-Method", "POST")
			}
			r := f.do(t, tc.method, tc.path, "", header...)
			if r.StatusCode != tc.status {
				t.Errorf("status %d, want %d", r.StatusCode, tc.status)
			}
			if got := r.Header.Get("Access-Control-Allow-Origin"); got != map[bool]string{true: origin}[tc.allowed] {
				t.Errorf("Access-Control-Allow-Origin %q", got)
			}
			if isAPI(tc.path) && r.Header.Get("Vary") != "Origin" {
				t.Errorf("Vary %q", r.Header.Get("Vary"))
			}
			if tc.preflight && tc.allowed && !strings.Contains(r.Header.Get("Access-Control-Allow-Methods"), "POST") {
				t.Errorf("headers %v", r.Header)
			}
			if r.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Error("credentials are allowed")
			}
		})
	}
	if r := newFixture(t, nil).do(t, "GET", "/api/health", "", "Origin", origin); r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("an origin is allowed by default")
	}
}

func TestOptions_DefaultsAreBounded(t *testing.T) {
	t.Parallel()
	var o Options
	o.setDefaults()
	for name, d := range map[string]time.Duration{
		"drain": o.DrainTimeout, "header": o.HeaderTimeout, "read": o.ReadTimeout, "write": o.WriteTimeout, "idle": o.IdleTimeout,
	} {
		if d <= 0 || d > 2*time.Minute {
			t.Errorf("%s timeout %s", name, d)
		}
	}
	if o.DrainTimeout > 30*time.Second {
		t.Errorf("drain %s", o.DrainTimeout)
	}
}
