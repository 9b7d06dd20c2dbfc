package postgres_test

import (
	"net/url"
	"testing"

	"chatops/internal/chatops"
	"chatops/internal/consent"
	"chatops/internal/postgres"
)

// TestWithdrawConsent_WhoseReplyIsLost_HasOneEffectWhenRepeated: the COMMIT is
// done, its reply is lost, and the person asks again.
func TestWithdrawConsent_WhoseReplyIsLost_HasOneEffectWhenRepeated(t *testing.T) {
	t.Parallel()
	direct := migrated(t)
	u, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	other := open(t, direct, postgres.Options{})
	one := turnOf("lost")
	one.Conversation.Email, one.Conversation.MarketingConsent, one.Conversation.RODOConsent = "anna@example.pl", true, true
	if _, err := other.SaveTurn(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	proxy := newMute(t, u.Host)
	s := open(t, proxy.through(t, direct), postgres.Options{MaxConns: 1})
	warm := chatops.ConsentWithdrawal{Action: chatops.ActionUnsubscribe, EmailKey: "warm@example.pl"}
	if _, err := s.WithdrawConsent(t.Context(), warm); err != nil { // prepares the statements
		t.Fatal(err)
	}
	w := chatops.ConsentWithdrawal{Action: chatops.ActionUnsubscribe, EmailKey: "anna@example.pl"}
	proxy.silent.Store(true)
	if _, err := s.WithdrawConsent(t.Context(), w); chatops.ErrorCode(err) != chatops.CodeUnavailable {
		t.Fatalf("error is %v", err)
	}
	proxy.silent.Store(false)
	for t.Context().Err() == nil { // until the server has done it
		st, err := other.ConsentStatus(t.Context(), w.EmailKey)
		if err != nil {
			t.Fatal(err)
		}
		if st.IsUnsubscribed {
			break
		}
	}
	before, err := other.Conversation(t.Context(), "lost")
	if err != nil || before.MarketingConsent {
		t.Fatalf("conversation %+v, %v", before, err)
	}
	if n, err := s.WithdrawConsent(t.Context(), w); err != nil || n != 0 {
		t.Fatalf("repeated, it changed %d rows, %v", n, err)
	}
	after, err := other.Conversation(t.Context(), "lost")
	if err != nil || after.Version != before.Version {
		t.Errorf("the version moved from %d to %d, %v", before.Version, after.Version, err)
	}
	wantRecord(t, other, 3) // every call, and a chain that verifies
}

func wantRecord(t *testing.T, s *postgres.Store, rows int64) {
	t.Helper()
	r, err := consent.Verify(t.Context(), s)
	if err != nil || !r.OK() || r.Rows != rows {
		t.Errorf("audit log: %+v, %v; want %d rows", r, err, rows)
	}
}

// TestErasePerson_WhoseAuditRaises_IsUndone: the same holds for giving consent.
func TestErasePerson_WhoseAuditRaises_IsUndone(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	db := handle(t, url)
	s := open(t, url, postgres.Options{})
	one := turnOf("kept")
	one.Conversation.Email = "anna@example.pl"
	if _, err := s.SaveTurn(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ErasePerson(t.Context(), chatops.Erasure{EmailKey: "anna@example.pl"}); chatops.ErrorCode(err) != chatops.CodeInvalid {
		t.Fatalf("without a key to remember by: %v", err)
	}
	if _, err := s.StoredConsentKeys(t.Context(), consent.GenerateKey()); err != nil {
		t.Fatal(err)
	}
	exec(t, db, `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$`)
	exec(t, db, `create trigger refuse before insert on consent_audit_log for each row execute function refuse()`)
	if _, err := s.ErasePerson(t.Context(), chatops.Erasure{EmailKey: "anna@example.pl"}); err == nil {
		t.Error("a person was erased without a record")
	}
	if _, err := s.GrantConsent(t.Context(), chatops.ConsentGrant{EmailKey: "anna@example.pl", Marketing: true}); err == nil {
		t.Error("consent was given without a record")
	}
	c, err := s.Conversation(t.Context(), "kept")
	if err != nil || c.MarketingConsent {
		t.Fatalf("conversation %+v, %v", c, err)
	}
	exec(t, db, `drop trigger refuse on consent_audit_log`)
	if _, err := s.ErasePerson(t.Context(), chatops.Erasure{EmailKey: "anna@example.pl"}); err != nil {
		t.Fatal(err)
	}
	wantRecord(t, s, 1)
}

func TestAudit_IsNotTruncated(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	db, s := handle(t, url), open(t, url, postgres.Options{})
	w := chatops.ConsentWithdrawal{Action: chatops.ActionRevoke, EmailKey: "anna@example.pl"}
	if _, err := s.WithdrawConsent(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `truncate consent_audit_log`); err == nil {
		t.Error("the log was emptied")
	}
	wantRecord(t, s, 1)
}
