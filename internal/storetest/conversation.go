package storetest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"chatops/internal/chatops"
)

func conversationCases() []testCase {
	return []testCase{
		{"UnknownSession_IsNotFound", unknownSession},
		{"SaveTurn_StoresEveryFieldOfTheConversation", saveTurnRoundTrip},
		{"SaveTurn_OfAStaleVersion_ConflictsAndStoresNothing", saveTurnStale},
		{"SaveTurn_CreatingAnExistingSession_Conflicts", saveTurnCreatesTwice},
		{"SaveTurn_CreatedByManyAtOnce_SucceedsOnce", saveTurnParallelCreate},
		{"SaveTurn_WithCancelledContext_StoresNothing", saveTurnCancelled},
		{"Messages_AreTheNewestOldestFirst", messagesOrder},
		{"Times_KeepMicrosecondsInUTC", timesMicroseconds},
		{"Ping_Answers", func(e *env) { e.must(e.store.Ping(e.ctx)) }},
	}
}

// turn makes a first turn of a session.
func turn(session string) *chatops.Turn {
	start := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	return &chatops.Turn{
		Conversation: chatops.Conversation{
			SessionID: session, StartedAt: start, LastUserMessageAt: start.Add(time.Second),
		},
		UserMessage: "Dzień dobry", BotMessage: "Dzień dobry! W czym mogę pomóc?",
	}
}

// save stores a turn and returns the conversation as it is then loaded.
func (e *env) save(t *chatops.Turn) (*chatops.TurnResult, *chatops.Conversation) {
	e.t.Helper()
	res, err := e.store.SaveTurn(e.ctx, t)
	e.must(err)
	c, err := e.store.Conversation(e.ctx, t.Conversation.SessionID)
	e.must(err)
	if c.ID != res.ConversationID || c.Version != res.Version {
		e.t.Fatalf("loaded conversation %d version %d, but SaveTurn said %d version %d",
			c.ID, c.Version, res.ConversationID, res.Version)
	}
	return res, c
}

func unknownSession(e *env) {
	_, err := e.store.Conversation(e.ctx, "nobody")
	e.wantCode(err, chatops.CodeNotFound)
	_, err = e.store.LeadBySession(e.ctx, "nobody")
	e.wantCode(err, chatops.CodeNotFound)
	messages, err := e.store.Messages(e.ctx, "nobody", 10)
	e.must(err)
	if len(messages) != 0 {
		e.t.Fatalf("an unknown session has %d messages", len(messages))
	}
}

func saveTurnRoundTrip(e *env) {
	first := turn("round-trip")
	res, c := e.save(first)
	if res.Version != 1 || res.LeadID != 0 || res.LeadCreated || res.AlertsQueued != 0 {
		e.t.Fatalf("first turn gave %+v", *res)
	}
	if c.MarketingConsent || c.RODOConsent {
		e.t.Fatal("consent was stored as given although the turn said false")
	}
	want := chatops.Conversation{
		ID: c.ID, SessionID: "round-trip", Email: "jan@example.pl",
		Facts: chatops.Facts{
			Name: "Jan Kowalski", Email: "jan@example.pl", Phone: "+48501502503", City: "Łódź",
			SquareMeters: 62, Budget: 120000, Package: "Comfort",
		},
		StartedAt: c.StartedAt, EndedAt: c.StartedAt.Add(time.Hour), AwaitingConfirmation: true,
		FollowupCount: 2, LastFollowupAt: c.StartedAt.Add(2 * time.Minute),
		LastUserMessageAt: c.StartedAt.Add(3 * time.Minute), MarketingConsent: true, RODOConsent: true,
		NeedsHumanReview: true, Version: c.Version,
	}
	second := &chatops.Turn{Conversation: want, UserMessage: "tak", BotMessage: "Dziękuję"}
	res, c = e.save(second)
	want.Version = 2
	if res.Version != 2 || *c != want {
		e.t.Fatalf("loaded\n%+v, want\n%+v", *c, want)
	}
	messages, err := e.store.Messages(e.ctx, "round-trip", 10)
	e.must(err)
	wantText := []string{"Dzień dobry", "Dzień dobry! W czym mogę pomóc?", "tak", "Dziękuję"}
	if len(messages) != 4 {
		e.t.Fatalf("%d messages stored, want 4", len(messages))
	}
	for i, m := range messages {
		sender := []chatops.Sender{chatops.SenderUser, chatops.SenderBot}[i%2]
		if m.Text != wantText[i] || m.Sender != sender || m.ID == 0 || m.At.IsZero() || m.IsFollowup {
			e.t.Fatalf("message %d is %+v", i, m)
		}
	}
}

func saveTurnStale(e *env) {
	_, c := e.save(turn("stale"))
	second := &chatops.Turn{Conversation: *c, UserMessage: "2", BotMessage: "b"}
	e.save(second)

	late := &chatops.Turn{Conversation: *c, UserMessage: "late", BotMessage: "b", Lead: lead("stale")}
	late.Alerts = []chatops.NewAlert{newAlert(slackLane, "late")}
	late.Conversation.Facts.City = "Gdańsk"
	_, err := e.store.SaveTurn(e.ctx, late)
	e.wantCode(err, chatops.CodeConflict)
	e.wantNothingOf("stale", 4)
}

// wantNothingOf ends the test unless the session has exactly so many messages,
// no lead, no city and no alerts.
func (e *env) wantNothingOf(session string, messages int) {
	e.t.Helper()
	stored, err := e.store.Messages(e.ctx, session, 100)
	e.must(err)
	if len(stored) != messages {
		e.t.Fatalf("%d messages stored, want %d", len(stored), messages)
	}
	_, err = e.store.LeadBySession(e.ctx, session)
	e.wantCode(err, chatops.CodeNotFound)
	if n := len(e.alerts(chatops.AlertFilter{})); n != 0 {
		e.t.Fatalf("%d alerts stored, want none", n)
	}
	c, err := e.store.Conversation(e.ctx, session)
	if messages == 0 {
		e.wantCode(err, chatops.CodeNotFound)
		return
	}
	e.must(err)
	if c.Facts.City != "" {
		e.t.Fatalf("facts of the refused turn were stored: %+v", c.Facts)
	}
}

func saveTurnCreatesTwice(e *env) {
	e.save(turn("twice"))
	again := turn("twice")
	again.Conversation.Facts.City = "Gdańsk"
	_, err := e.store.SaveTurn(e.ctx, again)
	e.wantCode(err, chatops.CodeConflict)
	e.wantNothingOf("twice", 2)

	ghost := turn("ghost")
	ghost.Conversation.Version, ghost.Conversation.ID = 3, 999_999
	_, err = e.store.SaveTurn(e.ctx, ghost)
	e.wantCode(err, chatops.CodeConflict)
	e.wantNothingOf("ghost", 0)
}

func saveTurnParallelCreate(e *env) {
	stores := []chatops.Store{e.store, e.open()}
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { _, errs[i] = stores[i%2].SaveTurn(e.ctx, turn("race")) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		e.wantCode(err, chatops.CodeConflict)
	}
	if won != 1 {
		e.t.Fatalf("%d of %d parallel creations succeeded, want 1", won, len(errs))
	}
	e.wantNothingOf("race", 2)
}

func saveTurnCancelled(e *env) {
	ctx, cancel := context.WithCancel(e.ctx)
	cancel()
	if _, err := e.store.SaveTurn(ctx, turn("cancelled")); err == nil {
		e.t.Fatal("a turn was stored under a cancelled context")
	}
	e.wantNothingOf("cancelled", 0)
	e.save(turn("cancelled"))
}

func messagesOrder(e *env) {
	t := turn("order")
	for i := range 4 {
		t.UserMessage, t.BotMessage = fmt.Sprintf("q%d", i), fmt.Sprintf("a%d", i)
		_, c := e.save(t)
		t.Conversation = *c
	}
	e.save(turn("somebody-else"))
	for limit, want := range map[int]string{1: "[a3]", 3: "[a2 q3 a3]", 8: "[q0 a0 q1 a1 q2 a2 q3 a3]", 50: "[q0 a0 q1 a1 q2 a2 q3 a3]"} {
		messages, err := e.store.Messages(e.ctx, "order", limit)
		e.must(err)
		var text []string
		for _, m := range messages {
			text = append(text, m.Text)
		}
		if got := fmt.Sprint(text); got != want {
			e.t.Errorf("limit %d: %s, want %s", limit, got, want)
		}
	}
}

func timesMicroseconds(e *env) {
	warsaw := time.FixedZone("CEST", 2*60*60)
	t := turn("times")
	t.Conversation.StartedAt = time.Date(2026, 7, 1, 0, 30, 0, 123_456_000, warsaw)
	t.Conversation.LastUserMessageAt = time.Date(2026, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
	_, c := e.save(t)
	want := time.Date(2026, 6, 30, 22, 30, 0, 123_456_000, time.UTC)
	if c.StartedAt != want {
		e.t.Errorf("started_at %v, want %v", c.StartedAt, want)
	}
	if c.LastUserMessageAt != t.Conversation.LastUserMessageAt {
		e.t.Errorf("last_user_message_at %v, want %v", c.LastUserMessageAt, t.Conversation.LastUserMessageAt)
	}
	if !c.EndedAt.IsZero() || !c.LastFollowupAt.IsZero() {
		e.t.Errorf("unset times came back as %v and %v", c.EndedAt, c.LastFollowupAt)
	}
}
