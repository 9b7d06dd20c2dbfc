package server

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"chatops/internal/browsertest"
	"chatops/internal/chatops"
)

// focused describes what has the focus, and whether that can be seen.
const focused = `(() => {
	const e = document.activeElement
	return {Text: (e.innerText || e.id || "").trim(), Tag: e.tagName, Ring: getComputedStyle(e).outlineStyle !== "none"}
})()`

// browserPages is a server and a tab that looks at it.
type browserPages struct {
	*pages
	*browsertest.Page
	t    *testing.T
	base string
}

func (b *browserPages) open(path, lang string) {
	b.t.Helper()
	if strings.Contains(path, "?") {
		path += "&lang=" + lang
	} else {
		path += "?lang=" + lang
	}
	b.Open(b.base + path)
}

// tabTo presses Tab until something with a text has the focus.
func (b *browserPages) tabTo(text string) {
	b.t.Helper()
	var seen []string
	for range 20 {
		b.Press("Tab")
		var at struct {
			Text, Tag string
			Ring      bool
		}
		b.Eval(focused, &at)
		if at.Tag != "BODY" && !at.Ring {
			b.t.Errorf("nobody sees that %s %q has the focus", at.Tag, at.Text)
		}
		if at.Text == text {
			return
		}
		seen = append(seen, at.Text)
	}
	b.t.Fatalf("Tab does not reach %q, only %q", text, seen)
}

// look checks what a person sees: the heading, nothing beside the window, no
// violation of a rule of accessibility, light and dark.
func (b *browserPages) look(name, title string) {
	b.t.Helper()
	var page struct {
		Title, Heading, Lang string
		Scripts, Overflow    int
	}
	b.Eval(`({Title: document.title, Heading: document.querySelector("h1").innerText, Lang: document.documentElement.lang,
		Scripts: document.scripts.length, Overflow: document.documentElement.scrollWidth - innerWidth})`, &page)
	if page.Heading != title || !strings.HasSuffix(page.Title, title) || page.Scripts != 0 || page.Overflow > 0 {
		b.t.Errorf("%s: %+v, want the heading %q", name, page, title)
	}
	for _, scheme := range []string{"light", "dark"} {
		b.UseScheme(scheme)
		found, passed := b.Check()
		for _, v := range found {
			b.t.Errorf("%s, %s: %s", name, scheme, v)
		}
		if passed < 10 {
			b.t.Errorf("%s: axe-core has looked at %d rules only", name, passed)
		}
		if dir := os.Getenv("SCREENSHOTS"); dir != "" {
			b.Screenshot(filepath.Join(dir, name+"."+page.Lang+"."+scheme+".png"))
		}
	}
	b.UseScheme("light")
}

// A person with a keyboard and without JavaScript unsubscribes, changes their
// mind, confirms by the link of the mail and withdraws everything, in both
// languages; no page breaks a rule of WCAG 2.2 AA that a program can check.
func TestBrowser_APersonWithAKeyboardAndWithoutJavaScriptDoesEverything(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	for _, lang := range []string{"pl", "en"} {
		for width, kind := range map[int]string{800: "", 320: "narrow."} {
			p := newPages(t, func(o *Options) { o.PublicURL = "https://link.example" })
			p.consent.known = map[string]chatops.ConsentStatus{"jan@x.pl": {MarketingConsent: true, RODOConsent: true}}
			web := httptest.NewServer(p)
			defer web.Close()
			b := &browserPages{pages: p, Page: browser.NewPage(t, width, 720), t: t, base: web.URL}
			b.journey(lang, kind)
		}
	}
}

func (b *browserPages) journey(lang, kind string) {
	b.t.Helper()
	text := b.consentPages.texts[lang]
	b.open(link("/unsubscribe", janToken), lang)
	b.look(kind+"ask", text["ask_title"])
	b.unchanged(b.t)
	b.tabTo(text["ask_button"])
	b.PressEnterAndWait()
	b.look(kind+"done", text["done_title"])
	if w := b.consent.withdrawals; len(w) != 1 || w[0].EmailKey != "jan@x.pl" || w[0].Action != chatops.ActionUnsubscribe {
		b.t.Fatalf("stored %+v", w)
	}

	b.tabTo(text["undo_button"])
	b.PressEnterAndWait()
	b.look(kind+"asked", text["asked_title"])
	_, _, u := b.mailOf(b.t)
	b.Open(b.base + u.RequestURI())
	b.look(kind+"confirm", text["confirm_title"])
	b.tabTo(text["confirm_button"])
	b.PressEnterAndWait()
	b.look(kind+"confirmed", text["confirmed_title"])
	if len(b.grants.grants) != 1 {
		b.t.Fatalf("given %+v", b.grants.grants)
	}

	b.open(link("/preferences", janToken), lang)
	b.look(kind+"preferences", text["preferences_title"])
	b.tabTo(text["revoke_button"])
	b.PressEnterAndWait()
	b.look(kind+"revoked", text["revoked_title"])

	b.open(link("/unsubscribe", janToken+"x"), lang)
	b.look(kind+"invalid", text["invalid_title"])
	b.tabTo("email")
	b.Type("ewa@x.pl")
	b.PressEnterAndWait()
	b.look(kind+"typed", text["typed_title"])
	if w := b.consent.withdrawals; len(w) != 3 || w[1].Action != chatops.ActionRevoke || w[2].EmailKey != "ewa@x.pl" {
		b.t.Errorf("stored %+v", w)
	}
	b.limits.shut = true
	b.open(link("/preferences", janToken), lang)
	b.look(kind+"limited", text["limited_title"])
}
