package server

import (
	"context"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"chatops/internal/ratelimit"

	"github.com/danielgtaylor/huma/v2"
)

// Limits decides how often a client may ask, and which ones may not ask at all.
// It must be fast: every request to the API waits for it.
type Limits interface {
	// Allow counts one event of every check, or of none when one of them refuses.
	Allow(ctx context.Context, client string, checks ...ratelimit.Check) ratelimit.Decision
	// Blocked returns the block that an address is under.
	Blocked(a netip.Addr) (ratelimit.Block, bool)
	// Limit returns the value of a limit that is in force now.
	Limit(name string) ratelimit.Limit
}

// The names of the limits.
const (
	limitChat    = "chat"
	limitAPI     = "api"
	limitHealth  = "health"
	limitConsent = "consent"
	limitLeads   = "leads"
)

// quota is what the requests of a route count towards.
type quota struct {
	limits []string // names
	// route is part of the key of the limit api, which each route has for itself.
	route string
}

// unroutedQuota holds for requests to the API that no route takes, all together.
var unroutedQuota = &quota{[]string{limitAPI}, unmatched}

// limitKey is the member of an operation's metadata that names its limits, as a
// []string. Without it the operation is under the limit api.
const limitKey = "limits"

// underLimits names the limits of an operation.
func underLimits(names ...string) map[string]any { return map[string]any{limitKey: names} }

// quotaOf returns what an operation counts towards.
func quotaOf(op *huma.Operation) *quota {
	q := &quota{[]string{limitAPI}, op.Method + " " + op.Path}
	if names, ok := op.Metadata[limitKey].([]string); ok {
		q.limits = names
	}
	return q
}

func (q *quota) checks(client string) []ratelimit.Check {
	checks := make([]ratelimit.Check, len(q.limits))
	for i, name := range q.limits {
		key := client
		if name == limitAPI {
			key = client + " " + q.route
		}
		checks[i] = ratelimit.Check{Limit: name, Key: key}
	}
	return checks
}

// limited counts each request for its client, whatever becomes of it, and
// refuses what is over a limit before anything of the body is read. Nothing
// that the client can choose freely, such as X-Session-ID, is part of the key.
func (s *Server) limited(q *quota, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s.admit(r.Context(), exchangeOf(r.Context()), q) {
			next(w, r)
		}
	}
}

// admit counts a request and describes its limits in the headers. It answers
// one that is over a limit, and returns false.
func (s *Server) admit(ctx context.Context, x *exchange, q *quota) bool {
	x.uncounted = nil
	client := clientKey(x.client)
	d := s.opts.Limits.Allow(ctx, client, q.checks(client)...)
	if d.Off {
		return true
	}
	s.describe(x.Header(), d, q.limits)
	if d.Allowed {
		return true
	}
	x.answer(tooMany(x.id, d, "from one client"))
	return false
}

// mayEnter refuses a blocked client. The answer names no reason: it would tell
// an attacker what was noticed. What mayEnter lets through is counted by its
// route or, where none takes it, when it is answered.
func (s *Server) mayEnter(x *exchange) bool {
	x.client = s.clientAddr(x.request)
	if _, blocked := s.opts.Limits.Blocked(x.client); blocked {
		p := newProblem(http.StatusForbidden, "Forbidden", x.id)
		p.Detail = "requests from this address are not accepted"
		x.answer(p)
		return false
	}
	if !isPreflight(x.request) {
		x.uncounted = s
	}
	return true
}

// tooMany is the problem of a client who is over a limit.
func tooMany(id string, d ratelimit.Decision, whose string) *Problem {
	p := newProblem(http.StatusTooManyRequests, "Rate limit exceeded", id)
	p.Detail = "at most " + d.Rule.String() + " are accepted " + whose
	p.RetryAfter = max(1, seconds(d.RetryAfter))
	p.retryAfter = p.RetryAfter
	return p
}

// describe sets the headers of draft-ietf-httpapi-ratelimit-headers-10 and the
// older X-RateLimit ones, whose reset is a moment in Unix seconds.
func (s *Server) describe(h http.Header, d ratelimit.Decision, names []string) {
	reset := seconds(d.Reset)
	policy := make([]byte, 0, 96)
	for _, name := range names {
		limit := s.opts.Limits.Limit(name)
		for _, r := range limit {
			if len(policy) > 0 {
				policy = append(policy, ", "...)
			}
			policy = appendRule(policy, name, limit, r)
			policy = append(policy, ";q="...)
			policy = strconv.AppendInt(policy, int64(r.Count), 10)
			policy = append(policy, ";w="...)
			policy = strconv.AppendInt(policy, int64(r.Window/time.Second), 10)
		}
	}
	now := appendRule(make([]byte, 0, 48), d.Limit, s.opts.Limits.Limit(d.Limit), d.Rule)
	now = append(now, ";r="...)
	now = strconv.AppendInt(now, int64(d.Remaining), 10)
	now = append(now, ";t="...)
	now = strconv.AppendInt(now, int64(reset), 10)

	// One array for all: a value of a header is a slice of its own.
	v := [...]string{
		string(policy), string(now), strconv.Itoa(d.Rule.Count), strconv.Itoa(d.Remaining),
		strconv.FormatInt(s.opts.Now().Unix()+int64(reset), 10),
	}
	h["Ratelimit-Policy"], h["Ratelimit"] = v[0:1:1], v[1:2:2]
	h["X-Ratelimit-Limit"], h["X-Ratelimit-Remaining"], h["X-Ratelimit-Reset"] = v[2:3:3], v[3:4:4], v[4:5:5]
}

// appendRule writes the name of a rule as a string of RFC 9651: that of its
// limit, with the window where the limit has several rules.
func appendRule(b []byte, name string, limit ratelimit.Limit, r ratelimit.Rule) []byte {
	b = append(b, '"')
	b = append(b, name...)
	if len(limit) > 1 {
		b = append(b, '-')
		b = strconv.AppendInt(b, int64(r.Window/time.Second), 10)
	}
	return append(b, '"')
}

// seconds rounds up, so that whoever waits as told has waited long enough.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
