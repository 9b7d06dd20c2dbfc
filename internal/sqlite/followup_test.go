package sqlite_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/sqlite"
)

// sending is a follow-up that was begun, of a store of its own.
func sending(t *testing.T) (s *sqlite.Store, alert, fence int64) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "chatbot.db")
	migrate(t, "sqlite://"+path)
	s = open(t, "sqlite://"+path, sqlite.Options{})
	turn := leadTurn("s")
	turn.Lead = nil
	c := &turn.Conversation
	c.Email, c.MarketingConsent, c.RODOConsent = "jan@x.example", true, true
	c.LastUserMessageAt = time.Now().Add(-25 * time.Hour)
	saved, err := s.SaveTurn(t.Context(), turn)
	if err != nil {
		t.Fatal(err)
	}
	planned, err := s.PlanFollowup(t.Context(), &chatops.FollowupPlan{
		ConversationID: saved.ConversationID, Number: 1, Schedule: []time.Duration{24 * time.Hour}, Email: c.Email, Message: "x",
		Mail: chatops.NewAlert{EventType: chatops.EventFollowup, Target: chatops.TargetFollowups, Payload: []byte(`{"to":"jan@x.example"}`)},
	})
	if err != nil || !planned {
		t.Fatalf("planned %v, %v", planned, err)
	}
	list, err := s.Followups(t.Context(), saved.ConversationID, "", 1)
	if err != nil || len(list) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	if fence, err = s.BeginFollowup(t.Context(), list[0].AlertID); err != nil {
		t.Fatal(err)
	}
	return s, list[0].AlertID, fence
}

// A sender that panics while it holds the writer is no success, and leaves the
// writer to others.
func TestSendFollowup_WhoseDataPanics_IsNoSuccess(t *testing.T) {
	t.Parallel()
	s, alert, fence := sending(t)
	err := s.SendFollowup(t.Context(), alert, fence, func() error { panic("boom") })
	if err == nil {
		t.Error("a panic counts as sent")
	}
	if err := s.EndFollowup(t.Context(), alert, fence, chatops.FollowupUncertain); err != nil {
		t.Errorf("the writer was lost: %v", err)
	}
}

// What data says is what comes back, also its refusal; the event stays as it is.
func TestSendFollowup_ReturnsWhatDataSays(t *testing.T) {
	t.Parallel()
	s, alert, fence := sending(t)
	refused := errors.New("451 later")
	if err := s.SendFollowup(t.Context(), alert, fence, func() error { return refused }); !errors.Is(err, refused) {
		t.Errorf("error is %v", err)
	}
	if err := s.EndFollowup(t.Context(), alert, fence, chatops.FollowupQueued); err != nil {
		t.Error(err)
	}
	if again, err := s.BeginFollowup(t.Context(), alert); err != nil || again <= fence {
		t.Errorf("fence %d after %d, %v", again, fence, err)
	}
}
