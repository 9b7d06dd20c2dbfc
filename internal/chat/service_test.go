package chat

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"chatops/internal/chatops"
)

func TestReply_RefusesBadRequests(t *testing.T) {
	t.Parallel()
	s, store := testService(t)
	for _, c := range []struct {
		name string
		req  chatops.ChatRequest
		code chatops.Code
		text string
	}{
		{"empty", chatops.ChatRequest{}, chatops.CodeInvalid, "Message must be a non-empty string"},
		{"blank", chatops.ChatRequest{Message: " \n\t\u00a0 "}, chatops.CodeInvalid, "Message must be a non-empty string"},
		{"long", chatops.ChatRequest{Message: strings.Repeat("ż", 4001)}, chatops.CodeTooLarge, "message too long"},
		{"id with space", chatops.ChatRequest{Message: "a", SessionID: "a b"}, chatops.CodeInvalid, "printable"},
		{"id with control", chatops.ChatRequest{Message: "a", SessionID: "a\x00"}, chatops.CodeInvalid, "printable"},
		{"id not UTF-8", chatops.ChatRequest{Message: "a", SessionID: "a\xff"}, chatops.CodeInvalid, "printable"},
		{"id with slash", chatops.ChatRequest{Message: "a", SessionID: "a/b"}, chatops.CodeInvalid, "slashes"},
		{"id too long", chatops.ChatRequest{Message: "a", SessionID: strings.Repeat("x", 101)}, chatops.CodeInvalid, "1 to 100"},
	} {
		_, err := s.Reply(t.Context(), c.req)
		if chatops.ErrorCode(err) != c.code || !strings.Contains(chatops.ErrorMessage(err), c.text) {
			t.Errorf("%s: %v, want %s %q", c.name, err, c.code, c.text)
		}
	}
	if store.loads+store.saves != 0 {
		t.Error("a refused request reached the store")
	}
}

func TestReply_TakesMessagesUpToTheLimit(t *testing.T) {
	t.Parallel()
	s, _ := testService(t)
	for _, text := range []string{strings.Repeat("ż", 4000), "  " + strings.Repeat("a ", 2000) + "  ", "\x00\xff\x1b[31m"} {
		if _, err := s.Reply(t.Context(), chatops.ChatRequest{Message: text}); err != nil {
			t.Errorf("message of %d bytes: %v", len(text), err)
		}
	}
}

func TestReply_StoresControlCharactersHarmlessly(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	v.say("a\x00b\x1b[31mc\xffd\r\ne")
	got := v.store.messages[v.session][0].Text
	if got != "a\uFFFDb\uFFFD[31mc\uFFFDd\ne" {
		t.Errorf("stored %q", got)
	}
}

func TestReply_MakesUnguessableSessionIDs(t *testing.T) {
	t.Parallel()
	s, store := testService(t)
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := map[string]bool{}
	for range 100 {
		r, err := s.Reply(t.Context(), chatops.ChatRequest{Message: "hej"})
		if err != nil {
			t.Fatal(err)
		}
		if !form.MatchString(r.SessionID) || seen[r.SessionID] {
			t.Fatalf("session id %q", r.SessionID)
		}
		seen[r.SessionID] = true
	}
	if store.loads != 0 {
		t.Errorf("%d loads for new sessions, want none", store.loads)
	}
}

func TestReply_UsesOneLoadAndOneSave(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	v.say("hej")
	v.store.loads, v.store.saves = 0, 0
	v.say("ile kosztuje Comfort?")
	if v.store.loads != 1 || v.store.saves != 1 {
		t.Errorf("%d loads and %d saves", v.store.loads, v.store.saves)
	}
}

func TestReply_HasExactlyTheFieldsOfTheContract(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	v.say("Hi, I would like to book a meeting. My name is Anna Smith, 60 m2 in Warsaw, anna@x.pl")
	b, err := json.Marshal(v.last)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	want := []string{"alerts", "context", "conversation_id", "language", "lead_score", "next_best_action", "response", "session_id", "sources"}
	var keys []string
	for k := range got {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	if !slices.Equal(keys, want) {
		t.Errorf("fields %v, want %v", keys, want)
	}
	if a, ok := got["alerts"].([]any); !ok || len(a) != 0 {
		t.Errorf("alerts %v, want []", got["alerts"])
	}
	allowed := []string{"name", "email", "phone", "city", "square_meters", "budget", "package"}
	for k := range got["context"].(map[string]any) {
		if !slices.Contains(allowed, k) {
			t.Errorf("context shows %q", k)
		}
	}
}

func TestReply_FiveParallelConfirmationsGiveOneLead(t *testing.T) {
	t.Parallel()
	for range 20 {
		v := newVisitor(t)
		v.say(completeSet)
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				r, err := v.s.Reply(context.Background(), chatops.ChatRequest{Message: "tak, potwierdzam", SessionID: v.session})
				if err != nil {
					t.Errorf("parallel confirmation: %v", err)
					return
				}
				if r.NextBestAction != ActionBookConsultation || r.Response == "" {
					t.Errorf("parallel confirmation: %s %q", r.NextBestAction, r.Response)
				}
			})
		}
		wg.Wait()
		v.wantLeads(1)
		if n := len(v.store.alerts); n != 4 {
			t.Fatalf("%d alerts, want 4", n)
		}
		// Confirmations that meet are answered once.
		if n := len(v.store.messages[v.session]); n < 4 || n > 12 || n%2 != 0 {
			t.Fatalf("%d messages, want 4 to 12 in pairs", n)
		}
	}
}

func TestReply_ParallelFirstMessagesOfOneSessionAreAllStored(t *testing.T) {
	t.Parallel()
	s, store := testService(t)
	var wg sync.WaitGroup
	for i := range 5 {
		wg.Go(func() {
			if _, err := s.Reply(context.Background(), chatops.ChatRequest{Message: "hej " + strings.Repeat("a", i), SessionID: "same"}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(store.messages["same"]); n != 10 {
		t.Errorf("%d messages, want 10", n)
	}
}

func TestReply_GivesUpWhenOthersKeepWinning(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	v.say("hej")
	v.store.failSave = chatops.Errorf(chatops.CodeConflict, "conversation was changed by somebody else")
	v.store.saves = 0
	_, err := v.s.Reply(t.Context(), chatops.ChatRequest{Message: "hej", SessionID: v.session})
	if chatops.ErrorCode(err) != chatops.CodeConflict || v.store.saves != maxAttempts {
		t.Errorf("%v after %d attempts", err, v.store.saves)
	}
}

func TestReply_StopsRepeatingWhenTheCallerLeaves(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	v.say("hej")
	ctx, cancel := context.WithCancel(t.Context())
	v.store.failSave = chatops.Errorf(chatops.CodeConflict, "conversation was changed by somebody else")
	v.store.beforeSave = func(*chatops.Turn) { cancel() }
	_, err := v.s.Reply(ctx, chatops.ChatRequest{Message: "hej", SessionID: v.session})
	if code := chatops.ErrorCode(err); code != chatops.CodeUnavailable {
		t.Errorf("%v, want %s", err, chatops.CodeUnavailable)
	}
}

func TestReply_PassesOnThatTheStoreIsDown(t *testing.T) {
	t.Parallel()
	s, store := testService(t)
	down := chatops.WrapError(chatops.CodeUnavailable, errors.New("refused"), "database is not reachable")
	store.failSave = down
	if _, err := s.Reply(t.Context(), chatops.ChatRequest{Message: "hej"}); !errors.Is(err, down) {
		t.Errorf("%v, want the store's error", err)
	}
	if store.saves != 1 {
		t.Errorf("%d saves, want 1: an unknown outcome must not be repeated", store.saves)
	}
}

func TestReply_WakesTheEngineOnlyWhenAlertsWereQueued(t *testing.T) {
	t.Parallel()
	var woken atomic.Int32
	v := newVisitor(t, func(o *Options) { o.WakeFunc = func() { woken.Add(1) } })
	v.say(completeSet)
	if woken.Load() != 0 {
		t.Error("woken before the lead")
	}
	v.say("tak")
	v.say("tak")
	if woken.Load() != 1 {
		t.Errorf("woken %d times, want once", woken.Load())
	}
}

func TestConsent_FollowsTheModeUntilTheVisitorSpeaks(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	for _, c := range []struct {
		mode            string
		consent         chatops.ChatConsent
		marketing, rodo bool
	}{
		{ConsentExplicit, chatops.ChatConsent{}, false, false},
		{"", chatops.ChatConsent{}, false, false},
		{ConsentImplied, chatops.ChatConsent{}, true, true},
		{ConsentExplicit, chatops.ChatConsent{Marketing: &yes}, true, false},
		{ConsentExplicit, chatops.ChatConsent{RODO: &yes}, false, true},
		{ConsentImplied, chatops.ChatConsent{Marketing: &no}, false, true},
	} {
		v := newVisitor(t, func(o *Options) { o.ConsentMode = c.mode })
		r, err := v.s.Reply(t.Context(), chatops.ChatRequest{Message: completeSet, Consent: c.consent})
		if err != nil {
			t.Fatal(err)
		}
		v.session = r.SessionID
		v.say("tak")
		conv, lead := v.store.convs[v.session], v.store.leads[v.session]
		if conv.MarketingConsent != c.marketing || conv.RODOConsent != c.rodo {
			t.Errorf("%+v: conversation %v %v", c, conv.MarketingConsent, conv.RODOConsent)
		}
		if lead.MarketingConsent != c.marketing || lead.RODOConsent != c.rodo {
			t.Errorf("%+v: lead %v %v", c, lead.MarketingConsent, lead.RODOConsent)
		}
	}
}

func TestConsent_GivenAfterTheLeadReachesTheLead(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	v.say(completeSet)
	v.say("tak")
	v.say("jednak Premium") // not confirmed: must not slip into the lead
	yes := true
	_, err := v.s.Reply(t.Context(), chatops.ChatRequest{Message: "hej", SessionID: v.session, Consent: chatops.ChatConsent{Marketing: &yes}})
	if err != nil {
		t.Fatal(err)
	}
	lead := v.store.leads[v.session]
	if !lead.MarketingConsent || lead.RODOConsent || lead.InterestedPackage != "Express Plus" {
		t.Errorf("lead %+v", lead)
	}
	v.wantLeads(1)
}

func TestHistory_IsOldestFirstAndEmptyForStrangers(t *testing.T) {
	t.Parallel()
	v := newVisitor(t)
	v.say("hej")
	v.say("ile trwa remont?")
	list, err := v.s.History(t.Context(), v.session)
	if err != nil || len(list) != 4 || list[0].Text != "hej" || list[0].Sender != chatops.SenderUser || list[3].Sender != chatops.SenderBot {
		t.Errorf("%v %+v", err, list)
	}
	list, err = v.s.History(t.Context(), "nobody")
	if err != nil || list == nil || len(list) != 0 {
		t.Errorf("%v %+v, want an empty list", err, list)
	}
	if _, err := v.s.History(t.Context(), "a b"); chatops.ErrorCode(err) != chatops.CodeInvalid {
		t.Errorf("%v, want %s", err, chatops.CodeInvalid)
	}
}

func TestNew_NamesTheSettingThatCannotWork(t *testing.T) {
	t.Parallel()
	for text, o := range map[string]Options{
		"store":        {},
		"consent mode": {Store: newMemoryStore(), ConsentMode: "perhaps"},
		"admin e-mail": {Store: newMemoryStore(), AdminEmail: "a@b.pl\r\nBcc: c@d.pl"},
		"webhook name": {Store: newMemoryStore(), Webhooks: []string{"a b"}},
	} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%v, want an error about the %s", err, text)
		}
	}
}
