package server

import (
	"bytes"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"strconv"

	"chatops/internal/chatops"
)

// What the pages of consent show.
const (
	stateAsk         = "ask"         // the link of a mail was opened
	stateDone        = "done"        // marketing consent is withdrawn
	statePreferences = "preferences" // what the person agreed to
	stateRevoked     = "revoked"     // all consent is withdrawn
	stateAsked       = "asked"       // a mail is on its way that confirms
	stateConfirm     = "confirm"     // its link was opened
	stateConfirmed   = "confirmed"   // marketing consent is given
	stateAddress     = "address"     // no link: a form for the address
	stateInvalid     = "invalid"     // a link that is worth nothing: the same form
	stateTyped       = "typed"       // whoever was typed into it is withdrawn
	stateLimited     = "limited"     // too many requests
	stateUnavailable = "unavailable" // the database is away
	stateBroken      = "broken"      // no form of ours
)

// consentCSP lets the pages of consent run no script and ask nobody else.
var consentCSP = []string{"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"}

// consentView is one page as its template sees it.
type consentView struct {
	Lang, State string
	T           map[string]string // texts of the language
	V           map[string]string // versions of what the page loads
	Address     string            // masked
	Wrong       bool              // what was typed is no address
	CanSubscribe,
	Marketing, RODO bool
	RequestID string
	Wording   chatops.ConsentText // that is agreed to on the page
	Languages []consentLanguage   // none where changing it would lead elsewhere

	token string
}

type consentLanguage struct{ Lang, Name, Href string }

// consentAct is a form of one button.
type consentAct struct {
	URL, Action, Button, Class string
	Text                       int64 // number of the wording that is agreed to
}

// Heading is the title of the page.
func (v *consentView) Heading() string { return v.T[v.State+"_title"] }

// Text is the one paragraph of a page that has no form of its own.
func (v *consentView) Text() string {
	if text, ok := v.T[v.State+"_text"]; ok {
		return text
	}
	return v.T[v.State]
}

// Act makes a form of one button that posts an action with the token.
func (v *consentView) Act(path, action, button, class string) consentAct {
	return consentAct{URL: v.url(path, v.Lang), Action: action, Button: button, Class: class}
}

// Agree is the form that agrees to the wording.
func (v *consentView) Agree() consentAct {
	act := v.Act("/confirm", actionConfirm, v.T["confirm_button"], "main")
	act.Text = v.Wording.ID
	return act
}

// Preferences is where all that a person agreed to is shown.
func (v *consentView) Preferences() string { return v.url("/preferences", v.Lang) }

func (v *consentView) url(path, lang string) string {
	q := url.Values{"lang": {lang}}
	if v.token != "" {
		q.Set("token", v.token)
	}
	return path + "?" + q.Encode()
}

// consentPages makes the pages of consent.
type consentPages struct {
	template *template.Template
	texts    map[string]map[string]string
	versions map[string]string
}

func newConsentPages(css string) *consentPages {
	p := &consentPages{
		template: template.Must(template.New("consent.html").Option("missingkey=error").Parse(string(mustRead("consent.html")))),
		versions: map[string]string{"css": css, "icon": newAsset(mustRead("icon.svg"), "").version()},
	}
	if err := json.Unmarshal(mustRead("consent.json"), &p.texts); err != nil {
		panic(err)
	}
	return p
}

// send renders a page and sends it as the whole answer.
func (p *consentPages) send(w http.ResponseWriter, status int, v *consentView) {
	v.T, v.V = p.texts[v.Lang], p.versions
	var body bytes.Buffer
	if err := p.template.Execute(&body, v); err != nil {
		panic(err) // a name that the template does not know: a defect that every test finds
	}
	h := w.Header()
	h["Content-Security-Policy"] = consentCSP
	h["Referrer-Policy"] = noReferrer // the address of the page holds the token
	h["X-Robots-Tag"] = noIndex
	h.Set("Content-Language", v.Lang)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // the client is gone: nobody is left to tell
}

var (
	noReferrer = []string{"no-referrer"}
	noIndex    = []string{"noindex, nofollow"}
)
