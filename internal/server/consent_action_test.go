package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

func TestConsentPages_OpeningOneChangesNothing(t *testing.T) {
	t.Parallel()
	p := newPages(t, nil)
	confirm := (&fakeTokens{}).Sign(chatops.PurposeConfirm, confirmSubject("jan@x.pl", "0"), at.Add(time.Hour))
	for _, target := range []string{
		link("/unsubscribe", janToken), link("/unsubscribe", janToken) + "&action=unsubscribe&List-Unsubscribe=One-Click",
		link("/preferences", janToken) + "&action=revoke", link("/confirm", confirm) + "&action=confirm", "/unsubscribe?email=jan@x.pl",
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			if r := p.do(t, method, target, ""); r.StatusCode != http.StatusOK {
				t.Errorf("%s %s: status %d", method, target, r.StatusCode)
			}
		}
		for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions} {
			r := p.do(t, method, target, "")
			r.wantProblem(t, http.StatusMethodNotAllowed)
			if got := r.Header.Get("Allow"); got != "GET, HEAD, POST" {
				t.Errorf("%s: Allow %q", method, got)
			}
		}
	}
	p.unchanged(t)
}

func TestOneClick_WorksAsMailProgramsSendIt(t *testing.T) {
	t.Parallel()
	p := newPages(t, nil)
	multi, body := multipartForm(t, "List-Unsubscribe", "One-Click")
	for i, c := range []struct{ media, body string }{
		{"application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"},
		{"application/x-www-form-urlencoded; charset=UTF-8", "List-Unsubscribe=One-Click"},
		{multi, body},
		{"", ""}, // not as the standard says, but clear enough
		{"application/x-www-form-urlencoded", ""},
	} {
		r := p.send(t, "192.0.2.9:1", link("/unsubscribe", janToken), c.media, c.body, "User-Agent", "Mail")
		if r.StatusCode != http.StatusOK || r.Header.Get("Location") != "" || r.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s %q: status %d, %v", c.media, c.body, r.StatusCode, r.Header)
		}
		if len(p.consent.withdrawals) != i+1 {
			t.Fatalf("%s %q: nothing is stored", c.media, c.body)
		}
		w := p.consent.withdrawals[i]
		if w.Action != chatops.ActionUnsubscribe || w.EmailKey != "jan@x.pl" || w.Origin.IPAddress != "192.0.2.9" || w.Origin.UserAgent != "Mail" {
			t.Errorf("stored %+v", w)
		}
	}
}

func TestConsentPages_BadLinksGetOnePage(t *testing.T) {
	t.Parallel()
	p := newPages(t, nil)
	for _, path := range []string{"/unsubscribe", "/preferences"} {
		for _, post := range []bool{false, true} {
			first := ""
			for name, token := range badTokens() {
				if name == "binary" {
					token = "%zz\x00"
				}
				r := p.get(t, link(path, token))
				if post {
					r = p.submit(t, link(path, token), "List-Unsubscribe", "One-Click", "action", "unsubscribe", "email", "jan@x.pl")
				}
				if first == "" {
					first = r.Body
				}
				if r.StatusCode != http.StatusBadRequest || r.Body != first || r.title() != "Link nie działa" {
					t.Errorf("%s, a token that is %s: status %d, %s", path, name, r.StatusCode, r.Body)
				}
			}
		}
	}
	for name, token := range map[string]string{"of another purpose": janToken, "none": "x"} {
		for _, r := range []*answer{p.get(t, link("/confirm", token)), p.submit(t, link("/confirm", token), "action", "confirm")} {
			if r.StatusCode != http.StatusBadRequest || r.title() != "Link nie działa" {
				t.Errorf("/confirm, %s: status %d", name, r.StatusCode)
			}
		}
	}
	p.unchanged(t)
}

func TestConsentPages_RefuseWhatIsNoFormOfTheirs(t *testing.T) {
	t.Parallel()
	p := newPages(t, nil)
	const form = "application/x-www-form-urlencoded"
	target := link("/unsubscribe", janToken)
	for _, tc := range []struct {
		name, target, media, body string
		header                    []string
		status                    int
	}{
		{"JSON", target, "application/json", `{}`, nil, 415},
		{"text without a type", target, "", "a=b", nil, 415},
		{"multipart without a boundary", target, "multipart/form-data", "a", nil, 415},
		{"compressed", target, form, "a=b", []string{"Content-Encoding", "gzip"}, 415},
		{"a bad escape", target, form, "List-Unsubscribe=%zz", nil, 400},
		{"a torn multipart", target, "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb", nil, 400},
		{"another value", target, form, "List-Unsubscribe=Two-Clicks", nil, 400},
		{"another action", target, form, "action=subscribe", nil, 400},
		{"no action", link("/preferences", janToken), form, "List-Unsubscribe=One-Click", nil, 400},
		{"too large", target, form, "a=" + strings.Repeat("b", maxBody), nil, 413},
	} {
		r := p.send(t, "192.0.2.1:1", tc.target, tc.media, tc.body, tc.header...)
		if r.StatusCode != tc.status || r.title() != "Nie rozumiemy żądania" || strings.Contains(r.Body, "jan") {
			t.Errorf("%s: status %d, want %d: %s", tc.name, r.StatusCode, tc.status, r.Body)
		}
	}
	p.unchanged(t)
}

func TestUnsubscribePage_TakesATypedAddressAndTellsNothing(t *testing.T) {
	t.Parallel()
	p := newPages(t, nil)
	p.consent.known = map[string]chatops.ConsentStatus{"jan@x.pl": {}}
	known, unknown := p.submit(t, "/unsubscribe", "email", " JAN@x.pl "), p.submit(t, "/unsubscribe", "email", "nikt@x.pl")
	if known.StatusCode != http.StatusOK || known.Body != unknown.Body || strings.Contains(known.Body, "x.pl") {
		t.Errorf("known: %d %s\nunknown: %d %s", known.StatusCode, known.Body, unknown.StatusCode, unknown.Body)
	}
	if w := p.consent.withdrawals; len(w) != 2 || w[0].EmailKey != "jan@x.pl" || w[0].Action != chatops.ActionUnsubscribe {
		t.Errorf("stored %+v", w)
	}
	for _, email := range []string{"", " ", "jan", "a@x.pl,b@x.pl", "jan＠x.pl", "jan\x00@x.pl", "jan@x.pl\r\nBcc: b@x.pl", strings.Repeat("a", 256) + "@x.pl", "\"><script>alert(1)</script>@x.pl"} {
		r := p.submit(t, "/unsubscribe", "email", email)
		if r.StatusCode != http.StatusBadRequest || !strings.Contains(r.Body, `aria-invalid="true"`) || strings.Contains(r.Body, "<script") {
			t.Errorf("%q: status %d: %s", email, r.StatusCode, r.Body)
		}
	}
	if len(p.consent.withdrawals) != 2 {
		t.Errorf("stored %+v", p.consent.withdrawals)
	}
}

func TestPreferences_ShowsAndWithdraws(t *testing.T) {
	t.Parallel()
	p := newPages(t, nil)
	for i, tc := range []struct {
		known     chatops.ConsentStatus
		marketing bool
		rodo      bool
	}{
		{chatops.ConsentStatus{}, false, false},
		{chatops.ConsentStatus{MarketingConsent: true, RODOConsent: true}, true, true},
		{chatops.ConsentStatus{MarketingConsent: true, IsUnsubscribed: true, RODOConsent: true}, false, true},
	} {
		p.consent.known = map[string]chatops.ConsentStatus{"jan@x.pl": tc.known}
		page := p.get(t, link("/preferences", janToken)+"&lang=en").Body
		if strings.Contains(page, `value="unsubscribe"`) != tc.marketing || strings.Contains(page, `value="subscribe"`) == tc.marketing ||
			strings.Contains(page, "Consent is given to process") != tc.rodo || !strings.Contains(page, `value="revoke"`) {
			t.Errorf("%d: %s", i, page)
		}
	}
	for action, want := range map[string]chatops.ConsentAction{"unsubscribe": chatops.ActionUnsubscribe, "revoke": chatops.ActionRevoke} {
		r := p.submit(t, link("/preferences", janToken), "action", action)
		if w := p.consent.withdrawals[len(p.consent.withdrawals)-1]; r.StatusCode != http.StatusOK || w.Action != want || w.EmailKey != "jan@x.pl" {
			t.Errorf("%s: status %d, stored %+v", action, r.StatusCode, w)
		}
	}
}

// mailOf reads the mail that was queued last.
func (p *pages) mailOf(t *testing.T) (chatops.NewAlert, chatops.EmailPayload, *url.URL) {
	t.Helper()
	a := p.queue.alerts[len(p.queue.alerts)-1]
	var mail chatops.EmailPayload
	if err := json.Unmarshal(a.Payload, &mail); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(mail.Text) {
		if strings.HasPrefix(line, "https://") {
			u, err := url.Parse(strings.TrimSpace(line))
			if err != nil {
				t.Fatal(err)
			}
			return a, mail, u
		}
	}
	t.Fatalf("no link in %q", mail.Text)
	return a, mail, nil
}

func TestSubscribing_IsConfirmedByMail(t *testing.T) {
	t.Parallel()
	p := newPages(t, nil)
	ask := func() *answer { return p.submit(t, link("/preferences", janToken)+"&lang=en", "action", "subscribe") }
	if r := ask(); r.StatusCode != http.StatusOK || r.title() != "Check your mail" || len(p.grants.grants) != 0 {
		t.Fatalf("status %d, %q, given %+v", r.StatusCode, r.title(), p.grants.grants)
	}
	alert, mail, u := p.mailOf(t)
	if alert.EventType != "consent_mail" || alert.Target != "email:consent" || mail.To != "jan@x.pl" || mail.Subject != "Confirm your consent to messages" ||
		strings.Contains(alert.IdempotencyKey, "jan") || u.Host != "czat.example" || u.Path != "/confirm" || u.Query().Get("lang") != "en" {
		t.Errorf("queued %+v, link %s", alert, u)
	}
	// Asked again soon it is the same mail; later it is another.
	ask()
	if len(p.queue.alerts) != 1 {
		t.Errorf("%d mails", len(p.queue.alerts))
	}
	p.now = p.now.Add(confirmEvery)
	ask()
	if len(p.queue.alerts) != 2 {
		t.Errorf("%d mails", len(p.queue.alerts))
	}
	// What the link opens changes nothing, its button does.
	p.now = at.Add(chatops.ConfirmLifetime - time.Second)
	page := p.get(t, u.RequestURI())
	if page.title() != "Confirm your consent" || len(p.grants.grants) != 0 {
		t.Errorf("%q, given %+v", page.title(), p.grants.grants)
	}
	r := p.submit(t, u.RequestURI(), "action", "confirm")
	if r.title() != "Your consent is stored" || len(p.grants.grants) != 1 {
		t.Fatalf("%q, given %+v", r.title(), p.grants.grants)
	}
	g := p.grants.grants[0]
	if g.EmailKey != "jan@x.pl" || !g.Marketing || g.RODO || g.Origin.IPAddress != "192.0.2.1" || g.Notes != confirmNote+"; locale=en" {
		t.Errorf("given %+v", g)
	}
	if r := p.submit(t, u.RequestURI(), "action", "x"); r.StatusCode != http.StatusBadRequest || len(p.grants.grants) != 1 {
		t.Errorf("another action: status %d", r.StatusCode)
	}
	p.now = at.Add(confirmEvery + chatops.ConfirmLifetime)
	if r := p.submit(t, u.RequestURI(), "action", "confirm"); r.StatusCode != http.StatusBadRequest || len(p.grants.grants) != 1 {
		t.Errorf("after 48 hours: status %d", r.StatusCode)
	}
	// A person who was erased in between has nothing that consent could be of.
	p.now, p.grants.err = at, chatops.Errorf(chatops.CodeNotFound, "nothing is known")
	if r := p.submit(t, u.RequestURI(), "action", "confirm"); r.StatusCode != http.StatusOK {
		t.Errorf("nobody: status %d", r.StatusCode)
	}
}

func TestSubscribing_IsNotOfferedWhereItCannotWork(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Options){
		"no queue":       func(o *Options) { o.EnqueueFunc = nil },
		"no grants":      func(o *Options) { o.GrantFunc = nil },
		"no PUBLIC_URL":  func(o *Options) { o.PublicURL = "" },
		"no consent key": func(o *Options) { o.Tokens = nil },
	} {
		p := newPages(t, change)
		for _, page := range []*answer{p.submit(t, link("/unsubscribe", janToken)), p.get(t, link("/preferences", janToken))} {
			if strings.Contains(page.Body, `value="subscribe"`) {
				t.Errorf("%s: %s", name, page.Body)
			}
		}
		if r := p.submit(t, link("/preferences", janToken), "action", "subscribe"); r.StatusCode != http.StatusBadRequest || len(p.queue.alerts) != 0 {
			t.Errorf("%s: status %d", name, r.StatusCode)
		}
	}
}

func TestConsentPages_AreLimitedByClientAndByAddress(t *testing.T) {
	t.Parallel()
	p := newPages(t, nil, "consent", "3 per minute")
	const form = "application/x-www-form-urlencoded"
	typed := func(remote, email string) *answer {
		return p.send(t, remote, "/unsubscribe", form, "email="+email, "Accept-Language", "en")
	}
	for i := range 3 {
		if r := typed("198.51.100.1:1", fmt.Sprintf("jan%d@x.pl", i)); r.StatusCode != http.StatusOK {
			t.Fatalf("status %d", r.StatusCode)
		}
	}
	r := typed("198.51.100.1:1", "jan9@x.pl")
	if r.StatusCode != http.StatusTooManyRequests || r.title() != "Too many attempts" || r.Header.Get("Retry-After") != "60" {
		t.Errorf("by client: status %d, %v", r.StatusCode, r.Header)
	}
	if r := p.send(t, "198.51.100.1:1", link("/unsubscribe", "x"), form, ""); r.StatusCode != http.StatusTooManyRequests || r.title() != "Za dużo prób" {
		t.Errorf("a guessed link: status %d, %s", r.StatusCode, r.title())
	}
	// A mail program's server that posts for many is not taken for one who guesses.
	for i := range 5 {
		if r := p.send(t, "198.51.100.1:1", link("/unsubscribe", tokenFor(fmt.Sprintf("ewa%d@x.pl", i))), form, "List-Unsubscribe=One-Click"); r.StatusCode != http.StatusOK {
			t.Errorf("with a token: status %d", r.StatusCode)
		}
	}
	for i := range 4 {
		r = p.send(t, fmt.Sprintf("198.51.100.%d:1", 10+i), link("/unsubscribe", janToken), form, "")
	}
	if r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") != "60" {
		t.Errorf("by address: status %d, %v", r.StatusCode, r.Header)
	}
	for range 4 {
		r = p.submit(t, link("/preferences", janToken), "action", "subscribe")
	}
	if r.StatusCode != http.StatusTooManyRequests || len(p.queue.alerts) != 1 {
		t.Errorf("mails: status %d, %d queued", r.StatusCode, len(p.queue.alerts))
	}
	if got := p.get(t, link("/unsubscribe", janToken)).StatusCode; got != http.StatusOK {
		t.Errorf("opening a link: status %d", got)
	}
	p.limits.off = true
	if r := typed("198.51.100.1:1", "jan9@x.pl"); r.StatusCode != http.StatusOK {
		t.Errorf("without limits: status %d", r.StatusCode)
	}
}

func TestConsentPages_TroubleIsNoSuccess(t *testing.T) {
	t.Parallel()
	p := newPages(t, nil)
	down := chatops.Errorf(chatops.CodeUnavailable, "connect to db.example: refused")
	p.consent.err, p.queue.err, p.grants.err = down, down, down
	confirm := (&fakeTokens{}).Sign(chatops.PurposeConfirm, confirmSubject("jan@x.pl", "0"), at.Add(time.Hour))
	for name, r := range map[string]*answer{
		"unsubscribe": p.submit(t, link("/unsubscribe", janToken)), "typed": p.submit(t, "/unsubscribe", "email", "jan@x.pl"),
		"preferences": p.get(t, link("/preferences", janToken)), "revoke": p.submit(t, link("/preferences", janToken), "action", "revoke"),
		"subscribe": p.submit(t, link("/preferences", janToken), "action", "subscribe"), "confirm": p.submit(t, link("/confirm", confirm), "action", "confirm"),
	} {
		if r.StatusCode != http.StatusServiceUnavailable || r.title() != "Chwilowa przerwa" || strings.Contains(r.Body, "db.example") ||
			!strings.Contains(r.Body, r.Header.Get("X-Request-ID")) {
			t.Errorf("%s: status %d: %s", name, r.StatusCode, r.Body)
		}
	}
}

func TestCanaries_OfLinksAreNotLogged(t *testing.T) {
	t.Parallel()
	p := newPages(t, nil)
	token := tokenFor(canary + "@x.pl")
	confirm := (&fakeTokens{}).Sign(chatops.PurposeConfirm, confirmSubject(canary+"@x.pl", "0"), at.Add(time.Hour))
	for range 2 {
		p.get(t, link("/unsubscribe", token))
		p.get(t, link("/unsubscribe", canary))
		p.submit(t, link("/unsubscribe", token), "List-Unsubscribe", "One-Click", canary, canary)
		p.submit(t, link("/unsubscribe", token), "action", canary)
		p.submit(t, "/unsubscribe", "email", canary+"@x.pl")
		p.submit(t, "/unsubscribe", "email", canary)
		p.get(t, link("/preferences", token))
		p.submit(t, link("/preferences", token), "action", "subscribe")
		p.get(t, link("/confirm", confirm))
		p.submit(t, link("/confirm", confirm), "action", "confirm")
		p.do(t, "PUT", link("/confirm", confirm), "")
		p.get(t, "/api/unsubscribe/status/"+canary+"@x.pl?token="+token)
		p.consent.err = chatops.Errorf(chatops.CodeUnavailable, "database unreachable")
	}
	wantSilence(t, p.fixture)
}
