package postgres_test

import (
	"database/sql"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/postgres"
)

const slack = "slack:alerts"

func claimRequest(fresh bool, limit int) chatops.ClaimRequest {
	return chatops.ClaimRequest{Lane: slack, Fresh: fresh, Limit: limit, Owner: "me", Lease: time.Minute}
}

func claim(t *testing.T, s *postgres.Store, req chatops.ClaimRequest) []int64 {
	t.Helper()
	b, err := s.Claim(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	var ids []int64
	for _, a := range b.Alerts {
		ids = append(ids, a.ID)
	}
	return ids
}

func exec(t *testing.T, db interface {
	Exec(query string, args ...any) (sql.Result, error)
}, query string) {
	t.Helper()
	if _, err := db.Exec(query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

const insertOne = `insert into dead_letter_queue (event_type, target, payload, status) values ('x', 'slack:alerts', '{}', 'queued')`

func TestClaim_TakesAnAlertThatWasCommittedLate(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	s, db := open(t, url, postgres.Options{}), handle(t, url)
	exec(t, db, `insert into dead_letter_queue (event_type, target, payload, status) values ('x', 'slack:alerts', '{}', 'failed')`)
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	exec(t, tx, insertOne) // due now, but not visible yet
	exec(t, db, insertOne)
	if got := claim(t, s, claimRequest(true, 10)); len(got) != 1 || got[0] != 3 {
		t.Fatalf("claimed %v, want the committed alert", got)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	lanes, err := s.Lanes(t.Context())
	if err != nil || len(lanes) != 1 || lanes[0].DueIn > 0 {
		t.Fatalf("lanes are %+v, %v: want the late alert due", lanes, err)
	}
	if got := claim(t, s, claimRequest(true, 10)); len(got) != 1 || got[0] != 2 {
		t.Fatalf("claimed %v, want the late alert", got)
	}
	if got := claim(t, s, claimRequest(true, 10)); len(got) != 0 {
		t.Fatalf("claimed %v again", got)
	}
}

func TestSweep_FindsAnAlertThatWasCommittedTooLate(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	s, db := open(t, url, postgres.Options{}), handle(t, url)
	exec(t, db, insertOne)
	if got := claim(t, s, claimRequest(true, 10)); len(got) != 1 {
		t.Fatalf("claimed %v", got)
	}
	exec(t, db, insertOne)
	exec(t, db, `update dead_letter_queue set next_attempt_at = now() - interval '1 hour' where id = 2`)
	if got := claim(t, s, claimRequest(true, 10)); len(got) != 0 {
		t.Fatalf("claimed %v far behind the cursor", got)
	}
	for _, want := range []int{1, 0} {
		if n, err := s.Sweep(t.Context()); err != nil || n != want {
			t.Fatalf("sweep freed %d, %v; want %d", n, err, want)
		}
	}
	if got := claim(t, s, claimRequest(true, 10)); len(got) != 1 || got[0] != 2 {
		t.Fatalf("claimed %v after the sweep", got)
	}
}

func TestClaim_OfRowsRequeuedByTheOldRunbook_NeedsNoSweep(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	s, db := open(t, url, postgres.Options{}), handle(t, url)
	exec(t, db, `insert into dead_letter_queue (event_type, target, payload, status, next_attempt_at)
		select 'x', 'slack:alerts', '{}', 'failed', now() - interval '1 day' from generate_series(1, 3)`)
	exec(t, db, `insert into dead_letter_queue (event_type, target, payload) values ('x', 'slack:alerts', '{}')`)
	if got := claim(t, s, claimRequest(false, 10)); len(got) != 1 {
		t.Fatalf("claimed %v", got)
	}
	exec(t, db, `UPDATE dead_letter_queue SET retry_count=0, status='pending'
		WHERE status='failed' AND created_at > NOW() - INTERVAL '1 hour'`)
	if got := claim(t, s, claimRequest(false, 10)); len(got) != 3 {
		t.Fatalf("claimed %v, want the three requeued alerts", got)
	}
}

func TestClaim_AfterTheTargetWasChanged_FindsTheNewLane(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	s, db := open(t, url, postgres.Options{}), handle(t, url)
	exec(t, db, insertOne)
	exec(t, db, `update dead_letter_queue set target = 'slack:elsewhere'`)
	req := claimRequest(true, 1)
	req.Lane = "slack:elsewhere"
	if got := claim(t, s, req); len(got) != 1 {
		t.Fatalf("claimed %v", got)
	}
}

func TestTruncate_LeavesAQueueThatWorks(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	s, db := open(t, url, postgres.Options{}), handle(t, url)
	exec(t, db, insertOne)
	claim(t, s, claimRequest(true, 1))
	exec(t, db, `truncate dead_letter_queue`)
	exec(t, db, insertOne)
	stats, err := s.QueueStats(t.Context())
	if err != nil || stats.Total(chatops.AlertStatuses()...) != 1 {
		t.Fatalf("stats are %+v, %v", stats, err)
	}
	if got := claim(t, s, claimRequest(true, 10)); len(got) != 1 {
		t.Fatalf("claimed %v", got)
	}
}

func TestClaim_ExclusiveByManyAtOnce_GivesTheLaneToOne(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	s, db := open(t, url, postgres.Options{MaxConns: 8}), handle(t, url)
	exec(t, db, `insert into dead_letter_queue (event_type, target, payload, status)
		select 'x', 'slack:alerts', '{}', case i % 2 when 0 then 'queued' else 'pending' end from generate_series(1, 40) i`)
	won := make(chan int, 8)
	for i := range cap(won) {
		go func() {
			req := claimRequest(i%2 == 0, 1)
			req.Exclusive = true
			b, err := s.Claim(t.Context(), req)
			if err != nil {
				t.Error(err)
				won <- 0
				return
			}
			won <- len(b.Alerts)
		}()
	}
	total := 0
	for range cap(won) {
		total += <-won
	}
	if total != 1 {
		t.Errorf("%d exclusive claims won", total)
	}
}
