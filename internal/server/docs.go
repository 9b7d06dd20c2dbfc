package server

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"sort"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// addDocs serves the OpenAPI document and a page that shows it. It comes last:
// the document is complete then.
func (s *Server) addDocs() {
	document, err := json.MarshalIndent(s.api.OpenAPI(), "", "  ")
	if err != nil {
		panic(err)
	}
	spec := newAsset(document, "application/openapi+json")
	s.mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, r *http.Request) {
		spec.serve(w, r, cacheAsk)
	})
	css := s.addStatic("docs.css", "text/css; charset=utf-8")
	page := render(readPage("docs.html"), map[string]any{
		"CSS": css, "Info": s.api.OpenAPI().Info,
		"Operations": documented(s.api.OpenAPI()), "Schemas": documentedSchemas(s.api.OpenAPI()),
	})
	s.mux.HandleFunc("GET /docs", func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Security-Policy"] = pageCSP
		page.serve(w, r, cacheAsk)
	})
}

// docOperation is an operation as the page shows it.
type docOperation struct {
	ID, Method, Path, Summary, Description string
	Admin                                  bool // needs the admin key
	Params                                 []*huma.Param
	Request                                []docBody
	Responses                              []docResponse
}

type docResponse struct {
	Status, Description string
	Body                []docBody
}

// docBody is a body's media type and schema: the name of a shared one, or its
// text.
type docBody struct{ Media, Name, Text string }

func documented(doc *huma.OpenAPI) []docOperation {
	var all []docOperation
	for path, item := range doc.Paths {
		for method, op := range operationsOf(item) {
			all = append(all, documentedOperation(method, path, op))
		}
	}
	slices.SortFunc(all, func(a, b docOperation) int {
		if c := strings.Compare(a.Path, b.Path); c != 0 {
			return c
		}
		return strings.Compare(a.Method, b.Method)
	})
	return all
}

func documentedOperation(method, path string, op *huma.Operation) docOperation {
	d := docOperation{
		ID: op.OperationID, Method: method, Path: path,
		Summary: op.Summary, Description: op.Description, Params: op.Parameters,
		Admin: len(op.Security) > 0,
	}
	if op.RequestBody != nil {
		d.Request = documentedBodies(op.RequestBody.Content)
	}
	for status, r := range op.Responses {
		d.Responses = append(d.Responses, docResponse{status, r.Description, documentedBodies(r.Content)})
	}
	slices.SortFunc(d.Responses, func(a, b docResponse) int { return strings.Compare(a.Status, b.Status) })
	return d
}

func documentedBodies(content map[string]*huma.MediaType) []docBody {
	var all []docBody
	for media, m := range content {
		b := docBody{Media: media}
		if m.Schema != nil && m.Schema.Ref != "" {
			b.Name = m.Schema.Ref[strings.LastIndexByte(m.Schema.Ref, '/')+1:]
		} else {
			b.Text = indented(m.Schema)
		}
		all = append(all, b)
	}
	slices.SortFunc(all, func(a, b docBody) int { return strings.Compare(a.Media, b.Media) })
	return all
}

type docSchema struct{ Name, Text string }

func documentedSchemas(doc *huma.OpenAPI) []docSchema {
	var all []docSchema
	for name, schema := range doc.Components.Schemas.Map() {
		all = append(all, docSchema{name, indented(schema)})
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

func indented(v any) string {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false) // the template escapes
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		panic(err)
	}
	return strings.TrimSpace(out.String())
}
