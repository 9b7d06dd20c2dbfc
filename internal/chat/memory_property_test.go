package chat

import (
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// Memory against a model that only counts: a session's version is the number of
// its turns, each turn adds two messages, and a session's first lead is its only
// one.
func TestMemory_AgreesWithAModelThatCounts(t *testing.T) {
	t.Parallel()
	sessions := []string{"a", "b", "c"}
	rapid.Check(t, func(r *rapid.T) {
		m := NewMemory()
		turns, leads := map[string]int64{}, map[string]int64{}
		ids := map[int64]bool{}
		for n := range rapid.IntRange(1, 25).Draw(r, "steps") {
			session := rapid.SampledFrom(sessions).Draw(r, "session")
			version := rapid.Int64Range(0, turns[session]+1).Draw(r, "version")
			turn := &chatops.Turn{
				Conversation: chatops.Conversation{SessionID: session, Version: version}, UserMessage: strconv.Itoa(n), BotMessage: "-" + strconv.Itoa(n),
			}
			if rapid.Bool().Draw(r, "lead") {
				turn.Lead = &chatops.Lead{SessionID: session, Name: strconv.Itoa(n)}
			}
			res, err := m.SaveTurn(t.Context(), turn)
			if version != turns[session] {
				if chatops.ErrorCode(err) != chatops.CodeConflict {
					r.Fatalf("a turn on version %d of %d: %v", version, turns[session], err)
				}
				continue
			}
			if err != nil || res.Version != version+1 {
				r.Fatalf("a turn on version %d: %+v, %v", version, res, err)
			}
			turns[session]++
			if turn.Lead != nil {
				if res.LeadCreated != (leads[session] == 0) || leads[session] != 0 && res.LeadID != leads[session] || res.LeadCreated && ids[res.LeadID] {
					r.Fatalf("lead %d of %s, created %v", res.LeadID, session, res.LeadCreated)
				}
				leads[session], ids[res.LeadID] = res.LeadID, true
			} else if res.LeadCreated || res.LeadID != 0 {
				r.Fatalf("a turn without a lead gives %+v", res)
			}
			checkMemory(t, r, m, session, turns[session], leads[session])
		}
	})
}

func checkMemory(t *testing.T, r *rapid.T, m *Memory, session string, turns, lead int64) {
	t.Helper()
	conv, err := m.Conversation(t.Context(), session)
	if err != nil || conv.Version != turns || conv.LeadID != lead {
		r.Fatalf("%s: %+v, %v; want version %d and lead %d", session, conv, err, turns, lead)
	}
	all, err := m.Messages(t.Context(), session, 1000)
	if err != nil || int64(len(all)) != 2*turns {
		r.Fatalf("%s: %d messages after %d turns, %v", session, len(all), turns, err)
	}
	for i, line := range all {
		bot := i%2 == 1
		if bot != (line.Sender == chatops.SenderBot) || bot && line.Text != "-"+all[i-1].Text || i > 0 && line.ID <= all[i-1].ID {
			r.Fatalf("%s: message %d is %+v", session, i, line)
		}
	}
	limit := rapid.IntRange(0, len(all)).Draw(r, "limit")
	newest, err := m.Messages(t.Context(), session, limit)
	if err != nil || len(newest) != limit || limit > 0 && newest[limit-1] != all[len(all)-1] {
		r.Fatalf("%s: the newest %d messages are %+v, %v", session, limit, newest, err)
	}
}

// What is handed out is a copy: a caller may change it.
func TestMemory_HandsOutCopies(t *testing.T) {
	t.Parallel()
	m := NewMemory()
	lead := &chatops.Lead{Name: "Jan"}
	if _, err := m.SaveTurn(t.Context(), &chatops.Turn{Conversation: chatops.Conversation{SessionID: "s"}, UserMessage: "hi", Lead: lead}); err != nil {
		t.Fatal(err)
	}
	lead.Name = "changed"
	conv, _ := m.Conversation(t.Context(), "s")
	conv.Version, conv.Facts.Name = 7, "changed"
	list, _ := m.Messages(t.Context(), "s", 10)
	list[0].Text = "changed"
	mine, _ := m.LeadBySession(t.Context(), "s")
	mine.Name = "changed"

	if again, err := m.Conversation(t.Context(), "s"); err != nil || again.Version != 1 || again.Facts.Name != "" {
		t.Errorf("conversation %+v, %v", again, err)
	}
	if again, err := m.Messages(t.Context(), "s", 10); err != nil || again[0].Text != "hi" {
		t.Errorf("messages %+v, %v", again, err)
	}
	if again, err := m.LeadBySession(t.Context(), "s"); err != nil || again.Name != "Jan" {
		t.Errorf("lead %+v, %v", again, err)
	}
}
