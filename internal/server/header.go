package server

import (
	"net/http"
	"strconv"
	"strings"
)

// Header values that are the same for every response. The slices are shared
// between responses: they are full, so appending to one copies it.
var (
	noSniff        = []string{"nosniff"}
	noFrame        = []string{"DENY"}
	referrerPolicy = []string{"strict-origin-when-cross-origin"}
	openerPolicy   = []string{"same-origin"}
	permissions    = []string{"camera=(), geolocation=(), microphone=(), payment=()"}
	closing        = []string{"close"}
	retryAfter     = []string{strconv.Itoa(retryAfterSeconds)}
	noStore        = []string{"no-store"}
	apiCSP         = []string{"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"}
	pageCSP        = []string{"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"}
	// hsts asks browsers to stay with https for a year (RFC 6797). Sent over
	// TLS only: over plain http it would be ignored, and wrong.
	hsts = []string{"max-age=31536000"}
)

// setSecurity puts the headers of every response. Handlers of pages replace the
// CSP; the keys are in canonical form already.
func setSecurity(h http.Header, secure bool) {
	h["X-Content-Type-Options"] = noSniff
	h["X-Frame-Options"] = noFrame
	h["Referrer-Policy"] = referrerPolicy
	h["Cross-Origin-Opener-Policy"] = openerPolicy
	h["Permissions-Policy"] = permissions
	h["Content-Security-Policy"] = apiCSP
	h["Cache-Control"] = noStore
	if secure {
		h["Strict-Transport-Security"] = hsts
	}
}

// cors is the set of origins whose scripts may use the API.
type cors struct{ origins map[string][]string }

const (
	corsMethods = "GET, HEAD, POST, PUT, PATCH"
	corsHeaders = "Content-Type, X-Request-ID, X-Session-ID, Idempotency-Key, Authorization, X-ADMIN-API-KEY, X-API-KEY, X-Consent-Token"
	corsExpose  = "X-Request-ID, Retry-After, Idempotent-Replayed, Content-Disposition, " +
		"RateLimit, RateLimit-Policy, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset"
	corsMaxAge = "600" // seconds that a browser may remember the answer
)

func newCORS(origins []string) cors {
	c := cors{origins: map[string][]string{}}
	for _, o := range origins {
		c.origins[o] = []string{o}
	}
	return c
}

// handle sets the CORS headers for an allowed origin and reports whether the
// request was a preflight, which is answered by that. Other origins get no
// header, so that their browser refuses.
func (c *cors) handle(w http.ResponseWriter, r *http.Request) (answered bool) {
	if len(c.origins) == 0 || !isAPI(r.URL.Path) {
		return false
	}
	h := w.Header()
	h["Vary"] = []string{"Origin"}
	origin, ok := c.origins[r.Header.Get("Origin")]
	if !ok {
		return false
	}
	h["Access-Control-Allow-Origin"] = origin
	h.Set("Access-Control-Expose-Headers", corsExpose)
	if !isPreflight(r) {
		return false
	}
	h.Set("Access-Control-Allow-Methods", corsMethods)
	h.Set("Access-Control-Allow-Headers", corsHeaders)
	h.Set("Access-Control-Max-Age", corsMaxAge)
	w.WriteHeader(http.StatusNoContent)
	return true
}

// isPreflight reports whether a browser asks if a page may send a request.
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
}

func isAPI(path string) bool { return strings.HasPrefix(path, "/api/") || path == "/api" }
