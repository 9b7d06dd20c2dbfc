package sqlite_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"chatops/internal/chatops"
	"chatops/internal/consent"
	"chatops/internal/sqlite"
)

// TestStore_WithoutMarks_LearnsThemFromItsKeys: an installation that configures
// no key keeps one in its database.
func TestStore_WithoutMarks_LearnsThemFromItsKeys(t *testing.T) {
	t.Parallel()
	url := "sqlite://" + filepath.Join(t.TempDir(), "chatbot.db")
	migrate(t, url)
	s := open(t, url, sqlite.Options{})
	w := chatops.ConsentWithdrawal{Action: chatops.ActionRevoke, EmailKey: "anna@example.pl"}
	if _, err := s.WithdrawConsent(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ErasePerson(t.Context(), chatops.Erasure{EmailKey: w.EmailKey}); chatops.ErrorCode(err) != chatops.CodeInvalid {
		t.Fatalf("without a key to remember by: %v", err)
	}
	first := consent.GenerateKey()
	keys, err := s.StoredConsentKeys(t.Context(), first)
	if err != nil || len(keys) != 1 || keys[0].ID != first.ID {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	if _, err := s.ErasePerson(t.Context(), chatops.Erasure{EmailKey: w.EmailKey}); err != nil {
		t.Fatal(err)
	}
	other := open(t, url, sqlite.Options{}) // another process, which knows no key yet
	if _, err := other.ConsentStatus(t.Context(), w.EmailKey); chatops.ErrorCode(err) != chatops.CodeNotFound {
		t.Errorf("the address is recognised without a key: %v", err)
	}
	if again, err := other.StoredConsentKeys(t.Context(), consent.GenerateKey()); err != nil || again[0].ID != first.ID {
		t.Fatalf("another process has other keys: %v", err)
	}
	st, err := other.ConsentStatus(t.Context(), w.EmailKey)
	if err != nil || !st.IsUnsubscribed {
		t.Errorf("the erased address is not recognised: %+v, %v", st, err)
	}
	// What was withdrawn altogether stays so.
	if _, err := other.GrantConsent(t.Context(), chatops.ConsentGrant{EmailKey: w.EmailKey, RODO: true}); err != nil {
		t.Fatal(err)
	}
	if st, err = s.ConsentStatus(t.Context(), w.EmailKey); err != nil || !st.IsUnsubscribed {
		t.Errorf("RODO consent has lifted the suppression of marketing: %+v, %v", st, err)
	}
	if r, err := consent.Verify(t.Context(), s); err != nil || !r.OK() || r.Rows != 3 || r.Erased != 1 {
		t.Errorf("audit log: %+v, %v", r, err)
	}
}

// BenchmarkAudit_Append measures a withdrawal, which appends one row.
func BenchmarkAudit_Append(b *testing.B) {
	s := chained(b, 0)
	for i := 0; b.Loop(); i++ {
		w := chatops.ConsentWithdrawal{Action: chatops.ActionUnsubscribe, EmailKey: fmt.Sprintf("p%d@example.pl", i)}
		if _, err := s.WithdrawConsent(b.Context(), w); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAudit_Verify measures the verification of 2,000 rows.
func BenchmarkAudit_Verify(b *testing.B) {
	const rows = 2000
	s := chained(b, rows)
	for b.Loop() {
		if r, err := consent.Verify(b.Context(), s); err != nil || !r.OK() || r.Rows != rows {
			b.Fatalf("%+v, %v", r, err)
		}
	}
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
}

// chained opens a store whose audit log has rows.
func chained(b *testing.B, rows int) *sqlite.Store {
	b.Helper()
	url := "sqlite://" + filepath.Join(b.TempDir(), "chatbot.db")
	migrate(b, url)
	s := open(b, url, sqlite.Options{})
	for i := range rows {
		w := chatops.ConsentWithdrawal{Action: chatops.ActionUnsubscribe, EmailKey: fmt.Sprintf("p%d@example.pl", i%7)}
		if _, err := s.WithdrawConsent(b.Context(), w); err != nil {
			b.Fatal(err)
		}
	}
	return s
}
