package storetest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/consent"
)

func personCases() []testCase {
	return []testCase{
		{"Person_IsEverythingOfTheAddress", personWhole},
		{"GrantConsent_GivesAndLiftsExactlyThisAddress", personGrant},
		{"ErasePerson_LeavesNothingButATombstone", personErase},
		{"ErasePerson_OfNobody_IsNotFound", personEraseNobody},
		{"ErasePerson_MetAgain_IsLeftAlone", personMetAgain},
		{"Suppression_HoldsForTheMailbox", personMailbox},
		{"Suppression_KnowsTheLooseKeyOfEveryRow", personLooseKey},
		{"AddSuppressions_WidensAndCountsTheNew", personAddSuppressions},
		{"Change_WhoseAuditCannotBeWritten_IsUndone", personNoAudit},
		{"AccessLog_IsNewestFirst", personAccess},
		{"StoredConsentKeys_OfManyAtOnce_AreOne", personKeys},
		{"PurgePeople_RemovesWhatIsTooOld", personPurge},
	}
}

// Marks are the marks of the suite: a harness gives them to its stores.
func Marks(emailKey string) []string {
	m, err := consent.NewMarks([]chatops.ConsentKey{{ID: "suite", Secret: []byte(strings.Repeat("s", 32))}})
	if err != nil {
		return nil
	}
	return m.Of(emailKey)
}

// known stores a person with everything that can be stored of one.
func (e *env) known(session, email string) *chatops.Conversation {
	e.t.Helper()
	t := consenting(session, email)
	payload, err := json.Marshal(map[string]string{"text": "new lead " + strings.ToUpper(email)})
	e.must(err)
	t.Alerts = []chatops.NewAlert{{EventType: chatops.EventSlackAlert, Target: slackLane, Payload: payload, IdempotencyKey: session}}
	_, c := e.save(t)
	e.setSession(session, true)
	e.exec(fmt.Sprintf(`INSERT INTO followup_event (conversation_id, followup_number) VALUES (%d, 1)`, c.ID))
	e.exec(fmt.Sprintf(`UPDATE leads SET monday_item_id = '%d' WHERE id = %d`, 900+c.LeadID, c.LeadID))
	return mustLoad(e, session)
}

func personWhole(e *env) {
	c := e.known("whole", "Anna@Example.pl")
	e.save(consenting("other", "annax@example.pl"))
	e.withdraw(chatops.ActionUnsubscribe, anna)
	p, err := e.store.Person(e.ctx, anna)
	e.must(err)
	if len(p.Conversations) != 1 || len(p.Leads) != 1 || len(p.Audit) != 2 || len(p.Followups) != 1 || len(p.Alerts) != 1 || p.EmailKey != anna {
		e.t.Fatalf("person is %+v", *p)
	}
	conv := p.Conversations[0]
	if conv.ID != c.ID || conv.SessionID != "whole" || conv.Email != "Anna@Example.pl" || conv.MarketingConsent || !conv.RODOConsent ||
		len(conv.Messages) != 2 || conv.Messages[0].Sender != "user" || conv.Messages[0].At.IsZero() || conv.Context == "" {
		e.t.Fatalf("conversation is %+v", conv)
	}
	if p.Leads[0].ID != c.LeadID || p.Followups[0].Number != 1 || p.Followups[0].SentAt.IsZero() || p.Alerts[0].Target != slackLane ||
		p.Alerts[0].CreatedAt.IsZero() || p.Suppression == nil || p.Suppression.Scope != "marketing" || p.Suppression.EmailKey != anna {
		e.t.Fatalf("person is %+v with %+v", *p, p.Suppression)
	}
	for _, key := range []string{"nobody@example.pl", "", "%"} {
		_, err = e.store.Person(e.ctx, key)
		e.wantCode(err, chatops.CodeNotFound)
	}
}

func personGrant(e *env) {
	e.known("a", anna)
	e.withdraw(chatops.ActionRevoke, anna)
	e.withdraw(chatops.ActionUnsubscribe, "anna+x@example.pl")
	text := e.addText(chatops.KindRODO, "pl", "Zgadzam się.", time.Time{})
	g := chatops.ConsentGrant{EmailKey: anna, RODO: true, Text: *text, Notes: "channel=phone", Origin: chatops.ConsentOrigin{IPAddress: "192.0.2.9"}}
	n, err := e.store.GrantConsent(e.ctx, g)
	e.must(err)
	if n != 2 {
		e.t.Fatalf("changed %d rows, want 2", n)
	}
	e.wantFlags("a", false, true)
	e.wantSuppressed(anna, "marketing")
	g.Marketing = true
	n, err = e.store.GrantConsent(e.ctx, g)
	e.must(err)
	if n != 2 {
		e.t.Fatalf("changed %d rows, want 2", n)
	}
	e.wantFlags("a", true, true)
	if n := e.count(`SELECT COUNT(*) FROM suppression WHERE email_key = 'anna@example.pl'`); n != 0 {
		e.t.Fatalf("%d suppressions are left", n)
	}
	e.wantSuppressed("anna+x@example.pl", "marketing")
	e.wantAudited(fmt.Sprintf(`action = 'consent_given' AND ip_address = '192.0.2.9'
		AND notes = 'text=%d; version=1; locale=pl; marketing=true; rodo=true; channel=phone'`, text.ID), 1)
	e.wantChain(5)
	for _, bad := range []chatops.ConsentGrant{{RODO: true}, {EmailKey: anna}} {
		_, err := e.store.GrantConsent(e.ctx, bad)
		e.wantCode(err, chatops.CodeInvalid)
	}
}

func personErase(e *env) {
	c := e.known("long-session-of-anna", "Anna@Example.pl")
	e.known("of-ewa", "ewa@example.pl")
	b := e.claim(request(slackLane, true, 10))
	e.settle(b, chatops.OutcomeDelivered)
	e.withdraw(chatops.ActionRevoke, anna)
	erasure := chatops.Erasure{EmailKey: anna, DryRun: true, MondayDeletion: true, Origin: chatops.ConsentOrigin{Reason: "asked by letter"}}
	tried, err := e.store.ErasePerson(e.ctx, erasure)
	e.must(err)
	if p, err := e.store.Person(e.ctx, anna); err != nil || len(p.Conversations) != 1 {
		e.t.Fatalf("after a dry run %+v, %v", p, err)
	}
	erasure.DryRun = false
	done, err := e.store.ErasePerson(e.ctx, erasure)
	e.must(err)
	if !reflect.DeepEqual(tried.Tables, done.Tables) || len(tried.Recipients) != len(done.Recipients) {
		e.t.Fatalf("tried %+v, done %+v", tried, done)
	}
	rows := map[string]int64{}
	for _, t := range done.Tables {
		rows[t.Table] = t.Rows
	}
	for table, want := range map[string]int64{
		"chat_conversations": 1, "chat_messages": 2, "followup_event": 1, "leads": 1, "dead_letter_queue": 1,
		"delivery_attempt": 1, "consent_audit_log": 2, "suppression": 1,
	} {
		if rows[table] != want {
			e.t.Errorf("%d rows of %s, want %d", rows[table], table, want)
		}
	}
	last := done.Recipients[len(done.Recipients)-1]
	if done.Recipients[0].Name != slackLane || done.Recipients[0].Alerts != 1 || last.Name != mondayLane || last.Status != "queued" {
		e.t.Fatalf("recipients are %+v", done.Recipients)
	}
	a := e.alert(last.AlertID)
	if a.EventType != chatops.EventMondayDelete || !strings.Contains(string(a.Payload), fmt.Sprintf(`%d"`, 900+c.LeadID)) {
		e.t.Fatalf("the request to delete is %+v with %s", *a, a.Payload)
	}
	e.wantErased(c)
	_, err = e.store.ErasePerson(e.ctx, chatops.Erasure{EmailKey: anna})
	e.wantCode(err, chatops.CodeNotFound)
}

// wantErased ends the test unless nothing names anna any more, ewa is whole and
// the chain verifies.
func (e *env) wantErased(c *chatops.Conversation) {
	e.t.Helper()
	for table, columns := range map[string]string{
		"chat_conversations": "session_id || coalesce(email, '') || coalesce(CAST(context_data AS text), '')",
		"leads":              "coalesce(email, '') || coalesce(session_id, '')",
		"dead_letter_queue":  "CAST(payload AS text) || target || coalesce(idempotency_key, '')",
		"consent_audit_log":  "email || coalesce(notes, '') || coalesce(reason, '')",
		"suppression":        "email_key || loose_key", "idempotency_key": "coalesce(reply, '')",
	} {
		if n := e.count(`SELECT COUNT(*) FROM ` + table + ` WHERE lower(` + columns + `) LIKE '%anna%'`); n != 0 {
			e.t.Errorf("%d rows of %s name the person", n, table)
		}
	}
	l := e.stored(c.LeadID)
	if l.Name != "" || l.Email != "" || l.Phone != "" || l.MarketingConsent || l.RODOConsent {
		e.t.Errorf("lead is %+v", *l)
	}
	e.wantChain(4) // two sessions' consent, the withdrawal, the erasure
	e.wantAudited(`action = 'person_erased' AND email = '' AND reason = 'asked by letter' AND notes LIKE 'hmac:suite:%'`, 1)
	e.wantFlags("of-ewa", true, true)
	p, err := e.store.Person(e.ctx, "ewa@example.pl")
	e.must(err)
	if len(p.Conversations)+len(p.Leads)+len(p.Audit)+len(p.Alerts)+len(p.Followups) != 5 {
		e.t.Errorf("another person has lost something: %+v", *p)
	}
}

func personEraseNobody(e *env) {
	_, err := e.store.ErasePerson(e.ctx, chatops.Erasure{EmailKey: "nobody@example.pl"})
	e.wantCode(err, chatops.CodeNotFound)
	_, err = e.store.ErasePerson(e.ctx, chatops.Erasure{})
	e.wantCode(err, chatops.CodeInvalid)
	if n := e.count(`SELECT COUNT(*) FROM suppression`); n != 0 {
		e.t.Fatalf("%d suppressions of nobody", n)
	}
	e.wantChain(0)
}

func personMetAgain(e *env) {
	e.known("first", "jan.kowalski@gmail.com")
	_, err := e.store.ErasePerson(e.ctx, chatops.Erasure{EmailKey: "jan.kowalski@gmail.com"})
	e.must(err)
	for i, email := range []string{"Jan.Kowalski@gmail.com", "jankowalski+x@googlemail.com"} {
		session := fmt.Sprintf("again-%d", i)
		_, c := e.save(consenting(session, email))
		e.wantFlags(session, false, true)
		if e.stored(c.LeadID).MarketingConsent {
			e.t.Fatal("the new lead may be written to")
		}
		st, err := e.store.ConsentStatus(e.ctx, strings.ToLower(email))
		e.must(err)
		if !st.IsUnsubscribed || st.MarketingConsent {
			e.t.Fatalf("status is %+v", *st)
		}
		c.MarketingConsent = true // a later turn does not bring it back either
		t := &chatops.Turn{Conversation: *c, UserMessage: "u", BotMessage: "b", Lead: consenting(session, email).Lead}
		e.save(t)
		e.wantFlags(session, false, true)
	}
	_, err = e.store.GrantConsent(e.ctx, chatops.ConsentGrant{EmailKey: "jan.kowalski@gmail.com", Marketing: true})
	e.must(err)
	st, err := e.store.ConsentStatus(e.ctx, "jan.kowalski@gmail.com")
	e.must(err)
	if st.IsUnsubscribed || !st.MarketingConsent {
		e.t.Fatalf("after a grant the status is %+v", *st)
	}
}

func personMailbox(e *env) {
	e.withdraw(chatops.ActionUnsubscribe, "jan+news@xn--w-uga1v8h.pl")
	e.save(consenting("plus", "Jan@ŻÓŁW.pl"))
	e.wantFlags("plus", false, true)
	st, err := e.store.ConsentStatus(e.ctx, "jan@xn--w-uga1v8h.pl")
	e.must(err)
	if !st.IsUnsubscribed {
		e.t.Fatalf("status is %+v", *st)
	}
	if n := e.withdraw(chatops.ActionRevoke, "jan@xn--w-uga1v8h.pl"); n != 2 {
		e.t.Fatalf("%d rows with the domain in Unicode were found, want 2", n)
	}
	e.wantFlags("plus", false, false)
}

func personLooseKey(e *env) {
	for _, key := range []string{
		anna, "anna+x@example.pl", "a.n+x+y@gmail.com", "a.n@googlemail.com", "+x@example.pl", "..@gmail.com", "..+x@googlemail.com",
		"łu.cja+1@gmail.com", "hmac:k:00ff", "nothing", "a@b@gmail.com", "@gmail.com", "+@x.pl", "x+@x.pl", "jan@x+y.pl",
	} {
		e.exec(fmt.Sprintf(`INSERT INTO suppression (email_key, scope) VALUES ('%s', 'all')`, key)) // as an older program
		if n := e.count(fmt.Sprintf(`SELECT COUNT(*) FROM suppression WHERE email_key = '%s' AND loose_key = '%s'`, key, consent.LooseKey(key))); n != 1 {
			e.t.Errorf("the loose key of %s is not %s", key, consent.LooseKey(key))
		}
	}
}

func personAddSuppressions(e *env) {
	e.withdraw(chatops.ActionRevoke, anna)
	list := []chatops.Suppression{
		{EmailKey: anna, Scope: "marketing", Source: "import"},
		{EmailKey: "b@example.pl", Scope: "marketing", Source: "import", CreatedAt: time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)},
		{EmailKey: "b@example.pl", Scope: "all"},
		{EmailKey: "c@example.pl", Scope: "marketing"},
	}
	for _, want := range []int{2, 0} {
		n, err := e.store.AddSuppressions(e.ctx, list)
		e.must(err)
		if n != want {
			e.t.Fatalf("%d are new, want %d", n, want)
		}
	}
	for _, c := range []struct {
		keys []string
		want int
	}{{nil, 0}, {[]string{"b@example.pl", "nobody@example.pl", anna, "b\x00@example.pl"}, 2}} {
		n, err := e.store.CountSuppressed(e.ctx, c.keys)
		e.must(err)
		if n != c.want {
			e.t.Fatalf("%d of %q are suppressed, want %d", n, c.keys, c.want)
		}
	}
	e.wantSuppressed(anna, "all")
	e.wantSuppressed("b@example.pl", "all")
	e.wantSuppressed("c@example.pl", "marketing")
	_, err := e.store.AddSuppressions(e.ctx, []chatops.Suppression{{EmailKey: "d@example.pl", Scope: "marketing"}, {EmailKey: anna, Scope: "some"}})
	e.wantCode(err, chatops.CodeInvalid)
	n, err := e.store.AddSuppressions(e.ctx, nil)
	e.must(err)
	if total := e.count(`SELECT COUNT(*) FROM suppression`); n != 0 || total != 3 {
		e.t.Fatalf("%d suppressions, want 3", total)
	}
}

// personNoAudit: a change that cannot be put on record does not happen.
func personNoAudit(e *env) {
	e.known("a", anna)
	e.withdraw(chatops.ActionUnsubscribe, anna)
	e.exec(`DELETE FROM consent_audit_head`)
	_, err := e.store.GrantConsent(e.ctx, chatops.ConsentGrant{EmailKey: anna, Marketing: true})
	if err == nil {
		e.t.Fatal("consent was given without a record")
	}
	if _, err := e.store.ErasePerson(e.ctx, chatops.Erasure{EmailKey: anna}); err == nil {
		e.t.Fatal("a person was erased without a record")
	}
	e.wantFlags("a", false, true)
	e.wantSuppressed(anna, "marketing")
	e.wantAudited(`email = 'anna@example.pl'`, 2)
}

func personAccess(e *env) {
	for i, subject := range []string{"s1", "s2", "s1"} {
		e.must(e.store.LogAccess(e.ctx, chatops.AccessEntry{
			Actor: "ola", Command: "consent lookup", Purpose: fmt.Sprintf("ticket \x00 %d", i), Subject: subject,
		}))
	}
	for _, c := range []struct {
		subject string
		limit   int
		want    []string
	}{
		{"", 10, []string{"ticket \ufffd 2", "ticket \ufffd 1", "ticket \ufffd 0"}},
		{"s1", 10, []string{"ticket \ufffd 2", "ticket \ufffd 0"}},
		{"", 1, []string{"ticket \ufffd 2"}},
		{"s3", 10, nil}, {"", -1, nil},
	} {
		list, err := e.store.AccessLog(e.ctx, c.subject, c.limit)
		e.must(err)
		var got []string
		for _, a := range list {
			if a.ID == 0 || a.At.IsZero() || a.Actor != "ola" || a.Command != "consent lookup" {
				e.t.Fatalf("entry is %+v", a)
			}
			got = append(got, a.Purpose)
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			e.t.Fatalf("look-ups of %q: %q, want %q", c.subject, got, c.want)
		}
	}
}

func personKeys(e *env) {
	stores := []chatops.Store{e.store, e.open()}
	var mu sync.Mutex
	seen := map[string]int{}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			keys, err := stores[i%2].StoredConsentKeys(e.ctx, consent.GenerateKey())
			mu.Lock()
			defer mu.Unlock()
			if err != nil || len(keys) != 1 {
				e.t.Errorf("%d keys, %v", len(keys), err)
				return
			}
			seen[keys[0].ID+string(keys[0].Secret)]++
		})
	}
	wg.Wait()
	if len(seen) != 1 {
		e.t.Fatalf("%d different keys", len(seen))
	}
}

func personPurge(e *env) {
	e.known("old", anna)
	e.must(e.store.LogAccess(e.ctx, chatops.AccessEntry{Actor: "ola", Command: "c", Purpose: "p", Subject: "s"}))
	e.clock.Advance(time.Hour)
	cut := e.clock.Now()
	e.known("new", "ewa@example.pl")
	e.exec(fmt.Sprintf(`UPDATE chat_conversations SET last_user_message_at = '%s' WHERE session_id = 'new'`, e.clock.Now().Format(sqlTime)))
	r := chatops.Retention{Conversations: cut, Leads: cut, Audit: cut, AccessLog: cut}
	want := `[{chat_conversations 1 deleted} {leads 1 emptied} {consent_audit_log 1 emptied} {access_log 1 deleted}]`
	for _, dryRun := range []bool{true, false} {
		done, err := e.store.PurgePeople(e.ctx, r, 100, dryRun)
		e.must(err)
		if fmt.Sprint(done) != want {
			e.t.Fatalf("dry run %v: %v, want %s", dryRun, done, want)
		}
	}
	done, err := e.store.PurgePeople(e.ctx, r, 100, false)
	e.must(err)
	for _, t := range done {
		if t.Rows != 0 {
			e.t.Fatalf("a second run removed %v", done)
		}
	}
	if done, err = e.store.PurgePeople(e.ctx, chatops.Retention{}, 100, false); err != nil || len(done) != 0 {
		e.t.Fatalf("without moments %v, %v", done, err)
	}
	e.wantFlags("new", true, true)
	e.wantChain(2)
	_, err = e.store.Person(e.ctx, anna)
	if chatops.ErrorCode(err) != chatops.CodeNotFound { // the alert names her until it is cleaned up
		p, _ := e.store.Person(e.ctx, anna)
		if len(p.Conversations)+len(p.Leads)+len(p.Audit) != 0 {
			e.t.Fatalf("what is left is %+v", *p)
		}
	}
}
