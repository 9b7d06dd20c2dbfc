package e2e

import (
	"context"
	"net/http"
	"testing"

	"chatops/internal/pgtest"
	"chatops/internal/testserver"
)

// F7: the database is shot while visitors chat. They get 503 with Retry-After,
// never an answer that is not stored, and the same process goes on when the
// database is back.
func TestDatabaseDown_AnswersWith503AndRecoversWithoutRestart(t *testing.T) {
	t.Parallel()
	// Durable: without it PostgreSQL itself forgets commits when it is shot.
	pg := pgtest.Start(t, pgtest.Options{Durable: true})
	w := bareWorld(t, postgres)
	w.useDatabase(pg.Database("chat"))
	w.useReceivers()
	w.must("migrate", "up")
	s := w.serve()
	l := s.chatter(8)
	for range 2 {
		before := l.answers(http.StatusOK)
		l.awaitAnswers(http.StatusOK, before+100)
		pg.Stop(pgtest.Immediate)
		l.awaitAnswers(http.StatusServiceUnavailable, l.answers(http.StatusServiceUnavailable)+20)
		s.awaitStatus("/readyz", http.StatusServiceUnavailable)
		if status, _ := s.get("/livez"); status != http.StatusOK {
			t.Errorf("/livez answers %d while the database is down, want 200", status)
		}
		pg.Start()
		before = l.answers(http.StatusOK)
		l.awaitAnswers(http.StatusOK, before+100)
	}
	l.stop()
	l.reconcile(t, w)
	for status := range l.statuses {
		if status != http.StatusOK && status != http.StatusServiceUnavailable {
			t.Errorf("%d answers with %d, want 200 and 503 only", l.statuses[status], status)
		}
	}
	if l.bare > 0 {
		t.Errorf("%d answers with 503 had no Retry-After", l.bare)
	}
	w.enqueueLead("s1")
	w.await(3, `select count(*) from dead_letter_queue where status = 'delivered'`)
}

// awaitAnswers waits until there were n answers of a status.
func (l *load) awaitAnswers(status, n int) {
	l.s.t.Helper()
	err := testserver.Poll(patience, func(context.Context) error {
		if l.answers(status) < n {
			return errNotYet
		}
		return nil
	})
	if err != nil {
		l.s.t.Fatalf("%d answers with %d, want %d; all: %v", l.answers(status), status, n, l.statuses)
	}
}
