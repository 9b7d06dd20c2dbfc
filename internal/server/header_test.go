package server

import (
	"net/http"
	"strings"
	"testing"
)

func TestSecurityHeaders_OnEveryResponse(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for _, path := range []string{"/", "/api/health", "/nothing", "/static/chat.js", "/api/chatbot/chat"} {
		h := f.get(t, path).Header
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
	if got := secure.get(t, "/").Header.Get("Strict-Transport-Security"); got != "max-age=31536000" {
		t.Errorf("HSTS %q with an https PublicURL", got)
	}
	if got := f.get(t, "/api/health").Header.Get("Cache-Control"); got != "no-store" {
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
	if r := newFixture(t, nil).get(t, "/api/health", "Origin", origin); r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("an origin is allowed by default")
	}
}

func TestCORS_LetsPagesUseTheWholeAPI(t *testing.T) {
	t.Parallel()
	const origin = "https://firma.example"
	f := newFull(t, func(o *Options) { o.CORSOrigins = []string{origin} })
	for _, method := range []string{"PUT", "PATCH", "POST", "GET"} {
		r := f.do(t, "OPTIONS", "/api/leads/1", "", "Origin", origin, "Access-Control-Request-Method", method,
			"Access-Control-Request-Headers", "idempotency-key,authorization")
		if r.StatusCode != http.StatusNoContent || !strings.Contains(r.Header.Get("Access-Control-Allow-Methods"), method) {
			t.Errorf("%s: status %d, %v", method, r.StatusCode, r.Header)
		}
		allowed := strings.ToLower(r.Header.Get("Access-Control-Allow-Headers"))
		for _, name := range []string{"content-type", "idempotency-key", "authorization", "x-api-key", "x-admin-api-key", "x-session-id", "x-consent-token"} {
			if !strings.Contains(allowed, name) {
				t.Errorf("%s may not be sent: %s", name, allowed)
			}
		}
		if strings.Contains(allowed, "migration") {
			t.Error("pages may send the migration secret")
		}
	}
	r := f.do(t, "POST", "/api/leads", `{"name":"J","email":"j@x.pl"}`, "Origin", origin)
	exposed := r.Header.Get("Access-Control-Expose-Headers")
	for _, name := range []string{"Idempotent-Replayed", "RateLimit", "RateLimit-Policy", "X-RateLimit-Remaining", "Retry-After", "Content-Disposition"} {
		if !strings.Contains(exposed, name) {
			t.Errorf("%s is hidden from pages: %s", name, exposed)
		}
	}
}
