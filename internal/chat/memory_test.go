package chat

import (
	"context"
	"sync"
	"testing"

	"chatops/internal/chatops"
)

func TestMemory_KeepsAConversationWithItsLead(t *testing.T) {
	t.Parallel()
	m := NewMemory()
	s, _ := testService(t, func(o *Options) { o.Store = m })
	v := visitor{t: t, s: s}
	for _, line := range []string{"Jan Kowalski, 60 m2 w Krakowie, 600 700 800", "tak, zgadza się"} {
		v.say(line)
	}
	conv, err := m.Conversation(t.Context(), v.session)
	if err != nil || conv.Version != 2 || conv.LeadID == 0 || conv.Facts.City != "Kraków" || conv.StartedAt.IsZero() {
		t.Errorf("%+v, %v", conv, err)
	}
	lead, err := m.LeadBySession(t.Context(), v.session)
	if err != nil || lead.ID != conv.LeadID || lead.Phone != "+48600700800" {
		t.Errorf("%+v, %v", lead, err)
	}
	list, err := s.History(t.Context(), v.session)
	if err != nil || len(list) != 4 || list[0].Sender != chatops.SenderUser || list[3].Sender != chatops.SenderBot || list[0].ID == list[1].ID {
		t.Errorf("%+v, %v", list, err)
	}
	if newest, _ := m.Messages(t.Context(), v.session, 1); len(newest) != 1 || newest[0].Text != list[3].Text {
		t.Errorf("the newest message is %+v", newest)
	}
}

func TestMemory_KnowsNoOtherSession(t *testing.T) {
	t.Parallel()
	m := NewMemory()
	if _, err := m.Conversation(t.Context(), "x"); chatops.ErrorCode(err) != chatops.CodeNotFound {
		t.Errorf("conversation: %v", err)
	}
	if _, err := m.LeadBySession(t.Context(), "x"); chatops.ErrorCode(err) != chatops.CodeNotFound {
		t.Errorf("lead: %v", err)
	}
	if list, err := m.Messages(t.Context(), "x", 5); err != nil || len(list) != 0 {
		t.Errorf("messages: %v, %v", list, err)
	}
}

func TestMemory_RefusesATurnOnAnOlderState(t *testing.T) {
	t.Parallel()
	m := NewMemory()
	save := func(version int64) error {
		_, err := m.SaveTurn(t.Context(), &chatops.Turn{Conversation: chatops.Conversation{SessionID: "s", Version: version}})
		return err
	}
	for i, step := range []struct {
		version int64
		code    chatops.Code
	}{{1, chatops.CodeConflict}, {0, ""}, {0, chatops.CodeConflict}, {1, ""}, {1, chatops.CodeConflict}} {
		if err := save(step.version); chatops.ErrorCode(err) != step.code {
			t.Errorf("step %d: %v, want %q", i, err, step.code)
		}
	}
}

func TestMemory_KeepsOneLeadPerSession(t *testing.T) {
	t.Parallel()
	m := NewMemory()
	turn := func(version int64, name string) *chatops.TurnResult {
		res, err := m.SaveTurn(t.Context(), &chatops.Turn{
			Conversation: chatops.Conversation{SessionID: "s", Version: version}, Lead: &chatops.Lead{Name: name},
		})
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	first, second := turn(0, "Jan"), turn(1, "Ewa")
	if !first.LeadCreated || second.LeadCreated || first.LeadID != second.LeadID {
		t.Errorf("%+v then %+v", first, second)
	}
	if lead, err := m.LeadBySession(t.Context(), "s"); err != nil || lead.Name != "Ewa" {
		t.Errorf("%+v, %v", lead, err)
	}
}

func TestMemory_TakesConcurrentTurns(t *testing.T) {
	t.Parallel()
	m := NewMemory()
	s, _ := testService(t, func(o *Options) { o.Store = m })
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := s.Reply(context.Background(), chatops.ChatRequest{Message: "ile kosztuje metr", SessionID: "one"}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if conv, err := m.Conversation(t.Context(), "one"); err != nil || conv.Version != 8 && conv.Version == 0 {
		t.Errorf("%+v, %v", conv, err)
	}
}
