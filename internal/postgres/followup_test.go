package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/postgres"
)

// plantDuplicates drops the constraint and makes pairs that exist three times.
func plantDuplicates(t *testing.T, db *sql.DB, pairs int) {
	t.Helper()
	exec(t, db, `alter table followup_event drop constraint uq_conversation_followup`)
	exec(t, db, fmt.Sprintf(`insert into chat_conversations (session_id) select 's' || i from generate_series(1, %d) i`, pairs))
	exec(t, db, `insert into followup_event (conversation_id, followup_number, sent_at)
		select c.id, 1, now() - n * interval '1 hour' from chat_conversations c, generate_series(1, 3) n`)
}

// wantUnique ends the test unless the constraint is there under its name, of the
// right kind, and nothing is left of a build that went wrong.
func wantUnique(t *testing.T, db *sql.DB) {
	t.Helper()
	var constraints, invalid, duplicates int
	err := db.QueryRow(`select
		(select count(*) from pg_constraint where conname = 'uq_conversation_followup' and contype = 'u' and convalidated),
		(select count(*) from pg_index where indrelid = 'followup_event'::regclass and not indisvalid),
		(select count(*) from (select from followup_event group by conversation_id, followup_number having count(*) > 1) d)`).
		Scan(&constraints, &invalid, &duplicates)
	if err != nil || constraints != 1 || invalid != 0 || duplicates != 0 {
		t.Fatalf("%d constraints, %d invalid indexes, %d duplicates, %v", constraints, invalid, duplicates, err)
	}
}

func TestFixFollowupDuplicates_WhileAnOlderProgramWrites_BlocksNobodyForLong(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	s, db := open(t, url, postgres.Options{MaxConns: 2}), handle(t, url)
	const pairs = 2500 // more than two batches
	plantDuplicates(t, db, pairs)

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var written atomic.Int64
	slowest := make(chan time.Duration, 1)
	go func() {
		var worst time.Duration
		often := time.NewTicker(5 * time.Millisecond)
		defer often.Stop()
		for n := 0; ctx.Err() == nil; n++ {
			<-often.C
			start := time.Now()
			// Now and then a duplicate, as long as nothing forbids it.
			_, err := db.ExecContext(ctx, `insert into followup_event (conversation_id, followup_number)
				select id, 1 + $1::integer % 20 from chat_conversations order by id offset $1::integer % 100 limit 1`, n)
			worst = max(worst, time.Since(start))
			if err == nil {
				written.Add(1)
			}
		}
		slowest <- worst
	}()
	archived, err := s.FixFollowupDuplicates(t.Context())
	stop()
	worst := <-slowest
	if err != nil || archived < 2*pairs {
		t.Fatalf("archived %d, %v", archived, err)
	}
	wantUnique(t, db)
	if worst > 10*time.Second {
		t.Errorf("somebody waited %v for the repair", worst)
	}
	var kept, left int
	if err := db.QueryRow(`select (select count(*) from adoption_archive where table_name = 'followup_event'),
		(select count(*) from followup_event where followup_number = 1)`).Scan(&kept, &left); err != nil {
		t.Fatal(err)
	}
	if int64(kept) != archived || left != pairs {
		t.Errorf("%d rows in the archive, %d said; %d first follow-ups left of %d; %d written meanwhile", kept, archived, left, pairs, written.Load())
	}
}

func TestFixFollowupDuplicates_AfterABrokenBuild_StartsAgain(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	s, db := open(t, url, postgres.Options{MaxConns: 2}), handle(t, url)
	plantDuplicates(t, db, 3)
	if _, err := db.Exec(`create unique index concurrently uq_conversation_followup_new on followup_event (conversation_id, followup_number)`); err == nil {
		t.Fatal("the index was built over duplicates")
	}
	found := 0
	constraint, err := s.FollowupDuplicates(t.Context(), func(d chatops.FollowupDuplicate) error {
		found++
		if d.Count != 3 || len(d.IDs) != 3 {
			t.Errorf("duplicate %+v", d)
		}
		return nil
	})
	if err != nil || constraint || found != 3 {
		t.Fatalf("%d pairs, constraint %v, %v", found, constraint, err)
	}
	if n, err := s.FixFollowupDuplicates(t.Context()); err != nil || n != 6 {
		t.Fatalf("archived %d, %v", n, err)
	}
	wantUnique(t, db)
}

// sending is a follow-up that was begun.
func sending(t *testing.T, s *postgres.Store, db *sql.DB) (alert, fence int64) {
	t.Helper()
	turn := turnOf("s")
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
	if err := db.QueryRow(`select alert_id from followup_event`).Scan(&alert); err != nil {
		t.Fatal(err)
	}
	if fence, err = s.BeginFollowup(t.Context(), alert); err != nil {
		t.Fatal(err)
	}
	return alert, fence
}

// The connection dies while DATA begins: what was sent is sent, once, and the
// lock is free.
func TestSendFollowup_WhoseSessionDies_CallsDataOnce(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	s, db := open(t, url, postgres.Options{MaxConns: 2}), handle(t, url)
	alert, fence := sending(t, s, db)
	calls := 0
	err := s.SendFollowup(t.Context(), alert, fence, func() error {
		calls++
		exec(t, db, `select pg_terminate_backend(pid) from pg_stat_activity
			where datname = current_database() and state = 'idle in transaction'`)
		return nil
	})
	if err != nil || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
	if _, err := s.WithdrawConsent(t.Context(), chatops.ConsentWithdrawal{Action: chatops.ActionUnsubscribe, EmailKey: "jan@x.example"}); err != nil {
		t.Errorf("the lock was left behind: %v", err)
	}
	if err := s.EndFollowup(t.Context(), alert, fence, chatops.FollowupSent); err != nil {
		t.Errorf("its end: %v", err)
	}
}

// An opt-out of another address of the mailbox, which no conversation has, waits
// for the lock alone.
func TestSendFollowup_HoldsTheMailboxsLock(t *testing.T) {
	t.Parallel()
	url := migrated(t)
	s, db := open(t, url, postgres.Options{MaxConns: 4}), handle(t, url)
	alert, fence := sending(t, s, db)
	done := make(chan error, 1)
	err := s.SendFollowup(t.Context(), alert, fence, func() error {
		go func() {
			_, err := s.WithdrawConsent(t.Context(), chatops.ConsentWithdrawal{Action: chatops.ActionUnsubscribe, EmailKey: "jan+news@x.example"})
			done <- err
		}()
		// The withdrawal is seen waiting, and not ended.
		for waiting := false; !waiting; {
			if err := db.QueryRow(`select exists (select from pg_locks where locktype = 'advisory' and not granted)`).Scan(&waiting); err != nil {
				return err
			}
			select {
			case err := <-done:
				return errors.Join(errors.New("consent was withdrawn while DATA began"), err)
			default:
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := s.EndFollowup(t.Context(), alert, fence, chatops.FollowupQueued); err != nil {
		t.Fatal(err)
	}
	if fence, err = s.BeginFollowup(t.Context(), alert); err != nil {
		t.Fatal(err)
	}
	err = s.SendFollowup(t.Context(), alert, fence, func() error { t.Error("data was called"); return nil })
	if chatops.ErrorCode(err) != chatops.CodeRefused {
		t.Errorf("afterwards %v", err)
	}
}
