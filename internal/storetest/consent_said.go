package storetest

import (
	"fmt"
	"sync"
	"time"

	"chatops/internal/chatops"
)

func saidCases() []testCase {
	return []testCase{
		{"SaveTurn_PutsOnRecordWhatWasSaid", saidInTurn},
		{"SaveTurn_RecordsAsTheRuleSays", saidNews},
		{"SaveTurn_ThatConflicts_RecordsNothing", saidConflict},
		{"SaveTurn_WhoseAuditCannotBeWritten_IsUndone", saidNoAudit},
		{"SaveTurn_SaidOfASuppressedAddress_LiftsNothing", saidSuppressed},
		{"CreateLead_PutsOnRecordWhatWasSaid", saidWithForm},
		{"CreateLead_OfASuppressedAddress_HasNoConsentByDefault", formSuppressed},
		{"CreateLead_BesideAWithdrawal_IsNeverWrittenTo", formRace},
	}
}

// says is what somebody says about a consent in a test.
func says(kind chatops.ConsentKind, given, was bool, text *chatops.ConsentText) chatops.ConsentSaid {
	s := chatops.ConsentSaid{
		Kind: kind, Given: given, Was: was, Locale: "pl", Channel: "chat",
		Origin: chatops.ConsentOrigin{IPAddress: "192.0.2.7", UserAgent: "Firefox"},
	}
	if text != nil {
		s.Text = *text
	}
	return s
}

// saying is the next turn of a conversation, with what is said.
func (e *env) saying(session string, said ...chatops.ConsentSaid) {
	e.t.Helper()
	c := mustLoad(e, session)
	e.save(&chatops.Turn{Conversation: *c, UserMessage: "u", BotMessage: "b", Said: said})
}

func saidInTurn(e *env) {
	text := e.addText(chatops.KindMarketing, "pl", "Chcę.", time.Time{})
	first := turn("said") // no address is known yet
	first.Said = []chatops.ConsentSaid{says(chatops.KindRODO, true, false, nil)}
	_, c := e.save(first)
	e.wantAudited(fmt.Sprintf(`action = 'rodo_consent_given' AND conversation_id = %d AND lead_id IS NULL AND email = ''
		AND ip_address = '192.0.2.7' AND user_agent = 'Firefox' AND reason IS NULL AND notes = 'locale=pl; channel=chat'`, c.ID), 1)
	second := consenting("said", "Anna@Example.pl")
	second.Conversation.Version, second.Conversation.ID = c.Version, c.ID
	second.Said = []chatops.ConsentSaid{says(chatops.KindMarketing, true, false, text), says(chatops.KindRODO, false, true, nil)}
	_, c = e.save(second)
	of := fmt.Sprintf(` AND conversation_id = %d AND lead_id = %d AND email = 'Anna@Example.pl'`, c.ID, c.LeadID)
	e.wantAudited(fmt.Sprintf(`action = 'marketing_consent_given' AND notes = 'text=%d; version=1; locale=pl; channel=chat'`, text.ID)+of, 1)
	e.wantAudited(`action = 'rodo_consent_withdrawn' AND notes = 'locale=pl; channel=chat'`+of, 1)
	e.wantChain(3)
}

// saidNews compares both engines with the rule, step by step.
func saidNews(e *env) {
	texts := []*chatops.ConsentText{
		nil, e.addText(chatops.KindMarketing, "pl", "Chcę.", time.Time{}), e.addText(chatops.KindMarketing, "pl", "Chcę bardzo.", time.Time{}),
	}
	e.save(turn("news"))
	e.setSession("news", true) // the other consent must not matter
	last, notes, want := chatops.ConsentAction(""), "", int64(0)
	for i, step := range []struct {
		given, was bool
		text       int
	}{
		{false, false, 0}, {true, false, 1}, {true, true, 1}, {true, true, 2}, {true, false, 2}, {false, true, 0}, {false, false, 0},
		{false, true, 0}, {true, true, 2}, {true, true, 0}, {false, false, 0}, {true, false, 1},
	} {
		s := says(chatops.KindMarketing, step.given, step.was, texts[step.text])
		if s.News(last, notes) {
			last, notes = s.Action(), s.AuditNotes()
			want++
		}
		e.saying("news", s)
		if n := e.audited(`action LIKE 'marketing%'`); n != want {
			e.t.Fatalf("step %d: %d rows, want %d", i, n, want)
		}
	}
	e.save(turn("default")) // whose consent was a default
	e.saying("default", says(chatops.KindMarketing, false, true, nil))
	e.wantAudited(`action = 'marketing_consent_withdrawn'`, 3)
	e.wantChain(int(want) + 2)
}

func saidConflict(e *env) {
	_, c := e.save(turn("late"))
	e.save(&chatops.Turn{Conversation: *c, UserMessage: "u", BotMessage: "b"})
	_, err := e.store.SaveTurn(e.ctx, &chatops.Turn{
		Conversation: *c, UserMessage: "u", BotMessage: "b", Said: []chatops.ConsentSaid{says(chatops.KindRODO, true, false, nil)},
	})
	e.wantCode(err, chatops.CodeConflict)
	e.wantChain(0)
}

func saidNoAudit(e *env) {
	_, c := e.save(consenting("lost", anna))
	e.exec(`DELETE FROM consent_audit_head`)
	changed := *c
	changed.MarketingConsent = false
	said := says(chatops.KindMarketing, false, true, nil)
	_, err := e.store.SaveTurn(e.ctx, &chatops.Turn{Conversation: changed, UserMessage: "u", BotMessage: "b", Said: []chatops.ConsentSaid{said}})
	if err == nil {
		e.t.Fatal("consent was changed without a record")
	}
	if now := mustLoad(e, "lost"); *now != *c {
		e.t.Fatalf("the conversation became %+v", *now)
	}
	l := lead("form-lost")
	if _, err = e.store.CreateLead(e.ctx, l, leadAlerts("form-lost"), nil, says(chatops.KindRODO, true, false, nil)); err == nil {
		e.t.Fatal("a lead was stored without a record of its consent")
	}
	_, err = e.store.LeadBySession(e.ctx, "form-lost")
	e.wantCode(err, chatops.CodeNotFound)
}

func saidSuppressed(e *env) {
	e.save(consenting("back", anna))
	e.withdraw(chatops.ActionUnsubscribe, anna)
	c := mustLoad(e, "back")
	c.MarketingConsent = true
	e.save(&chatops.Turn{Conversation: *c, UserMessage: "u", BotMessage: "b", Said: []chatops.ConsentSaid{says(chatops.KindMarketing, true, false, nil)}})
	e.wantFlags("back", false, true)
	e.wantSuppressed(anna, "marketing")
	st, err := e.store.ConsentStatus(e.ctx, anna)
	e.must(err)
	if !st.IsUnsubscribed || st.MarketingConsent || st.LastAction != chatops.ActionMarketingGiven {
		e.t.Fatalf("status is %+v", *st)
	}
	// An older program has left the withdrawal only, and no suppression.
	e.exec(`DELETE FROM suppression`)
	if st, err = e.store.ConsentStatus(e.ctx, anna); err != nil || !st.IsUnsubscribed {
		e.t.Fatalf("status is %+v, %v", st, err)
	}
}

func saidWithForm(e *env) {
	text := e.addText(chatops.KindMarketing, "pl", "Chcę.", time.Time{})
	l := lead("form")
	l.Email, l.MarketingConsent, l.RODOConsent = "Anna@Example.pl", true, false
	given, never := says(chatops.KindMarketing, true, false, text), says(chatops.KindRODO, false, false, nil)
	given.Channel = "form"
	stored, err := e.store.CreateLead(e.ctx, l, leadAlerts("form"), nil, given, never)
	e.must(err)
	e.wantLeadFlags(stored.ID, true, false)
	e.wantAudited(fmt.Sprintf(`action = 'marketing_consent_given' AND conversation_id IS NULL AND lead_id = %d AND email = 'Anna@Example.pl'
		AND notes = 'text=%d; version=1; locale=pl; channel=form' AND ip_address = '192.0.2.7'`, stored.ID, text.ID), 1)
	e.wantChain(1)
	l = lead("form-2")
	l.MarketingConsent = false
	refused := says(chatops.KindMarketing, false, true, nil) // against the default
	_, err = e.store.CreateLead(e.ctx, l, nil, nil, refused)
	e.must(err)
	e.wantAudited(`action = 'marketing_consent_withdrawn'`, 1)
	_, err = e.store.CreateLead(e.ctx, lead(""), nil, nil, given)
	e.wantCode(err, chatops.CodeInvalid)
	e.wantChain(2)
}

// formSuppressed: a form says nothing about consent, and the mode implies it.
func formSuppressed(e *env) {
	e.withdraw(chatops.ActionUnsubscribe, anna)
	e.withdraw(chatops.ActionRevoke, "ewa@example.pl")
	for _, c := range []struct {
		email           string
		said            []chatops.ConsentSaid
		marketing, rodo bool
	}{
		{"free@example.pl", nil, true, true},
		{"", nil, true, true},
		{"Anna@Example.pl", nil, false, true},
		{"anna+form@example.pl", nil, false, true},
		{"ewa@example.pl", nil, false, false},
		{"EWA+x@example.pl", nil, false, false},
		{"ewa@example.pl", []chatops.ConsentSaid{says(chatops.KindMarketing, true, true, nil)}, false, false},
		{"ewa@example.pl", []chatops.ConsentSaid{says(chatops.KindRODO, true, true, nil)}, false, true},
	} {
		l := lead("form of " + fmt.Sprint(c))
		l.Email, l.MarketingConsent, l.RODOConsent = c.email, true, true
		stored, err := e.store.CreateLead(e.ctx, l, nil, nil, c.said...)
		e.must(err)
		if stored.MarketingConsent != c.marketing || stored.RODOConsent != c.rodo {
			e.t.Errorf("%+v: stored with marketing %v, rodo %v", c, stored.MarketingConsent, stored.RODOConsent)
		}
		e.wantLeadFlags(stored.ID, c.marketing, c.rodo)
	}
	e.wantSuppressed("ewa@example.pl", "all")
}

func formRace(e *env) {
	other := e.open()
	for i := range 4 {
		email := fmt.Sprintf("race%d@example.pl", i)
		l := lead("form " + email)
		l.Email, l.MarketingConsent = email, true
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := e.store.CreateLead(e.ctx, l, nil, nil); err != nil {
				e.t.Errorf("form: %v", err)
			}
		})
		wg.Go(func() {
			if _, err := other.WithdrawConsent(e.ctx, chatops.ConsentWithdrawal{Action: chatops.ActionUnsubscribe, EmailKey: email}); err != nil {
				e.t.Errorf("withdrawal: %v", err)
			}
		})
		wg.Wait()
		if stored, err := e.store.LeadBySession(e.ctx, l.SessionID); err != nil || stored.MarketingConsent {
			e.t.Fatalf("after both the lead is %+v, %v", stored, err)
		}
	}
}
