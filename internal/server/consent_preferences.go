package server

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// confirmEvery is how often one address may be sent a mail that confirms.
const confirmEvery = 10 * time.Minute

// confirmNote is what the audit log keeps of how a confirmation was given.
const confirmNote = "channel=mail; confirmed on the page"

// preferences shows what a person agreed to.
func (v *consentVisit) preferences() {
	switch {
	case v.person == nil:
		v.invalid()
		return
	case !v.admitClient(): // the database is asked
		return
	}
	known, err := v.s.opts.Consent.ConsentStatus(v.r.Context(), v.person.key)
	if chatops.ErrorCode(err) == chatops.CodeNotFound {
		known, err = &chatops.ConsentStatus{}, nil
	}
	if v.stored(err) {
		v.show(http.StatusOK, statePreferences, func(view *consentView) {
			view.Marketing, view.RODO = known.MarketingConsent && !known.IsUnsubscribed, known.RODOConsent
		})
	}
}

// change does what a button of the page of preferences says.
func (v *consentVisit) change() {
	action := v.form.Get("action")
	switch {
	case v.person == nil:
		v.invalid()
	case action == actionUnsubscribe:
		v.withdraw(chatops.ActionUnsubscribe, stateDone)
	case action == actionRevoke:
		v.withdraw(chatops.ActionRevoke, stateRevoked)
	case action == actionSubscribe && v.s.canSubscribe():
		if v.stored(v.s.askToConfirm(v.r.Context(), v.person, pageLanguage(v.r))) {
			v.show(http.StatusOK, stateAsked)
		}
	default:
		v.refuse(newProblem(http.StatusBadRequest, "no such action", v.x.id))
	}
}

// canSubscribe reports whether consent can be given here: it takes a mail.
func (s *Server) canSubscribe() bool {
	return s.opts.Tokens != nil && s.opts.EnqueueFunc != nil && s.opts.GrantFunc != nil && s.opts.PublicURL != ""
}

// askToConfirm queues a mail with the link that gives consent. Whoever asked has
// a link, which may have been passed on; whoever confirms reads the mail. Asked
// again soon, it is still that one mail, unless consent was withdrawn meanwhile,
// which makes its link void: its key is made of the moment, and
// cannot be made by whoever does not have the key of the tokens.
func (s *Server) askToConfirm(ctx context.Context, person *emailAddress, lang string) error {
	if p := s.limitAddress(ctx, exchangeOf(ctx), person, actionConfirm); p != nil {
		return p
	}
	mark, err := s.opts.Consent.WithdrawalMark(ctx, person.key)
	if err != nil {
		return err
	}
	now, subject := s.opts.Now(), confirmSubject(person.key, mark)
	t := s.consentPages.texts[lang]
	link := &consentView{token: s.opts.Tokens.Sign(chatops.PurposeConfirm, subject, now.Add(chatops.ConfirmLifetime))}
	payload, err := json.Marshal(chatops.EmailPayload{
		To:      person.mail,
		Subject: t["mail_subject"],
		Text: t["mail_asked"] + "\n\n" + t["mail_open"] + "\n" +
			strings.TrimRight(s.opts.PublicURL, "/") + link.url("/confirm", lang) + "\n\n" + t["mail_ignore"] + "\n",
	})
	if err != nil {
		return chatops.WrapError(chatops.CodeInternal, err, "write the mail that confirms consent")
	}
	_, err = s.opts.EnqueueFunc(ctx, []chatops.NewAlert{{
		EventType: chatops.EventConsentMail, Target: chatops.TargetConsentMail, Payload: payload,
		IdempotencyKey: "consent:" + digest(s.opts.Tokens.Sign(chatops.PurposeConfirm, subject, now.Truncate(confirmEvery))),
	}})
	return err
}

func (v *consentVisit) askConfirmation() {
	if v.person == nil {
		v.invalid()
		return
	}
	v.show(http.StatusOK, stateConfirm, func(view *consentView) {
		view.Wording = v.s.wordings.current(v.r.Context(), chatops.KindMarketing, view.Lang)
	})
}

// confirm gives marketing consent to whoever has read the mail. Consent to the
// processing of data is another one, with a text of its own.
func (v *consentVisit) confirm() {
	switch {
	case v.person == nil:
		v.invalid()
		return
	case v.s.opts.GrantFunc == nil || v.form.Get("action") != actionConfirm:
		v.refuse(newProblem(http.StatusBadRequest, "no such action", v.x.id))
		return
	}
	if p := v.s.limitAddress(v.r.Context(), v.x, v.person, "grant"); p != nil {
		v.refuse(p)
		return
	}
	lang := pageLanguage(v.r)
	text, ok, err := v.s.wordings.shown(v.r.Context(), v.form.Get("text"), lang)
	if err == nil && !ok {
		v.refuse(newProblem(http.StatusBadRequest, "no such text", v.x.id))
		return
	}
	notes := confirmNote
	if text.ID == 0 {
		notes += "; locale=" + lang
	}
	if err == nil {
		_, err = v.s.opts.GrantFunc(v.r.Context(), chatops.ConsentGrant{
			EmailKey: v.person.key, Marketing: true, Text: text, Origin: v.s.origin(v.r, ""), Notes: notes,
			AskedAt: v.person.askedAt,
		})
	}
	if chatops.ErrorCode(err) == chatops.CodeConflict { // withdrawn after the mail was asked for
		v.person = nil
		v.invalid()
		return
	}
	if chatops.ErrorCode(err) == chatops.CodeNotFound {
		err = nil // nothing of the person is stored any more, so nothing is left to send
	}
	if v.stored(err) {
		v.show(http.StatusOK, stateConfirmed)
	}
}
