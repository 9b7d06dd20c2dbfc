package chat

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"chatops/internal/chatops"
)

// memoryStore is an honest store: it checks versions, keeps one lead per
// session and queues an alert's key once.
type memoryStore struct {
	mu       sync.Mutex
	convs    map[string]chatops.Conversation
	messages map[string][]chatops.Message
	leads    map[string]chatops.Lead
	created  int
	alerts   []chatops.NewAlert
	spoken   []chatops.ConsentSaid // with turns
	loads    int
	saves    int
	failSave error // returned instead of saving
	// beforeSave runs without the lock before each save, so that tests can
	// order concurrent turns.
	beforeSave func(*chatops.Turn)
}

var _ chatops.ConversationStore = (*memoryStore)(nil)

func newMemoryStore() *memoryStore {
	return &memoryStore{
		convs: map[string]chatops.Conversation{}, messages: map[string][]chatops.Message{}, leads: map[string]chatops.Lead{},
	}
}

func (m *memoryStore) Conversation(_ context.Context, id string) (*chatops.Conversation, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.loads++
	c, ok := m.convs[id]
	if !ok {
		return nil, chatops.Errorf(chatops.CodeNotFound, "no such conversation")
	}
	c.LeadID = m.leads[id].ID
	return &c, nil
}

func (m *memoryStore) SaveTurn(ctx context.Context, t *chatops.Turn) (*chatops.TurnResult, error) {
	if m.beforeSave != nil {
		m.beforeSave(t)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.saves++
	if err := ctx.Err(); err != nil {
		return nil, chatops.WrapError(chatops.CodeUnavailable, err, "save turn")
	}
	if m.failSave != nil {
		return nil, m.failSave
	}
	c := t.Conversation
	old, exists := m.convs[c.SessionID]
	if exists != (c.Version > 0) || old.Version != c.Version {
		return nil, chatops.Errorf(chatops.CodeConflict, "conversation was changed by somebody else")
	}
	c.Version++
	if c.ID == 0 {
		c.ID = int64(len(m.convs) + 1)
	}
	m.convs[c.SessionID] = c
	m.spoken = append(m.spoken, t.Said...)
	m.messages[c.SessionID] = append(m.messages[c.SessionID],
		chatops.Message{Text: t.UserMessage, Sender: chatops.SenderUser, At: c.LastUserMessageAt},
		chatops.Message{Text: t.BotMessage, Sender: chatops.SenderBot, At: c.LastUserMessageAt})
	res := &chatops.TurnResult{ConversationID: c.ID, Version: c.Version}
	if t.Lead != nil {
		m.saveLead(t, res)
	}
	return res, nil
}

func (m *memoryStore) saveLead(t *chatops.Turn, res *chatops.TurnResult) {
	id := t.Conversation.SessionID
	lead := *t.Lead
	old, exists := m.leads[id]
	if lead.ID = old.ID; !exists {
		m.created++
		lead.ID = int64(len(m.leads) + 1)
		for _, a := range t.Alerts {
			if !slices.ContainsFunc(m.alerts, func(b chatops.NewAlert) bool { return a.IdempotencyKey == b.IdempotencyKey }) {
				m.alerts = append(m.alerts, a)
				res.AlertsQueued++
			}
		}
	}
	m.leads[id] = lead
	res.LeadID, res.LeadCreated = lead.ID, !exists
}

func (m *memoryStore) Messages(_ context.Context, id string, limit int) ([]chatops.Message, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := m.messages[id]
	return slices.Clone(list[max(0, len(list)-limit):]), nil
}

func (m *memoryStore) LeadBySession(_ context.Context, id string) (*chatops.Lead, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l, ok := m.leads[id]; ok {
		return &l, nil
	}
	return nil, chatops.Errorf(chatops.CodeNotFound, "no lead of this session")
}

// visitor talks to a service in one session.
type visitor struct {
	t       testing.TB
	s       *Service
	store   *memoryStore
	session string
	last    *chatops.ChatReply
}

func testService(tb testing.TB, change ...func(*Options)) (*Service, *memoryStore) {
	tb.Helper()
	store := newMemoryStore()
	opts := Options{
		Store: store, Knowledge: testKnowledge(tb), AdminEmail: "sprzedaz@firma.example", Webhooks: []string{"crm"},
		NowFunc: func() time.Time { return time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC) },
	}
	for _, c := range change {
		c(&opts)
	}
	s, err := New(opts)
	if err != nil {
		tb.Fatal(err)
	}
	return s, store
}

func newVisitor(tb testing.TB, change ...func(*Options)) *visitor {
	tb.Helper()
	s, store := testService(tb, change...)
	return &visitor{t: tb, s: s, store: store}
}

func (v *visitor) say(text string) *chatops.ChatReply {
	v.t.Helper()
	r, err := v.s.Reply(v.t.Context(), chatops.ChatRequest{Message: text, SessionID: v.session})
	if err != nil {
		v.t.Fatalf("%q: %v", text, err)
	}
	v.session, v.last = r.SessionID, r
	return r
}
