package storetest

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"chatops/internal/chatops"
)

func followupCases() []testCase {
	return []testCase{
		{"DueFollowups_ObeysEachRule", dueRules},
		{"DueFollowups_ArePaged", duePages},
		{"PlanFollowup_StoresEventMessageAndMail", planStores},
		{"PlanFollowup_LooksAgain", planLooksAgain},
		{"PlanFollowup_ByManyAtOnce_PlansOnce", planParallel},
		{"PlanFollowup_MakesAnOlderTurnConflict", planTurn},
		{"Followup_RunsThroughItsStates", followupStates},
		{"Followup_ThatWasBegunBefore_IsUncertain", followupUncertain},
		{"SendFollowup_ReadsConsentAgain", sendReadsConsent},
		{"SendFollowup_KeepsWithdrawalsWaiting", sendAgainstWithdrawal},
		{"Followup_InAnyOrder_MailsNobodyTwiceOrAfterOptingOut", followupRandom},
		{"Retry_SendsAnUncertainFollowupOnlyWhenNamed", retryUncertain},
		{"FollowupDuplicates_AreFoundAndFixed", duplicatesFixed},
	}
}

// schedule is that of the suite.
var schedule = []time.Duration{24 * time.Hour, 72 * time.Hour, 168 * time.Hour}

// silence stores a conversation with both consents whose person wrote last so
// long ago.
func (e *env) silence(session, email string, d time.Duration, change ...func(t *chatops.Turn)) *chatops.Conversation {
	e.t.Helper()
	t := turn(session)
	c := &t.Conversation
	c.Email, c.Facts.Email, c.MarketingConsent, c.RODOConsent = email, email, true, true
	c.LastUserMessageAt = e.clock.Peek().Add(-d)
	for _, f := range change {
		f(t)
	}
	_, stored := e.save(t)
	return stored
}

// due returns what is due as "session number".
func (e *env) due() []string {
	e.t.Helper()
	var list []string
	for _, d := range e.dueNow() {
		list = append(list, fmt.Sprintf("%s %d", d.SessionID, d.Number))
	}
	return list
}

func (e *env) dueNow() []chatops.DueFollowup {
	e.t.Helper()
	list, err := e.store.DueFollowups(e.ctx, chatops.DueQuery{Schedule: schedule, Limit: 100})
	e.must(err)
	return list
}

// wantDue ends the test unless exactly these are due, the longest silent first.
func (e *env) wantDue(what string, want ...string) {
	e.t.Helper()
	if got := e.due(); fmt.Sprint(got) != fmt.Sprint(want) {
		e.t.Fatalf("%s: due %v, want %v", what, got, want)
	}
}

func plan(c *chatops.Conversation, number int) *chatops.FollowupPlan {
	payload, _ := json.Marshal(chatops.EmailPayload{To: c.Email, Subject: "s", Text: "t", HTML: "<p>t</p>"})
	return &chatops.FollowupPlan{
		ConversationID: c.ID, Number: number, Schedule: schedule, Email: c.Email,
		Message: "Wracam do naszej rozmowy", Mail: chatops.NewAlert{
			EventType: chatops.EventFollowup, Target: chatops.TargetFollowups, Payload: payload,
			IdempotencyKey: fmt.Sprintf("followup:%d:%d", c.ID, number),
		},
	}
}

// plan plans a follow-up that must be possible and returns its alert.
func (e *env) plan(c *chatops.Conversation, number int) int64 {
	e.t.Helper()
	planned, err := e.store.PlanFollowup(e.ctx, plan(c, number))
	e.must(err)
	if !planned {
		e.t.Fatalf("follow-up %d of conversation %d was not planned", number, c.ID)
	}
	return e.followup(c, number).AlertID
}

func (e *env) followup(c *chatops.Conversation, number int) chatops.Followup {
	e.t.Helper()
	list, err := e.store.Followups(e.ctx, c.ID, "", 10)
	e.must(err)
	for _, f := range list {
		if f.Number == number {
			return f
		}
	}
	e.t.Fatalf("conversation %d has no follow-up %d in %+v", c.ID, number, list)
	return chatops.Followup{}
}

const hour = time.Hour

func dueRules(e *env) {
	e.silence("new", "new@x.pl", 23*hour)
	e.wantDue("not silent for long enough")
	e.silence("day", "day@x.pl", 25*hour, func(t *chatops.Turn) {
		t.Conversation.Facts.Name, t.Conversation.Facts.Language = "Ewa", "en"
	})
	e.silence("days", "days@x.pl", 200*hour)
	e.silence("years", "years@x.pl", 24*400*hour)
	e.silence("nobody", "", 25*hour)
	e.silence("no-marketing", "a1@x.pl", 25*hour, func(t *chatops.Turn) { t.Conversation.MarketingConsent = false })
	e.silence("no-rodo", "a2@x.pl", 25*hour, func(t *chatops.Turn) { t.Conversation.RODOConsent = false })
	e.wantDue("consent and address are needed; numbers begin with 1, and years are too long", "days 1", "day 1")
	for _, d := range e.dueNow() {
		name, language := "", "pl"
		if d.SessionID == "day" {
			name, language = "Ewa", "en"
		}
		if d.Name != name || d.Language != language || d.Email != d.SessionID+"@x.pl" || d.ConversationID == 0 ||
			!d.DueAt.Equal(d.SilentSince.Add(schedule[0])) {
			e.t.Fatalf("due: %+v", d)
		}
	}
	for i, status := range []chatops.LeadStatus{chatops.LeadNew, chatops.LeadQualified, chatops.LeadContacted, chatops.LeadConverted, chatops.LeadLost} {
		l := lead("")
		l.Email, l.Status = fmt.Sprintf("Lead%d@X.pl", i), status
		e.create(l)
		e.silence(fmt.Sprintf("lead-%d", i), fmt.Sprintf("lead%d@x.pl", i), 26*hour)
	}
	e.silence("own-lead", "own@x.pl", 26*hour, func(t *chatops.Turn) {
		t.Lead = lead("own-lead")
		t.Lead.Email, t.Lead.Status = "", chatops.LeadContacted
	})
	e.wantDue("contacted people", "days 1", "lead-0 1", "lead-1 1", "day 1")
	e.exec(`INSERT INTO suppression (email_key, scope) VALUES ('lead0@x.pl', 'marketing'), ('lead1@x.pl', 'all'), ('days@x.pl', 'marketing')`)
	e.silence("tag", "days+tag@x.pl", 27*hour)
	e.wantDue("suppressed mailboxes", "day 1")
	e.silence("day-2", "Day@x.pl", 30*hour) // an older conversation
	e.wantDue("of several conversations the newest", "day 1")
	e.silence("day-3", "DAY@x.pl", hour)
	e.wantDue("who wrote again is not silent")
}

func duePages(e *env) {
	for i := range 7 {
		e.silence(fmt.Sprintf("p%d", i), fmt.Sprintf("p%d@x.pl", i), time.Duration(60-i/2)*hour)
		if i%3 == 0 {
			e.exec(fmt.Sprintf(`INSERT INTO suppression (email_key, scope) VALUES ('p%d@x.pl', 'all')`, i))
		}
	}
	var got []string
	q := chatops.DueQuery{Schedule: schedule, Limit: 2}
	for {
		page, err := e.store.DueFollowups(e.ctx, q)
		e.must(err)
		for _, d := range page {
			got = append(got, d.SessionID)
			q.After = d.Cursor()
		}
		if len(page) < q.Limit {
			break
		}
	}
	if fmt.Sprint(got) != "[p1 p2 p4 p5]" {
		e.t.Fatalf("pages hold %v", got)
	}
	none, err := e.store.DueFollowups(e.ctx, chatops.DueQuery{Limit: 5})
	if e.must(err); len(none) != 0 {
		e.t.Fatalf("without a schedule %d are due", len(none))
	}
}

func planStores(e *env) {
	c := e.silence("plan", anna, 25*hour)
	id := e.plan(c, 1)
	a := e.alert(id)
	if a.EventType != chatops.EventFollowup || a.Target != chatops.TargetFollowups || a.Status != chatops.AlertQueued ||
		a.IdempotencyKey != plan(c, 1).Mail.IdempotencyKey {
		e.t.Fatalf("queued %+v", *a)
	}
	f := e.followup(c, 1)
	if f.Status != chatops.FollowupQueued || f.SentAt.IsZero() || f.ConversationID != c.ID {
		e.t.Fatalf("event %+v", f)
	}
	messages, err := e.store.Messages(e.ctx, "plan", 10)
	e.must(err)
	if last := messages[len(messages)-1]; !last.IsFollowup || last.Sender != chatops.SenderBot || last.Text != "Wracam do naszej rozmowy" {
		e.t.Fatalf("message %+v", last)
	}
	if now := mustLoad(e, "plan"); now.FollowupCount != 1 || now.LastFollowupAt.IsZero() || !now.LastUserMessageAt.Equal(c.LastUserMessageAt) {
		e.t.Fatalf("conversation %+v", *now)
	}
	for i, want := range [][]string{{}, {"plan 2"}, {}, {"plan 3"}, {}} {
		e.wantDue(fmt.Sprintf("step %d", i), want...)
		if len(want) > 0 {
			e.plan(c, i/2+2)
			continue
		}
		e.clock.Advance(schedule[min(i/2+1, 2)] - schedule[min(i/2, 1)])
	}
	if list, err := e.store.Followups(e.ctx, 0, chatops.FollowupQueued, 2); err != nil || len(list) != 2 || list[0].Number != 3 {
		e.t.Fatalf("newest: %+v, %v", list, err)
	}
}

func planLooksAgain(e *env) {
	c := e.silence("again", "jan.nowak@gmail.com", 25*hour)
	twin := e.silence("twin", "jannowak+x@googlemail.com", 25*hour)
	refused := func(what string, p *chatops.FollowupPlan) {
		e.t.Helper()
		if planned, err := e.store.PlanFollowup(e.ctx, p); err != nil || planned {
			e.t.Fatalf("%s: planned %v, %v", what, planned, err)
		}
	}
	refused("number 2 comes after 1", plan(c, 2))
	other := plan(c, 1)
	other.Email = "other@x.pl"
	refused("another address", other)
	other = plan(c, 1)
	other.ConversationID = 4711
	refused("no conversation", other)
	for _, p := range []*chatops.FollowupPlan{{}, {ConversationID: c.ID, Number: 4, Schedule: schedule}, {ConversationID: c.ID, Number: 1, Schedule: schedule, Mail: plan(c, 1).Mail}} {
		_, err := e.store.PlanFollowup(e.ctx, p)
		e.wantCode(err, chatops.CodeInvalid)
	}
	e.exec(`INSERT INTO suppression (email_key, scope) VALUES ('jan@xn--kda4b0koi.example', 'all')`)
	refused("suppressed by its normalised address", plan(e.silence("idn", "Jan+1@ŻÓŁĆ.example", 25*hour), 1))

	e.plan(c, 1)
	refused("had it", plan(c, 1))
	refused("had it in another conversation of the mailbox", plan(twin, 1))
	if n := e.count(`SELECT COUNT(*) FROM dead_letter_queue`); n != 1 {
		e.t.Fatalf("%d mails queued, want 1", n)
	}
	// The key of the mail is taken, whatever became of the event.
	e.exec(`DELETE FROM followup_event`)
	refused("its mail exists", plan(c, 1))
	if n := e.count(`SELECT COUNT(*) FROM followup_event`); n != 0 {
		e.t.Fatalf("%d events without a mail", n)
	}
}

func planParallel(e *env) {
	people := []*chatops.Conversation{
		e.silence("s1", "jan@x.pl", 25*hour), e.silence("s2", "JAN@x.pl", 25*hour), e.silence("s3", "jan+a@x.pl", 25*hour),
	}
	stores := []chatops.Store{e.store, e.open()}
	var mu sync.Mutex
	var wg sync.WaitGroup
	planned := 0
	for i := range 12 {
		wg.Go(func() {
			ok, err := stores[i%2].PlanFollowup(e.ctx, plan(people[i%3], 1))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				e.t.Errorf("plan: %v", err)
			}
			if ok {
				planned++
			}
		})
	}
	wg.Wait()
	if n := e.count(`SELECT COUNT(*) FROM dead_letter_queue`); planned != 1 || n != 1 {
		e.t.Fatalf("%d planned, %d mails, want 1", planned, n)
	}
}

func planTurn(e *env) {
	c := e.silence("turn", anna, 25*hour)
	e.plan(c, 1)
	_, err := e.store.SaveTurn(e.ctx, &chatops.Turn{Conversation: *c, UserMessage: "u", BotMessage: "b"})
	e.wantCode(err, chatops.CodeConflict)
}
