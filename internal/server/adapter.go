package server

import (
	"net/http"
	"strings"

	"chatops/internal/ratelimit"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// routes turns huma's operations into routes of the mux. What stands before a
// handler follows from what the operation documents: a body is gated, an
// operation that names its security needs the admin key, and one that names a
// limit is counted.
type routes struct{ s *Server }

// limitKey is the member of an operation's metadata that holds its *limiter.
const limitKey = "limit"

// limiter counts the requests of an operation.
type limiter struct {
	*ratelimit.Memory
	name   string
	policy []string // the RateLimit-Policy header
}

// ServeHTTP serves a request, for huma.
func (a routes) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.s.mux.ServeHTTP(w, r) }

// Handle registers an operation, for huma.
func (a routes) Handle(op *huma.Operation, handler func(huma.Context)) {
	h := func(w http.ResponseWriter, r *http.Request) { handler(humago.NewContext(op, r, w)) }
	if op.RequestBody != nil {
		h = gate(h)
	}
	if len(op.Security) > 0 {
		h = a.s.guard(h)
	}
	if l, ok := op.Metadata[limitKey].(*limiter); ok {
		h = a.s.limited(l, h)
	}
	path := op.Path
	if short, ok := strings.CutSuffix(path, "/"); ok {
		// Both are served: clients that send a body lose it, or their method, when
		// they are redirected, and a browser's preflight must not be.
		a.s.mux.HandleFunc(op.Method+" "+short, h)
		path += "{$}" // itself and nothing below
	}
	a.s.mux.HandleFunc(op.Method+" "+path, h)
}
