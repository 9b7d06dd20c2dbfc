package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"

	"chatops/internal/chatops"
	"chatops/internal/sqlite"
	"chatops/internal/storetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(tb testing.TB) storetest.Harness {
		tb.Helper()
		return newHarness(tb, filepath.Join(tb.TempDir(), "chatbot.db"))
	})
}

func newHarness(tb testing.TB, path string) storetest.Harness {
	tb.Helper()
	migrate(tb, "sqlite://"+path)
	return storetest.Harness{
		OpenFunc: func(tb testing.TB, now func() time.Time) chatops.Store {
			tb.Helper()
			return open(tb, "sqlite://"+path, sqlite.Options{Clock: now, EmailMarks: storetest.Marks})
		},
		SQL: openSQL(tb, "file:"+path),
	}
}

// migrate brings a database up to date.
func migrate(tb testing.TB, url string) {
	tb.Helper()
	m, err := sqlite.NewMigrator(tb.Context(), url)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := m.Up(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	if err := m.Close(); err != nil {
		tb.Fatal(err)
	}
}

// open opens a store that is closed when the test ends.
func open(tb testing.TB, url string, o sqlite.Options) *sqlite.Store {
	tb.Helper()
	s, err := sqlite.Open(tb.Context(), url, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// openSQL opens the same file as another program would.
func openSQL(tb testing.TB, name string) *sql.DB {
	tb.Helper()
	db, err := driver.Open(name, func(c *sqlite3.Conn) error { return c.Exec("pragma busy_timeout=10000") })
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	return db
}
