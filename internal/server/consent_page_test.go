package server

import (
	"encoding/json"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"chatops/internal/chatops"
)

// everyPage opens each page that there is, in a language.
func everyPage(t *testing.T, lang string) map[string]*answer {
	t.Helper()
	p := newPages(t, nil)
	p.consent.known = map[string]chatops.ConsentStatus{"ewa@x.pl": {MarketingConsent: true, RODOConsent: true}}
	in := func(address string) string {
		if strings.Contains(address, "?") {
			return address + "&lang=" + lang
		}
		return address + "?lang=" + lang
	}
	// Two withdrawals come before it is used.
	confirm := (&fakeTokens{}).Sign(chatops.PurposeConfirm, confirmSubject("jan@x.pl", "2"), at.Add(chatops.ConfirmLifetime))
	all := map[string]*answer{
		"ask":             p.get(t, in(link("/unsubscribe", janToken))),
		"done":            p.submit(t, in(link("/unsubscribe", janToken)), "action", "unsubscribe"),
		"preferences_off": p.get(t, in(link("/preferences", janToken))),
		"preferences_on":  p.get(t, in(link("/preferences", tokenFor("ewa@x.pl")))),
		"revoked":         p.submit(t, in(link("/preferences", janToken)), "action", "revoke"),
		"asked":           p.submit(t, in(link("/preferences", janToken)), "action", "subscribe"),
		"confirm":         p.get(t, in(link("/confirm", confirm))),
		"confirmed":       p.submit(t, in(link("/confirm", confirm)), "action", "confirm"),
		"address":         p.get(t, in("/unsubscribe")),
		"address_wrong":   p.submit(t, in("/unsubscribe"), "email", "jan"),
		"invalid":         p.get(t, in(link("/unsubscribe", "x"))),
		"typed":           p.submit(t, in("/unsubscribe"), "email", "jan@x.pl"),
		"broken":          p.submit(t, in(link("/preferences", janToken)), "action", "x"),
	}
	p.consent.err = chatops.Errorf(chatops.CodeUnavailable, "database unreachable")
	all["unavailable"] = p.submit(t, in(link("/unsubscribe", janToken)))
	p.limits.shut = true
	all["limited"] = p.submit(t, in(link("/unsubscribe", janToken)))
	for _, a := range all {
		a.Body = strings.ReplaceAll(a.Body, a.Header.Get("X-Request-ID"), "REQUEST-ID")
	}
	return all
}

func TestConsentPages_AreAsTheyWereInBothLanguages(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"pl", "en"} {
		for name, a := range everyPage(t, lang) {
			golden(t, name+"."+lang+".html", a.Body)
			if got := a.Header.Get("Content-Language"); got != lang || !strings.Contains(a.Body, `<html lang="`+lang+`">`) {
				t.Errorf("%s is in %q, want %s", name, got, lang)
			}
		}
	}
}

var (
	inputTag  = regexp.MustCompile(`<(?:input|textarea|select)[^>]*>`)
	formTag   = regexp.MustCompile(`(?s)<form[^>]*>.*?</form>`)
	idAttr    = regexp.MustCompile(` id="([^"]*)"`)
	describes = regexp.MustCompile(` aria-describedby="([^"]*)"`)
	titleTag  = regexp.MustCompile(`<title>([^<]+)</title>`)
	buttonTag = regexp.MustCompile(`<button type="submit"[^>]*>([^<]+)</button>`)
)

func TestConsentPages_AreAccessibleInStructure(t *testing.T) {
	t.Parallel()
	p := newPages(t, nil)
	for name, a := range everyPage(t, "pl") {
		page := a.Body
		if strings.Count(page, "<h1>") != 1 || strings.Count(page, "<main>") != 1 || !strings.HasPrefix(page, "<!doctype html>") {
			t.Errorf("%s: wants one h1, one main and a doctype", name)
		}
		title := titleTag.FindStringSubmatch(page)
		if title == nil || !strings.HasSuffix(title[1], a.title()) || strings.HasPrefix(title[1], "Błąd") != (name == "address_wrong") {
			t.Errorf("%s: title %q, heading %q", name, title, a.title())
		}
		for _, input := range inputTag.FindAllString(page, -1) {
			id := idAttr.FindStringSubmatch(input)
			if !strings.Contains(input, `type="hidden"`) && (id == nil || !strings.Contains(page, `<label for="`+id[1]+`">`)) {
				t.Errorf("%s: %s has no label", name, input)
			}
		}
		for _, ids := range describes.FindAllStringSubmatch(page, -1) {
			for id := range strings.FieldsSeq(ids[1]) {
				if !strings.Contains(page, ` id="`+id+`"`) {
					t.Errorf("%s: nothing has the id %s", name, id)
				}
			}
		}
		for _, form := range formTag.FindAllString(page, -1) {
			if !strings.HasPrefix(form, `<form method="post" action="/`) || !buttonTag.MatchString(form) {
				t.Errorf("%s: %s", name, form)
			}
		}
		if strings.Contains(page, "<script") {
			t.Errorf("%s holds a script", name)
		}
		if strings.Contains(page, "jan@x.pl<") || strings.Contains(page, `value="jan`) {
			t.Errorf("%s shows the address", name)
		}
		if name != "preferences_on" && name != "limited" {
			selfContained(t, p.fixture, page)
		}
	}
}

func TestConsentTexts_AreTheSameInBothLanguagesAndUsed(t *testing.T) {
	t.Parallel()
	var texts map[string]map[string]string
	if err := json.Unmarshal(mustRead("consent.json"), &texts); err != nil {
		t.Fatal(err)
	}
	shown := string(mustRead("consent.html"))
	for _, lang := range []string{"pl", "en"} {
		p := newPages(t, nil)
		p.submit(t, link("/preferences", janToken)+"&lang="+lang, "action", "subscribe")
		shown += string(p.queue.alerts[0].Payload)
		for _, a := range everyPage(t, lang) {
			shown += html.UnescapeString(a.Body)
		}
	}
	for key, polish := range texts["pl"] {
		english := texts["en"][key]
		if english == "" || polish == "" || english == polish {
			t.Errorf("%s: %q and %q", key, polish, english)
		}
		if !strings.Contains(shown, polish) || !strings.Contains(shown, english) {
			t.Errorf("%s is never shown", key)
		}
	}
	if len(texts["en"]) != len(texts["pl"]) || len(texts) != 2 {
		t.Errorf("%d Polish texts, %d English ones", len(texts["pl"]), len(texts["en"]))
	}
}

func TestConsentPages_SayWhatBrowsersMayDo(t *testing.T) {
	t.Parallel()
	for name, a := range everyPage(t, "en") {
		for key, want := range map[string]string{
			"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow",
			"Content-Type": "text/html; charset=utf-8", "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff",
		} {
			if got := a.Header.Values(key); len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s %q, want %q", name, key, got, want)
			}
		}
		csp := a.Header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "script-src") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: CSP %q", name, csp)
		}
		if a.Header.Get("Set-Cookie") != "" || a.Header.Get("Location") != "" {
			t.Errorf("%s: %v", name, a.Header)
		}
		want := map[string]int{"address_wrong": 400, "invalid": 400, "broken": 400, "unavailable": 503, "limited": 429}[name]
		if want == 0 {
			want = http.StatusOK
		}
		if a.StatusCode != want {
			t.Errorf("%s: status %d, want %d", name, a.StatusCode, want)
		}
		if retry := a.Header.Get("Retry-After"); (retry != "") != (want == 429 || want == 503) {
			t.Errorf("%s: Retry-After %q", name, retry)
		}
	}
}
