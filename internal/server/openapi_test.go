package server

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

// operations lists every documented operation by its id.
func operations(f *fixture) map[string]*huma.Operation {
	all := map[string]*huma.Operation{}
	for _, item := range f.api.OpenAPI().Paths {
		for _, op := range operationsOf(item) {
			all[op.OperationID] = op
		}
	}
	return all
}

func TestConforms_NoticesADeviation(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for _, body := range []string{`{"status":"healthy"}`, `{"status":"well","service":"chatbot"}`, `{"status":"healthy","service":"chatbot","x":1}`} {
		result := &huma.ValidateResult{}
		var v any
		if err := json.Unmarshal([]byte(body), &v); err != nil {
			t.Fatal(err)
		}
		schema := operations(f)["chat-health"].Responses["200"].Content["application/json"].Schema
		huma.Validate(f.api.OpenAPI().Components.Schemas, schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, v, result)
		if len(result.Errors) == 0 {
			t.Errorf("%s passes", body)
		}
	}
}

func TestDocument_IsOpenAPI31WithResolvableReferences(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) { o.Limits = plenty() })
	r := f.get(t, "/openapi.json")
	if got := r.Header.Get("Content-Type"); got != "application/openapi+json" {
		t.Errorf("Content-Type %q", got)
	}
	doc := r.decode(t)
	if doc["openapi"] != "3.1.0" {
		t.Errorf("openapi %v", doc["openapi"])
	}
	if info, _ := doc["info"].(map[string]any); info["version"] != "1.2.3" {
		t.Errorf("info %v", info)
	}
	components := doc["components"].(map[string]any)
	refs := 0
	walk(doc, func(key string, v any) {
		if key != "$ref" {
			return
		}
		refs++
		kind, name, _ := strings.Cut(strings.TrimPrefix(v.(string), "#/components/"), "/")
		if parts, _ := components[kind].(map[string]any); parts[name] == nil {
			t.Errorf("reference to %v, which does not exist", v)
		}
	})
	if refs == 0 {
		t.Error("no references found")
	}
	chat := doc["paths"].(map[string]any)["/api/chatbot/chat"].(map[string]any)["post"].(map[string]any)
	for _, status := range []string{"200", "400", "403", "408", "413", "415", "429", "503"} {
		if chat["responses"].(map[string]any)[status] == nil {
			t.Errorf("chat does not document %s", status)
		}
	}
	if chat["requestBody"].(map[string]any)["required"] != true {
		t.Errorf("request body %v", chat["requestBody"])
	}
	result := &huma.ValidateResult{}
	body := map[string]any{"message": "a", "session_id": "s-1", "consent": map[string]any{"rodo": true}, "extra": 1.0}
	schema := operations(f)["chat"].RequestBody.Content["application/json"].Schema
	huma.Validate(f.api.OpenAPI().Components.Schemas, schema, huma.NewPathBuffer(nil, 0), huma.ModeWriteToServer, body, result)
	if len(result.Errors) != 0 {
		t.Errorf("a good body does not fit its schema: %v", result.Errors)
	}
	huma.Validate(f.api.OpenAPI().Components.Schemas, schema, huma.NewPathBuffer(nil, 0), huma.ModeWriteToServer, map[string]any{"message": ""}, result)
	if len(result.Errors) == 0 {
		t.Error("an empty message fits the schema")
	}
}

// walk visits every member of a decoded JSON document.
func walk(v any, visit func(key string, v any)) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			visit(key, value)
			walk(value, visit)
		}
	case []any:
		for _, value := range v {
			walk(value, visit)
		}
	}
}

func TestDocument_NamesTheKeyWhereItIsNeeded(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	open := []string{
		"chat", "history", "chat-health", "lead-create", "unsubscribe", "revoke-consent", "unsubscribe-status", "rodo-consent",
		"knowledge-packages", "knowledge-faq", "health", "health-deep", "status", "migrate", "migrate-get",
	}
	for id, op := range operations(f.fixture) {
		if secured := len(op.Security) > 0; secured == slices.Contains(open, id) {
			t.Errorf("%s: secured %v", id, secured)
		}
		for _, way := range op.Security {
			for name := range way {
				if f.api.OpenAPI().Components.SecuritySchemes[name] == nil {
					t.Errorf("%s: no scheme %s", id, name)
				}
			}
		}
	}
	if n := strings.Count(f.get(t, "/docs").Body, "Needs the admin key"); n != 8 {
		t.Errorf("the page says %d times that a key is needed", n)
	}
}

func TestDocsPage_ShowsEveryOperationAndLoadsNothingForeign(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil).fixture
	page := f.get(t, "/docs").Body
	for id, op := range operations(f) {
		for _, want := range []string{`<section id="` + id + `">`, op.Path, html.EscapeString(op.Summary)} {
			if !strings.Contains(page, want) {
				t.Errorf("the page lacks %q", want)
			}
		}
	}
	selfContained(t, f, page)
}

func TestHumaError_HidesValuesAndKeepsOurStatuses(t *testing.T) {
	t.Parallel()
	detail := &huma.ErrorDetail{Location: "query.limit", Message: "expected integer", Value: "kanarek"}
	for _, tc := range []struct {
		status, want int
		text         string
		detail       string
	}{
		{422, 400, "validation failed", "validation failed: query.limit: expected integer"},
		{413, 413, "too large", "too large: query.limit: expected integer"},
		{500, 500, "internal error", "internal error"},
	} {
		said := tc.text
		if tc.status == 500 {
			said = "secret"
		}
		err := humaError(nil, tc.status, said, detail, fmt.Errorf("kanarek: %w", io.EOF))
		p, ok := err.(*Problem)
		if !ok || p.Status != tc.want || p.GetStatus() != tc.want || p.Message != tc.text || p.Detail != tc.detail {
			t.Errorf("%d: %+v", tc.status, err)
		}
	}
}
