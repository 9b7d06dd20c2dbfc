package server

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// routes turns huma's operations into routes of the mux. What stands before a
// handler follows from what the operation documents: a body is gated, an
// operation that names its security needs the admin key, and what is not public
// knowledge is counted.
type routes struct{ s *Server }

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
	if a.s.opts.Limits != nil {
		h = a.s.limited(quotaOf(op), h)
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
