package postgres_test

import (
	"net/url"
	"testing"

	"chatops/internal/chatops"
	"chatops/internal/postgres"
)

// TestConsent_OfAUserWhoMayNotWriteTheAudit_IsNotChanged: a privilege taken
// away from the program's user must not let a change pass unrecorded.
func TestConsent_OfAUserWhoMayNotWriteTheAudit_IsNotChanged(t *testing.T) {
	t.Parallel()
	direct := migrated(t)
	db := handle(t, direct)
	var name string
	if err := db.QueryRow(`select current_database()`).Scan(&name); err != nil {
		t.Fatal(err)
	}
	role := "app_" + name // roles belong to the server, which tests share
	exec(t, db, `create role "`+role+`" login password 'app'`)
	t.Cleanup(func() {
		exec(t, db, `drop owned by "`+role+`"`)
		exec(t, db, `drop role "`+role+`"`)
	})
	exec(t, db, `grant all on all tables in schema public to "`+role+`"`)
	exec(t, db, `revoke insert on consent_audit_log from "`+role+`"`)
	u, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(role, "app")
	wantNoChangeWithoutAudit(t, open(t, u.String(), postgres.Options{}))
	exec(t, db, `grant insert on consent_audit_log to "`+role+`"`)
}

func TestConsent_WhoseAuditRaises_IsNotChanged(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	db := handle(t, url)
	exec(t, db, `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$`)
	exec(t, db, `create trigger refuse before insert on consent_audit_log for each row execute function refuse()`)
	wantNoChangeWithoutAudit(t, open(t, url, postgres.Options{}))
}

// wantNoChangeWithoutAudit fails unless every change of consent is refused
// whole.
func wantNoChangeWithoutAudit(t *testing.T, s *postgres.Store) {
	t.Helper()
	one := turnOf("audit")
	one.Conversation.Email = "anna@example.pl"
	one.Conversation.MarketingConsent, one.Conversation.RODOConsent = true, true
	one.Lead = &chatops.Lead{Email: "anna@example.pl", MarketingConsent: true, RODOConsent: true}
	if _, err := s.SaveTurn(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	w := chatops.ConsentWithdrawal{Action: chatops.ActionRevoke, EmailKey: "anna@example.pl"}
	if _, err := s.WithdrawConsent(t.Context(), w); err == nil {
		t.Error("consent was withdrawn without a record")
	}
	for _, session := range []string{"audit", "new"} {
		if _, err := s.SetSessionConsent(t.Context(), session, false, false, chatops.ConsentOrigin{}); err == nil {
			t.Errorf("consent of session %s was changed without a record", session)
		}
	}
	c, err := s.Conversation(t.Context(), "audit")
	if err != nil || !c.MarketingConsent || !c.RODOConsent || c.Version != 1 {
		t.Errorf("conversation is %+v, %v", c, err)
	}
	l, err := s.LeadBySession(t.Context(), "audit")
	if err != nil || !l.MarketingConsent || !l.RODOConsent {
		t.Errorf("lead is %+v, %v", l, err)
	}
	st, err := s.ConsentStatus(t.Context(), "anna@example.pl")
	if err != nil || st.IsUnsubscribed {
		t.Errorf("status is %+v, %v", st, err)
	}
	if _, err := s.Conversation(t.Context(), "new"); chatops.ErrorCode(err) != chatops.CodeNotFound {
		t.Errorf("a conversation was made: %v", err)
	}
}
