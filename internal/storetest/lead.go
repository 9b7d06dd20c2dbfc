package storetest

import (
	"fmt"
	"sync"
	"time"

	"chatops/internal/chatops"
)

func leadCases() []testCase {
	return []testCase{
		{"SaveTurn_StoresTheLeadAndItsAlerts", leadRoundTrip},
		{"SaveTurn_OfALeadAgain_UpdatesWithoutQueueing", leadUpdate},
		{"SaveTurn_UpdateKeepsWhatTheSalesTeamSet", leadKeepsSalesFields},
		{"SaveTurn_FiveConfirmationsAtOnce_MakeOneLead", leadParallel},
		{"SaveTurn_CountsOnlyNewAlerts", leadKnownKey},
		{"SaveTurn_WithAnInvalidAlert_StoresNothing", leadInvalidAlert},
	}
}

func lead(session string) *chatops.Lead {
	return &chatops.Lead{
		SessionID: session, Name: "Anna Żółć", Email: "anna@example.pl", Phone: "+48600700800",
		InterestedPackage: "Premium", PropertySize: "85", PropertyType: "mieszkanie", Location: "Kraków",
		Message: "proszę o kontakt", Source: "chatbot", Status: chatops.LeadNew, Notes: "z czatu",
		LeadScore: 88, DataConfirmed: true, MarketingConsent: false, RODOConsent: true,
	}
}

func leadAlerts(session string) []chatops.NewAlert {
	return []chatops.NewAlert{
		newAlert(slackLane, "lead:"+session+":slack"),
		newAlert(mondayLane, "lead:"+session+":monday"),
		newAlert("mailto:biuro@example.pl", "lead:"+session+":email"),
	}
}

func leadTurn(session string) *chatops.Turn {
	t := turn(session)
	t.Lead, t.Alerts = lead(session), leadAlerts(session)
	return t
}

func leadRoundTrip(e *env) {
	res, c := e.save(leadTurn("lead"))
	if !res.LeadCreated || res.LeadID == 0 || res.AlertsQueued != 3 {
		e.t.Fatalf("SaveTurn gave %+v", *res)
	}
	if c.LeadID != res.LeadID {
		e.t.Fatalf("the conversation names lead %d, want %d", c.LeadID, res.LeadID)
	}
	got, err := e.store.LeadBySession(e.ctx, "lead")
	e.must(err)
	want := *lead("lead")
	want.ID, want.CreatedAt, want.UpdatedAt = res.LeadID, got.CreatedAt, got.UpdatedAt
	if *got != want {
		e.t.Fatalf("loaded\n%+v, want\n%+v", *got, want)
	}
	if age := e.clock.Peek().Sub(got.CreatedAt); age < 0 || age > time.Minute || got.UpdatedAt.Before(got.CreatedAt) {
		e.t.Fatalf("created_at %v, updated_at %v at %v", got.CreatedAt, got.UpdatedAt, e.clock.Peek())
	}
	alerts := e.alerts(chatops.AlertFilter{})
	if len(alerts) != 3 {
		e.t.Fatalf("%d alerts stored, want 3", len(alerts))
	}
	for _, a := range alerts {
		if a.Status != chatops.AlertQueued || a.RetryCount != 0 || a.IdempotencyKey == "" || !a.LastAttemptAt.IsZero() {
			e.t.Fatalf("queued alert is %+v", a)
		}
	}
}

func leadUpdate(e *env) {
	first, c := e.save(leadTurn("update"))
	before, err := e.store.LeadBySession(e.ctx, "update")
	e.must(err)
	e.clock.Advance(time.Hour)

	again := &chatops.Turn{Conversation: *c, UserMessage: "u", BotMessage: "b", Lead: lead("update")}
	again.Lead.Phone, again.Lead.LeadScore, again.Lead.MarketingConsent = "+48111222333", 95, true
	again.Alerts = []chatops.NewAlert{newAlert(slackLane, "a key nobody has used")}
	res, _ := e.save(again)
	if res.LeadCreated || res.LeadID != first.LeadID || res.AlertsQueued != 0 {
		e.t.Fatalf("second confirmation gave %+v after %+v", *res, *first)
	}
	got, err := e.store.LeadBySession(e.ctx, "update")
	e.must(err)
	if got.Phone != "+48111222333" || got.LeadScore != 95 || !got.MarketingConsent {
		e.t.Fatalf("the lead was not updated: %+v", *got)
	}
	if got.CreatedAt != before.CreatedAt || !got.UpdatedAt.After(before.UpdatedAt) {
		e.t.Fatalf("created_at %v -> %v, updated_at %v -> %v", before.CreatedAt, got.CreatedAt, before.UpdatedAt, got.UpdatedAt)
	}
	if n := len(e.alerts(chatops.AlertFilter{})); n != 3 {
		e.t.Fatalf("%d alerts stored, want the first 3", n)
	}
}

func leadKeepsSalesFields(e *env) {
	_, c := e.save(leadTurn("sales"))
	e.exec(`UPDATE leads SET status = 'contacted', monday_item_id = '4711', notes = 'oddzwonić' WHERE session_id = 'sales'`)
	again := &chatops.Turn{Conversation: *c, UserMessage: "u", BotMessage: "b", Lead: lead("sales")}
	again.Lead.Location = "Sopot"
	e.save(again)
	got, err := e.store.LeadBySession(e.ctx, "sales")
	e.must(err)
	if got.Status != chatops.LeadContacted || got.MondayItemID != "4711" || got.Notes != "oddzwonić" || got.Location != "Sopot" {
		e.t.Fatalf("a later turn gave status %s, item %q, notes %q, location %q", got.Status, got.MondayItemID, got.Notes, got.Location)
	}
}

func leadParallel(e *env) {
	e.save(turn("five"))
	stores := []chatops.Store{e.store, e.open()}
	var mu sync.Mutex
	created, queued := 0, 0
	var wg sync.WaitGroup
	for i := range 5 {
		wg.Go(func() {
			s := stores[i%2]
			for {
				c, err := s.Conversation(e.ctx, "five")
				if err != nil {
					e.t.Errorf("load: %v", err)
					return
				}
				t := leadTurn("five")
				t.Conversation, t.UserMessage = *c, fmt.Sprintf("tak %d", i)
				res, err := s.SaveTurn(e.ctx, t)
				if chatops.ErrorCode(err) == chatops.CodeConflict {
					continue
				}
				if err != nil {
					e.t.Errorf("save: %v", err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				queued += res.AlertsQueued
				if res.LeadCreated {
					created++
				}
				return
			}
		})
	}
	wg.Wait()
	if created != 1 || queued != 3 {
		e.t.Fatalf("%d leads created and %d alerts queued, want 1 and 3", created, queued)
	}
	if n := e.count(`SELECT COUNT(*) FROM leads WHERE session_id = 'five'`); n != 1 {
		e.t.Fatalf("%d leads stored, want 1", n)
	}
	if n := e.count(`SELECT COUNT(*) FROM dead_letter_queue`); n != 3 {
		e.t.Fatalf("%d alerts stored, want 3", n)
	}
	if c, err := e.store.Conversation(e.ctx, "five"); err != nil || c.Version != 6 {
		e.t.Fatalf("conversation %+v, %v: want version 6 after six turns", c, err)
	}
}

func leadKnownKey(e *env) {
	_, err := e.store.Enqueue(e.ctx, []chatops.NewAlert{newAlert(slackLane, "lead:known:slack")})
	e.must(err)
	res, _ := e.save(leadTurn("known"))
	if !res.LeadCreated || res.AlertsQueued != 2 {
		e.t.Fatalf("SaveTurn gave %+v, want a new lead and 2 new alerts", *res)
	}
}

func leadInvalidAlert(e *env) {
	for name, spoil := range map[string]func(*chatops.NewAlert){
		"no target":    func(a *chatops.NewAlert) { a.Target = "" },
		"long type":    func(a *chatops.NewAlert) { a.EventType = fmt.Sprintf("%051d", 1) },
		"broken JSON":  func(a *chatops.NewAlert) { a.Payload = []byte(`{"text":`) },
		"no JSON":      func(a *chatops.NewAlert) { a.Payload = nil },
		"long key":     func(a *chatops.NewAlert) { a.IdempotencyKey = fmt.Sprintf("%0256d", 1) },
		"long address": func(a *chatops.NewAlert) { a.Target = fmt.Sprintf("mailto:%0249d", 1) },
	} {
		t := leadTurn("invalid")
		spoil(&t.Alerts[1])
		_, err := e.store.SaveTurn(e.ctx, t)
		if code := chatops.ErrorCode(err); code != chatops.CodeInvalid {
			e.t.Errorf("%s: %q (%v), want %q", name, code, err, chatops.CodeInvalid)
		}
		_, err = e.store.Enqueue(e.ctx, t.Alerts)
		if code := chatops.ErrorCode(err); code != chatops.CodeInvalid {
			e.t.Errorf("enqueue with %s: %q (%v), want %q", name, code, err, chatops.CodeInvalid)
		}
	}
	e.wantNothingOf("invalid", 0)
}
