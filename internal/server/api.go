package server

import (
	"context"
	"net/http"
	"reflect"
	"strings"
	"sync"

	"chatops/internal/chatops"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

var (
	errPathControl = chatops.Errorf(chatops.CodeInvalid, "control character in the path")
	errPathEncoded = chatops.Errorf(chatops.CodeNotFound, "encoded slash or backslash in the path")
)

// useProblems makes huma build our errors. Huma keeps its constructors in
// package variables; they are set before the first API is made, once.
var useProblems = sync.OnceFunc(func() {
	huma.NewError = func(status int, text string, errs ...error) huma.StatusError {
		return humaError(nil, status, text, errs...)
	}
	huma.NewErrorWithContext = humaError
})

// newAPI makes the huma API whose operations become routes of mux. Huma's own
// routes for the document are off: theirs load scripts from other hosts.
func newAPI(mux *http.ServeMux, version string) huma.API {
	useProblems()
	return humago.New(gatedMux{mux}, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title:   "chatops",
				Version: version,
				Description: "Backend of a lead-generating chatbot. Every error is application/problem+json " +
					"(RFC 9457) with the text once more as error, and a request_id to quote.",
			},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
			},
		},
		Formats:       huma.DefaultFormats,
		DefaultFormat: "application/json",
	})
}

// gatedMux registers routes whose requests pass the body gate first.
type gatedMux struct{ *http.ServeMux }

// HandleFunc registers a route; the pattern begins with the method.
func (m gatedMux) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	method, _, _ := strings.Cut(pattern, " ")
	if method == http.MethodGet || method == http.MethodHead {
		m.ServeMux.HandleFunc(pattern, handler)
		return
	}
	m.ServeMux.HandleFunc(pattern, gate(handler))
}

// jsonBody is the input of an operation that reads its own body: the gate has
// bounded it, parseObject checks it.
type jsonBody struct {
	RawBody []byte `contentType:"application/json"`
}

// addJSON registers an operation that takes a JSON body. The body is documented
// by B and read by the handler.
func addJSON[B, O any](s *Server, op huma.Operation, handler func(context.Context, *jsonBody) (*O, error)) {
	op.SkipValidateBody = true
	op.MaxBodyBytes = -1    // the gate has read and bounded it
	op.BodyReadTimeout = -1 // and has set the connection's deadlines
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{}}
	op.Errors = append(op.Errors, http.StatusBadRequest, http.StatusRequestTimeout,
		http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	addOperation(s, op, handler)
	// Huma has documented the raw bytes. The request body is shared with the
	// document by its pointer.
	op.RequestBody.Content["application/json"].Schema = huma.SchemaFromType(s.api.OpenAPI().Components.Schemas, reflect.TypeFor[B]())
}

// addOperation registers an operation. Errors of the handler become problems
// that carry the request's id; those of codes that callers may not see are
// logged.
func addOperation[I, O any](s *Server, op huma.Operation, handler func(context.Context, *I) (*O, error)) {
	op.SkipValidateParams = true // handlers check, so that all errors read alike
	if op.Responses["503"] == nil {
		op.Errors = append(op.Errors, http.StatusServiceUnavailable)
	}
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err != nil {
			return nil, s.fail(ctx, op.Path, err)
		}
		return out, nil
	})
}

// fail turns an error into a problem and logs what the caller is not told.
func (s *Server) fail(ctx context.Context, route string, err error) *Problem {
	p := problemOf(err, requestID(ctx))
	if p.Status >= http.StatusInternalServerError && ctx.Err() == nil {
		s.opts.Log.Error("request could not be answered", "request_id", p.RequestID,
			"route", route, "status", p.Status, "error", err.Error())
	}
	return p
}
