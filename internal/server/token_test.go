package server

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"chatops/internal/chatops"
)

// fakeTokens are as readable as can be: purpose, address and expiry, and a name
// of the key that has signed them.
type fakeTokens struct {
	nowFunc func() time.Time
	mu      sync.Mutex
	signed  []time.Time
}

func (f *fakeTokens) Sign(purpose, emailKey string, expires time.Time) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.signed = append(f.signed, expires)
	text := "never"
	if !expires.IsZero() {
		text = expires.UTC().Format(time.RFC3339)
	}
	return strings.Join([]string{"k1", purpose, emailKey, text, "end"}, "~")
}

func (f *fakeTokens) Verify(purpose, token string) (string, error) {
	parts := strings.Split(token, "~")
	if len(parts) != 5 || parts[0] != "k1" || parts[1] != purpose || parts[4] != "end" {
		return "", chatops.Errorf(chatops.CodeInvalid, "not a token")
	}
	if expires, err := time.Parse(time.RFC3339, parts[3]); err == nil && !f.nowFunc().Before(expires) {
		return "", chatops.Errorf(chatops.CodeInvalid, "not a token")
	}
	return parts[2], nil
}

// tokenFor is the token of a mail's link.
func tokenFor(key string) string {
	return (&fakeTokens{}).Sign(chatops.PurposeUnsubscribe, key, time.Time{})
}

// badTokens lists what is worth nothing to jan@x.pl.
func badTokens() map[string]string {
	good := tokenFor("jan@x.pl")
	return map[string]string{
		"truncated": good[:len(good)-1], "longer": good + "x", "of another purpose": (&fakeTokens{}).Sign(chatops.PurposeConfirm, "jan@x.pl", time.Time{}),
		"of an old key": "k0" + good[2:], "expired": strings.Replace(good, "never", "2020-01-01T00:00:00Z", 1),
		"very long": strings.Repeat("a", maxToken+1), "binary": "\u0000\uFFFD", "a space": " " + good,
	}
}

func TestWithdrawal_ByTokenIsOfItsAddress(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	token := tokenFor("jan@x.pl")
	for _, tc := range []struct{ path, body, email string }{
		{"/api/unsubscribe", `{"token":"` + token + `"}`, ""},
		{"/api/unsubscribe", `{"token":"` + token + `","conversation_id":7}`, ""},
		{"/api/unsubscribe", `{"token":"` + token + `","lead_id":9,"conversation_id":7}`, ""},
		{"/api/unsubscribe", `{"token":"` + token + `","email":" JAN@x.pl","reason":"dość"}`, "JAN@x.pl"},
		{"/api/revoke-consent", `{"token":"` + token + `"}`, ""},
		{"/api/revoke-consent", `{"token":"` + token + `","email":"jan@x.pl"}`, "jan@x.pl"},
	} {
		r := f.do(t, "POST", tc.path, tc.body)
		if got := r.decode(t); r.StatusCode != http.StatusOK || got["success"] != true || got["email"] != tc.email {
			t.Errorf("%s %s: status %d: %v", tc.path, tc.body, r.StatusCode, got)
		}
		w := f.consent.withdrawals[len(f.consent.withdrawals)-1]
		if w.EmailKey != "jan@x.pl" || w.ConversationID != 0 || w.LeadID != 0 ||
			(w.Action == chatops.ActionRevoke) != strings.Contains(tc.path, "revoke") {
			t.Errorf("%s: stored %+v", tc.body, w)
		}
	}
	// An address that is named without a token keeps the number beside it.
	f.do(t, "POST", "/api/unsubscribe", `{"email":"jan@x.pl","conversation_id":7}`)
	if w := f.consent.withdrawals[len(f.consent.withdrawals)-1]; w.ConversationID != 7 || w.EmailKey != "jan@x.pl" {
		t.Errorf("stored %+v", w)
	}
}

func TestBadTokens_AreAnsweredAlike(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	tokens := badTokens()
	tokens["of another address"] = tokenFor("ewa@x.pl")
	for _, path := range []string{"/api/unsubscribe", "/api/revoke-consent"} {
		for name, token := range tokens {
			for _, body := range []map[string]any{
				{"token": token, "email": "jan@x.pl"}, {"token": token}, {"token": token, "lead_id": 7}, {"token": token, "conversation_id": 7},
			} {
				if name == "of another address" && body["email"] == nil {
					continue // alone it is a good one
				}
				r := f.do(t, "POST", path, jsonText(t, body), "X-Request-ID", "the-same")
				if got := r.wantProblem(t, http.StatusBadRequest); got != errBadLink {
					t.Errorf("%s: a token that is %s gives %q", path, name, got)
				}
			}
		}
	}
	if len(f.consent.withdrawals) != 0 {
		t.Errorf("stored %+v", f.consent.withdrawals)
	}
	without := newFull(t, func(o *Options) { o.Tokens = nil })
	if got := without.do(t, "POST", "/api/unsubscribe", `{"token":"`+tokenFor("jan@x.pl")+`"}`).wantProblem(t, 400); got != errBadLink {
		t.Errorf("without keys: %q", got)
	}
}

func TestConsentStatus_TellsWhoHasATokenOfTheAddress(t *testing.T) {
	t.Parallel()
	f := newFull(t, nil)
	f.consent.known = map[string]chatops.ConsentStatus{"jan@x.pl": {IsUnsubscribed: true, RODOConsent: true}}
	const path = "/api/unsubscribe/status/"
	told := map[string]any{
		"email": "JAN@x.pl", "verified": true, "is_unsubscribed": true, "marketing_consent": false, "rodo_consent": true,
		"last_action": nil, "last_action_at": nil,
	}
	token := tokenFor("jan@x.pl")
	for name, r := range map[string]*answer{
		"query":  f.get(t, path+"JAN@x.pl?token="+token),
		"header": f.get(t, path+"JAN@x.pl", "X-Consent-Token", token),
	} {
		if got := r.decode(t); !reflect.DeepEqual(got, told) {
			t.Errorf("by %s: %v", name, got)
		}
	}
	// Whoever reads the mail of an address that is not known learns that.
	if got := f.get(t, path+"ewa@x.pl?token="+tokenFor("ewa@x.pl")).decode(t); got["verified"] != true || got["marketing_consent"] != false {
		t.Errorf("unknown: %v", got)
	}
	asked := len(f.consent.asked)
	tokens := badTokens()
	tokens["of another address"] = tokenFor("ewa@x.pl")
	for name, token := range tokens {
		r := f.get(t, path+"jan@x.pl", "X-Consent-Token", token)
		if got := r.decode(t); r.StatusCode != http.StatusOK || got["verified"] != false || got["is_unsubscribed"] != nil {
			t.Errorf("a token that is %s: %v", name, got)
		}
	}
	if len(f.consent.asked) != asked {
		t.Error("the store is asked for somebody without a token")
	}
}

func TestMasked_ShowsOneLetter(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"jan@x.pl": "j•••@x.pl", "żaneta+a@x.pl": "ż•••@x.pl", "j@x.pl": "j•••@x.pl", "jan@xn--w-uga1v8h.pl": "j•••@xn--w-uga1v8h.pl",
	} {
		if got := masked(key); got != want {
			t.Errorf("%s is shown as %s", key, got)
		}
	}
}

func jsonText(tb testing.TB, v any) string {
	tb.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}
