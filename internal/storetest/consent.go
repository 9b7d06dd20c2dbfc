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
		{"WithdrawConsent_ReachesEverythingOfTheAddress", withdrawAddress},
		{"WithdrawConsent_OfLettersOutsideASCII_IgnoresCase", withdrawCase},
		{"WithdrawConsent_Repeated_ChangesNothingAndIsOnRecord", withdrawAgain},
		{"WithdrawConsent_NeverNarrowsASuppression", withdrawScope},
		{"WithdrawConsent_ByConversationOrLead_FindsTheAddress", withdrawByID},
		{"WithdrawConsent_WithoutAnAddress_ChangesAtMostItself", withdrawNoAddress},
		{"WithdrawConsent_OfNobody_IsInvalid", withdrawInvalid},
		{"WithdrawConsent_IsNotUndoneByAnOlderTurn", withdrawOldTurn},
		{"WithdrawConsent_OfALeadOnly_IsNotUndoneByItsConversation", withdrawLeadOnly},
		{"WithdrawConsent_AmongTurns_IsNeverUndone", withdrawRace},
		{"WithdrawConsent_ByManyAtOnce_Succeeds", withdrawParallel},
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

func withdrawAddress(e *env) {
	for session, email := range map[string]string{"a": anna, "b": "Anna@Example.PL", "c": "ANNA@EXAMPLE.PL", "other": "annax@example.pl"} {
		e.save(consenting(session, email))
	}
	e.save(consenting("wild", "anna_example.pl"))
	form := e.consentingLead("aNNa@example.pl")
	e.save(turn("nobody"))
	if n := e.withdraw(chatops.ActionUnsubscribe, anna); n != 7 {
		e.t.Fatalf("changed %d conversations and leads, want 7", n)
	}
	for _, session := range []string{"a", "b", "c"} {
		e.wantFlags(session, false, true)
	}
	e.wantLeadFlags(form.ID, false, true)
	e.wantFlags("other", true, true)
	e.wantFlags("wild", true, true)
	e.wantSuppressed(anna, "marketing")
	e.wantAudited(`action = 'unsubscribe' AND email = 'anna@example.pl' AND conversation_id IS NULL AND lead_id IS NULL`, 1)

	if n := e.withdraw(chatops.ActionRevoke, anna); n != 7 {
		e.t.Fatalf("revoking changed %d conversations and leads, want 7", n)
	}
	for _, session := range []string{"a", "b", "c"} {
		e.wantFlags(session, false, false)
	}
	e.wantLeadFlags(form.ID, false, false)
	e.wantFlags("other", true, true)
	e.wantSuppressed(anna, "all")
	if n := e.withdraw(chatops.ActionUnsubscribe, "stranger@example.pl"); n != 0 {
		e.t.Fatalf("a stranger's withdrawal changed %d rows", n)
	}
	e.wantSuppressed("stranger@example.pl", "marketing")
	e.wantAudited(`email = 'stranger@example.pl'`, 1)
}

func (e *env) wantSuppressed(key, scope string) {
	e.t.Helper()
	n := e.count(fmt.Sprintf(`SELECT COUNT(*) FROM suppression WHERE email_key = '%s' AND scope = '%s'`, key, scope))
	if n != 1 {
		e.t.Fatalf("%d suppressions of scope %s for the address, want 1", n, scope)
	}
}

func withdrawCase(e *env) {
	for i, email := range []string{"łucja.żak@example.pl", "ŁUCJA.ŻAK@EXAMPLE.PL", "Łucja.Żak@example.pl"} {
		e.save(consenting(fmt.Sprintf("case-%d", i), email))
	}
	if n := e.withdraw(chatops.ActionRevoke, "łucja.żak@example.pl"); n != 6 {
		e.t.Fatalf("changed %d conversations and leads, want 6", n)
	}
	st, err := e.store.ConsentStatus(e.ctx, "łucja.żak@example.pl")
	e.must(err)
	if !st.IsUnsubscribed || st.MarketingConsent || st.RODOConsent {
		e.t.Fatalf("status is %+v", *st)
	}
}

func withdrawAgain(e *env) {
	_, c := e.save(consenting("again", anna))
	e.withdraw(chatops.ActionRevoke, anna)
	version := mustLoad(e, "again").Version
	if version <= c.Version {
		e.t.Fatalf("version stayed %d", version)
	}
	for range 5 {
		if n := e.withdraw(chatops.ActionRevoke, anna); n != 0 {
			e.t.Fatalf("a repeated withdrawal changed %d rows", n)
		}
	}
	if v := mustLoad(e, "again").Version; v != version {
		e.t.Fatalf("repeated withdrawals moved the version from %d to %d", version, v)
	}
	e.wantAudited(`action = 'revoke_consent' AND email = 'anna@example.pl'`, 6)
	e.wantSuppressed(anna, "all")
}

func withdrawScope(e *env) {
	e.withdraw(chatops.ActionRevoke, anna)
	e.withdraw(chatops.ActionUnsubscribe, anna)
	e.wantSuppressed(anna, "all")
	if n := e.count(`SELECT COUNT(*) FROM suppression`); n != 1 {
		e.t.Fatalf("%d suppressions of one address", n)
	}
}

func withdrawByID(e *env) {
	_, a := e.save(consenting("a", "Anna@example.pl"))
	e.save(consenting("b", anna))
	n, err := e.store.WithdrawConsent(e.ctx, chatops.ConsentWithdrawal{Action: chatops.ActionUnsubscribe, ConversationID: a.ID})
	e.must(err)
	if n != 4 {
		e.t.Fatalf("by the conversation %d rows were changed, want 4", n)
	}
	e.wantFlags("a", false, true)
	e.wantFlags("b", false, true)
	e.wantSuppressed(anna, "marketing")
	e.wantAudited(fmt.Sprintf(`email = 'anna@example.pl' AND conversation_id = %d AND lead_id IS NULL`, a.ID), 1)

	l := e.consentingLead(" JAN@example.pl ")
	e.save(consenting("jan", "jan@example.pl"))
	n, err = e.store.WithdrawConsent(e.ctx, chatops.ConsentWithdrawal{Action: chatops.ActionRevoke, LeadID: l.ID})
	e.must(err)
	if n != 3 {
		e.t.Fatalf("by the lead %d rows were changed, want 3", n)
	}
	e.wantLeadFlags(l.ID, false, false)
	e.wantFlags("jan", false, false)
	e.wantSuppressed("jan@example.pl", "all")
	e.wantAudited(fmt.Sprintf(`email = 'jan@example.pl' AND lead_id = %d AND conversation_id IS NULL`, l.ID), 1)
}

func withdrawNoAddress(e *env) {
	t := consenting("bare", "")
	_, bare := e.save(t)
	other := e.consentingLead("")
	for i, w := range []struct {
		w    chatops.ConsentWithdrawal
		want int
	}{
		{chatops.ConsentWithdrawal{ConversationID: bare.ID}, 1},
		{chatops.ConsentWithdrawal{ConversationID: 999_999}, 0},
		{chatops.ConsentWithdrawal{LeadID: -1}, 0},
		{chatops.ConsentWithdrawal{LeadID: other.ID}, 1},
	} {
		w.w.Action = chatops.ActionUnsubscribe
		n, err := e.store.WithdrawConsent(e.ctx, w.w)
		e.must(err)
		if n != w.want {
			e.t.Fatalf("withdrawal %d changed %d rows, want %d", i, n, w.want)
		}
	}
	if c := mustLoad(e, "bare"); c.MarketingConsent || !c.RODOConsent {
		e.t.Fatalf("the named conversation has %+v", *c)
	}
	e.wantLeadFlags(bare.LeadID, true, true)
	e.wantLeadFlags(other.ID, false, true)
	e.wantAudited(`email = '' AND action = 'unsubscribe'`, 4)
	if n := e.count(`SELECT COUNT(*) FROM suppression`); n != 0 {
		e.t.Fatalf("%d suppressions of no address", n)
	}
}

func withdrawInvalid(e *env) {
	for _, w := range []chatops.ConsentWithdrawal{
		{Action: chatops.ActionRevoke}, {EmailKey: anna}, {Action: chatops.ActionRODOWithdraw, EmailKey: anna},
		{Action: chatops.ActionRevoke, EmailKey: strings.Repeat("a", 256)},
	} {
		_, err := e.store.WithdrawConsent(e.ctx, w)
		e.wantCode(err, chatops.CodeInvalid)
	}
	e.wantAudited(`1 = 1`, 0)
}

func withdrawOldTurn(e *env) {
	_, c := e.save(consenting("old", anna))
	bare := consenting("bare", anna)
	bare.Lead, bare.Alerts = nil, nil
	_, alone := e.save(bare)
	e.withdraw(chatops.ActionRevoke, anna)
	late := consenting("old", anna)
	for session, old := range map[string]*chatops.Conversation{"bare": alone, "old": c} {
		late := consenting(session, anna)
		late.Conversation = *old
		_, err := e.store.SaveTurn(e.ctx, late)
		e.wantCode(err, chatops.CodeConflict)
		e.wantFlags(session, false, false)
	}

	// Repeated on the new state, it stores what holds now.
	late.Conversation = *mustLoad(e, "old")
	late.Lead.MarketingConsent, late.Lead.RODOConsent = late.Conversation.MarketingConsent, late.Conversation.RODOConsent
	e.save(late)
	e.wantFlags("old", false, false)
	// Not even a lead that claims consent gets it back.
	late = consenting("old", anna)
	late.Conversation = *mustLoad(e, "old")
	e.save(late)
	e.wantFlags("old", false, false)
}

// withdrawLeadOnly withdraws for leads whose conversation has another address,
// or where the lead itself was named.
func withdrawLeadOnly(e *env) {
	t := consenting("moved", "new@example.pl")
	t.Lead.Email = anna
	_, moved := e.save(t)
	_, named := e.save(consenting("named", ""))
	if n := e.withdraw(chatops.ActionUnsubscribe, anna); n != 1 {
		e.t.Fatalf("changed %d rows, want the lead", n)
	}
	_, err := e.store.WithdrawConsent(e.ctx, chatops.ConsentWithdrawal{Action: chatops.ActionRevoke, LeadID: named.LeadID})
	e.must(err)
	for session, old := range map[string]*chatops.Conversation{"moved": moved, "named": named} {
		late := consenting(session, old.Email)
		late.Conversation = *old
		_, err := e.store.SaveTurn(e.ctx, late)
		e.wantCode(err, chatops.CodeConflict)
		late.Conversation = *mustLoad(e, session)
		if !late.Conversation.MarketingConsent || !late.Conversation.RODOConsent {
			e.t.Fatalf("conversation %s lost a consent that nobody withdrew", session)
		}
		e.save(late)
	}
	e.wantLeadFlags(moved.LeadID, false, true)
	e.wantLeadFlags(named.LeadID, false, false)
}

// chatOn plays turns of a session, each loaded, changed and stored again after
// a conflict as the chat service does.
func (e *env) chatOn(s chatops.Store, session string, turns int, started func()) {
	for i := range turns {
		for e.ctx.Err() == nil {
			c, err := s.Conversation(e.ctx, session)
			if err != nil {
				e.t.Errorf("load: %v", err)
				return
			}
			if i == 1 {
				started()
			}
			t := consenting(session, c.Email)
			t.Conversation, t.Alerts = *c, nil
			t.Lead.MarketingConsent, t.Lead.RODOConsent = c.MarketingConsent, c.RODOConsent
			_, err = s.SaveTurn(e.ctx, t)
			if chatops.ErrorCode(err) == chatops.CodeConflict {
				continue
			}
			if err != nil {
				e.t.Errorf("save: %v", err)
				return
			}
			break
		}
	}
}

func withdrawRace(e *env) {
	stores := []chatops.Store{e.store, e.open()}
	for round := range 4 {
		key := fmt.Sprintf("race-%d@example.pl", round)
		var sessions []string
		for i := range 3 {
			session := fmt.Sprintf("race-%d-%d", round, i)
			e.save(consenting(session, key))
			sessions = append(sessions, session)
		}
		var wg, ready sync.WaitGroup
		ready.Add(len(sessions))
		for i, session := range sessions {
			wg.Go(func() { e.chatOn(stores[i%2], session, 6, sync.OnceFunc(ready.Done)) })
		}
		for i := range 2 {
			wg.Go(func() {
				ready.Wait()
				w := chatops.ConsentWithdrawal{Action: chatops.ActionRevoke, EmailKey: key}
				if _, err := stores[i].WithdrawConsent(e.ctx, w); err != nil {
					e.t.Errorf("withdraw: %v", err)
				}
			})
		}
		wg.Wait()
		for _, session := range sessions {
			e.wantFlags(session, false, false)
		}
	}
}

// withdrawParallel withdraws for addresses that share rows in several ways.
func withdrawParallel(e *env) {
	for i := range 6 {
		t := consenting(fmt.Sprintf("p-%d", i), fmt.Sprintf("p%d@example.pl", i%3))
		t.Lead.Email = fmt.Sprintf("p%d@example.pl", (i+1)%3)
		e.save(t)
	}
	stores := []chatops.Store{e.store, e.open()}
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			w := chatops.ConsentWithdrawal{Action: chatops.ActionRevoke, EmailKey: fmt.Sprintf("p%d@example.pl", i%3)}
			if _, err := stores[i%2].WithdrawConsent(e.ctx, w); err != nil {
				e.t.Errorf("withdraw: %v", err)
			}
		})
	}
	wg.Wait()
	for i := range 6 {
		e.wantFlags(fmt.Sprintf("p-%d", i), false, false)
	}
	e.wantAudited(`action = 'revoke_consent'`, 12)
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
