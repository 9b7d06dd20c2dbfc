package storetest

import (
	"fmt"
	"strings"
	"sync"

	"chatops/internal/chatops"
)

func withdrawCases() []testCase {
	return []testCase{
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
