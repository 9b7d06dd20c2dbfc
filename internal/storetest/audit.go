package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"

	"chatops/internal/chatops"
	"chatops/internal/consent"
)

func auditCases() []testCase {
	return []testCase{
		{"Audit_OfEveryChange_IsAppendedToTheChain", auditAppends},
		{"Audit_ByManyAtOnce_IsOneChain", auditParallel},
		{"Audit_OfAnOlderProgram_IsReadWithoutANumber", auditOlder},
		{"Audit_RefusesToBeChanged", auditRefuses},
		{"EachAuditEntry_PagesAndEndsWithTheFirstError", auditPages},
		{"Audit_WhoseHeadIsGone_TakesNothing", auditHeadless},
	}
}

// entries reads the whole audit log.
func (e *env) entries() []chatops.AuditEntry {
	e.t.Helper()
	var list []chatops.AuditEntry
	e.must(e.store.EachAuditEntry(e.ctx, func(a *chatops.AuditEntry) error {
		list = append(list, *a)
		return nil
	}))
	return list
}

// wantChain ends the test unless the log is one whole chain with a head; ids and
// numbers rise together.
func (e *env) wantChain(rows int) []chatops.AuditEntry {
	e.t.Helper()
	list := e.entries()
	head, err := e.store.AuditHead(e.ctx)
	e.must(err)
	if len(list) != rows || head.Number != int64(rows) {
		e.t.Fatalf("%d rows and head %d, want %d", len(list), head.Number, rows)
	}
	for i, a := range list {
		if a.Number != int64(i+1) || len(a.Commitment) != 32 || len(a.Hash) != 32 || a.At.IsZero() {
			e.t.Fatalf("row %d is %+v", i, a)
		}
	}
	if rows > 0 && !bytes.Equal(head.Hash, list[rows-1].Hash) {
		e.t.Fatal("the head is not the last row's hash")
	}
	report, err := consent.Verify(e.ctx, e.store)
	e.must(err)
	if !report.OK() {
		e.t.Fatalf("the chain does not verify: %+v", report.Findings)
	}
	return list
}

func auditAppends(e *env) {
	if list := e.wantChain(0); len(list) != 0 {
		e.t.Fatalf("%d rows", len(list))
	}
	before := e.clock.Peek()
	_, c := e.save(consenting("a", "Łucja@Example.pl"))
	o := chatops.ConsentOrigin{IPAddress: "2001:db8::1", UserAgent: "Mozilla \x00 'ł' \u2028", Reason: strings.Repeat("ż", 3000)}
	_, err := e.store.SetSessionConsent(e.ctx, "a", false, true, o)
	e.must(err)
	_, err = e.store.WithdrawConsent(e.ctx, chatops.ConsentWithdrawal{Action: chatops.ActionRevoke, ConversationID: c.ID, Origin: o})
	e.must(err)
	e.withdraw(chatops.ActionUnsubscribe, "nobody@example.pl")
	list := e.wantChain(3)
	want := []chatops.AuditEntry{
		{ConversationID: c.ID, LeadID: c.LeadID, Action: chatops.ActionRODOWithdraw, Email: "Łucja@Example.pl"},
		{ConversationID: c.ID, Action: chatops.ActionRevoke, Email: "łucja@example.pl"},
		{Action: chatops.ActionUnsubscribe, Email: "nobody@example.pl"},
	}
	for i, a := range list {
		clipped := chatops.ConsentOrigin{}
		if i < 2 {
			clipped = o.Clipped()
		}
		got := chatops.AuditEntry{ConversationID: a.ConversationID, LeadID: a.LeadID, Action: a.Action, Email: a.Email}
		origin := chatops.ConsentOrigin{IPAddress: a.IPAddress, UserAgent: a.UserAgent, Reason: a.Reason}
		if fmt.Sprint(got) != fmt.Sprint(want[i]) || origin != clipped || a.At.Before(before) || a.At.After(e.clock.Peek()) || len(a.Salt) < 16 {
			e.t.Fatalf("row %d is %+v", i, a)
		}
	}
}

func auditParallel(e *env) {
	stores := []chatops.Store{e.store, e.open()}
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			w := chatops.ConsentWithdrawal{Action: chatops.ActionUnsubscribe, EmailKey: fmt.Sprintf("p%d@example.pl", i)}
			if _, err := stores[i%2].WithdrawConsent(e.ctx, w); err != nil {
				e.t.Errorf("withdraw: %v", err)
			}
		})
	}
	wg.Wait()
	e.wantChain(12)
}

func auditOlder(e *env) {
	e.withdraw(chatops.ActionUnsubscribe, anna)
	e.exec(`INSERT INTO consent_audit_log (email, action) VALUES ('old@example.pl', 'unsubscribe')`)
	e.withdraw(chatops.ActionUnsubscribe, anna)
	list := e.entries()
	if len(list) != 3 || list[1].Number != 0 || list[1].Hash != nil || list[1].Email != "old@example.pl" || list[2].Number != 2 {
		e.t.Fatalf("rows are %+v", list)
	}
}

func auditRefuses(e *env) {
	e.withdraw(chatops.ActionUnsubscribe, anna)
	e.exec(`INSERT INTO consent_audit_log (email, action, reason) VALUES ('old@example.pl', 'unsubscribe', 'x')`)
	before := fmt.Sprint(e.entries())
	erase := `UPDATE consent_audit_log SET email = '', salt = NULL, ip_address = NULL, user_agent = NULL, reason = NULL, notes = NULL`
	for _, statement := range []string{
		`DELETE FROM consent_audit_log`,
		`DELETE FROM consent_audit_log WHERE number IS NULL`,
		`UPDATE consent_audit_log SET email = 'x@example.pl'`,
		`UPDATE consent_audit_log SET email = ''`, // without the salt
		`UPDATE consent_audit_log SET reason = 'y', email = '', salt = NULL`,
		`UPDATE consent_audit_log SET number = 7 WHERE number IS NULL`,
		erase + `, action = 'rodo_consent_given'`,
		erase + `, hash = NULL WHERE number = 1`,
		erase + `, lead_id = 9`,
	} {
		if _, err := e.harness.SQL.ExecContext(e.ctx, statement); err == nil || !strings.Contains(err.Error(), "append-only") {
			e.t.Fatalf("%s: %v", statement, err)
		}
	}
	if after := fmt.Sprint(e.entries()); after != before {
		e.t.Fatalf("rows changed from %s to %s", before, after)
	}
	e.exec(erase) // what erasure does
	list := e.entries()
	if list[0].Email != "" || list[0].Salt != nil || len(list[0].Hash) != 32 || list[1].Reason != "" {
		e.t.Fatalf("rows are %+v", list)
	}
}

func auditPages(e *env) {
	for range 3 {
		e.withdraw(chatops.ActionUnsubscribe, anna)
	}
	stop := errors.New("enough")
	calls := 0
	err := e.store.EachAuditEntry(e.ctx, func(*chatops.AuditEntry) error {
		if calls++; calls == 2 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || calls != 2 {
		e.t.Fatalf("%v after %d calls", err, calls)
	}
	e.exec(`INSERT INTO consent_audit_log (email, action)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1100) SELECT 'old@example.pl', 'x' FROM n`)
	last := int64(0)
	list := e.entries()
	for _, a := range list {
		if a.ID <= last {
			e.t.Fatalf("id %d follows %d", a.ID, last)
		}
		last = a.ID
	}
	if len(list) != 1103 {
		e.t.Fatalf("%d rows", len(list))
	}
}

func auditHeadless(e *env) {
	e.withdraw(chatops.ActionUnsubscribe, anna)
	e.exec(`DELETE FROM consent_audit_head`)
	if _, err := e.store.WithdrawConsent(e.ctx, chatops.ConsentWithdrawal{Action: chatops.ActionRevoke, EmailKey: anna}); err == nil {
		e.t.Fatal("consent was withdrawn without a chain to put it on")
	}
	e.wantAudited(`1 = 1`, 1)
	head, err := e.store.AuditHead(e.ctx)
	e.must(err)
	if head.Number != 0 || head.Hash != nil {
		e.t.Fatalf("head is %+v", head)
	}
}
