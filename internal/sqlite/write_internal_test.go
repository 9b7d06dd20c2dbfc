package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"chatops/internal/chatops"
)

// newStore opens a migrated store.
func newStore(t *testing.T, o Options) *Store {
	t.Helper()
	url := "sqlite://" + filepath.Join(t.TempDir(), "chatbot.db")
	m, err := NewMigrator(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

const noteSQL = `insert into operator_action (actor) values (?)`

func note(actor string) func(tx *writeTx) error {
	return func(tx *writeTx) error {
		_, err := tx.exec(noteSQL, actor)
		return err
	}
}

func notes(t *testing.T, s *Store) string {
	t.Helper()
	list, _, err := s.Actions(t.Context(), chatops.ActionFilter{}, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range list {
		names = append(names, a.Actor)
	}
	return strings.Join(names, " ")
}

// group runs works as one group: they queue up while a first write is held.
func group(t *testing.T, s *Store, works ...func(tx *writeTx) error) []error {
	t.Helper()
	running, release := make(chan struct{}), make(chan struct{})
	errs := make([]error, len(works))
	var wg sync.WaitGroup
	wg.Go(func() {
		err := s.write(t.Context(), func(*writeTx) error { close(running); <-release; return nil })
		if err != nil {
			t.Errorf("the first write: %v", err)
		}
	})
	<-running
	for i, work := range works {
		wg.Go(func() { errs[i] = s.write(t.Context(), work) })
		s.waitQueued(i + 1)
	}
	close(release)
	wg.Wait()
	return errs
}

// waitQueued returns when n writes are queued.
func (s *Store) waitQueued(n int) {
	for {
		s.writer.mu.Lock()
		queued := len(s.writer.queue)
		s.writer.mu.Unlock()
		if queued >= n {
			return
		}
	}
}

func TestWrite_AFailingWriteInAGroup_UndoesOnlyItself(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	broken := errors.New("changed its mind")
	errs := group(t, s,
		note("one"),
		func(tx *writeTx) error { return errors.Join(note("undone")(tx), broken) },
		note("two"),
		func(tx *writeTx) error {
			_ = note("undone too")(tx)
			_, err := tx.exec(`insert into chat_messages (conversation_id, message, sender) values (1, 'x', 'nobody')`)
			return err
		},
		func(tx *writeTx) error { _ = note("panicked")(tx); panic("defect") },
		note("three"),
	)
	for i, want := range []chatops.Code{"", chatops.CodeInternal, "", chatops.CodeInvalid, chatops.CodeInternal, ""} {
		if got := chatops.ErrorCode(errs[i]); got != want {
			t.Errorf("write %d: %q (%v), want %q", i, got, errs[i], want)
		}
	}
	if !errors.Is(errs[1], broken) {
		t.Errorf("the cause is lost: %v", errs[1])
	}
	if got := notes(t, s); got != "three two one" {
		t.Errorf("stored %q, want %q", got, "three two one")
	}
}

func TestWrite_QueuedTogether_ShareOneTransaction(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	const rows = `select count(*) from operator_action`
	works := make([]func(tx *writeTx) error, 20)
	seen := make([]int, len(works))
	for i := range works {
		works[i] = func(tx *writeTx) error {
			if err := note("x")(tx); err != nil {
				return err
			}
			return tx.row(rows).Scan(&seen[i])
		}
	}
	var outside int
	works[19] = func(*writeTx) error {
		return s.read(t.Context(), func(r *readTx) error { return r.row(rows).Scan(&outside) })
	}
	for i, err := range group(t, s, works...) {
		if err != nil {
			t.Errorf("write %d: %v", i, err)
		}
	}
	if seen[18] != 19 || outside != 0 {
		t.Errorf("the last write saw %d rows, want 19, and others saw %d before the commit, want 0", seen[18], outside)
	}
}

func TestWrite_CommitFails_NobodyIsToldItWorked(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	errs := group(t, s, note("one"), func(tx *writeTx) error {
		if _, err := tx.exec(`pragma defer_foreign_keys=on`); err != nil {
			return err
		}
		_, err := tx.exec(`insert into chat_messages (conversation_id, message, sender) values (987, 'x', 'user')`)
		return err
	}, note("two"))
	for i, err := range errs {
		if err == nil {
			t.Errorf("write %d was reported as stored although the commit failed", i)
		}
	}
	if got := notes(t, s); got != "" {
		t.Errorf("stored %q, want nothing", got)
	}
	if err := s.write(t.Context(), note("after")); err != nil || notes(t, s) != "after" {
		t.Errorf("the next write: %v, stored %q", err, notes(t, s))
	}
}

func TestWrite_TransactionEndedByTheEngine_FailsTheWholeGroup(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	errs := group(t, s, note("one"), func(tx *writeTx) error {
		return errors.Join(tx.w.exec(tx.ctx, `rollback`), errors.New("disk gone"))
	}, note("two"))
	for i, err := range errs {
		if err == nil {
			t.Errorf("write %d was reported as stored although the transaction was gone", i)
		}
	}
	if got := notes(t, s); got != "" {
		t.Errorf("stored %q, want nothing", got)
	}
	if err := s.write(t.Context(), note("after")); err != nil || notes(t, s) != "after" {
		t.Errorf("the next write: %v, stored %q", err, notes(t, s))
	}
}

func TestWrite_FileAtItsLimit_SaysDiskFullAndHeals(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	limit := func(pages int) {
		_, err := s.writer.conn.ExecContext(t.Context(), fmt.Sprintf("pragma max_page_count=%d", pages))
		if err != nil {
			t.Fatal(err)
		}
	}
	limit(1) // SQLite takes the present size instead
	err := s.write(t.Context(), note(strings.Repeat("x", 100_000)))
	if chatops.ErrorCode(err) != chatops.CodeUnavailable || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("write to a full file: %v", err)
	}
	limit(100_000)
	if err := s.write(t.Context(), note("after")); err != nil || notes(t, s) != "after" {
		t.Errorf("write after there is space: %v, stored %q", err, notes(t, s))
	}
}

// hold keeps the write lock as another process would, until release is called.
func hold(t *testing.T, s *Store) (release func()) {
	t.Helper()
	db, err := s.place.open(migrator, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `begin immediate`); err != nil {
		t.Fatal(err)
	}
	return sync.OnceFunc(func() {
		_, err := db.ExecContext(context.Background(), `rollback`)
		if err = errors.Join(err, db.Close()); err != nil {
			t.Error(err)
		}
	})
}

func TestWrite_WhileAnotherProcessWrites_WaitsForIt(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{BusyTimeout: time.Minute})
	release := hold(t, s)
	defer release()
	done := make(chan error)
	go func() { done <- s.write(t.Context(), note("waited")) }()
	select {
	case err := <-done:
		t.Fatalf("the write did not wait: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	release()
	if err := <-done; err != nil || notes(t, s) != "waited" {
		t.Errorf("%v, stored %q", err, notes(t, s))
	}
}

func TestWrite_AnotherProcessWritesForTooLong_IsUnavailable(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{BusyTimeout: 50 * time.Millisecond})
	release := hold(t, s)
	defer release()
	err := s.write(t.Context(), note("never"))
	if chatops.ErrorCode(err) != chatops.CodeUnavailable || !strings.Contains(err.Error(), "busy") {
		t.Errorf("%v, want busy", err)
	}
	release()
	if err := s.write(t.Context(), note("after")); err != nil || notes(t, s) != "after" {
		t.Errorf("%v, stored %q", err, notes(t, s))
	}
}

func TestWrite_CallerLeavesWhileWaiting_IsNotStoredLater(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{BusyTimeout: time.Minute})
	release := hold(t, s)
	defer release()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.write(ctx, note("left")); chatops.ErrorCode(err) != chatops.CodeUnavailable {
		t.Errorf("%v, want %q at the caller's deadline", err, chatops.CodeUnavailable)
	}
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if err := s.write(ctx, note("cancelled")); chatops.ErrorCode(err) != chatops.CodeInterrupted {
		t.Errorf("%v, want %q", err, chatops.CodeInterrupted)
	}
	release()
	if err := s.write(t.Context(), note("after")); err != nil || notes(t, s) != "after" {
		t.Errorf("%v, stored %q", err, notes(t, s))
	}
}

func TestClose_WaitsForWritesAndRefusesLaterOnes(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	running, release := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- s.write(t.Context(), func(tx *writeTx) error { close(running); <-release; return note("last")(tx) })
	}()
	<-running
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	select {
	case err := <-closed:
		t.Fatalf("Close did not wait for a write: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(release)
	if err := errors.Join(<-done, <-closed); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"write": s.write(t.Context(), note("late")),
		"read":  s.Ping(t.Context()),
	} {
		if chatops.ErrorCode(err) != chatops.CodeUnavailable {
			t.Errorf("%s after Close: %v, want %q", name, err, chatops.CodeUnavailable)
		}
	}
}
