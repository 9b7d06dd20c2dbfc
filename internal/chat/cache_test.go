package chat

import (
	"bytes"
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/sendertest"
)

// mapCache is a Cache that forgets nothing.
type mapCache struct {
	mu     sync.Mutex
	values map[string][]byte
	ttl    time.Duration // of the last value
}

func newMapCache() *mapCache { return &mapCache{values: map[string][]byte{}} }

func (c *mapCache) Get(_ context.Context, key string) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	value, ok := c.values[key]
	return value, ok
}

func (c *mapCache) Set(_ context.Context, key string, value []byte, ttl time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.values[key], c.ttl = slices.Clone(value), ttl
}

// spoil changes every value.
func (c *mapCache) spoil(change func([]byte) []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, value := range maps.All(c.values) {
		c.values[key] = change(value)
	}
}

const priceAnswer = "Najtańszy jest pakiet Express za 999 zł/m²."

func TestLLMCache_TheSameQuestionIsAskedOnce(t *testing.T) {
	t.Parallel()
	cache := newMapCache()
	first, second := newLLMWorld(t, LLMOptions{Cache: cache}), newLLMWorld(t, LLMOptions{Cache: cache})
	second.opts.BaseURL = first.opts.BaseURL // another replica of the same installation
	first.fake.Set(sendertest.LLMStream(priceAnswer))
	for _, w := range []*llmWorld{first, first, second} {
		if got, err := w.Answer(t.Context(), polish(t)); got != priceAnswer || err != nil {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if a, b := len(first.fake.Requests()), len(second.fake.Requests()); a != 1 || b != 0 {
		t.Errorf("%d and %d requests, want one", a, b)
	}
	if v := first.metricValues(t); v["chatops_llm_answers_total{cached}"] != 1 || v["chatops_llm_answers_total{answered}"] != 1 || v["chatops_llm_call_seconds"] != 1 {
		t.Errorf("metrics %v", v)
	}
	if cache.ttl != 6*time.Hour {
		t.Errorf("kept for %v", cache.ttl)
	}
}

func TestLLMCache_AnswersWhileTheEndpointIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newLLMWorld(t, LLMOptions{Cache: newMapCache()})
	w.fake.Set(sendertest.LLMStream(priceAnswer))
	if _, err := w.Answer(t.Context(), polish(t)); err != nil {
		t.Fatal(err)
	}
	w.opts.Breaker.Trip(time.Time{}, "test")
	if got, err := w.Answer(t.Context(), polish(t)); got != priceAnswer || err != nil {
		t.Errorf("breaker open: %q, %v", got, err)
	}
	other := polish(t)
	other.Message = "A ile trwa remont?"
	if got, _ := w.outcome(t, t.Context(), other); got != LLMBreakerOpen {
		t.Errorf("another question: %s", got)
	}
}

func TestLLMCache_AnythingElseInThePromptIsAnotherQuestion(t *testing.T) {
	t.Parallel()
	w := newLLMWorld(t, LLMOptions{})
	key := func(change func(*LLMQuestion)) string {
		q := polish(t)
		change(&q)
		return w.cacheKey(w.prompt(&q))
	}
	same := key(func(*LLMQuestion) {})
	if key(func(*LLMQuestion) {}) != same {
		t.Fatal("the same question has two keys")
	}
	changes := map[string]func(*LLMQuestion){
		"message":  func(q *LLMQuestion) { q.Message = "Ile to kosztuje" },
		"language": func(q *LLMQuestion) { q.Language = English },
		"entries":  func(q *LLMQuestion) { q.Entries[0].Text += " Od maja drożej." },
		"city":     func(q *LLMQuestion) { q.Facts.City = "Kraków" },
		"area":     func(q *LLMQuestion) { q.Facts.SquareMeters = 60 },
		"budget":   func(q *LLMQuestion) { q.Facts.Budget = 100_000 },
		"package":  func(q *LLMQuestion) { q.Facts.Package = "Comfort" },
		"history": func(q *LLMQuestion) {
			q.History = []chatops.Message{{Sender: chatops.SenderUser, Text: "dzień dobry"}}
		},
	}
	seen := map[string]string{same: "nothing changed"}
	for name, change := range changes {
		k := key(change)
		if other := seen[k]; other != "" {
			t.Errorf("%s: the same key as %s", name, other)
		}
		seen[k] = name
	}
	q := polish(t)
	opts := w.opts
	for name, change := range map[string]func(*LLMOptions){
		"model":    func(o *LLMOptions) { o.Model += "2" },
		"version":  func(o *LLMOptions) { o.Version += "2" },
		"endpoint": func(o *LLMOptions) { o.BaseURL += "2" },
	} {
		w.opts = opts
		change(&w.opts)
		if w.cacheKey(w.prompt(&q)) == same {
			t.Errorf("%s: the same key", name)
		}
	}
}

// What the masking hides makes no difference: it is not in the prompt.
func TestLLMCache_VisitorsWithOtherNamesShareAnAnswer(t *testing.T) {
	t.Parallel()
	w := newLLMWorld(t, LLMOptions{})
	a, b := polish(t), polish(t)
	a.Message, a.Facts = "Jestem Jan Kowalski, tel. 600 700 800. Ile to kosztuje?", chatops.Facts{Name: "Jan Kowalski", Phone: "+48600700800"}
	b.Message, b.Facts = "Jestem Anna Nowak, tel. 511 222 333. Ile to kosztuje?", chatops.Facts{Name: "Anna Nowak", Phone: "+48511222333"}
	if w.cacheKey(w.prompt(&a)) != w.cacheKey(w.prompt(&b)) {
		t.Error("the keys differ: something personal is in them")
	}
}

func TestLLMCache_OnlyAnswersThatWereShownAreKept(t *testing.T) {
	t.Parallel()
	cache := newMapCache()
	for _, c := range fakes {
		if c.outcome == LLMTimeout {
			continue // as the others, only slower
		}
		w := newLLMWorld(t, LLMOptions{Cache: cache})
		w.fake.Set(c.behaviour)
		if got, _ := w.outcome(t, t.Context(), polish(t)); got != c.outcome {
			t.Errorf("%s: %s", c.name, got)
		}
	}
	w := newLLMWorld(t, LLMOptions{Cache: cache})
	w.fake.Set(sendertest.LLMStream("Pakiet Express za 1 zł/m²."))
	if got, reason := w.outcome(t, t.Context(), polish(t)); got != LLMRejected || reason != ReasonPrice {
		t.Errorf("%s, %s", got, reason)
	}
	if n := len(cache.values); n != 0 {
		t.Errorf("%d answers are kept", n)
	}
}

func TestLLMCache_WhatSomebodyElseWroteIsCheckedLikeAnyAnswer(t *testing.T) {
	t.Parallel()
	for _, planted := range []string{"Pakiet Express za 1 zł/m².", "<b>x</b>", "", "Zadzwoń: 700 100 200", "\x00\xff"} {
		cache := newMapCache()
		w := newLLMWorld(t, LLMOptions{Cache: cache})
		w.fake.Set(sendertest.LLMStream(priceAnswer))
		_, _ = w.Answer(t.Context(), polish(t))
		cache.spoil(func([]byte) []byte { return []byte(planted) })
		if got, err := w.Answer(t.Context(), polish(t)); got != priceAnswer || err != nil {
			t.Errorf("%q was planted: %q, %v", planted, got, err)
		}
		if n := len(w.fake.Requests()); n != 2 {
			t.Errorf("%q was planted: %d requests", planted, n)
		}
	}
}

// withReplies makes a service with a store of keys and a cache of replies.
func withReplies(tb testing.TB) (*Service, *onceStore, *mapCache) {
	tb.Helper()
	s, store := withOnce(tb)
	cache := newMapCache()
	s.opts.Replies = cache
	return s, store, cache
}

func TestOnceCache_ARepeatedRequestIsAnsweredWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	s, store, _ := withReplies(t)
	req := chatops.ChatRequest{Message: "Jan Kowalski, 60 m2 w Krakowie", Once: key("k1", "b")}
	first, err := s.Reply(t.Context(), req)
	if err != nil || first.Replayed {
		t.Fatal(first, err)
	}
	store.keys = nil // whoever asks the database fails
	req.Once = key("k1", "b")
	second, err := s.Reply(t.Context(), req)
	if err != nil || !second.Replayed {
		t.Fatal(second, err)
	}
	second.Replayed = false
	if !reflect.DeepEqual(first, second) || first.ConversationID == 0 {
		t.Errorf("answers differ:\n%+v\n%+v", first, second)
	}
}

func TestOnceCache_AnswersAsTheDatabaseDoes(t *testing.T) {
	t.Parallel()
	s, _, _ := withReplies(t)
	for i, text := range []string{completeSet, "tak", "Ile kosztuje Comfort?"} {
		k := key("k"+string(rune('0'+i)), "b")
		if _, err := s.Reply(t.Context(), chatops.ChatRequest{Message: text, SessionID: "s1", Once: k}); err != nil {
			t.Fatal(err)
		}
		cached, err := s.Reply(t.Context(), chatops.ChatRequest{Message: text, SessionID: "s1", Once: k})
		if err != nil {
			t.Fatal(err)
		}
		replies := s.opts.Replies
		s.opts.Replies = nil
		stored, err := s.Reply(t.Context(), chatops.ChatRequest{Message: text, SessionID: "s1", Once: k})
		s.opts.Replies = replies
		if err != nil || !reflect.DeepEqual(cached, stored) || !stored.Replayed {
			t.Errorf("%q: %v\ncached %+v\nstored %+v", text, err, cached, stored)
		}
	}
}

func TestOnceCache_OtherContentIsStillAMismatch(t *testing.T) {
	t.Parallel()
	s, store, _ := withReplies(t)
	if _, err := s.Reply(t.Context(), chatops.ChatRequest{Message: "hej", Once: key("k1", "b")}); err != nil {
		t.Fatal(err)
	}
	_, err := s.Reply(t.Context(), chatops.ChatRequest{Message: "hej hej", Once: key("k1", "other")})
	if chatops.ErrorCode(err) != chatops.CodeMismatch || store.saves != 1 {
		t.Errorf("got %v after %d saves", err, store.saves)
	}
}

func TestOnceCache_KeepsOnlyWhatIsStored(t *testing.T) {
	t.Parallel()
	s, store, cache := withReplies(t)
	store.failSave = chatops.Errorf(chatops.CodeUnavailable, "database is not reachable")
	req := chatops.ChatRequest{Message: "hej", Once: key("k1", "b")}
	if _, err := s.Reply(t.Context(), req); err == nil || len(cache.values) != 0 {
		t.Fatalf("%v, %d replies are kept", err, len(cache.values))
	}
	store.failSave = nil
	if r, err := s.Reply(t.Context(), req); err != nil || r.Replayed || len(cache.values) != 1 {
		t.Errorf("%+v, %v, %d replies are kept", r, err, len(cache.values))
	}
}

func TestOnceCache_HoldsNothingThatCanBeReadOrForged(t *testing.T) {
	t.Parallel()
	s, store, cache := withReplies(t)
	req := chatops.ChatRequest{Message: "Jan Kowalski, jan@przyklad.pl, 600 700 800", Once: key("k1", "b")}
	first, err := s.Reply(t.Context(), req)
	if err != nil || first.Context.Email == "" {
		t.Fatal(first, err)
	}
	for _, value := range cache.values {
		for _, word := range []string{"Kowalski", "jan@przyklad.pl", "48600700800", first.SessionID, "response"} {
			if bytes.Contains(value, []byte(word)) {
				t.Errorf("%s can be read", word)
			}
		}
	}
	for name, change := range map[string]func([]byte) []byte{
		"a bit":   func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"cut":     func(b []byte) []byte { return b[:20] },
		"empty":   func([]byte) []byte { return nil },
		"forged":  func([]byte) []byte { return []byte(strings.Repeat(`{"status":200}`, 9)) },
		"swapped": func([]byte) []byte { return sealedFor(t, key("k2", "b")) },
	} {
		cache.spoil(change)
		got, err := s.Reply(t.Context(), req)
		if err != nil || !got.Replayed || got.Response != first.Response || store.saves != 1 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// sealedFor is the cached reply of another request.
func sealedFor(t *testing.T, k *chatops.OnceKey) []byte {
	t.Helper()
	s, _, cache := withReplies(t)
	s.cacheReply(t.Context(), k, &chatops.KeptReply{Status: 200, Reply: []byte(`{"response":"x"}`)})
	return slices.Collect(maps.Values(cache.values))[0]
}

func TestOnceCache_ARepeatedLeadIsReadAsItIsNow(t *testing.T) {
	t.Parallel()
	s, store, _ := withReplies(t)
	lead := &chatops.Lead{Name: "Anna Nowak", Email: "anna@x.pl"}
	first, replayed, err := s.CreateLead(t.Context(), lead, key("k", "b"), chatops.ChatConsent{})
	if err != nil || replayed {
		t.Fatal(replayed, err)
	}
	store.keys = nil
	store.forms[0].Notes = "oddzwonić"
	again, replayed, err := s.CreateLead(t.Context(), lead, key("k", "b"), chatops.ChatConsent{})
	if err != nil || !replayed || again.ID != first.ID || again.Notes != "oddzwonić" || len(store.forms) != 1 {
		t.Errorf("%+v, replayed %v, %v", again, replayed, err)
	}
}
