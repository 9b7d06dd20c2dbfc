package sqlite_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"chatops/internal/chatops"
	"chatops/internal/sqlite"
)

// An older writer, or somebody with a shell, stores times with fewer digits.
func TestAlerts_TimesOfEveryLength_ShowEachRowOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "chatbot.db")
	migrate(t, "sqlite://"+path)
	s := open(t, "sqlite://"+path, sqlite.Options{})
	db := openSQL(t, "file:"+path)
	times := []string{"2026-03-01 10:00:00", "2026-03-01 10:00:00.5", "2026-03-01 10:00:00.500000", "2026-03-01 10:00:00.000000", "2026-03-01 09:00:00"}
	for i := range 20 {
		_, err := db.ExecContext(t.Context(), fmt.Sprintf(`insert into dead_letter_queue (event_type, target, payload, status, created_at)
			values ('slack_alert', 'slack:alerts', '{}', 'failed', '%s')`, times[i%len(times)]))
		if err != nil {
			t.Fatal(err)
		}
	}
	seen := map[int64]bool{}
	var after chatops.AlertCursor
	for range 21 {
		list, next, err := s.Alerts(t.Context(), chatops.AlertFilter{}, after, 1)
		if err != nil {
			t.Fatal(err)
		}
		if seen[list[0].ID] {
			t.Fatalf("alert %d is shown twice", list[0].ID)
		}
		seen[list[0].ID] = true
		if next == nil {
			break
		}
		after = *next
	}
	if len(seen) != 20 {
		t.Errorf("%d of 20 alerts are shown", len(seen))
	}
}

func TestAlerts_ErrorIgnoresTheCaseOfPolishLetters(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "chatbot.db")
	migrate(t, "sqlite://"+path)
	s := open(t, "sqlite://"+path, sqlite.Options{})
	_, err := openSQL(t, "file:"+path).ExecContext(t.Context(), `insert into dead_letter_queue (event_type, target, payload, status, error_message)
		values ('slack_alert', 'slack:alerts', '{}', 'failed', 'BŁĄD: Zażółć GĘŚLĄ')`)
	if err != nil {
		t.Fatal(err)
	}
	for search, want := range map[string]int{"błąd": 1, "zażółć gęślą": 1, "ZAŻÓŁĆ": 1, "blad": 0} {
		list, _, err := s.Alerts(t.Context(), chatops.AlertFilter{Error: search}, chatops.AlertCursor{}, 10)
		if err != nil || len(list) != want {
			t.Errorf("%q finds %d alerts (%v), want %d", search, len(list), err, want)
		}
	}
}

func TestAlerts_ManyTargetsAndTypes_NeedNoBranchEach(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "chatbot.db")
	migrate(t, "sqlite://"+path)
	s := open(t, "sqlite://"+path, sqlite.Options{})
	var f chatops.AlertFilter
	var alerts []chatops.NewAlert
	for i := range 40 {
		target := fmt.Sprint("webhook:", i)
		alerts = append(alerts, chatops.NewAlert{EventType: fmt.Sprint("type-", i), Target: target, Payload: []byte(`{}`)})
		f.Targets, f.Types = append(f.Targets, target), append(f.Types, fmt.Sprint("type-", i))
	}
	if _, err := s.Enqueue(t.Context(), alerts); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]chatops.AlertFilter{"targets": {Targets: f.Targets}, "types": {Types: f.Types}, "both": f} {
		list, _, err := s.Alerts(t.Context(), f, chatops.AlertCursor{}, 100)
		n, countErr := s.CountAlerts(t.Context(), f)
		if err != nil || countErr != nil || len(list) != 40 || n != 40 {
			t.Errorf("%s: %d alerts (%v), count %d (%v), want 40", name, len(list), err, n, countErr)
		}
	}
	if _, _, err := s.Alerts(t.Context(), chatops.AlertFilter{}, chatops.AlertCursor{}, 0); chatops.ErrorCode(err) != chatops.CodeInvalid {
		t.Errorf("a page of 0 alerts: %v", err)
	}
}
