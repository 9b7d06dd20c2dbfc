package sqlite_test

import (
	"database/sql"
	"fmt"
	"math"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"chatops/internal/sqlite"
)

func TestSaveTurn_FromThreeProcessesAtOnce_LosesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "chatbot.db")
	url := "sqlite://" + path
	migrate(t, url)
	s := open(t, url, sqlite.Options{BusyTimeout: time.Minute})
	const turns = 40
	children := []*child{startChild(t, url, "a", turns), startChild(t, url, "b", turns)}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range turns {
				if _, err := s.SaveTurn(t.Context(), leadTurn(fmt.Sprintf("c-%d-%d", w, i))); err != nil {
					t.Errorf("save beside two other processes: %v", err)
					return
				}
			}
		})
	}
	for _, c := range children {
		if n := len(c.acknowledged(math.MaxInt)); n != 8*turns {
			t.Errorf("a child stored %d turns, want %d", n, 8*turns)
		}
		if err := c.cmd.Wait(); err != nil {
			t.Errorf("child: %v", err)
		}
	}
	wg.Wait()
	db := openSQL(t, "file:"+path)
	for query, want := range map[string]int{
		`select count(*) from leads`:             3 * 8 * turns,
		`select count(*) from chat_messages`:     2 * 3 * 8 * turns,
		`select count(*) from dead_letter_queue`: 3 * 3 * 8 * turns,
		`select sum(n) from dlq_count`:           3 * 3 * 8 * turns,
	} {
		if got := count(t, db, query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
}

func count(t *testing.T, db *sql.DB, query string) int {
	t.Helper()
	var n int
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// wantWhole ends the test when any turn is stored in part.
func wantWhole(t *testing.T, db *sql.DB) {
	t.Helper()
	for what, query := range map[string]string{
		"conversations without both messages": `select count(*) from chat_conversations c
			where (select count(*) from chat_messages m where m.conversation_id = c.id) <> 2`,
		"conversations without a lead": `select count(*) from chat_conversations c
			where not exists (select 1 from leads l where l.session_id = c.session_id)`,
		"leads without their alerts": `select count(*) from leads l where (select count(*) from dead_letter_queue d
			where d.idempotency_key in (l.session_id || 'slack:alerts', l.session_id || 'monday:leads',
				l.session_id || 'mailto:biuro@example.pl')) <> 3`,
		"alerts that the counters do not have": `select (select count(*) from dead_letter_queue) - (select coalesce(sum(n), 0) from dlq_count)`,
	} {
		if n := count(t, db, query); n != 0 {
			t.Errorf("%d %s", n, what)
		}
	}
	var check string
	if err := db.QueryRowContext(t.Context(), `pragma integrity_check`).Scan(&check); err != nil || check != "ok" {
		t.Errorf("integrity check: %q, %v", check, err)
	}
}

// wantSessions ends the test when an acknowledged turn is gone.
func wantSessions(t *testing.T, s *sqlite.Store, sessions []string) {
	t.Helper()
	for _, session := range sessions {
		if _, err := s.LeadBySession(t.Context(), session); err != nil {
			t.Errorf("turn of %s was acknowledged and is gone: %v", session, err)
		}
	}
}

func TestSaveTurn_KilledWhileWriting_LeavesWholeTurnsAndEveryAcknowledgedOne(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "chatbot.db")
	url := "sqlite://" + path
	migrate(t, url)
	var kept []string
	for round := range 4 {
		c := startChild(t, url, fmt.Sprint("round-", round), 0)
		sessions := c.acknowledged(60 + 37*round)
		if len(sessions) == 0 {
			t.Fatal("the child stored nothing")
		}
		if err := c.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		kept = append(append(kept, sessions...), c.acknowledged(math.MaxInt)...)
		if err := c.cmd.Wait(); err == nil {
			t.Fatal("the child was not killed")
		}
		s, err := sqlite.Open(t.Context(), url, sqlite.Options{})
		if err != nil {
			t.Fatalf("open after a kill: %v", err)
		}
		wantSessions(t, s, kept)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	wantWhole(t, openSQL(t, "file:"+path))
}
