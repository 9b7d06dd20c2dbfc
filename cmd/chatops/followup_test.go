package main

import (
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chatops/internal/chat"
	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/sqlite"
)

// followupWorld is an embedded database with one person who is silent.
func followupWorld(t *testing.T) (*config.Config, chatops.Store) {
	t.Helper()
	address := "sqlite://" + filepath.Join(t.TempDir(), "chatbot.db")
	m, err := sqlite.NewMigrator(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), address, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	turn := &chatops.Turn{UserMessage: "a", BotMessage: "b", Conversation: chatops.Conversation{
		SessionID: "s", Email: "Jan@x.example", Facts: chatops.Facts{Email: "jan@x.example", Language: "en"},
		LastUserMessageAt: time.Now().Add(-25 * time.Hour), MarketingConsent: true, RODOConsent: true,
	}}
	if _, err := s.SaveTurn(t.Context(), turn); err != nil {
		t.Fatal(err)
	}
	return &config.Config{FollowupTimes: "24h 72h", PublicURL: "https://bot.example/"}, s
}

func TestPlanFollowups_WithoutALink_PlansNothing(t *testing.T) {
	t.Parallel()
	cfg, store := followupWorld(t)
	for want, change := range map[string]func(c *config.Config){
		"off: FOLLOWUP_SCHEDULE":                                func(c *config.Config) { c.FollowupTimes = "off" },
		"off: mails need a link to unsubscribe, set PUBLIC_URL": func(c *config.Config) { c.PublicURL = "" },
	} {
		other := *cfg
		change(&other)
		result, err := planFollowups(&other, slog.New(slog.DiscardHandler), store, nil, nil, nil)(t.Context())
		if err != nil || result != want {
			t.Errorf("%q, %v; want %q", result, err, want)
		}
	}
	if list, err := store.Followups(t.Context(), 0, "", 9); err != nil || len(list) != 0 {
		t.Errorf("planned %+v, %v", list, err)
	}
}

func TestPlanFollowups_WritesALinkThatNamesThePerson(t *testing.T) {
	t.Parallel()
	cfg, store := followupWorld(t)
	knowledge, err := chat.LoadKnowledge(chat.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := newTokens(t.Context(), cfg, store)
	if err != nil {
		t.Fatal(err)
	}
	wakes := 0
	job := planFollowups(cfg, slog.New(slog.DiscardHandler), store, knowledge, tokens, func() { wakes++ })
	for i, want := range []string{"planned 1, skipped 0", "planned 0, skipped 0"} {
		if result, err := job(t.Context()); err != nil || result != want {
			t.Fatalf("run %d: %q, %v", i, result, err)
		}
	}
	alerts, _, err := store.Alerts(t.Context(), chatops.AlertFilter{}, chatops.AlertCursor{}, 9)
	if err != nil || len(alerts) != 1 || wakes != 1 {
		t.Fatalf("%d alerts, %d wakes, %v", len(alerts), wakes, err)
	}
	payload := string(alerts[0].Payload)
	_, token, _ := strings.Cut(payload, `"unsubscribe":"https://bot.example/unsubscribe?token=`)
	token, _, _ = strings.Cut(token, `"`)
	if token, err = url.QueryUnescape(token); err != nil || token == "" {
		t.Fatalf("no link in %s", payload)
	}
	if key, err := tokens.Verify(chatops.PurposeUnsubscribe, token); err != nil || key != "jan@x.example" {
		t.Errorf("the link is that of %q, %v", key, err)
	}
	if !strings.Contains(payload, "Hello") || strings.Contains(alerts[0].Target+alerts[0].IdempotencyKey, "@") {
		t.Errorf("alert to %s: %s", alerts[0].Target, payload)
	}
}
