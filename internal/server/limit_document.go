package server

import (
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// limitHeaders are the headers of every response that was counted.
func limitHeaders() map[string]*huma.Header {
	all := map[string]*huma.Header{}
	for name, doc := range map[string]string{
		"RateLimit-Policy":      "The limits: q requests in w seconds",
		"RateLimit":             "Of the limit that is nearest to its end: r requests remain; one more t seconds from now",
		"X-RateLimit-Limit":     "Requests allowed in the window of that limit",
		"X-RateLimit-Remaining": "Requests that remain of it",
		"X-RateLimit-Reset":     "When one more will be allowed, in Unix seconds",
	} {
		all[name] = &huma.Header{Description: doc, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	return all
}

// documentLimit describes what the limits add to an operation that is
// registered: the headers of all its responses but the one to a blocked client.
func (s *Server) documentLimit(op *huma.Operation) {
	components := s.api.OpenAPI().Components
	if components.Headers == nil {
		components.Headers = limitHeaders()
	}
	for status, r := range op.Responses {
		if status == strconv.Itoa(http.StatusForbidden) {
			r.Description = "The client is blocked"
			continue
		}
		for name := range components.Headers {
			addHeader(r, name, &huma.Header{Ref: "#/components/headers/" + name})
		}
	}
	documentHeader(op, "429", "Retry-After", "Seconds after which a request will be allowed")
}

// documentHeader adds a response header to an operation that is registered.
func documentHeader(op *huma.Operation, status, name, doc string) {
	addHeader(op.Responses[status], name, &huma.Header{Description: doc, Schema: &huma.Schema{Type: huma.TypeString}})
}

func addHeader(r *huma.Response, name string, h *huma.Header) {
	if r.Headers == nil {
		r.Headers = map[string]*huma.Param{}
	}
	r.Headers[name] = h
}
