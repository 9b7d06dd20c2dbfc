package server

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestChat_PassesOnTheKeyOfARepeatedRequest(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	send := func(body, key string) *chatops.OnceKey {
		r := f.post(t, body, "Idempotency-Key", key)
		if r.StatusCode != http.StatusOK {
			t.Fatalf("%s: status %d: %s", body, r.StatusCode, r.Body)
		}
		all := f.chat.requests()
		return all[len(all)-1].Once
	}
	first := send(`{"message":"a","session_id":"s1"}`, "k1")
	again := send(`{ "session_id":"s1", "extra":1, "message":" a " }`, "k1")
	if first.Scope != "chat:s1" || first.Scope != again.Scope || first.Key != again.Key || first.Body != again.Body {
		t.Errorf("the same request gives %+v and %+v", first, again)
	}
	if first.Owner == again.Owner || first.Owner == "" {
		t.Errorf("owners %q and %q", first.Owner, again.Owner)
	}
	if len(first.Key) != 64 || len(first.Body) != 64 || strings.Contains(first.Key, "k1") {
		t.Errorf("key %+v", first)
	}
	bodies := []string{first.Body}
	for _, body := range []string{
		`{"message":"b","session_id":"s1"}`, `{"message":"a","session_id":"s1","consent":{"rodo":true}}`,
		`{"message":"a","session_id":"s1","consent":{"rodo":false}}`, `{"message":"a","session_id":"s1","consent":{"marketing":true}}`,
	} {
		other := send(body, "k1")
		if slices.Contains(bodies, other.Body) || other.Scope != first.Scope || other.Key != first.Key {
			t.Errorf("%s gives %+v", body, other)
		}
		bodies = append(bodies, other.Body)
	}
	if other := send(`{"message":"a","session_id":"s2"}`, "k1"); other.Scope == first.Scope {
		t.Errorf("two sessions share the scope %s", other.Scope)
	}
	long := strings.Repeat("ż", 100)
	if other := send(`{"message":"a","session_id":"`+long+`"}`, "k1"); len(other.Scope) > 200 || !strings.HasPrefix(other.Scope, "chat#") {
		t.Errorf("scope %q of a long session", other.Scope)
	}
}

func TestChat_KeyOfANewConversationBelongsToTheClient(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	scope := func(remote string) string {
		r := newRequest(t, "POST", "/api/chatbot/chat", `{"message":"a"}`)
		r.RemoteAddr = remote
		r.Header.Set("Idempotency-Key", "k")
		f.serve(t, r)
		all := f.chat.requests()
		return all[len(all)-1].Once.Scope
	}
	one, same, other := scope("198.51.100.1:5"), scope("198.51.100.1:6"), scope("198.51.100.2:5")
	if one != same || one == other || strings.Contains(one, "198.51") || len(one) > 200 {
		t.Errorf("scopes %q, %q, %q", one, same, other)
	}
}

func TestChat_WithoutAKeyHasNone(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	r := f.post(t, `{"message":"a","session_id":"s1"}`)
	if f.chat.requests()[0].Once != nil || r.Header.Get("Idempotent-Replayed") != "" {
		t.Errorf("request %+v, headers %v", f.chat.requests()[0], r.Header)
	}
}

func TestIdempotencyKey_IsCheckedBeforeAnythingIsDone(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	for _, values := range [][]string{{""}, {"a", "a"}, {strings.Repeat("a", 256)}, {"a\tb"}, {"\xff"}, {"a\u200bb"}, {"a\u00a0b"}} {
		for path, body := range map[string]string{"/api/chatbot/chat": `{"message":"a"}`, "/api/leads/": `{"name":"J","email":"j@x.pl"}`} {
			r := newRequest(t, "POST", path, body)
			r.Header["Idempotency-Key"] = values
			if got := f.serve(t, r).wantProblem(t, http.StatusBadRequest); got != errOnceKey.Error() {
				t.Errorf("%q: error %q", values, got)
			}
		}
	}
	if len(f.chat.requests())+len(f.leads.list) != 0 {
		t.Error("a request with a bad key is done")
	}
	for _, key := range []string{"a", `"8e03978e-40d5-43dd-bc93-6894a57f9324"`, strings.Repeat("ż", 255), "two words"} {
		if r := f.post(t, `{"message":"a"}`, "Idempotency-Key", key); r.StatusCode != http.StatusOK {
			t.Errorf("%q: status %d", key, r.StatusCode)
		}
	}
}

func TestChat_SaysHowAKeyWasFound(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	var err error
	f.chat.replyFunc = func(context.Context, chatops.ChatRequest) (*chatops.ChatReply, error) {
		return &chatops.ChatReply{Response: "b", Replayed: true}, err
	}
	if r := f.post(t, `{"message":"a"}`, "Idempotency-Key", "k"); r.Header.Get("Idempotent-Replayed") != "true" || strings.Contains(r.Body, "eplayed") {
		t.Errorf("headers %v, body %s", r.Header, r.Body)
	}
	err = chatops.Errorf(chatops.CodeConflict, "a request with this key is running")
	r := f.post(t, `{"message":"a"}`, "Idempotency-Key", "k")
	r.wantProblem(t, http.StatusConflict)
	if r.Header.Get("Retry-After") != "1" || r.Header.Get("Idempotent-Replayed") != "" {
		t.Errorf("headers %v", r.Header)
	}
	err = chatops.Errorf(chatops.CodeMismatch, "this key was used with another body")
	f.post(t, `{"message":"a"}`, "Idempotency-Key", "k").wantProblem(t, http.StatusUnprocessableEntity)
}

func TestCreateLead_OfARepeatedRequestIsOne(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	const body = `{"name":"Jan","email":"jan@x.pl"}`
	first := f.postLead(t, body, "Idempotency-Key", "k")
	again := f.postLead(t, ` {"email":"jan@x.pl","name":" Jan "}`, "Idempotency-Key", "k")
	if first.StatusCode != http.StatusCreated || again.StatusCode != http.StatusCreated || first.Body != again.Body || len(f.leads.list) != 1 {
		t.Errorf("%d %s, then %d %s; %d leads", first.StatusCode, first.Body, again.StatusCode, again.Body, len(f.leads.list))
	}
	if first.Header.Get("Idempotent-Replayed") != "" || again.Header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("replayed %q, then %q", first.Header.Get("Idempotent-Replayed"), again.Header.Get("Idempotent-Replayed"))
	}
	f.postLead(t, `{"name":"Ewa","email":"jan@x.pl"}`, "Idempotency-Key", "k").wantProblem(t, http.StatusUnprocessableEntity)
	if r := f.postLead(t, body, "Idempotency-Key", "k2"); r.StatusCode != http.StatusCreated || len(f.leads.list) != 2 {
		t.Errorf("another key: status %d, %d leads", r.StatusCode, len(f.leads.list))
	}
	if s := f.leads.onces[0].Scope; !strings.HasPrefix(s, "lead@") || len(s) > 200 {
		t.Errorf("scope %q", s)
	}
	f.leads.list = nil
	if got := f.postLead(t, body, "Idempotency-Key", "k").wantProblem(t, http.StatusNotFound); got != "Lead not found" {
		t.Errorf("a lead that was erased: %q", got)
	}
}

func TestCreateLead_RepeatedAfterTheCRMTookIt_GetsTheFirstAnswer(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	const body = `{"name":"Jan","email":"jan@x.pl"}`
	first := f.postLead(t, body, "Idempotency-Key", "k")
	f.leads.list[0].MondayItemID, f.leads.list[0].Status = "1000", chatops.LeadContacted
	if again := f.postLead(t, body, "Idempotency-Key", "k"); again.Body != first.Body {
		t.Errorf("first  %s\nagain %s", first.Body, again.Body)
	}
}

func TestDigest_TellsListsApart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SliceOfN(rapid.StringN(0, 3, -1), 0, 4).Draw(t, "a")
		b := rapid.SliceOfN(rapid.StringN(0, 3, -1), 0, 4).Draw(t, "b")
		if (digest(a...) == digest(b...)) != slices.Equal(a, b) {
			t.Fatalf("%q and %q", a, b)
		}
	})
}
