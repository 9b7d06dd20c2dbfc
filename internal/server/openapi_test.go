package server

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"

	"github.com/danielgtaylor/huma/v2"
)

// conforms checks a response against what the OpenAPI document says about its
// operation, status and media type.
func conforms(t *testing.T, f *fixture, op *huma.Operation, r *answer) {
	t.Helper()
	doc, ok := op.Responses[strconv.Itoa(r.StatusCode)]
	if !ok {
		t.Errorf("%s: status %d is not documented", op.OperationID, r.StatusCode)
		return
	}
	media, ok := doc.Content[r.Header.Get("Content-Type")]
	if !ok {
		t.Errorf("%s: %d with type %q is not documented", op.OperationID, r.StatusCode, r.Header.Get("Content-Type"))
		return
	}
	var v any
	if err := json.Unmarshal([]byte(r.Body), &v); err != nil {
		t.Errorf("%s: %v", op.OperationID, err)
		return
	}
	result := &huma.ValidateResult{}
	huma.Validate(f.api.OpenAPI().Components.Schemas, media.Schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, v, result)
	for _, err := range result.Errors {
		t.Errorf("%s: %d: %v in %s", op.OperationID, r.StatusCode, err, r.Body)
	}
}

// operations lists every documented operation by its id.
func operations(f *fixture) map[string]*huma.Operation {
	all := map[string]*huma.Operation{}
	for _, item := range f.api.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				all[op.OperationID] = op
			}
		}
	}
	return all
}

func TestResponses_AreWhatTheDocumentSays(t *testing.T) {
	t.Parallel()
	down := chatops.Errorf(chatops.CodeUnavailable, "database unreachable")
	up := newFixture(t, func(o *Options) { o.Health = fullHealth(nil) })
	ill := newFixture(t, func(o *Options) { o.Health = fullHealth(down) })
	ill.chat.replyFunc = func(context.Context, chatops.ChatRequest) (*chatops.ChatReply, error) { return nil, down }
	ill.chat.historyFunc = func(context.Context, string) ([]chatops.Message, error) { return nil, down }
	up.chat.historyFunc = func(context.Context, string) ([]chatops.Message, error) {
		return []chatops.Message{{Text: "a", Sender: chatops.SenderBot, At: time.Unix(1, 0)}}, nil
	}
	bare := newFixture(t, nil)
	seen := map[string]bool{}
	for _, tc := range []struct {
		f                *fixture
		id, method, path string
		body             string
		header           []string
		status           int
	}{
		{up, "chat", "POST", "/api/chatbot/chat", `{"message":"a"}`, nil, 200},
		{up, "chat", "POST", "/api/chatbot/chat", `{}`, nil, 400},
		{up, "chat", "POST", "/api/chatbot/chat", `{"message":"` + strings.Repeat("a", 4001) + `"}`, nil, 413},
		{up, "chat", "POST", "/api/chatbot/chat", `{"message":"a"}`, []string{"Content-Type", "text/plain"}, 415},
		{ill, "chat", "POST", "/api/chatbot/chat", `{"message":"a"}`, nil, 503},
		{up, "history", "GET", "/api/chatbot/history/s-1", "", nil, 200},
		{bare, "history", "GET", "/api/chatbot/history/s-1", "", nil, 200},
		{up, "history", "GET", "/api/chatbot/history/a%20b", "", nil, 400},
		{ill, "history", "GET", "/api/chatbot/history/s-1", "", nil, 503},
		{up, "chat-health", "GET", "/api/chatbot/health", "", nil, 200},
		{up, "health", "GET", "/api/health", "", nil, 200},
		{ill, "health", "GET", "/api/health", "", nil, 503},
		{up, "health-deep", "GET", "/api/health/deep", "", nil, 200},
		{bare, "health-deep", "GET", "/api/health/deep", "", nil, 200},
		{ill, "health-deep", "GET", "/api/health/deep", "", nil, 503},
	} {
		op := operations(tc.f)[tc.id]
		if op == nil {
			t.Fatalf("operation %s is not documented", tc.id)
		}
		seen[tc.id] = true
		r := tc.f.do(t, tc.method, tc.path, tc.body, tc.header...)
		if r.StatusCode != tc.status {
			t.Errorf("%s: status %d, want %d: %s", tc.id, r.StatusCode, tc.status, r.Body)
		}
		conforms(t, tc.f, op, r)
	}
	for id := range operations(up) {
		if !seen[id] {
			t.Errorf("operation %s has no test here", id)
		}
	}
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
	f := newFixture(t, nil)
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
	schemas := doc["components"].(map[string]any)["schemas"].(map[string]any)
	refs := 0
	walk(doc, func(key string, v any) {
		if key != "$ref" {
			return
		}
		refs++
		if name := strings.TrimPrefix(v.(string), "#/components/schemas/"); schemas[name] == nil {
			t.Errorf("reference to %v, which does not exist", v)
		}
	})
	if refs == 0 {
		t.Error("no references found")
	}
	chat := doc["paths"].(map[string]any)["/api/chatbot/chat"].(map[string]any)["post"].(map[string]any)
	for _, status := range []string{"200", "400", "408", "413", "415", "503"} {
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

func TestDocsPage_ShowsEveryOperationAndLoadsNothingForeign(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
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
