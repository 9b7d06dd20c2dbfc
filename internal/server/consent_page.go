package server

import (
	"cmp"
	"net/http"
	"net/url"

	"chatops/internal/chatops"
	"chatops/internal/ratelimit"
)

// The actions of the pages' forms.
const (
	actionUnsubscribe = "unsubscribe"
	actionSubscribe   = "subscribe"
	actionRevoke      = "revoke"
	actionConfirm     = "confirm"
)

// oneClick is the field that mail programs post, and its value (RFC 8058).
const oneClickField, oneClickValue = "List-Unsubscribe", "One-Click"

// consentVisit is one request to a page of consent.
type consentVisit struct {
	s     *Server
	w     http.ResponseWriter
	r     *http.Request
	x     *exchange
	token string
	// person is who the token was made for; nil when it is worth nothing.
	person *emailAddress
	form   url.Values
}

// addConsentPages serves the pages that links in mails open. None of them needs
// a cookie or a script, and no GET changes anything: mail programs open links.
func (s *Server) addConsentPages() {
	s.consentPages = newConsentPages(s.addStatic("consent.css", "text/css; charset=utf-8"))
	for _, page := range []struct {
		path, purpose string
		get, post     func(*consentVisit)
	}{
		{"/unsubscribe", chatops.PurposeUnsubscribe, (*consentVisit).ask, (*consentVisit).unsubscribe},
		{"/preferences", chatops.PurposeUnsubscribe, (*consentVisit).preferences, (*consentVisit).change},
		{"/confirm", chatops.PurposeConfirm, (*consentVisit).askConfirmation, (*consentVisit).confirm},
	} {
		s.mux.HandleFunc("GET "+page.path, func(w http.ResponseWriter, r *http.Request) {
			page.get(s.visit(w, r, page.purpose))
		})
		s.mux.HandleFunc("POST "+page.path, func(w http.ResponseWriter, r *http.Request) {
			v := s.visit(w, r, page.purpose)
			// A token is counted for its address, when something is stored. Mail
			// programs post for many people from few addresses.
			if v.person == nil && !v.admitClient() { //nolint:contextcheck // the visit has the request
				return
			}
			var p *Problem
			if v.form, p = readForm(w, r); p != nil {
				v.refuse(p)
				return
			}
			page.post(v)
		})
	}
}

func (s *Server) visit(w http.ResponseWriter, r *http.Request, purpose string) *consentVisit {
	v := &consentVisit{s: s, w: w, r: r, x: exchangeOf(r.Context()), token: r.URL.Query().Get("token")}
	v.x.client = s.clientAddr(r)
	v.person, _ = s.tokenAddress(purpose, v.token)
	return v
}

// show sends a page. Its links to the other language lead back to it only where
// it was opened by a link.
func (v *consentVisit) show(status int, state string, change ...func(*consentView)) {
	view := &consentView{Lang: pageLanguage(v.r), State: state, CanSubscribe: v.s.canSubscribe()}
	if v.person != nil {
		view.token, view.Address = v.token, masked(v.person.key)
	}
	if v.r.Method != http.MethodPost {
		path := v.r.URL.Path
		if v.person == nil {
			path = "/unsubscribe" // what came instead of a token is not repeated
		}
		view.Languages = []consentLanguage{{"pl", "Polski", view.url(path, "pl")}, {"en", "English", view.url(path, "en")}}
	}
	for _, f := range change {
		f(view)
	}
	v.s.consentPages.send(v.w, status, view)
}

// refuse sends the page of a problem.
func (v *consentVisit) refuse(p *Problem) {
	state := stateBroken
	switch {
	case p.Status == http.StatusTooManyRequests:
		state = stateLimited
	case p.Status >= http.StatusInternalServerError:
		state = stateUnavailable
	}
	p.setHeaders(v.w.Header())
	v.show(p.Status, state, func(view *consentView) {
		view.RequestID, view.Address, view.Languages = v.x.id, "", nil
	})
}

// stored reports whether something was stored; otherwise the visitor is told.
func (v *consentVisit) stored(err error) bool {
	if err != nil {
		v.refuse(v.s.fail(v.r.Context(), v.x.route(), err))
	}
	return err == nil
}

// admitClient counts the request for its client, and refuses it over the limit.
func (v *consentVisit) admitClient() bool {
	if v.s.opts.Limits == nil {
		return true
	}
	client := clientKey(v.x.client)
	d := v.s.opts.Limits.Allow(v.r.Context(), client, ratelimit.Check{Limit: limitConsent, Key: client})
	if d.Off {
		return true
	}
	v.s.describe(v.w.Header(), d, []string{limitConsent})
	if !d.Allowed {
		v.refuse(tooMany(v.x.id, d, "from one client"))
	}
	return d.Allowed
}

// invalid is the answer to every link that is worth nothing, for whatever
// cause, and to none at all.
func (v *consentVisit) invalid() {
	if v.token == "" {
		v.show(http.StatusOK, stateAddress)
		return
	}
	v.show(http.StatusBadRequest, stateInvalid)
}

func (v *consentVisit) ask() {
	if v.person == nil {
		v.invalid()
		return
	}
	v.show(http.StatusOK, stateAsk)
}

// unsubscribe withdraws marketing consent: for the button of the page, for the
// one click of a mail program, and for an address that was typed.
func (v *consentVisit) unsubscribe() {
	switch action := cmp.Or(v.form.Get("action"), actionUnsubscribe); {
	case v.person == nil && v.token == "" && v.form.Has("email"):
		v.unsubscribeTyped(v.form.Get("email"))
	case v.person == nil:
		v.invalid()
	case action != actionUnsubscribe || v.form.Has(oneClickField) && v.form.Get(oneClickField) != oneClickValue:
		v.refuse(newProblem(http.StatusBadRequest, "no such action", v.x.id))
	default:
		v.withdraw(chatops.ActionUnsubscribe, stateDone)
	}
}

func (v *consentVisit) unsubscribeTyped(email string) {
	a, ok := parseEmail(email)
	if !ok {
		v.show(http.StatusBadRequest, stateAddress, func(view *consentView) { view.Wrong = true })
		return
	}
	w := chatops.ConsentWithdrawal{Action: chatops.ActionUnsubscribe}
	if v.stored(v.s.store(v.r.Context(), w, &a, "")) {
		v.show(http.StatusOK, stateTyped)
	}
}

func (v *consentVisit) withdraw(action chatops.ConsentAction, state string) {
	if v.stored(v.s.store(v.r.Context(), chatops.ConsentWithdrawal{Action: action}, v.person, "")) {
		v.show(http.StatusOK, state)
	}
}
