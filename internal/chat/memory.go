package chat

import (
	"context"
	"slices"
	"sync"

	"chatops/internal/chatops"
)

// Memory is a conversation store that forgets everything when the process ends:
// for trying the bot out. It keeps the rules of chatops.ConversationStore and is
// safe for concurrent use. Alerts that a lead causes are sent to nobody.
type Memory struct {
	mu       sync.Mutex
	convs    map[string]chatops.Conversation
	messages map[string][]chatops.Message
	leads    map[string]chatops.Lead
	lastID   int64 // of messages and leads
}

var _ chatops.ConversationStore = (*Memory)(nil)

// NewMemory makes an empty store.
func NewMemory() *Memory {
	return &Memory{
		convs: map[string]chatops.Conversation{}, messages: map[string][]chatops.Message{}, leads: map[string]chatops.Lead{},
	}
}

// Conversation returns a session's conversation, or CodeNotFound.
func (m *Memory) Conversation(_ context.Context, sessionID string) (*chatops.Conversation, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.convs[sessionID]
	if !ok {
		return nil, chatops.Errorf(chatops.CodeNotFound, "no conversation of this session")
	}
	c.LeadID = m.leads[sessionID].ID
	return &c, nil
}

// SaveTurn stores a turn; CodeConflict when the conversation is another one than
// was loaded.
func (m *Memory) SaveTurn(_ context.Context, t *chatops.Turn) (*chatops.TurnResult, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := t.Conversation
	old, exists := m.convs[c.SessionID]
	if exists != (c.Version > 0) || old.Version != c.Version {
		return nil, chatops.Errorf(chatops.CodeConflict, "the conversation was changed meanwhile")
	}
	if c.Version++; !exists {
		c.ID, c.StartedAt = int64(len(m.convs)+1), c.LastUserMessageAt
	}
	m.convs[c.SessionID] = c
	for _, line := range []chatops.Message{{Text: t.UserMessage, Sender: chatops.SenderUser}, {Text: t.BotMessage, Sender: chatops.SenderBot}} {
		m.lastID++
		line.ID, line.At = m.lastID, c.LastUserMessageAt
		m.messages[c.SessionID] = append(m.messages[c.SessionID], line)
	}
	res := &chatops.TurnResult{ConversationID: c.ID, Version: c.Version}
	if t.Lead != nil {
		m.saveLead(c.SessionID, *t.Lead, res)
	}
	return res, nil
}

func (m *Memory) saveLead(sessionID string, lead chatops.Lead, res *chatops.TurnResult) {
	old, exists := m.leads[sessionID]
	if lead.ID = old.ID; !exists {
		m.lastID++
		lead.ID = m.lastID
	}
	m.leads[sessionID] = lead
	res.LeadID, res.LeadCreated = lead.ID, !exists
}

// Messages returns a session's newest messages, oldest first.
func (m *Memory) Messages(_ context.Context, sessionID string, limit int) ([]chatops.Message, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := m.messages[sessionID]
	return slices.Clone(list[max(0, len(list)-limit):]), nil
}

// LeadBySession returns the session's lead, or CodeNotFound.
func (m *Memory) LeadBySession(_ context.Context, sessionID string) (*chatops.Lead, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l, ok := m.leads[sessionID]; ok {
		return &l, nil
	}
	return nil, chatops.Errorf(chatops.CodeNotFound, "no lead of this session")
}
