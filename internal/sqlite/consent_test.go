package sqlite_test

import (
	"path/filepath"
	"testing"

	"chatops/internal/chatops"
	"chatops/internal/sqlite"
)

func TestConsent_WhoseAuditRaises_IsNotChanged(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "chatbot.db")
	migrate(t, "sqlite://"+path)
	s := open(t, "sqlite://"+path, sqlite.Options{})
	one := leadTurn("audit")
	one.Conversation.MarketingConsent, one.Lead.MarketingConsent = true, true
	if _, err := s.SaveTurn(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	_, err := openSQL(t, "file:"+path).ExecContext(t.Context(), `create trigger refuse before insert on consent_audit_log
		begin select raise(abort, 'no'); end`)
	if err != nil {
		t.Fatal(err)
	}
	w := chatops.ConsentWithdrawal{Action: chatops.ActionUnsubscribe, EmailKey: "jan@example.pl"}
	if n, err := s.WithdrawConsent(t.Context(), w); err == nil || n != 0 {
		t.Errorf("consent was withdrawn without a record: %d rows, %v", n, err)
	}
	if _, err := s.SetSessionConsent(t.Context(), "audit", true, true, chatops.ConsentOrigin{}); err == nil {
		t.Error("consent of a session was changed without a record")
	}
	c, err := s.Conversation(t.Context(), "audit")
	if err != nil || !c.MarketingConsent || c.RODOConsent || c.Version != 1 {
		t.Errorf("conversation is %+v, %v", c, err)
	}
	l, err := s.LeadBySession(t.Context(), "audit")
	if err != nil || !l.MarketingConsent || l.RODOConsent {
		t.Errorf("lead is %+v, %v", l, err)
	}
	st, err := s.ConsentStatus(t.Context(), "jan@example.pl")
	if err != nil || st.IsUnsubscribed {
		t.Errorf("status is %+v, %v", st, err)
	}
}
