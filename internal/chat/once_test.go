package chat

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"chatops/internal/chatops"
)

// onceStore keeps keys beside a memoryStore, and stores a reply only with the
// effect it tells about.
type onceStore struct {
	*memoryStore
	mu    sync.Mutex
	keys  map[string]*keptKey
	forms []chatops.Lead
	said  []chatops.ConsentSaid // with forms
	fail  error                 // returned instead of creating a lead
}

type keptKey struct {
	key   chatops.OnceKey
	reply *chatops.KeptReply
}

func withOnce(tb testing.TB, change ...func(*Options)) (*Service, *onceStore) {
	tb.Helper()
	o := &onceStore{memoryStore: newMemoryStore(), keys: map[string]*keptKey{}}
	change = append([]func(*Options){func(opts *Options) { opts.Store, opts.Once, opts.Leads = o, o, o }}, change...)
	s, _ := testService(tb, change...)
	return s, o
}

func (o *onceStore) BeginOnce(_ context.Context, k chatops.OnceKey, _ time.Duration) (*chatops.KeptReply, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	old := o.keys[k.Scope+k.Key]
	switch {
	case old == nil:
		o.keys[k.Scope+k.Key] = &keptKey{key: k}
		return nil, nil //nolint:nilnil // claimed
	case old.key.Body != k.Body:
		return nil, chatops.Errorf(chatops.CodeMismatch, "other body")
	case old.reply == nil:
		return nil, chatops.Errorf(chatops.CodeConflict, "running")
	}
	return old.reply, nil
}

func (o *onceStore) AbandonOnce(_ context.Context, k chatops.OnceKey) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if old := o.keys[k.Scope+k.Key]; old != nil && old.reply == nil && old.key.Owner == k.Owner {
		delete(o.keys, k.Scope+k.Key)
	}
	return nil
}

func (o *onceStore) DeleteExpiredOnce(context.Context, int) (int, error) { return 0, nil }

func (o *onceStore) finish(r *chatops.OnceReply, id int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.keys[r.Scope+r.Key].reply = &chatops.KeptReply{Status: r.Status, Reply: r.Reply, RecordID: id}
}

func (o *onceStore) SaveTurn(ctx context.Context, t *chatops.Turn) (*chatops.TurnResult, error) {
	res, err := o.memoryStore.SaveTurn(ctx, t)
	if err == nil && t.Once != nil {
		o.finish(t.Once, res.ConversationID)
	}
	return res, err
}

func (o *onceStore) CreateLead(
	_ context.Context, l *chatops.Lead, alerts []chatops.NewAlert, once *chatops.OnceReply, said ...chatops.ConsentSaid,
) (*chatops.Lead, error) {
	o.said = append(o.said, said...)
	if o.fail != nil {
		return nil, o.fail
	}
	stored := *l
	stored.ID = int64(len(o.forms) + 1)
	o.forms = append(o.forms, stored)
	o.alerts = append(o.alerts, alerts...)
	if once != nil {
		o.finish(once, stored.ID)
	}
	return &stored, nil
}

func (o *onceStore) Lead(_ context.Context, id int64) (*chatops.Lead, error) {
	return &o.forms[id-1], nil
}

func (o *onceStore) UpdateLead(context.Context, int64, chatops.LeadChange) (before, after *chatops.Lead, err error) {
	panic("not used by the chat")
}

func (o *onceStore) SetLeadStatus(context.Context, []int64, chatops.LeadStatus) (int, []int64, error) {
	panic("not used by the chat")
}

func (o *onceStore) Leads(context.Context, chatops.LeadFilter, int, int) ([]chatops.Lead, int64, error) {
	panic("not used by the chat")
}

func (o *onceStore) EachLead(context.Context, chatops.LeadFilter, func(*chatops.Lead) error) error {
	panic("not used by the chat")
}

func key(name, body string) *chatops.OnceKey {
	return &chatops.OnceKey{Scope: "chat", Key: name, Body: body, Owner: newSessionID()}
}

func TestOnce_ARepeatedRequestGetsTheFirstAnswerAndHasNoEffect(t *testing.T) {
	t.Parallel()
	s, store := withOnce(t)
	req := chatops.ChatRequest{Message: "Jan Kowalski, 60 m2 w Krakowie", Once: key("k1", "b")}
	first, err := s.Reply(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	req.Once = key("k1", "b")
	second, err := s.Reply(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if !second.Replayed || first.Replayed {
		t.Errorf("replayed: %v then %v, want false then true", first.Replayed, second.Replayed)
	}
	second.Replayed = false
	if !reflect.DeepEqual(first, second) {
		t.Errorf("answers differ:\n%+v\n%+v", first, second)
	}
	if first.ConversationID == 0 || store.saves != 1 {
		t.Errorf("conversation %d, %d saves", first.ConversationID, store.saves)
	}
}

func TestOnce_TheKeyOfAFailedRequestIsFreeAgain(t *testing.T) {
	t.Parallel()
	s, store := withOnce(t)
	store.failSave = chatops.Errorf(chatops.CodeUnavailable, "database is not reachable")
	req := chatops.ChatRequest{Message: "hej", Once: key("k1", "b")}
	if _, err := s.Reply(t.Context(), req); chatops.ErrorCode(err) != chatops.CodeUnavailable {
		t.Fatalf("got %v", err)
	}
	store.failSave = nil
	req.Once = key("k1", "b")
	if r, err := s.Reply(t.Context(), req); err != nil || r.Replayed {
		t.Errorf("the next request got %+v, %v", r, err)
	}
}

func TestOnce_PassesOnRunningAndMismatch(t *testing.T) {
	t.Parallel()
	s, store := withOnce(t)
	if _, err := store.BeginOnce(t.Context(), *key("k1", "b"), time.Minute); err != nil {
		t.Fatal(err)
	}
	for body, code := range map[string]chatops.Code{"b": chatops.CodeConflict, "other": chatops.CodeMismatch} {
		if _, err := s.Reply(t.Context(), chatops.ChatRequest{Message: "hej", Once: key("k1", body)}); chatops.ErrorCode(err) != code {
			t.Errorf("body %q: %v, want %s", body, err, code)
		}
	}
	if store.saves != 0 {
		t.Errorf("%d turns were stored", store.saves)
	}
}

func TestOnce_ABadRequestClaimsNoKey(t *testing.T) {
	t.Parallel()
	s, store := withOnce(t)
	if _, err := s.Reply(t.Context(), chatops.ChatRequest{Message: " ", Once: key("k1", "b")}); chatops.ErrorCode(err) != chatops.CodeInvalid {
		t.Errorf("got %v", err)
	}
	if len(store.keys) != 0 {
		t.Error("the key is claimed")
	}
}

func TestOnce_WithoutAStoreKeysAreRefused(t *testing.T) {
	t.Parallel()
	s, _ := testService(t)
	if _, err := s.Reply(t.Context(), chatops.ChatRequest{Message: "hej", Once: key("k", "b")}); chatops.ErrorCode(err) != chatops.CodeInvalid {
		t.Errorf("got %v", err)
	}
}

// The reply that is kept is made before the lead has a number; the visitor must
// be told the same as without a key.
func TestOnce_AConfirmationIsAnsweredAsWithoutAKey(t *testing.T) {
	t.Parallel()
	s, _ := withOnce(t)
	plain := newVisitor(t)
	plain.session = "s-plain"
	for i, text := range []string{completeSet, "tak", "tak"} {
		want := plain.say(text)
		got, err := s.Reply(t.Context(), chatops.ChatRequest{Message: text, SessionID: "s-plain", Once: key(text+string(rune('0'+i)), "b")})
		if err != nil {
			t.Fatal(err)
		}
		if got.Response != want.Response || got.NextBestAction != want.NextBestAction || got.LeadScore != want.LeadScore {
			t.Errorf("%q: %q %s, want %q %s", text, got.Response, got.NextBestAction, want.Response, want.NextBestAction)
		}
	}
}

func TestCreateLead_ScoresAndAnnouncesALeadOfAForm(t *testing.T) {
	t.Parallel()
	s, store := withOnce(t)
	lead := &chatops.Lead{Name: "Anna Nowak", Email: "anna@x.pl", Phone: "+48600100200", Message: "proszę o kontakt"}
	got, replayed, err := s.CreateLead(t.Context(), lead, nil, chatops.ChatConsent{})
	if err != nil || replayed {
		t.Fatal(replayed, err)
	}
	if got.LeadScore != scoreName+scoreEmail+scorePhone || got.Status != chatops.LeadNew || got.Source != chatops.LeadSource ||
		got.MarketingConsent || got.RODOConsent || !got.DataConfirmed || got.SessionID == "" {
		t.Errorf("lead %+v", got)
	}
	events := map[string]int{}
	for _, a := range store.alerts {
		events[a.EventType]++
	}
	if events[chatops.EventMondayItem] != 1 || events[chatops.EventEmailAlert] != 1 || events[chatops.EventWebhook] != 1 || len(store.alerts) != 3 {
		t.Errorf("alerts %v", events)
	}
	if lead.SessionID != "" {
		t.Error("the caller's lead was changed")
	}
}

func TestCreateLead_TwoFormsAreTwoLeadsAndARepeatedOneIsOne(t *testing.T) {
	t.Parallel()
	s, store := withOnce(t)
	lead := &chatops.Lead{Name: "Anna Nowak", Email: "anna@x.pl"}
	a, _, errA := s.CreateLead(t.Context(), lead, key("k", "b"), chatops.ChatConsent{})
	b, replayed, errB := s.CreateLead(t.Context(), lead, key("k", "b"), chatops.ChatConsent{})
	c, _, errC := s.CreateLead(t.Context(), lead, nil, chatops.ChatConsent{})
	if errA != nil || errB != nil || errC != nil {
		t.Fatal(errA, errB, errC)
	}
	if !replayed || a.ID != b.ID || c.ID == a.ID || len(store.forms) != 2 {
		t.Errorf("leads %d %d %d, replayed %v, %d stored", a.ID, b.ID, c.ID, replayed, len(store.forms))
	}
	keys := make([]string, len(store.alerts))
	for i := range store.alerts {
		keys[i] = store.alerts[i].IdempotencyKey
	}
	slices.Sort(keys)
	if n := len(slices.Compact(keys)); n != len(store.alerts) {
		t.Errorf("%d of %d alerts have a key of their own", n, len(store.alerts))
	}
}

func TestCreateLead_FollowsTheConsentModeAndPassesOnErrors(t *testing.T) {
	t.Parallel()
	store := &onceStore{memoryStore: newMemoryStore(), keys: map[string]*keptKey{}}
	s, _ := testService(t, func(o *Options) { o.Store, o.Leads, o.ConsentMode = store, store, ConsentImplied })
	got, _, err := s.CreateLead(t.Context(), &chatops.Lead{Name: "A", Email: "a@x.pl"}, nil, chatops.ChatConsent{})
	if err != nil || !got.MarketingConsent || !got.RODOConsent {
		t.Errorf("%+v, %v", got, err)
	}
	store.fail = chatops.Errorf(chatops.CodeUnavailable, "database is not reachable")
	if _, _, err := s.CreateLead(t.Context(), &chatops.Lead{Name: "A", Email: "a@x.pl"}, nil, chatops.ChatConsent{}); chatops.ErrorCode(err) != chatops.CodeUnavailable {
		t.Errorf("got %v", err)
	}
}
