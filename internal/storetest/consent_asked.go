package storetest

import (
	"strings"

	"chatops/internal/chatops"
)

func askedCases() []testCase {
	return []testCase{
		{"GrantConsent_AskedForBeforeAWithdrawal_IsVoid", askedBefore},
		{"GrantConsent_AskedForBeforeAnErasure_IsVoid", askedErased},
		{"WithdrawalMark_ChangesWithWithdrawalsOnly", withdrawalMark},
	}
}

// mark is the withdrawal mark of an address.
func (e *env) mark(key string) string {
	e.t.Helper()
	m, err := e.store.WithdrawalMark(e.ctx, key)
	e.must(err)
	if m == "" || strings.ContainsAny(m, " \t\n") || len(m) > 60 {
		e.t.Fatalf("the mark is %q", m)
	}
	return m
}

// confirm gives marketing consent as somebody does who was asked when the mark
// was this.
func (e *env) confirm(key, mark string) error {
	_, err := e.store.GrantConsent(e.ctx, chatops.ConsentGrant{EmailKey: key, Marketing: true, AskedAt: mark})
	return err
}

func askedBefore(e *env) {
	e.save(consenting("asked", "Anna@Example.pl"))
	e.withdraw(chatops.ActionUnsubscribe, anna)
	first := e.mark(anna)
	for _, withdraw := range []func(){
		func() { e.withdraw(chatops.ActionUnsubscribe, anna) }, // again, though the flags are off already
		func() { e.withdraw(chatops.ActionRevoke, anna) },
		func() {
			c := mustLoad(e, "asked")
			_, err := e.store.WithdrawConsent(e.ctx, chatops.ConsentWithdrawal{Action: chatops.ActionUnsubscribe, ConversationID: c.ID})
			e.must(err)
		},
		func() { e.saying("asked", says(chatops.KindMarketing, false, true, nil)) },
	} {
		asked := e.mark(anna)
		withdraw()
		e.wantCode(e.confirm(anna, asked), chatops.CodeConflict)
		e.wantCode(e.confirm(anna, first), chatops.CodeConflict)
	}
	if c := mustLoad(e, "asked"); c.MarketingConsent {
		e.t.Fatal("a void confirmation gave consent")
	}
	e.wantSuppressed(anna, "all")
	e.wantAudited(`action = 'consent_given'`, 0)
	asked := e.mark(anna)
	for range 2 { // a link may be opened twice
		e.must(e.confirm(anna, asked))
	}
	if c := mustLoad(e, "asked"); !c.MarketingConsent {
		e.t.Fatal("the confirmation gave no consent")
	}
	e.withdraw(chatops.ActionUnsubscribe, anna)
	e.wantCode(e.confirm(anna, asked), chatops.CodeConflict)
	e.must(e.confirm(anna, "")) // said to an operator, after it all
}

func askedErased(e *env) {
	e.known("erased", anna)
	asked := e.mark(anna)
	_, err := e.store.ErasePerson(e.ctx, chatops.Erasure{EmailKey: anna})
	e.must(err)
	e.wantCode(e.confirm(anna, asked), chatops.CodeConflict)
	if n := e.count(`SELECT COUNT(*) FROM suppression`); n == 0 {
		e.t.Fatal("the tombstone is gone")
	}
	e.must(e.confirm(anna, e.mark(anna))) // asked for by somebody who came back
}

func withdrawalMark(e *env) {
	unknown := e.mark("nobody@example.pl")
	e.save(consenting("a", anna))
	before := e.mark(anna)
	e.setSession("a", false)
	e.setSession("a", true)
	e.withdraw(chatops.ActionRevoke, "ewa@example.pl")
	e.withdraw(chatops.ActionRevoke, "anna+x@example.pl")
	e.must(e.confirm(anna, before))
	e.saying("a", says(chatops.KindMarketing, true, false, nil), says(chatops.KindRODO, false, true, nil))
	if now := e.mark(anna); now != before || unknown != before {
		e.t.Fatalf("the mark became %q from %q, that of a stranger is %q", now, before, unknown)
	}
	e.withdraw(chatops.ActionUnsubscribe, anna)
	if now := e.mark(anna); now == before {
		e.t.Fatalf("the mark stayed %q", now)
	}
	_, err := e.store.WithdrawalMark(e.ctx, "")
	e.wantCode(err, chatops.CodeInvalid)
}
