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
	storetest.Run(t, func(t testing.TB) storetest.Harness {
		t.Helper()
		return newHarness(t, filepath.Join(t.TempDir(), "chatbot.db"))
	})
}

func newHarness(t testing.TB, path string) storetest.Harness {
	t.Helper()
	migrate(t, "sqlite://"+path)
	return storetest.Harness{
		OpenFunc: func(t testing.TB, now func() time.Time) chatops.Store {
			t.Helper()
			return open(t, "sqlite://"+path, sqlite.Options{Clock: now})
		},
		SQL: openSQL(t, "file:"+path),
	}
}

// migrate brings a database up to date.
func migrate(t testing.TB, url string) {
	t.Helper()
	m, err := sqlite.NewMigrator(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
}

// open opens a store that is closed when the test ends.
func open(t testing.TB, url string, o sqlite.Options) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), url, o)
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

// openSQL opens the same file as another program would.
func openSQL(t testing.TB, name string) *sql.DB {
	t.Helper()
	db, err := driver.Open(name, func(c *sqlite3.Conn) error { return c.Exec("pragma busy_timeout=10000") })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}
