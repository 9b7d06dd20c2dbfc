package server

import (
	"context"
	"net/http"
	"reflect"
	"sync"

	"chatops/internal/chatops"

	"github.com/danielgtaylor/huma/v2"
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

// newAPI makes the huma API whose operations become routes of the mux. Huma's own
// routes for the document are off: theirs load scripts from other hosts.
func newAPI(s *Server) huma.API {
	useProblems()
	return huma.NewAPI(huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title:   "chatops",
				Version: s.opts.Version.Version,
				Description: "Backend of a lead-generating chatbot. Every error is application/problem+json " +
					"(RFC 9457) with the text once more as error, and a request_id to quote.",
			},
			Components: &huma.Components{
				Schemas:         huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: securitySchemes(),
			},
		},
		Formats:       huma.DefaultFormats,
		DefaultFormat: "application/json",
	}, routes{s})
}

// jsonBody is the input of an operation that reads its own body: the gate has
// bounded it, parseObject checks it.
type jsonBody struct {
	RawBody []byte `contentType:"application/json"`
}

// addJSON registers an operation that takes a JSON body, and returns what the
// document holds of it. The body is documented by B and read by the handler from
// the RawBody of I, which jsonBody has where there are no parameters.
func addJSON[B, I, O any](s *Server, op huma.Operation, handler func(context.Context, *I) (*O, error)) *huma.Operation {
	op.SkipValidateBody = true
	op.MaxBodyBytes = -1    // the gate has read and bounded it
	op.BodyReadTimeout = -1 // and has set the connection's deadlines
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{}}
	op.Errors = append(op.Errors, http.StatusBadRequest, http.StatusRequestTimeout,
		http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	added := addOperation(s, op, handler)
	// Huma has documented the raw bytes. The request body is shared with the
	// document by its pointer.
	op.RequestBody.Content["application/json"].Schema = huma.SchemaFromType(s.api.OpenAPI().Components.Schemas, reflect.TypeFor[B]())
	return added
}

// addOperation registers an operation and returns what the document holds of it.
// Errors of the handler become problems that carry the request's id; those of
// codes that callers may not see are logged.
func addOperation[I, O any](s *Server, op huma.Operation, handler func(context.Context, *I) (*O, error)) *huma.Operation {
	op.SkipValidateParams = true // handlers check, so that all errors read alike
	if op.Responses["503"] == nil {
		op.Errors = append(op.Errors, http.StatusServiceUnavailable)
	}
	if s.opts.Limits != nil {
		op.Errors = append(op.Errors, http.StatusForbidden, http.StatusTooManyRequests)
	}
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err != nil {
			return nil, s.fail(ctx, op.Path, err)
		}
		return out, nil
	})
	added := operationOf(s.api.OpenAPI(), op.Method, op.Path)
	if s.opts.Limits != nil {
		s.documentLimit(added)
	}
	return added
}

// operationOf finds an operation in a document.
func operationOf(doc *huma.OpenAPI, method, path string) *huma.Operation {
	for m, op := range operationsOf(doc.Paths[path]) {
		if m == method {
			return op
		}
	}
	return nil
}

// operationsOf lists the operations of a path by their methods.
func operationsOf(item *huma.PathItem) map[string]*huma.Operation {
	all := map[string]*huma.Operation{}
	for method, op := range map[string]*huma.Operation{
		http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put,
		http.MethodPatch: item.Patch, http.MethodDelete: item.Delete,
	} {
		if op != nil {
			all[method] = op
		}
	}
	return all
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
