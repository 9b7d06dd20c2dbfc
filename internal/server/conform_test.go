package server

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
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
	var v any = r.Body
	if strings.Contains(r.Header.Get("Content-Type"), "json") {
		if err := json.Unmarshal([]byte(r.Body), &v); err != nil {
			t.Errorf("%s: %v", op.OperationID, err)
			return
		}
	}
	result := &huma.ValidateResult{}
	huma.Validate(f.api.OpenAPI().Components.Schemas, media.Schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, v, result)
	for _, err := range result.Errors {
		t.Errorf("%s: %d: %v in %s", op.OperationID, r.StatusCode, err, r.Body)
	}
	for name := range doc.Headers {
		optional := name == replayHeader || name == "Retry-After" && r.StatusCode != http.StatusTooManyRequests
		if !optional && r.Header.Get(name) == "" {
			t.Errorf("%s: %d lacks the documented header %s", op.OperationID, r.StatusCode, name)
		}
	}
}

// call is a request whose answer must be as documented. The server is up, ill
// (what it depends on fails) or bare (new, and its stores empty).
type call struct {
	server, id, method, path, body string
	header                         []string
	status                         int
}

var withKey = []string{"X-API-KEY", testKey}

func chatCalls() []call {
	const chat, history = "/api/chatbot/chat", "/api/chatbot/history/" + session
	once := []string{"Idempotency-Key", "k"}
	return []call{
		{"up", "chat", "POST", chat, `{"message":"a"}`, nil, 200},
		{"up", "chat", "POST", chat, `{"message":"ponownie"}`, once, 200},
		{"up", "chat", "POST", chat, `{}`, nil, 400},
		{"up", "chat", "POST", chat, `{"message":"trwa"}`, once, 409},
		{"up", "chat", "POST", chat, `{"message":"inne"}`, once, 422},
		{"up", "chat", "POST", chat, `{"message":"` + strings.Repeat("a", 4001) + `"}`, nil, 413},
		{"up", "chat", "POST", chat, `{"message":"a"}`, []string{"Content-Type", "text/plain"}, 415},
		{"ill", "chat", "POST", chat, `{"message":"a"}`, nil, 503},
		{"up", "history", "GET", history, "", nil, 200},
		{"bare", "history", "GET", history, "", nil, 200},
		{"up", "history", "GET", "/api/chatbot/history/a%20b", "", nil, 400},
		{"ill", "history", "GET", history, "", nil, 503},
		{"up", "chat-health", "GET", "/api/chatbot/health", "", nil, 200},
		{"up", "knowledge-packages", "GET", "/api/knowledge/packages", "", nil, 200},
		{"bare", "knowledge-packages", "GET", "/api/knowledge/packages?lang=en", "", nil, 200},
		{"up", "knowledge-packages", "GET", "/api/knowledge/packages?lang=de", "", nil, 400},
		{"up", "knowledge-faq", "GET", "/api/knowledge/faq", "", nil, 200},
		{"bare", "knowledge-faq", "GET", "/api/knowledge/faq", "", nil, 200},
		{"up", "knowledge-faq", "GET", "/api/knowledge/faq?lang=x", "", nil, 400},
	}
}

func leadCalls() []call {
	const one, form = "/api/leads/1", `{"name":"Jan","email":"jan@x.pl"}`
	return []call{
		{"up", "lead-create", "POST", "/api/leads/", form, nil, 201},
		{"up", "lead-create", "POST", "/api/leads", form, nil, 201},
		{"up", "lead-create", "POST", "/api/leads/", `{}`, nil, 400},
		{"up", "lead-create", "POST", "/api/leads/", form, []string{"Content-Type", "text/plain"}, 415},
		{"up", "lead-create", "POST", "/api/leads/", form, []string{"Idempotency-Key", "\x01"}, 400},
		{"bare", "lead-create", "POST", "/api/leads/", form, nil, 201},
		{"ill", "lead-create", "POST", "/api/leads/", form, nil, 503},
		{"up", "leads", "GET", "/api/leads/", "", withKey, 200},
		{"up", "leads", "GET", "/api/leads", "", withKey, 200},
		{"up", "leads", "GET", "/api/leads/", "", nil, 401},
		{"ill", "leads", "GET", "/api/leads/", "", withKey, 503},
		{"up", "lead", "GET", one, "", withKey, 200},
		{"up", "lead", "GET", one, "", nil, 401},
		{"up", "lead", "GET", "/api/leads/0", "", withKey, 404},
		{"ill", "lead", "GET", one, "", withKey, 503},
		{"up", "lead-update", "PUT", one, `{"phone":null}`, withKey, 200},
		{"up", "lead-update", "PUT", one, `{"name":""}`, withKey, 400},
		{"up", "lead-update", "PUT", one, `{}`, nil, 401},
		{"up", "lead-update", "PUT", "/api/leads/99", `{}`, withKey, 404},
		{"ill", "lead-update", "PUT", one, `{}`, withKey, 503},
		{"up", "lead-status", "PATCH", one + "/status", `{"status":"lost"}`, withKey, 200},
		{"up", "lead-status", "PATCH", one + "/status", `{"status":"gone"}`, withKey, 400},
		{"up", "lead-status", "PATCH", one + "/status", `{}`, nil, 401},
		{"up", "lead-status", "PATCH", "/api/leads/99/status", `{"status":"lost"}`, withKey, 404},
		{"ill", "lead-status", "PATCH", one + "/status", `{"status":"lost"}`, withKey, 503},
		{"up", "lead-filter", "GET", "/api/leads/filter", "", withKey, 200},
		{"bare", "lead-filter", "GET", "/api/leads/filter?status=lost", "", withKey, 200},
		{"up", "lead-filter", "GET", "/api/leads/filter?page=0", "", withKey, 400},
		{"up", "lead-filter", "GET", "/api/leads/filter", "", nil, 401},
		{"ill", "lead-filter", "GET", "/api/leads/filter", "", withKey, 503},
		{"up", "lead-export", "GET", "/api/leads/export", "", withKey, 200},
		{"up", "lead-export", "GET", "/api/leads/export?excel=x", "", withKey, 400},
		{"up", "lead-export", "GET", "/api/leads/export", "", nil, 401},
		{"ill", "lead-export", "GET", "/api/leads/export", "", withKey, 503},
		{"up", "lead-bulk-update", "POST", "/api/leads/bulk-update", `{"lead_ids":[1],"status":"lost"}`, withKey, 200},
		{"up", "lead-bulk-update", "POST", "/api/leads/bulk-update", `{"lead_ids":[1,99],"status":"lost"}`, withKey, 200},
		{"up", "lead-bulk-update", "POST", "/api/leads/bulk-update", `{}`, withKey, 400},
		{"up", "lead-bulk-update", "POST", "/api/leads/bulk-update", `{}`, nil, 401},
		{"ill", "lead-bulk-update", "POST", "/api/leads/bulk-update", `{"lead_ids":[1],"status":"lost"}`, withKey, 503},
	}
}

func consentCalls() []call {
	const status, rodo = "/api/unsubscribe/status/jan@x.pl", "/api/chatbot/rodo-consent"
	return []call{
		{"up", "unsubscribe", "POST", "/api/unsubscribe", `{"email":"jan@x.pl"}`, nil, 200},
		{"up", "unsubscribe", "POST", "/api/unsubscribe", `{}`, nil, 400},
		{"up", "unsubscribe", "POST", "/api/unsubscribe", `{}`, []string{"Content-Type", "text/plain"}, 415},
		{"ill", "unsubscribe", "POST", "/api/unsubscribe", `{"lead_id":1}`, nil, 503},
		{"up", "revoke-consent", "POST", "/api/revoke-consent", `{"email":"jan@x.pl"}`, nil, 200},
		{"up", "revoke-consent", "POST", "/api/revoke-consent", `{}`, nil, 400},
		{"ill", "revoke-consent", "POST", "/api/revoke-consent", `{"email":"jan@x.pl"}`, nil, 503},
		{"up", "unsubscribe-status", "GET", status, "", nil, 200},
		{"up", "unsubscribe-status", "GET", status, "", withKey, 200},
		{"up", "unsubscribe-status", "GET", status, "", []string{"X-Consent-Token", tokenFor("jan@x.pl")}, 200},
		{"up", "unsubscribe", "POST", "/api/unsubscribe", `{"token":"` + tokenFor("jan@x.pl") + `"}`, nil, 200},
		{"up", "unsubscribe-status", "GET", "/api/unsubscribe/status/jan", "", nil, 400},
		{"bare", "unsubscribe-status", "GET", status, "", withKey, 404},
		{"ill", "unsubscribe-status", "GET", status, "", withKey, 503},
		{"up", "rodo-consent", "POST", rodo, `{"session_id":"s1"}`, nil, 200},
		{"up", "rodo-consent", "POST", rodo, `{}`, nil, 400},
		{"ill", "rodo-consent", "POST", rodo, `{"session_id":"s1"}`, nil, 503},
	}
}

func operationCalls() []call {
	secret := []string{"X-Migration-Secret", testSecret}
	return []call{
		{"up", "health", "GET", "/api/health", "", nil, 200},
		{"ill", "health", "GET", "/api/health", "", nil, 503},
		{"up", "health-deep", "GET", "/api/health/deep", "", nil, 200},
		{"bare", "health-deep", "GET", "/api/health/deep", "", nil, 200},
		{"ill", "health-deep", "GET", "/api/health/deep", "", nil, 503},
		{"up", "doctor", "GET", "/api/doctor", "", withKey, 200},
		{"up", "doctor", "GET", "/api/doctor", "", nil, 401},
		{"ill", "doctor", "GET", "/api/doctor", "", withKey, 503},
		{"up", "status", "GET", "/api/status", "", nil, 200},
		{"ill", "status", "GET", "/api/status", "", nil, 503},
		{"up", "migrate", "POST", migrationPath, "", secret, 200},
		{"up", "migrate-get", "GET", migrationPath + "?secret=" + testSecret, "", nil, 200},
		{"bare", "migrate", "POST", migrationPath, "", secret, 200},
		{"up", "migrate", "POST", migrationPath, "", nil, 401},
		{"up", "migrate-get", "GET", migrationPath, "", nil, 401},
		{"ill", "migrate", "POST", migrationPath, "", secret, 503},
	}
}

// illServer answers that nothing it depends on works.
func illServer(t *testing.T) *full {
	down := chatops.Errorf(chatops.CodeUnavailable, "database unreachable")
	f := newFull(t, func(o *Options) {
		o.Health, o.Limits = fullHealth(down), plenty()
		o.MigrateFunc = func(context.Context) (*MigrationReport, error) { return nil, down }
	})
	f.leads.err, f.consent.err = down, down
	f.leads.add(chatops.Lead{Name: "Jan"})
	f.chat.replyFunc = func(context.Context, chatops.ChatRequest) (*chatops.ChatReply, error) { return nil, down }
	f.chat.historyFunc = func(context.Context, string) ([]chatops.Message, error) { return nil, down }
	f.leads.visitErr = down
	return f
}

// upServer has one of everything.
func upServer(t *testing.T) *full {
	f := newFull(t, func(o *Options) { o.Health, o.Limits = fullHealth(nil), plenty() })
	f.leads.add(chatops.Lead{Name: "Jan", Email: "jan@x.pl", Phone: "+48600700800", MondayItemID: "7"})
	f.consent.known = map[string]chatops.ConsentStatus{"jan@x.pl": {LastAction: chatops.ActionRevoke, LastActionAt: at}}
	f.chat.historyFunc = func(context.Context, string) ([]chatops.Message, error) {
		return []chatops.Message{{Text: "a", Sender: chatops.SenderBot, At: time.Unix(1, 0)}}, nil
	}
	f.chat.replyFunc = func(_ context.Context, req chatops.ChatRequest) (*chatops.ChatReply, error) {
		switch req.Message {
		case "trwa":
			return nil, chatops.Errorf(chatops.CodeConflict, "a request with this key is running")
		case "inne":
			return nil, chatops.Errorf(chatops.CodeMismatch, "this key was used with another body")
		}
		return &chatops.ChatReply{Response: "b", SessionID: session, Language: "pl", Replayed: req.Once != nil}, nil
	}
	return f
}

func TestResponses_AreWhatTheDocumentSays(t *testing.T) {
	t.Parallel()
	bare := newFull(t, func(o *Options) {
		o.Knowledge, o.Limits = fakeKnowledge{empty: true}, plenty()
		o.MigrateFunc = func(context.Context) (*MigrationReport, error) { return &MigrationReport{}, nil }
	})
	servers := map[string]*full{"up": upServer(t), "ill": illServer(t), "bare": bare}
	refuse := refusing(t)
	seen := map[string]bool{}
	for _, calls := range [][]call{chatCalls(), leadCalls(), consentCalls(), operationCalls()} {
		for _, c := range calls {
			f := servers[c.server]
			op := operations(f.fixture)[c.id]
			if op == nil {
				t.Fatalf("operation %s is not documented", c.id)
			}
			seen[c.id+strconv.Itoa(c.status)] = true
			header := c.header
			if c.body != "" {
				header = append([]string{"Content-Type", "application/json"}, header...)
			}
			r := f.do(t, c.method, c.path, c.body, header...)
			if r.StatusCode != c.status {
				t.Errorf("%s %s %s on %s: status %d, want %d: %s", c.method, c.path, c.body, c.server, r.StatusCode, c.status, r.Body)
			}
			conforms(t, f.fixture, op, r)
		}
	}
	for id, op := range operations(servers["up"].fixture) {
		for status, f := range refuse {
			seen[id+strconv.Itoa(status)] = true
			r := f.do(t, op.Method, op.Path, "")
			if r.StatusCode != status {
				t.Errorf("%s: status %d, want %d", id, r.StatusCode, status)
			}
			conforms(t, f.fixture, operations(f.fixture)[id], r)
		}
		for status := range op.Responses {
			if !seen[id+status] && !testedElsewhere(id, status) {
				t.Errorf("operation %s has no test here that gives %s", id, status)
			}
		}
	}
}

// refusing are servers that refuse everybody, by the status they do it with.
func refusing(t *testing.T) map[int]*full {
	t.Helper()
	servers := map[int]*full{}
	for status, change := range map[int]func(*fakeLimits){
		429: func(l *fakeLimits) { l.shut = true }, 403: func(l *fakeLimits) { l.block("0.0.0.0/0") },
	} {
		limits := plenty()
		change(limits)
		servers[status] = newFull(t, func(o *Options) { o.Limits = limits })
	}
	return servers
}

// testedElsewhere lists what no request of the table can provoke: what the gate
// and the rescue answer, a running migration, keys whose lead is gone, and the
// 503 that huma documents for handlers that need nothing.
func testedElsewhere(id, status string) bool {
	switch status {
	case "408", "413", "415", "422", "500":
		return true
	case "404", "409":
		return id == "lead-create" || id == "migrate" || id == "migrate-get"
	case "503":
		return slices.Contains([]string{"chat-health", "knowledge-packages", "knowledge-faq", "migrate-get"}, id)
	}
	return false
}
