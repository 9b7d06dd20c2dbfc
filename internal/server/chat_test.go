package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"chatops/internal/chatops"
)

func TestChat_AnswersWithTheWholeReply(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	r := f.post(t, `{"message":"  ile kosztuje?  ","session_id":"s-1","consent":{"marketing":false,"rodo":true},"extra":[1]}`)
	if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("status %d, type %q: %s", r.StatusCode, r.Header.Get("Content-Type"), r.Body)
	}
	want := map[string]any{
		"response": "Dzień dobry", "session_id": "s-1", "conversation_id": 7.0, "lead_score": 40.0,
		"context":          map[string]any{"city": "Kraków", "square_meters": 60.0},
		"next_best_action": "ask_email", "sources": []any{"price"}, "language": "pl", "alerts": []any{},
	}
	if got := r.decode(t); !reflect.DeepEqual(got, want) {
		t.Errorf("reply %v, want %v", got, want)
	}
	req := f.chat.requests()[0]
	if req.Message != "ile kosztuje?" || req.SessionID != "s-1" || *req.Consent.Marketing || !*req.Consent.RODO {
		t.Errorf("request %+v", req)
	}
}

func TestChat_AbsentAndNullLeaveThingsAlone(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for _, body := range []string{
		`{"message":"a"}`, `{"message":"a","session_id":null,"consent":null}`,
		`{"message":"a","session_id":"","consent":{}}`, `{"message":"a","consent":{"marketing":null,"rodo":null,"x":1}}`,
	} {
		if r := f.post(t, body); r.StatusCode != http.StatusOK {
			t.Fatalf("%s: status %d", body, r.StatusCode)
		}
	}
	for _, req := range f.chat.requests() {
		if req != (chatops.ChatRequest{Message: "a", Consent: chatops.ChatConsent{Origin: req.Consent.Origin}}) {
			t.Errorf("request %+v", req)
		}
	}
}

func TestChat_HandsOnWhichTextsWereShownAndToWhom(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	r := f.do(t, http.MethodPost, "/api/chatbot/chat", `{"message":"a","consent":{"marketing":true,"marketing_text":3,"rodo":true,"rodo_text":null}}`,
		"User-Agent", "Firefox", "Content-Type", "application/json")
	if r.StatusCode != http.StatusOK {
		t.Fatalf("status %d: %s", r.StatusCode, r.Body)
	}
	c := f.chat.requests()[0].Consent
	if c.MarketingText != 3 || c.RODOText != 0 || c.Origin.UserAgent != "Firefox" || c.Origin.IPAddress != "192.0.2.1" {
		t.Errorf("consent %+v", c)
	}
	for _, bad := range []string{`"3"`, `3.5`, `0`, `-1`, `true`, `[3]`, `1e3`, `99999999999999999999`} {
		if r := f.post(t, `{"message":"a","consent":{"marketing":true,"marketing_text":`+bad+`}}`); r.StatusCode != http.StatusBadRequest {
			t.Errorf("text %s: status %d", bad, r.StatusCode)
		}
	}
}

func TestChat_RefusesBadMessages(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for _, body := range []string{
		``, ` `, `{}`, `[]`, `null`, `"hi"`, `5`, `not json`, `{"message":null}`, `{"message":5}`, `{"message":["a"]}`,
		`{"message":{}}`, `{"message":true}`, `{"message":""}`, `{"message":" \t\n"}`, `{"message":"\u00a0\u3000"}`, `{"Message":"a"}`,
		`{"message":"a"} trailing`, `{"message":"a"`,
	} {
		if got := f.post(t, body).wantProblem(t, http.StatusBadRequest); got != errMessageText {
			t.Errorf("%q: error %q", body, got)
		}
	}
	for body, want := range map[string]string{
		`{"message":"a","session_id":5}`:                       "session_id has the wrong type",
		`{"message":"a","session_id":["x"]}`:                   "session_id has the wrong type",
		`{"message":"a","consent":true}`:                       "consent has the wrong type",
		`{"message":"a","consent":[]}`:                         "consent has the wrong type",
		`{"message":"a","consent":{"rodo":"yes"}}`:             "consent has the wrong type",
		`{"message":"a","consent":{"marketing":1}}`:            "consent has the wrong type",
		`{"message":"a","message":"b"}`:                        "request body: repeated name at byte 15",
		`{"message":"a","consent":{"rodo":true,"rodo":false}}`: "request body: repeated name at byte 38",
		`{"message":"a","x":1e999}`:                            "request body: number out of range at byte 19",
		"{\"message\":\"a\",\"\xff\":1}":                       "request body: invalid UTF-8 in a name at byte 15",
		`{"message":"a","x":` + strings.Repeat("[", 100_000):   "request body: nesting deeper than 64 at byte 83",
	} {
		if got := f.post(t, body).wantProblem(t, http.StatusBadRequest); got != want {
			t.Errorf("%.60q: error %q, want %q", body, got, want)
		}
	}
	if n := len(f.chat.requests()); n != 0 {
		t.Errorf("%d bad requests reached the chat", n)
	}
}

func TestChat_BoundsTheMessageInCharacters(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	post := func(message string) *answer {
		body, err := json.Marshal(map[string]string{"message": message})
		if err != nil {
			t.Fatal(err)
		}
		return f.post(t, string(body))
	}
	for _, letter := range []string{"a", "ż", "🏠"} {
		if r := post(" " + strings.Repeat(letter, 4000) + "\n"); r.StatusCode != http.StatusOK {
			t.Errorf("4000 x %s: status %d", letter, r.StatusCode)
		}
		if got := post(strings.Repeat(letter, 4001)).wantProblem(t, http.StatusRequestEntityTooLarge); got != "message too long" {
			t.Errorf("4001 x %s: error %q", letter, got)
		}
	}
}

func TestChat_MendsFreeTextAndRefusesBrokenIdentifiers(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	if r := f.post(t, `{"message":"a\u0000b\ud800c"}`); r.StatusCode != http.StatusOK {
		t.Fatalf("status %d", r.StatusCode)
	}
	if got := f.chat.requests()[0].Message; got != "a\ufffdb\ufffdc" {
		t.Errorf("message %q", got)
	}
	if r := f.post(t, "{\"message\":\"a\xffb\"}"); r.StatusCode != http.StatusOK || f.chat.requests()[1].Message != "a\ufffdb" {
		t.Errorf("invalid UTF-8 in the message: status %d", r.StatusCode)
	}
	for _, id := range []string{"\xff", `a\u0000`, `\ud800`, `a b`, `a\nb`, `\u200b`, `a/b`, strings.Repeat("x", 101)} {
		f.post(t, `{"message":"a","session_id":"`+id+`"}`).wantProblem(t, http.StatusBadRequest)
	}
	for _, id := range []string{`x`, `50%_'\"\\`, `zażółć`, strings.Repeat("ż", 100)} {
		if r := f.post(t, `{"message":"a","session_id":"`+id+`"}`); r.StatusCode != http.StatusOK {
			t.Errorf("session %s: status %d", id, r.StatusCode)
		}
	}
}

func TestChat_RefusesBodiesThatAreNotPlainJSON(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	const body = `{"message":"a"}`
	for _, media := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
		"application/json; charset=iso-8859-2", "application/json;;", "application/jsonp", "application/xml"} {
		f.post(t, body, "Content-Type", media).wantProblem(t, http.StatusUnsupportedMediaType)
	}
	for _, media := range []string{"application/json; charset=utf-8", "Application/JSON;charset=UTF-8"} {
		if r := f.post(t, body, "Content-Type", media); r.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", media, r.StatusCode)
		}
	}
	var packed bytes.Buffer
	zw := gzip.NewWriter(&packed)
	_, _ = zw.Write([]byte(body))
	_ = zw.Close()
	for _, encoding := range []string{"gzip", "br", "gzip, identity", "deflate"} {
		if got := f.post(t, packed.String(), "Content-Encoding", encoding).wantProblem(t, http.StatusUnsupportedMediaType); !strings.Contains(got, "compressed") {
			t.Errorf("%s: %q", encoding, got)
		}
	}
	if r := f.post(t, body, "Content-Encoding", "identity"); r.StatusCode != http.StatusOK {
		t.Errorf("identity: status %d", r.StatusCode)
	}
}

func TestChat_BoundsTheBody(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	fill := func(n int) string {
		const head, tail = `{"message":"a","x":"`, `"}`
		return head + strings.Repeat("y", n-len(head)-len(tail)) + tail
	}
	if r := f.post(t, fill(maxBody)); r.StatusCode != http.StatusOK {
		t.Errorf("1 MiB: status %d", r.StatusCode)
	}
	f.post(t, fill(maxBody+1)).wantProblem(t, http.StatusRequestEntityTooLarge)

	// Without a Content-Length the limit must hold as well.
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/chatbot/chat", strings.NewReader(fill(maxBody+1)))
	r.ContentLength = -1
	r.Header.Set("Content-Type", "application/json")
	f.serve(t, r).wantProblem(t, http.StatusRequestEntityTooLarge)
}

func TestChatHealth_NeedsNoDatabase(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) {
		o.Health.PingFunc = func(context.Context) error { return chatops.Errorf(chatops.CodeUnavailable, "down") }
	})
	if got := f.get(t, "/api/chatbot/health").Body; strings.TrimSpace(got) != `{"status":"healthy","service":"chatbot"}` {
		t.Errorf("chatbot health: %s", got)
	}
}
