package server

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

func twoTexts() *fakeTexts {
	return &fakeTexts{list: []chatops.ConsentText{
		{ID: 3, Kind: chatops.KindMarketing, Locale: "pl", Version: 1, Body: "Chcę <b>listów</b> & \"paczek\"."},
		{ID: 4, Kind: chatops.KindRODO, Locale: "pl", Version: 1, Body: "Zgadzam się."},
	}}
}

func TestChatPage_ShowsTheCurrentWordingsWithTheirNumbers(t *testing.T) {
	t.Parallel()
	texts := twoTexts()
	p := newPages(t, func(o *Options) { o.Texts = texts })
	page := func(lang string) *answer { return p.get(t, "/?lang="+lang) }
	first := page("pl")
	for _, want := range []string{
		`<input id="marketing" type="checkbox" data-text="3"><span>Chcę &lt;b&gt;listów&lt;/b&gt; &amp; &#34;paczek&#34;.</span>`,
		`<input id="rodo" type="checkbox" data-text="4"><span>Zgadzam się.</span>`,
		`<a href="/unsubscribe?lang=pl">Zrezygnuj z wiadomości</a>`,
	} {
		if !strings.Contains(first.Body, want) {
			t.Errorf("the page lacks %s:\n%s", want, first.Body)
		}
	}
	// Where a language has no text of its own, the built-in one is shown.
	if body := page("en").Body; !strings.Contains(body, `<input id="rodo" type="checkbox"><span>I agree that the data`) ||
		!strings.Contains(body, `<a href="/unsubscribe?lang=en">Unsubscribe from messages</a>`) {
		t.Errorf("in English:\n%s", body)
	}
	asked := texts.asked
	for range 20 {
		page("pl")
	}
	if texts.asked != asked {
		t.Errorf("the store is asked %d times more", texts.asked-asked)
	}
	texts.list = append(texts.list, chatops.ConsentText{ID: 9, Kind: chatops.KindMarketing, Locale: "pl", Version: 2, Body: "Nowa treść."})
	p.now = p.now.Add(wordingFresh)
	second := page("pl")
	if !strings.Contains(second.Body, `data-text="9"><span>Nowa treść.`) || second.Header.Get("ETag") == first.Header.Get("ETag") {
		t.Errorf("a new version is not shown:\n%s", second.Body)
	}
	texts.err = chatops.Errorf(chatops.CodeUnavailable, "no database")
	p.now = p.now.Add(time.Hour)
	if r := page("pl"); r.Body != second.Body || r.StatusCode != http.StatusOK {
		t.Errorf("without a store: status %d\n%s", r.StatusCode, r.Body)
	}
}

func TestChatPage_LinksToNoPageThatIsNotThere(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) { o.Consent = nil })
	if body := f.get(t, "/?lang=en").Body; strings.Contains(body, "/unsubscribe") || !strings.Contains(body, "withdraw it at any time") {
		t.Errorf("the page is\n%s", body)
	}
}

func TestConfirming_RecordsTheWordingThatWasShown(t *testing.T) {
	t.Parallel()
	texts := twoTexts()
	p := newPages(t, func(o *Options) { o.Texts = texts })
	confirm := link("/confirm", (&fakeTokens{}).Sign(chatops.PurposeConfirm, confirmSubject("jan@x.pl", "0"), at.Add(time.Hour))) + "&lang=pl"
	page := p.get(t, confirm).Body
	if !strings.Contains(page, "Chcę &lt;b&gt;listów") || !strings.Contains(page, `<input type="hidden" name="text" value="3">`) {
		t.Fatalf("the page is\n%s", page)
	}
	// The wording is replaced while the page is open.
	texts.list = append(texts.list, chatops.ConsentText{ID: 9, Kind: chatops.KindMarketing, Locale: "pl", Version: 2, Body: "Nowa treść."})
	p.now = p.now.Add(wordingFresh)
	for _, bad := range []string{"4", "99", "x", "-1"} {
		if r := p.submit(t, confirm, "action", "confirm", "text", bad); r.StatusCode != http.StatusBadRequest || len(p.grants.grants) > 0 {
			t.Errorf("text %s: status %d, given %+v", bad, r.StatusCode, p.grants.grants)
		}
	}
	p.submit(t, confirm, "action", "confirm", "text", "3")
	p.submit(t, confirm, "action", "confirm")
	if g := p.grants.grants; len(g) != 2 || g[0].Text != texts.list[0] || g[1].Text.ID != 9 || g[0].Notes != confirmNote {
		t.Errorf("given %+v", g)
	}
	texts.err = chatops.Errorf(chatops.CodeUnavailable, "no database")
	if r := p.submit(t, confirm, "action", "confirm", "text", "3"); r.StatusCode != http.StatusServiceUnavailable || len(p.grants.grants) != 2 {
		t.Errorf("without a store: status %d", r.StatusCode)
	}
}

func TestConfirming_IsVoidAfterALaterWithdrawal(t *testing.T) {
	t.Parallel()
	p := newPages(t, nil)
	ask := func() string {
		p.submit(t, link("/preferences", janToken)+"&lang=en", "action", "subscribe")
		_, _, u := p.mailOf(t)
		return u.RequestURI()
	}
	p.submit(t, link("/unsubscribe", janToken)) // what the person wants to undo
	first := ask()
	p.submit(t, link("/unsubscribe", janToken)) // and has changed their mind about
	r := p.submit(t, first, "action", "confirm")
	if r.StatusCode != http.StatusBadRequest || r.title() != "This link does not work" || strings.Contains(r.Body, "j•••") || len(p.grants.grants) != 0 {
		t.Fatalf("status %d, %q, given %+v", r.StatusCode, r.title(), p.grants.grants)
	}
	// Asked again at once, there is another mail, and its link works.
	second := ask()
	if second == first || len(p.queue.alerts) != 2 {
		t.Fatalf("%d mails", len(p.queue.alerts))
	}
	if r := p.submit(t, second, "action", "confirm"); r.title() != "Your consent is stored" || len(p.grants.grants) != 1 {
		t.Errorf("%q, given %+v", r.title(), p.grants.grants)
	}
	if r := p.submit(t, first, "action", "confirm"); r.StatusCode != http.StatusBadRequest {
		t.Errorf("the first link works again: status %d", r.StatusCode)
	}
	// A link that was made without a mark is worth nothing.
	for _, subject := range []string{"jan@x.pl", "jan@x.pl ", " 0", " "} {
		token := (&fakeTokens{}).Sign(chatops.PurposeConfirm, subject, at.Add(time.Hour))
		if r := p.submit(t, link("/confirm", token), "action", "confirm"); r.StatusCode != http.StatusBadRequest || len(p.grants.grants) != 1 {
			t.Errorf("%q: status %d", subject, r.StatusCode)
		}
	}
}
