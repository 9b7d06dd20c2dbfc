package storetest

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"chatops/internal/chatops"
)

func consentCases() []testCase {
	return []testCase{
		{"SetSessionConsent_OfANewSession_MakesItsConversation", sessionConsentNew},
		{"SetSessionConsent_ChangesConversationAndLead", sessionConsentChanges},
		{"SetSessionConsent_SaysWhetherItWasSaidBefore", sessionConsentSame},
		{"SetSessionConsent_MakesAnOlderTurnConflict", sessionConsentTurn},
		{"SetSessionConsent_OfABadSession_IsInvalid", sessionConsentInvalid},
		{"SetSessionConsent_ByManyAtOnce_MakesOneConversation", sessionConsentParallel},
		{"Consent_WhoseAuditCannotBeWritten_IsNotChanged", consentNoAudit},
		{"ConsentStatus_TellsWhatIsKnown", consentStatus},
		{"ConsentStatus_OfAnUnknownAddress_IsNotFound", consentUnknown},
		{"Origin_IsClippedAndKept", consentOrigin},
	}
}

const anna = "anna@example.pl"

// consenting is a first turn with all consent, and a lead with it.
func consenting(session, email string) *chatops.Turn {
	t := leadTurn(session)
	t.Conversation.Email, t.Conversation.Facts.Email, t.Lead.Email = email, email, email
	t.Conversation.MarketingConsent, t.Conversation.RODOConsent = true, true
	t.Lead.MarketingConsent, t.Lead.RODOConsent = true, true
	return t
}

// consentingLead stores a lead of a form with all consent.
func (e *env) consentingLead(email string) *chatops.Lead {
	e.t.Helper()
	l := lead("")
	l.Email, l.MarketingConsent, l.RODOConsent = email, true, true
	return e.create(l)
}

// withdraw withdraws consent of an address.
func (e *env) withdraw(action chatops.ConsentAction, key string) int {
	e.t.Helper()
	n, err := e.store.WithdrawConsent(e.ctx, chatops.ConsentWithdrawal{Action: action, EmailKey: key})
	e.must(err)
	return n
}

// wantFlags ends the test unless the session's conversation and lead have the
// flags.
func (e *env) wantFlags(session string, marketing, rodo bool) {
	e.t.Helper()
	c := mustLoad(e, session)
	if c.MarketingConsent != marketing || c.RODOConsent != rodo {
		e.t.Fatalf("conversation %s has marketing %v, rodo %v; want %v, %v", session, c.MarketingConsent, c.RODOConsent, marketing, rodo)
	}
	if c.LeadID != 0 {
		e.wantLeadFlags(c.LeadID, marketing, rodo)
	}
}

func (e *env) wantLeadFlags(id int64, marketing, rodo bool) {
	e.t.Helper()
	if l := e.stored(id); l.MarketingConsent != marketing || l.RODOConsent != rodo {
		e.t.Fatalf("lead %d has marketing %v, rodo %v; want %v, %v", id, l.MarketingConsent, l.RODOConsent, marketing, rodo)
	}
}

// audited counts the rows of the audit log that meet a condition.
func (e *env) audited(condition string) int64 {
	e.t.Helper()
	return e.count(`SELECT COUNT(*) FROM consent_audit_log WHERE ` + condition)
}

// wantAudited ends the test unless as many rows meet the condition.
func (e *env) wantAudited(condition string, want int64) {
	e.t.Helper()
	if n := e.audited(condition); n != want {
		e.t.Fatalf("%d audit rows with %s, want %d", n, condition, want)
	}
}

func (e *env) setSession(session string, rodo bool) bool {
	e.t.Helper()
	same, err := e.store.SetSessionConsent(e.ctx, session, rodo, true, chatops.ConsentOrigin{})
	e.must(err)
	return same
}

func sessionConsentNew(e *env) {
	before := e.clock.Peek()
	same, err := e.store.SetSessionConsent(e.ctx, "new", true, false, chatops.ConsentOrigin{IPAddress: "192.0.2.1"})
	e.must(err)
	c := mustLoad(e, "new")
	if same || !c.RODOConsent || c.MarketingConsent || c.Version != 1 || c.StartedAt.Before(before) || c.Facts != (chatops.Facts{}) {
		e.t.Fatalf("said before: %v; made %+v", same, *c)
	}
	_, err = e.store.SetSessionConsent(e.ctx, "new-2", false, true, chatops.ConsentOrigin{})
	e.must(err)
	e.wantFlags("new-2", true, false)
	e.wantAudited(fmt.Sprintf(`action = 'rodo_consent_given' AND conversation_id = %d AND lead_id IS NULL AND email = ''
		AND ip_address = '192.0.2.1' AND user_agent IS NULL AND reason IS NULL`, c.ID), 1)
	e.wantAudited(`action = 'rodo_consent_withdrawn'`, 1)

	t := turn("new") // loaded before the conversation was made
	_, err = e.store.SaveTurn(e.ctx, t)
	e.wantCode(err, chatops.CodeConflict)
	t.Conversation = *c
	e.save(t)
	e.wantFlags("new", false, true)
}

func sessionConsentChanges(e *env) {
	_, c := e.save(consenting("changes", anna))
	lead := e.stored(c.LeadID)
	e.setSession("changes", false)
	e.wantFlags("changes", true, false) // marketing is another matter
	e.wantAudited(fmt.Sprintf(`action = 'rodo_consent_withdrawn' AND conversation_id = %d AND lead_id = %d AND email = '%s'`, c.ID, lead.ID, anna), 1)
	if got := e.stored(lead.ID); !got.UpdatedAt.After(lead.UpdatedAt) {
		e.t.Fatalf("updated_at of the lead stayed %v", got.UpdatedAt)
	}
	e.setSession("changes", true)
	e.wantFlags("changes", true, true)
	if n := e.count(`SELECT COUNT(*) FROM suppression`); n != 0 {
		e.t.Fatalf("a session's RODO consent made %d suppressions", n)
	}
}

func sessionConsentSame(e *env) {
	e.save(consenting("same", anna)) // has the flag, perhaps by default
	for i, step := range []struct{ rodo, same bool }{
		{true, false}, {true, true}, {false, false}, {false, true}, {true, false},
	} {
		if same := e.setSession("same", step.rodo); same != step.same {
			e.t.Fatalf("step %d: consent %v was said before: %v, want %v", i, step.rodo, same, step.same)
		}
	}
	e.wantAudited(`action LIKE 'rodo%'`, 5)
	e.withdraw(chatops.ActionRevoke, anna)
	if e.setSession("same", true) {
		e.t.Fatal("consent that was revoked meanwhile counts as said before")
	}
	if e.setSession("another", true) {
		e.t.Fatal("another session has said it before")
	}
}

func sessionConsentTurn(e *env) {
	_, c := e.save(consenting("turn", anna))
	e.setSession("turn", false)
	late := &chatops.Turn{Conversation: *c, UserMessage: "u", BotMessage: "b", Lead: consenting("turn", anna).Lead}
	_, err := e.store.SaveTurn(e.ctx, late)
	e.wantCode(err, chatops.CodeConflict)
	e.wantFlags("turn", true, false)
}

func sessionConsentInvalid(e *env) {
	for _, session := range []string{"", strings.Repeat("ł", 256)} {
		_, err := e.store.SetSessionConsent(e.ctx, session, true, true, chatops.ConsentOrigin{})
		e.wantCode(err, chatops.CodeInvalid)
	}
	e.wantAudited(`1 = 1`, 0)
	e.setSession(strings.Repeat("ł", 255), true)
}

func sessionConsentParallel(e *env) {
	said := func(session string, rodoFunc func(i int) bool) (first int) {
		stores := []chatops.Store{e.store, e.open()}
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				same, err := stores[i%2].SetSessionConsent(e.ctx, session, rodoFunc(i), true, chatops.ConsentOrigin{})
				if err != nil {
					e.t.Errorf("consent: %v", err)
				}
				mu.Lock()
				defer mu.Unlock()
				if !same {
					first++
				}
			})
		}
		wg.Wait()
		return first
	}
	said("many", func(i int) bool { return i%3 > 0 })
	e.wantAudited(`action LIKE 'rodo%'`, 8)
	given := e.count(`SELECT COUNT(*) FROM consent_audit_log WHERE action = 'rodo_consent_given'
		AND id = (SELECT MAX(id) FROM consent_audit_log)`)
	e.wantFlags("many", true, given == 1)
	for i := range 4 {
		session := fmt.Sprintf("known-%d", i)
		e.save(turn(session))
		if first := said(session, func(int) bool { return true }); first != 1 {
			e.t.Fatalf("%d of 8 parallel requests were the first, want 1", first)
		}
	}
}

func consentNoAudit(e *env) {
	_, c := e.save(consenting("audit", anna))
	e.exec(`ALTER TABLE consent_audit_log RENAME TO hidden`)
	_, err := e.store.WithdrawConsent(e.ctx, chatops.ConsentWithdrawal{Action: chatops.ActionRevoke, EmailKey: anna})
	if err == nil {
		e.t.Fatal("consent was withdrawn without an audit row")
	}
	if _, err = e.store.SetSessionConsent(e.ctx, "audit", false, false, chatops.ConsentOrigin{}); err == nil {
		e.t.Fatal("a session's consent was changed without an audit row")
	}
	if _, err = e.store.SetSessionConsent(e.ctx, "audit-2", true, true, chatops.ConsentOrigin{}); err == nil {
		e.t.Fatal("a new session's consent was stored without an audit row")
	}
	e.wantFlags("audit", true, true)
	if now := mustLoad(e, "audit"); now.Version != c.Version {
		e.t.Fatalf("the version moved from %d to %d", c.Version, now.Version)
	}
	_, err = e.store.Conversation(e.ctx, "audit-2")
	e.wantCode(err, chatops.CodeNotFound)
	if n := e.count(`SELECT COUNT(*) FROM suppression`); n != 0 {
		e.t.Fatalf("%d suppressions stored", n)
	}
	e.exec(`ALTER TABLE hidden RENAME TO consent_audit_log`)
	if n := e.withdraw(chatops.ActionRevoke, anna); n != 2 {
		e.t.Fatalf("afterwards %d rows were changed, want 2", n)
	}
}

func consentStatus(e *env) {
	wantStatus := func(key string, want chatops.ConsentStatus) {
		e.t.Helper()
		got, err := e.store.ConsentStatus(e.ctx, key)
		e.must(err)
		if (got.LastAction == "") != got.LastActionAt.IsZero() {
			e.t.Fatalf("last action %q at %v", got.LastAction, got.LastActionAt)
		}
		if age := e.clock.Peek().Sub(got.LastActionAt); got.LastAction != "" && (age < 0 || age > time.Minute) {
			e.t.Fatalf("last action at %v, now %v", got.LastActionAt, e.clock.Peek())
		}
		got.LastActionAt = time.Time{}
		if *got != want {
			e.t.Fatalf("status %+v, want %+v", *got, want)
		}
	}
	e.save(consenting("a", "Anna@Example.pl"))
	wantStatus(anna, chatops.ConsentStatus{MarketingConsent: true, RODOConsent: true})
	t := consenting("b", anna)
	t.Conversation.MarketingConsent = false
	e.save(t)
	wantStatus(anna, chatops.ConsentStatus{RODOConsent: true})
	e.setSession("a", false)
	wantStatus(anna, chatops.ConsentStatus{LastAction: chatops.ActionRODOWithdraw})
	e.setSession("a", true)
	wantStatus(anna, chatops.ConsentStatus{RODOConsent: true, LastAction: chatops.ActionRODOGiven})
	e.withdraw(chatops.ActionUnsubscribe, anna)
	wantStatus(anna, chatops.ConsentStatus{IsUnsubscribed: true, RODOConsent: true, LastAction: chatops.ActionUnsubscribe})
	e.setSession("a", true)
	wantStatus(anna, chatops.ConsentStatus{IsUnsubscribed: true, RODOConsent: true, LastAction: chatops.ActionRODOGiven})
	e.withdraw(chatops.ActionRevoke, anna)
	wantStatus(anna, chatops.ConsentStatus{IsUnsubscribed: true, LastAction: chatops.ActionRevoke})

	e.consentingLead("form@example.pl")
	wantStatus("form@example.pl", chatops.ConsentStatus{MarketingConsent: true, RODOConsent: true})
	e.exec(`INSERT INTO suppression (email_key, scope) VALUES ('only@example.pl', 'marketing')`)
	wantStatus("only@example.pl", chatops.ConsentStatus{IsUnsubscribed: true})
	// An older program has left its audit row only.
	e.exec(fmt.Sprintf(`INSERT INTO consent_audit_log (email, action, timestamp) VALUES ('Old@example.pl', 'unsubscribe', '%s')`,
		e.clock.Peek().Add(-time.Second).Format(sqlTime)))
	wantStatus("old@example.pl", chatops.ConsentStatus{IsUnsubscribed: true, LastAction: chatops.ActionUnsubscribe})
}

func consentUnknown(e *env) {
	e.save(consenting("a", anna))
	e.save(consenting("bare", ""))
	e.exec(`INSERT INTO consent_audit_log (email, action) VALUES ('', 'unsubscribe')`)
	for _, key := range []string{"nobody@example.pl", "", "%", "_nna@example.pl", "anna@example.pl "} {
		_, err := e.store.ConsentStatus(e.ctx, key)
		e.wantCode(err, chatops.CodeNotFound)
	}
}

func consentOrigin(e *env) {
	long := strings.Repeat("ż", 2000)
	o := chatops.ConsentOrigin{IPAddress: long, UserAgent: "x\x00'; --" + long, Reason: long}
	_, err := e.store.SetSessionConsent(e.ctx, "origin", true, true, o)
	e.must(err)
	_, err = e.store.WithdrawConsent(e.ctx, chatops.ConsentWithdrawal{Action: chatops.ActionUnsubscribe, EmailKey: anna, Origin: o})
	e.must(err)
	e.wantAudited(`length(ip_address) = 50 AND length(user_agent) = 500 AND length(reason) = 1000`, 2)
	e.withdraw(chatops.ActionUnsubscribe, anna)
	e.wantAudited(`ip_address IS NULL AND user_agent IS NULL AND reason IS NULL`, 1)
}
