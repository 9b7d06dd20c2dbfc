package e2e

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/consent"
)

const linked = "kanarek7319@przyklad.pl"

// useConsentKey sets CONSENT_KEYS and returns what signs like the service.
func (w *world) useConsentKey() *consent.Tokens {
	w.t.Helper()
	key := chatops.ConsentKey{ID: "k1", Secret: bytes.Repeat([]byte("consentkey0canary"), 2)}
	w.env["CONSENT_KEYS"] = key.ID + ":" + base64.StdEncoding.EncodeToString(key.Secret)
	w.env["PUBLIC_URL"] = "https://czat.example"
	tokens, err := consent.NewTokens([]chatops.ConsentKey{key}, time.Now)
	if err != nil {
		w.t.Fatal(err)
	}
	return tokens
}

// given counts the conversations and leads with both consents.
const given = `select (select count(*) from chat_conversations where marketing_consent and rodo_consent) +
	(select count(*) from leads where marketing_consent and rodo_consent)`

// serveLinked serves, with a lead that has given both consents, and returns the
// token of the links to it.
func (w *world) serveLinked() (s *server, token string) {
	w.t.Helper()
	token = w.useConsentKey().Sign(chatops.PurposeUnsubscribe, linked, time.Time{})
	w.env["LOG_LEVEL"] = "debug"
	s = w.serve()
	for _, line := range script("Jan Nowak", linked) {
		s.mustSay("linked", line)
	}
	w.exec(`update chat_conversations set marketing_consent = true, rodo_consent = true`)
	w.exec(`update leads set marketing_consent = true, rodo_consent = true`)
	return s, token
}

// oneClick posts what a mail program does (RFC 8058), in either encoding.
func (s *server) oneClick(path string, multi bool) {
	s.t.Helper()
	media, body := "application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"
	if multi {
		var b bytes.Buffer
		form := multipart.NewWriter(&b)
		if err := form.WriteField("List-Unsubscribe", "One-Click"); err != nil {
			s.t.Fatal(err)
		}
		if err := form.Close(); err != nil {
			s.t.Fatal(err)
		}
		media, body = form.FormDataContentType(), b.String()
	}
	if status, _ := s.submit(path, media, body); status != http.StatusOK {
		s.t.Fatalf("one click (%s): status %d", media, status)
	}
}

// submit posts a body and returns the page that comes back; there must be
// neither a cookie nor a redirect.
func (s *server) submit(path, media, body string) (status int, page string) {
	s.t.Helper()
	client := *s.client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := client.Post(s.base+path, media, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if res.Header.Get("Location") != "" || res.Header.Get("Set-Cookie") != "" {
		s.t.Errorf("POST %s: %v", path, res.Header)
	}
	return res.StatusCode, string(text)
}

// A link is opened, and clicked a hundred times by a mail program: that is one
// change. No log and no metric holds an address or a link.
func TestUnsubscribe_AHundredClicksAreOneChange(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		s, token := w.serveLinked()
		link := "/unsubscribe?token=" + token
		if status, page := s.get(link); status != http.StatusOK || !strings.Contains(page, "k•••@przyklad.pl") {
			t.Errorf("the page: %d %s", status, page)
		}
		w.await(2, given) // opened only
		for i := range 100 {
			s.oneClick(link, i%2 == 1)
		}
		w.await(0, given)
		w.await(2, `select (select count(*) from chat_conversations where rodo_consent) + (select count(*) from leads where rodo_consent)`)
		w.await(1, `select count(*) from suppression`)
		w.await(100, `select count(*) from consent_audit_log where action = 'unsubscribe'`)
		if status, _ := s.submit(link[:len(link)-1], "application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"); status != http.StatusBadRequest {
			t.Errorf("a link that was cut: status %d", status)
		}

		_, metrics := s.get("/metrics")
		for where, text := range map[string]string{"the log": s.err.String(), "metrics": metrics} {
			for _, canary := range []string{"kanarek7319", token, "consentkey0canary"} {
				if strings.Contains(text, canary) {
					t.Errorf("%s holds %q", where, canary)
				}
			}
		}
	})
}
