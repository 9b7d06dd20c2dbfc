package server

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestUnknownPaths_AreProblems(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for _, path := range []string{"/api/", "/api/nothing", "/nothing", "/api/chatbot/history/", "/api/chatbot", "/static/../server.go", "/static/chat.html"} {
		if r := f.get(t, path); r.StatusCode == http.StatusTemporaryRedirect || r.StatusCode == http.StatusMovedPermanently {
			r = f.do(t, "GET", r.Header.Get("Location"), "")
			r.wantProblem(t, http.StatusNotFound)
		} else {
			r.wantProblem(t, http.StatusNotFound)
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
		r.wantProblem(t, http.StatusMethodNotAllowed)
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
		f.get(t, path).wantProblem(t, status)
	}
}

func TestHEAD_AnswersWhereGETDoes(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	srv := httptest.NewServer(f)
	defer srv.Close()
	for _, path := range []string{"/", "/api/health", "/api/chatbot/history/s-1", "/livez", "/openapi.json", "/docs"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodHead, srv.URL+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if a := read(t, resp); a.StatusCode != http.StatusOK || a.Body != "" {
			t.Errorf("HEAD %s: status %d, %d bytes", path, a.StatusCode, len(a.Body))
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
		got := f.get(t, "/livez", "X-Request-ID", id).Header.Get("X-Request-ID")
		if keep && got != id || !keep && (got == id || !saneRequestID(got)) {
			t.Errorf("X-Request-ID %q became %q", id, got)
		}
	}
	a := f.get(t, "/livez").Header.Get("X-Request-ID")
	if b := f.get(t, "/livez").Header.Get("X-Request-ID"); a == b {
		t.Errorf("two requests have the id %s", a)
	}
}

func TestAccessLog_NamesRoutesAndNothingOfTheVisitor(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.post(t, `{"message":"kanarek","session_id":"sesja-7"}`, "X-Request-ID", "r-1", "User-Agent", "agent-9")
	f.get(t, "/api/chatbot/history/sesja-7?token=tajne")
	f.get(t, "/sesja-7/nowhere?token=tajne")
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
	f.get(t, "/api/chatbot/history/one")
	f.get(t, "/api/chatbot/history/two")
	f.get(t, "/wp-admin")
	f.do(t, "BREW", "/api/health", "")
	text := f.get(t, "/metrics").Body
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
	a.get(t, "/livez")
	b.get(t, "/livez")
	if text := a.get(t, "/metrics").Body; !strings.Contains(text, `route="/livez",status="200"} 2`) {
		t.Errorf("metrics: %s", text)
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
