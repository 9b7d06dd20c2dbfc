package server

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"chatops/internal/chatops"
)

// replay is a request as clients of the older API send it, and what they get.
type replay struct {
	name, method, path, body string
	header                   []string
	status                   int
	// want is the answer as JSON, or the text of an error. Members that clients
	// of the older API do not know are not compared, nor is "*".
	want string
	// changed says why the answer differs from the older API's; "" where it does
	// not.
	changed string
}

var asJSON = []string{"Content-Type", "application/json"}

// replays are those of errors, chat, health, migration and knowledge.
func replays() []replay {
	return []replay{
		{"unknown page", "GET", "/some/page", "", nil, 404, "no such page or endpoint", "answered 200 with the page of the chat"},
		{"GET where POST belongs", "GET", "/api/unsubscribe", "", nil, 405, "method GET is not allowed here", "answered 200 with the page of the chat"},
		{"wrong method", "POST", "/api/health", "", nil, 405, "method POST is not allowed here", "the body was HTML"},
		{"body too large", "POST", "/api/chatbot/chat", strings.Repeat(" ", 1<<20+1), asJSON, 413, "request body is larger than 1 MiB", "50 MB were accepted"},

		{"chat", "POST", "/api/chatbot/chat", `{"message":"ile kosztuje?","session_id":"s-1"}`, asJSON, 200,
			`{"response":"*","session_id":"s-1","conversation_id":7,"context":{"city":"Kraków","square_meters":60},"lead_score":40,"next_best_action":"*","alerts":[]}`, ""},
		{"no message", "POST", "/api/chatbot/chat", `{}`, asJSON, 400, "Message must be a non-empty string", ""},
		{"blank message", "POST", "/api/chatbot/chat", `{"message":"  "}`, asJSON, 400, "Message must be a non-empty string", ""},
		{"message is a number", "POST", "/api/chatbot/chat", `{"message":5}`, asJSON, 400, "Message must be a non-empty string", ""},
		{"an array", "POST", "/api/chatbot/chat", `[]`, asJSON, 400, "Message must be a non-empty string", ""},
		{"4001 characters", "POST", "/api/chatbot/chat", `{"message":"` + strings.Repeat("ż", 4001) + `"}`, asJSON, 413, "message too long", ""},
		{"not JSON", "POST", "/api/chatbot/chat", `message=a`, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415,
			"Content-Type must be application/json", "was 400; a page of anybody's could post it"},
		{"session id is a number", "POST", "/api/chatbot/chat", `{"message":"a","session_id":5}`, asJSON, 400, "session_id has the wrong type",
			"any truthy value was accepted"},
		{"database down", "POST", "/api/chatbot/chat", `{"message":"padnij"}`, asJSON, 503, "database unreachable",
			"was 200 with an apology: nobody could tell that nothing was stored"},
		{"chat health", "GET", "/api/chatbot/health", "", nil, 200, `{"status":"healthy","service":"chatbot"}`, ""},
		{"history", "GET", "/api/chatbot/history/" + session, "", nil, 200,
			`{"messages":[{"message":"a","sender":"user","timestamp":"2026-03-01T12:30:15.25Z"}]}`, "times name their zone"},
		{"history of a guessable id", "GET", "/api/chatbot/history/s1", "", nil, 200, `{"messages":[]}`, "was readable by everybody"},
		{"history of an unknown session", "GET", "/api/chatbot/history/00000000-aaaa-4bbb-8ccc-123456789012", "", nil, 200, `{"messages":[]}`, ""},
		{"RODO consent", "POST", "/api/chatbot/rodo-consent", `{"session_id":"s1","consent_given":true}`, asJSON, 200,
			`{"success":true,"message":"Zgoda RODO zapisana pomyślnie"}`, ""},
		{"RODO consent again", "POST", "/api/chatbot/rodo-consent", `{"session_id":"s1"}`, asJSON, 200, `{"success":true,"message":"Zgoda RODO już zapisana"}`, ""},
		{"RODO consent withdrawn", "POST", "/api/chatbot/rodo-consent", `{"session_id":"s1","consent_given":false}`, asJSON, 200,
			`{"success":true,"message":"Zgoda RODO wycofana"}`, "the first answer was kept for ever"},
		{"RODO consent of nobody", "POST", "/api/chatbot/rodo-consent", `{"consent_given":true}`, asJSON, 400, "Session ID is required", ""},

		{"health", "GET", "/api/health", "", nil, 200, `{"status":"healthy","database":"connected","service":"chatops"}`, "counted intents, which there are none of"},
		{"service status", "GET", "/api/status", "", nil, 200,
			`{"status":"healthy","service":"chatops","uptime_seconds":0,"environment":"development","version":"1.2.3","database":{"status":"connected"}}`, ""},

		{"migration without the secret", "POST", migrationPath, "", nil, 401, "Unauthorized", ""},
		{"migration", "POST", migrationPath, "", []string{"X-Migration-Secret", testSecret}, 200, `{"success":true,"message":"*"}`, "was always 500"},
		{"migration by GET", "GET", migrationPath + "?secret=" + testSecret, "", nil, 200, `{"success":true,"message":"*"}`, "was the page of the chat"},
		{"packages", "GET", "/api/knowledge/packages", "", nil, 200,
			`[{"id":"comfort","name":"Comfort","price_per_sqm":1499,"standard":"*","ideal_for":"*"},{"id":"individual","name":"*","price_per_sqm":null,"standard":"*","ideal_for":"*"}]`, ""},
		{"FAQ", "GET", "/api/knowledge/faq", "", nil, 200, `{"area":"*","warranty":"*"}`, ""},
	}
}

func consentReplays() []replay {
	return []replay{
		{"unsubscribe", "POST", "/api/unsubscribe", `{"email":" Jan@x.pl ","reason":"spam"}`, asJSON, 200,
			`{"success":true,"message":"Successfully unsubscribed from marketing emails","email":"Jan@x.pl"}`, ""},
		{"unsubscribe a stranger", "POST", "/api/unsubscribe", `{"email":"nikt@x.pl"}`, asJSON, 200,
			`{"success":true,"message":"Successfully unsubscribed from marketing emails","email":"nikt@x.pl"}`, ""},
		{"unsubscribe by number", "POST", "/api/unsubscribe", `{"lead_id":1}`, asJSON, 200,
			`{"success":true,"message":"Successfully unsubscribed from marketing emails","email":""}`, "told the address of the lead"},
		{"unsubscribe nobody", "POST", "/api/unsubscribe", `{}`, asJSON, 400, "Must provide email, conversation_id, or lead_id", ""},
		{"unsubscribe null", "POST", "/api/unsubscribe", `{"email":null}`, asJSON, 400, "Must provide email, conversation_id, or lead_id", "was 500"},
		{"unsubscribe a number", "POST", "/api/unsubscribe", `{"email":5}`, asJSON, 400, "email has the wrong type", "was 500"},
		{"unsubscribe what is no address", "POST", "/api/unsubscribe", `{"email":"jan"}`, asJSON, 400, "Invalid email", "was 200"},
		{"revoke", "POST", "/api/revoke-consent", `{"email":"jan@x.pl"}`, asJSON, 200,
			`{"success":true,"message":"All consents revoked. Your data will not be processed.","email":"jan@x.pl"}`,
			"affected_records told whether the address is known"},
		{"revoke for nobody", "POST", "/api/revoke-consent", `{}`, asJSON, 400, "Email is required", ""},
		{"status", "GET", "/api/unsubscribe/status/jan@x.pl", "", withKey, 200,
			`{"email":"jan@x.pl","is_unsubscribed":true,"marketing_consent":false,"rodo_consent":false,"last_action":"revoke_consent","last_action_at":"2026-03-01T12:30:15.25Z"}`, ""},
		{"status of a stranger", "GET", "/api/unsubscribe/status/nikt@x.pl", "", withKey, 404, "Email not found", "was 200"},
		{"status without a key", "GET", "/api/unsubscribe/status/jan@x.pl", "", nil, 200,
			`{"email":"jan@x.pl","is_unsubscribed":null,"marketing_consent":null,"rodo_consent":null,"last_action":null,"last_action_at":null}`,
			"told everybody"},
	}
}

func leadReplays() []replay {
	key := append(slices.Clone(asJSON), withKey...)
	const lead = `{"id":2,"name":"Ewa","email":"ewa@x.pl","phone":null,"message":null,"status":"new","monday_item_id":null,"created_at":"*"}`
	const jan = `{"id":1,"name":"Jan","email":"jan@x.pl","phone":"600700800","message":"m","status":"new","monday_item_id":"7","created_at":"*"}`
	return []replay{
		{"create a lead", "POST", "/api/leads/", `{"name":"Ewa","email":"ewa@x.pl"}`, asJSON, 201, lead, ""},
		{"create without the slash", "POST", "/api/leads", `{"name":"Ola"}`, asJSON, 400, "Missing required field: email", "was a redirect"},
		{"create without a name", "POST", "/api/leads/", `{"email":"x"}`, asJSON, 400, "Missing required field: name", ""},
		{"create with a blank name", "POST", "/api/leads/", `{"name":" ","email":"x"}`, asJSON, 400, "Invalid name", ""},
		{"create with a bad address", "POST", "/api/leads/", `{"name":"J","email":"x"}`, asJSON, 400, "Invalid email", ""},
		{"create with a bad phone", "POST", "/api/leads/", `{"name":"J","email":"j@x.pl","phone":1}`, asJSON, 400, "Invalid phone", ""},
		{"create with a bad message", "POST", "/api/leads/", `{"name":"J","email":"j@x.pl","message":1}`, asJSON, 400, "Invalid message", ""},
		{"all leads", "GET", "/api/leads/", "", withKey, 200, "[" + lead + "," + jan + "]", ""},
		{"all leads without a key", "GET", "/api/leads/", "", nil, 401, "Unauthorized", "was open to everybody, as the rest of the leads"},
		{"a lead", "GET", "/api/leads/1", "", withKey, 200, jan, ""},
		{"no lead", "GET", "/api/leads/99", "", withKey, 404, "Lead not found", ""},
		{"update", "PUT", "/api/leads/2", `{"name":"Ewa"}`, key, 200, lead, ""},
		{"bad update", "PUT", "/api/leads/2", `{"email":"ewa"}`, key, 400, "Invalid email", "was stored"},
		{"new status", "PATCH", "/api/leads/1/status", `{"status":"contacted"}`, key, 200,
			`{"id":1,"old_status":"new","new_status":"contacted","monday_synced":true}`, ""},
		{"bad status", "PATCH", "/api/leads/1/status", `{"status":"x"}`, key, 400,
			"Invalid status. Must be one of: new, contacted, qualified, converted, lost", ""},
		{"filter", "GET", "/api/leads/filter?status=new&page=1&per_page=50", "", withKey, 200,
			`{"leads":[` + lead + `],"pagination":{"page":1,"per_page":50,"total":1,"pages":1}}`, ""},
		{"bulk", "POST", "/api/leads/bulk-update", `{"lead_ids":[1,2],"status":"lost"}`, key, 200, `{"success":true,"updated":2,"errors":null}`, ""},
		{"bulk of nothing", "POST", "/api/leads/bulk-update", `{"lead_ids":[]}`, key, 400, "lead_ids and status are required", ""},
	}
}

func TestReplay_OfTheOlderAPI(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	f.leads.add(chatops.Lead{Name: "Jan", Email: "jan@x.pl", Phone: "600700800", Message: "m", MondayItemID: "7"})
	f.consent.known = map[string]chatops.ConsentStatus{"jan@x.pl": {IsUnsubscribed: true, LastAction: chatops.ActionRevoke, LastActionAt: at}}
	f.chat.replyFunc = func(_ context.Context, req chatops.ChatRequest) (*chatops.ChatReply, error) {
		if req.Message == "padnij" {
			return nil, chatops.Errorf(chatops.CodeUnavailable, "database unreachable")
		}
		return (&fakeChat{}).Reply(t.Context(), req)
	}
	f.chat.historyFunc = func(_ context.Context, id string) ([]chatops.Message, error) {
		if id != session {
			return nil, nil
		}
		return []chatops.Message{{Text: "a", Sender: chatops.SenderUser, At: at}}, nil
	}
	for _, c := range slices.Concat(replays(), consentReplays(), leadReplays()) { // one story, in order
		r := f.do(t, c.method, c.path, c.body, c.header...)
		if r.StatusCode != c.status {
			t.Errorf("%s: status %d, want %d: %.300s", c.name, r.StatusCode, c.status, r.Body)
			continue
		}
		if c.status >= http.StatusBadRequest {
			if got := r.wantProblem(t, c.status); got != c.want {
				t.Errorf("%s: error %q, want %q", c.name, got, c.want)
			}
			continue
		}
		var got, want any
		if err := json.Unmarshal([]byte(r.Body), &got); err != nil {
			t.Fatalf("%s: %v: %s", c.name, err, r.Body)
		}
		if err := json.Unmarshal([]byte(c.want), &want); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if !holds(got, want) {
			t.Errorf("%s: %s\nwant %s", c.name, r.Body, c.want)
		}
	}
}

// holds reports whether an answer has everything that is wanted.
func holds(got, want any) bool {
	switch want := want.(type) {
	case string:
		_, isText := got.(string)
		return got == any(want) || want == "*" && isText
	case []any:
		list, _ := got.([]any)
		return len(list) == len(want) && !slices.ContainsFunc(numbers(len(list)), func(i int) bool { return !holds(list[i-1], want[i-1]) })
	case map[string]any:
		m, _ := got.(map[string]any)
		for name, value := range want {
			if v, ok := m[name]; !ok || !holds(v, value) {
				return false
			}
		}
		return m != nil
	}
	return reflect.DeepEqual(got, want)
}

func TestHolds_NoticesADeviation(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		`{"a":1}`: `{"a":2}`, `{"b":1}`: `{"a":1}`, `[1]`: `[1,2]`, `[1,3]`: `[1,2]`, `null`: `{}`, `"x"`: `"y"`, `5`: `"*"`, `{"a":null}`: `{"a":"*"}`,
	} {
		var g, w any
		if json.Unmarshal([]byte(got), &g) != nil || json.Unmarshal([]byte(want), &w) != nil || holds(g, w) {
			t.Errorf("%s passes for %s", got, want)
		}
	}
}
