package server

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

var sources = regexp.MustCompile(`(?:src|href)="([^"]*)"`)

// selfContained checks that everything a page loads comes from this server and
// exists, and that nothing in it needs a laxer CSP.
func selfContained(t *testing.T, f *fixture, page string) {
	t.Helper()
	for _, m := range sources.FindAllStringSubmatch(page, -1) {
		address := html.UnescapeString(m[1])
		if strings.HasPrefix(address, "#") {
			if id := address[1:]; !strings.Contains(page, `id="`+id+`"`) {
				t.Errorf("link to %s, which is not there", address)
			}
			continue
		}
		if !strings.HasPrefix(address, "/") || strings.HasPrefix(address, "//") {
			t.Errorf("foreign address %s", address)
			continue
		}
		if r := f.get(t, address); r.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", address, r.StatusCode)
		}
	}
	for _, inline := range []string{"<style", "<script>", " style=", " onclick=", "javascript:"} {
		if strings.Contains(page, inline) {
			t.Errorf("the page holds %q, which its CSP forbids", inline)
		}
	}
}

func TestChatPage_IsSelfContainedInBothLanguages(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for lang, words := range map[string]string{"pl": "Porozmawiaj z nami", "en": "Chat with us"} {
		r := f.get(t, "/?lang="+lang)
		page := r.Body
		if r.StatusCode != http.StatusOK || !strings.Contains(page, `<html lang="`+lang+`">`) || !strings.Contains(page, "<h1>"+words+"</h1>") {
			t.Errorf("%s: status %d", lang, r.StatusCode)
		}
		if got := r.Header.Get("Content-Type"); got != "text/html; charset=utf-8" {
			t.Errorf("Content-Type %q", got)
		}
		selfContained(t, f, page)
		for _, id := range []string{"message", "rodo", "marketing"} {
			if !strings.Contains(page, `<label for="`+id+`"`) && !strings.Contains(page, `<label class="check" for="`+id+`"`) {
				t.Errorf("%s: the field %s has no label", lang, id)
			}
		}
		if strings.Contains(page, " checked") {
			t.Errorf("%s: a consent box is ticked beforehand", lang)
		}
	}
}

func TestChatPage_SpeaksTheBrowsersLanguage(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for accept, want := range map[string]string{
		"": "pl", "pl": "pl", "pl-PL,pl;q=0.9,en;q=0.8": "pl", "en-GB,en;q=0.9,pl;q=0.8": "en", "de-DE": "en",
		"de,pl;q=0.5": "pl", "*": "en", ";;;": "pl", "en;q=0.1,pl;q=0.9": "pl",
	} {
		r := f.get(t, "/", "Accept-Language", accept)
		if got := r.Header.Get("Content-Language"); got != want {
			t.Errorf("Accept-Language %q gives %s, want %s", accept, got, want)
		}
		if r.Header.Get("Vary") != "Accept-Language" {
			t.Errorf("Vary %q", r.Header.Get("Vary"))
		}
	}
	if got := f.get(t, "/?lang=pl", "Accept-Language", "en").Header.Get("Content-Language"); got != "pl" {
		t.Errorf("?lang=pl gives %s", got)
	}
	if got := f.get(t, "/?lang=<x>", "Accept-Language", "en").Header.Get("Content-Language"); got != "en" {
		t.Errorf("an unknown ?lang= gives %s", got)
	}
}

func TestPageTexts_AreTheSameInBothLanguages(t *testing.T) {
	t.Parallel()
	texts := pageTexts()
	if len(texts) != 2 {
		t.Fatalf("%d languages", len(texts))
	}
	page := string(mustRead("chat.html"))
	for key, polish := range texts["pl"] {
		if texts["en"][key] == "" || texts["en"][key] == polish || polish == "" {
			t.Errorf("%s: %q and %q", key, polish, texts["en"][key])
		}
		if !strings.Contains(page, "{{.T."+key+"}}") {
			t.Errorf("%s is not used", key)
		}
	}
	if len(texts["en"]) != len(texts["pl"]) {
		t.Errorf("%d Polish texts, %d English ones", len(texts["pl"]), len(texts["en"]))
	}
}

func TestScript_NeverReadsTextAsHTML(t *testing.T) {
	t.Parallel()
	script := string(mustRead("chat.js"))
	for _, sink := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"} {
		if strings.Contains(script, sink) {
			t.Errorf("chat.js uses %s", sink)
		}
	}
	for _, text := range regexp.MustCompile(`say\.(\w+)`).FindAllStringSubmatch(script, -1) {
		if !strings.Contains(string(mustRead("chat.html")), "data-"+text[1]+"=") {
			t.Errorf("chat.js uses the text %s, which the page does not bring", text[1])
		}
	}
}

func TestAssets_AreCachedByContent(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	page := f.get(t, "/")
	body := page.Body
	if got := f.get(t, "/", "If-None-Match", page.Header.Get("ETag")).StatusCode; got != http.StatusNotModified {
		t.Errorf("status %d for a known page", got)
	}
	script := regexp.MustCompile(`/static/chat\.js\?v=\w+`).FindString(body)
	if got := f.get(t, script).Header.Get("Cache-Control"); got != cacheForever {
		t.Errorf("%s: Cache-Control %q", script, got)
	}
	if got := f.get(t, "/static/chat.js?v=old").Header.Get("Cache-Control"); got != cacheAsk {
		t.Errorf("another version: Cache-Control %q", got)
	}
}
