package server

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	"chatops/internal/chatops"
)

func TestUnsubscribe_StoresTheKeyAndAnswersAsGiven(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	r := f.do(t, "POST", "/api/unsubscribe", `{"email":"  Jan+A@Żółw.PL ","reason":"za dużo","tokens":"x"}`, "User-Agent", strings.Repeat("ż", 600))
	want := map[string]any{"success": true, "message": saidUnsubscribe, "email": "Jan+A@Żółw.PL"}
	if got := r.decode(t); !reflect.DeepEqual(got, want) || r.StatusCode != http.StatusOK {
		t.Errorf("status %d: %v, want %v", r.StatusCode, got, want)
	}
	stored := chatops.ConsentWithdrawal{
		Action: chatops.ActionUnsubscribe, EmailKey: "jan+a@xn--w-uga1v8h.pl",
		Origin: chatops.ConsentOrigin{IPAddress: "192.0.2.1", UserAgent: strings.Repeat("ż", 500), Reason: "za dużo"},
	}
	if got := f.consent.withdrawals[0]; !reflect.DeepEqual(got, stored) {
		t.Errorf("stored %+v, want %+v", got, stored)
	}
}

func TestUnsubscribe_ByNumberNeverTellsWhose(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	for body, want := range map[string]chatops.ConsentWithdrawal{
		`{"conversation_id":7}`:                       {ConversationID: 7},
		`{"lead_id":9,"email":null,"reason":null}`:    {LeadID: 9},
		`{"lead_id":9,"conversation_id":7}`:           {LeadID: 9, ConversationID: 7},
		`{"conversation_id":0}`:                       {ConversationID: unknownID},
		`{"conversation_id":-1}`:                      {ConversationID: unknownID},
		`{"lead_id":9223372036854775808,"email":" "}`: {LeadID: unknownID},
	} {
		r := f.do(t, "POST", "/api/unsubscribe", body)
		answer := map[string]any{"success": true, "message": saidUnsubscribe, "email": ""}
		if got := r.decode(t); r.StatusCode != http.StatusOK || !reflect.DeepEqual(got, answer) {
			t.Errorf("%s: status %d: %v", body, r.StatusCode, got)
		}
		got := f.consent.withdrawals[len(f.consent.withdrawals)-1]
		if got.ConversationID != want.ConversationID || got.LeadID != want.LeadID || got.EmailKey != "" {
			t.Errorf("%s: stored %+v", body, got)
		}
	}
	f.consent.err = chatops.Errorf(chatops.CodeNotFound, "no such lead")
	if r := f.do(t, "POST", "/api/unsubscribe", `{"lead_id":9}`); r.StatusCode != http.StatusOK {
		t.Errorf("an unknown lead: status %d", r.StatusCode)
	}
}

func TestRevoke_WithdrawsEverything(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	f.consent.known = map[string]chatops.ConsentStatus{"jan@x.pl": {}}
	want := map[string]any{"success": true, "message": saidRevoked, "email": "JAN@x.pl"}
	if got := f.do(t, "POST", "/api/revoke-consent", `{"email":"JAN@x.pl"}`).decode(t); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	want["email"] = "nikt@x.pl"
	if got := f.do(t, "POST", "/api/revoke-consent", `{"email":"nikt@x.pl"}`).decode(t); !reflect.DeepEqual(got, want) {
		t.Errorf("an unknown address: %v, want %v", got, want)
	}
	if w := f.consent.withdrawals; len(w) != 2 || w[0].Action != chatops.ActionRevoke || w[0].EmailKey != "jan@x.pl" {
		t.Errorf("stored %+v", w)
	}
}

func TestConsent_RefusesWithTheTextsThatClientsKnow(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	for _, tc := range []struct{ path, body, want string }{
		{"/api/unsubscribe", ``, errNobodyNamed},
		{"/api/unsubscribe", `[]`, errNobodyNamed},
		{"/api/unsubscribe", `not json`, errNobodyNamed},
		{"/api/unsubscribe", `{}`, errNobodyNamed},
		{"/api/unsubscribe", `{"email":null}`, errNobodyNamed},
		{"/api/unsubscribe", `{"email":" "}`, errNobodyNamed},
		{"/api/unsubscribe", `{"reason":"x","token":""}`, errNobodyNamed},
		{"/api/unsubscribe", `{"token":null}`, errNobodyNamed},
		{"/api/unsubscribe", `{"token":5}`, "token has the wrong type"},
		{"/api/unsubscribe", `{"token":["t"],"lead_id":7}`, "token has the wrong type"},
		{"/api/unsubscribe", `{"token":"t"}`, errBadLink},
		{"/api/unsubscribe", `{"email":5}`, "email has the wrong type"},
		{"/api/unsubscribe", `{"email":["a@x.pl"]}`, "email has the wrong type"},
		{"/api/unsubscribe", `{"email":{"a":1}}`, "email has the wrong type"},
		{"/api/unsubscribe", `{"email":"a@x.pl","reason":5}`, "reason has the wrong type"},
		{"/api/unsubscribe", `{"conversation_id":"7"}`, "conversation_id has the wrong type"},
		{"/api/unsubscribe", `{"conversation_id":1.5}`, "conversation_id has the wrong type"},
		{"/api/unsubscribe", `{"lead_id":[7]}`, "lead_id has the wrong type"},
		{"/api/unsubscribe", `{"lead_id":true}`, "lead_id has the wrong type"},
		{"/api/unsubscribe", `{"email":"jan"}`, errBadEmail},
		{"/api/unsubscribe", `{"email":"a@x.pl,b@x.pl"}`, errBadEmail},
		{"/api/unsubscribe", `{"email":"jan＠x.pl"}`, errBadEmail},
		{"/api/unsubscribe", `{"email":"jan\u0000@x.pl"}`, errBadEmail},
		{"/api/unsubscribe", `{"email":"a@x.pl","email":"b@x.pl"}`, "request body: repeated name at byte 18"},
		{"/api/revoke-consent", ``, errNoEmail},
		{"/api/revoke-consent", `[]`, errNoEmail},
		{"/api/revoke-consent", `{"lead_id":1}`, errNoEmail},
		{"/api/revoke-consent", `{"email":null}`, errNoEmail},
		{"/api/revoke-consent", `{"email":7}`, "email has the wrong type"},
		{"/api/revoke-consent", `{"email":"x"}`, errBadEmail},
		{"/api/revoke-consent", `{"token":{"a":1}}`, "token has the wrong type"},
		{"/api/revoke-consent", `{"token":"t","email":"a@x.pl"}`, errBadLink},
		{"/api/chatbot/rodo-consent", ``, errNoSession},
		{"/api/chatbot/rodo-consent", `[]`, errNoSession},
		{"/api/chatbot/rodo-consent", `{"consent_given":true}`, errNoSession},
		{"/api/chatbot/rodo-consent", `{"session_id":null}`, errNoSession},
		{"/api/chatbot/rodo-consent", `{"session_id":""}`, errNoSession},
		{"/api/chatbot/rodo-consent", `{"session_id":5}`, "session_id has the wrong type"},
		{"/api/chatbot/rodo-consent", `{"session_id":"a\u0000b"}`, errSessionID.Error()},
		{"/api/chatbot/rodo-consent", `{"session_id":"s1","consent_given":"tak"}`, "consent_given has the wrong type"},
		{"/api/chatbot/rodo-consent", `{"session_id":"s1","consent_given":1}`, "consent_given has the wrong type"},
		{"/api/chatbot/rodo-consent", `{"session_id":"s1","consent_given":null}`, "consent_given has the wrong type"},
	} {
		if got := f.do(t, "POST", tc.path, tc.body+" ").wantProblem(t, http.StatusBadRequest); got != tc.want {
			t.Errorf("%s %s: error %q, want %q", tc.path, tc.body, got, tc.want)
		}
	}
	if len(f.consent.withdrawals)+len(f.consent.sessions) != 0 {
		t.Errorf("refused requests are stored: %+v %+v", f.consent.withdrawals, f.consent.sessions)
	}
}

func TestConsentStatus_TellsNothingWithoutTheKey(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	f.consent.known = map[string]chatops.ConsentStatus{"jan@x.pl": {IsUnsubscribed: true}}
	for _, email := range []string{"jan@x.pl", "nikt@x.pl"} {
		for _, header := range [][]string{nil, {"X-API-KEY", "zły"}} {
			r := f.get(t, "/api/unsubscribe/status/"+email, header...)
			want := map[string]any{
				"email": email, "verified": false, "is_unsubscribed": nil, "marketing_consent": nil, "rodo_consent": nil,
				"last_action": nil, "last_action_at": nil,
			}
			if got := r.decode(t); r.StatusCode != http.StatusOK || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: status %d: %v", email, r.StatusCode, got)
			}
		}
	}
	if len(f.consent.asked) != 0 {
		t.Errorf("the store is asked about %v", f.consent.asked)
	}
}

func TestConsentStatus_TellsTheAdministrator(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	f.consent.known = map[string]chatops.ConsentStatus{
		"jan@x.pl": {IsUnsubscribed: true, RODOConsent: true, LastAction: chatops.ActionUnsubscribe, LastActionAt: at},
		"ewa@x.pl": {MarketingConsent: true},
	}
	for path, want := range map[string]map[string]any{
		"%20JAN@X.pl": {
			"email": "JAN@X.pl", "verified": true, "is_unsubscribed": true, "marketing_consent": false, "rodo_consent": true,
			"last_action": "unsubscribe", "last_action_at": "2026-03-01T12:30:15.25Z",
		},
		"ewa%40x.pl": {
			"email": "ewa@x.pl", "verified": true, "is_unsubscribed": false, "marketing_consent": true, "rodo_consent": false,
			"last_action": nil, "last_action_at": nil,
		},
	} {
		if got := f.admin(t, "GET", "/api/unsubscribe/status/"+path, "").decode(t); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	r := f.admin(t, "GET", "/api/unsubscribe/status/nikt@x.pl", "")
	if got := r.wantProblem(t, http.StatusNotFound); got != "Email not found" || strings.Contains(r.Body, "nikt") {
		t.Errorf("unknown: %s", r.Body)
	}
	f.admin(t, "GET", "/api/unsubscribe/status/jan", "").wantProblem(t, http.StatusBadRequest)
}

func TestRODOConsent_CanBeGivenChangedAndWithdrawn(t *testing.T) {
	t.Parallel()
	f := newFull(t, func(o *Options) { o.ImpliedConsent = true })
	for _, step := range []struct{ body, want string }{
		{`{"session_id":"s1"}`, "Zgoda RODO zapisana pomyślnie"},
		{`{"session_id":"s1","consent_given":true}`, "Zgoda RODO już zapisana"},
		{`{"session_id":"s1","consent_given":false}`, "Zgoda RODO wycofana"},
		{`{"session_id":"s1","consent_given":false}`, "Zgoda RODO już wycofana"},
		{`{"session_id":"s1","consent_given":true}`, "Zgoda RODO zapisana pomyślnie"},
	} {
		got := f.do(t, "POST", "/api/chatbot/rodo-consent", step.body, "User-Agent", "Mozilla").decode(t)
		if want := map[string]any{"success": true, "message": step.want}; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", step.body, got, want)
		}
	}
	if o := f.consent.origins[0]; o.IPAddress != "192.0.2.1" || o.UserAgent != "Mozilla" || !f.consent.marketing[0] {
		t.Errorf("origin %+v, marketing %v", o, f.consent.marketing)
	}
	explicit := newFull(t, nil)
	explicit.do(t, "POST", "/api/chatbot/rodo-consent", `{"session_id":"s1"}`)
	if explicit.consent.marketing[0] {
		t.Error("marketing consent is given without being asked for")
	}
}

func TestConsent_TroubleOfTheStoreIsNoSuccess(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	f.consent.err = chatops.Errorf(chatops.CodeUnavailable, "database unreachable")
	for path, body := range map[string]string{
		"/api/unsubscribe": `{"email":"a@x.pl"}`, "/api/revoke-consent": `{"email":"a@x.pl"}`, "/api/chatbot/rodo-consent": `{"session_id":"s1"}`,
	} {
		f.do(t, "POST", path, body).wantProblem(t, http.StatusServiceUnavailable)
	}
}
