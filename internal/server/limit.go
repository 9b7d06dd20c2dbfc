package server

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"chatops/internal/ratelimit"

	"github.com/danielgtaylor/huma/v2"
)

func (s *Server) newLimiter(name string, limit ratelimit.Limit) *limiter {
	policies := make([]string, len(limit))
	for i, r := range limit {
		policies[i] = fmt.Sprintf("%q;q=%d;w=%d", policyName(name, limit, r), r.Count, int64(r.Window/time.Second))
	}
	return &limiter{
		Memory: ratelimit.NewMemory(limit, ratelimit.MemoryOptions{NowFunc: s.opts.Now}),
		name:   name, policy: []string{strings.Join(policies, ", ")},
	}
}

// policyName tells the rules of a limit apart where there are several.
func policyName(name string, limit ratelimit.Limit, r ratelimit.Rule) string {
	if len(limit) == 1 {
		return name
	}
	return name + "-" + strconv.FormatInt(int64(r.Window/time.Second), 10)
}

// limited counts each request for its client, whatever becomes of it, and
// refuses what is over the limit before anything of the body is read. Nothing
// that the client can choose freely, such as X-Session-ID, is part of the key.
func (s *Server) limited(l *limiter, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		d := l.Allow(clientKey(s.clientAddr(r)))
		l.describe(w.Header(), d, s.opts.Now())
		if !d.Allowed {
			p := newProblem(http.StatusTooManyRequests, "Rate limit exceeded", requestID(r.Context()))
			p.Detail = "at most " + d.Rule.String() + " are accepted from one client"
			p.RetryAfter = seconds(d.RetryAfter)
			p.retryAfter = p.RetryAfter
			p.write(w)
			return
		}
		next(w, r)
	}
}

// describe sets the headers of draft-ietf-httpapi-ratelimit-headers-10 and the
// older X-RateLimit ones, whose reset is a moment in Unix seconds.
func (l *limiter) describe(h http.Header, d ratelimit.Decision, now time.Time) {
	reset := seconds(d.Reset)
	h["Ratelimit-Policy"] = l.policy
	h.Set("Ratelimit", fmt.Sprintf("%q;r=%d;t=%d", policyName(l.name, l.Limit(), d.Rule), d.Remaining, reset))
	h.Set("X-Ratelimit-Limit", strconv.Itoa(d.Rule.Count))
	h.Set("X-Ratelimit-Remaining", strconv.Itoa(d.Remaining))
	h.Set("X-Ratelimit-Reset", strconv.FormatInt(now.Unix()+int64(reset), 10))
}

// seconds rounds up, so that whoever waits as told has waited long enough.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// documentLimit describes the headers in the document.
func documentLimit(op *huma.Operation, statuses ...string) {
	for _, status := range statuses {
		for name, doc := range map[string]string{
			"RateLimit-Policy":      "The limit: q requests in w seconds",
			"RateLimit":             "r requests remain; one more t seconds from now",
			"X-RateLimit-Limit":     "Requests allowed in the window",
			"X-RateLimit-Remaining": "Requests that remain",
			"X-RateLimit-Reset":     "When one more will be allowed, in Unix seconds",
		} {
			documentHeader(op, status, name, doc)
		}
	}
}

// documentHeader adds a response header to an operation that is registered.
func documentHeader(op *huma.Operation, status, name, doc string) {
	r := op.Responses[status]
	if r.Headers == nil {
		r.Headers = map[string]*huma.Param{}
	}
	r.Headers[name] = &huma.Param{Description: doc, Schema: &huma.Schema{Type: huma.TypeString}}
}
