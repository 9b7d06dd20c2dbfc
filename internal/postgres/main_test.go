package postgres_test

import (
	"context"
	"database/sql"
	"flag"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"go.uber.org/goleak"

	"chatops/internal/chatops"
	"chatops/internal/pgtest"
	"chatops/internal/postgres"
	"chatops/internal/storetest"
)

// randomChecks is how many random histories each property plays: a statement
// takes thirty times as long as in SQLite, where each run plays a hundred of
// the same. `go test -rapid.checks N` plays more.
const randomChecks = "20"

func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", randomChecks); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(pgtest.Wrap(m))
}

// migrate applies every migration to the database at a URL.
func migrate(url string) error {
	m, err := postgres.NewMigrator(context.Background(), url)
	if err != nil {
		return err
	}
	defer func() { _ = m.Close() }()
	_, err = m.Up(context.Background())
	return err
}

// migrated returns the URL of a fresh database with the schema.
func migrated(tb testing.TB) string {
	tb.Helper()
	return pgtest.Template(tb, "migrated", migrate)
}

// open opens a store that is closed when the test ends.
func open(tb testing.TB, url string, o postgres.Options) *postgres.Store {
	tb.Helper()
	s, err := postgres.Open(context.Background(), url, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

// handle opens a plain handle on a database, in UTC.
func handle(tb testing.TB, url string) *sql.DB {
	tb.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		tb.Fatal(err)
	}
	config.RuntimeParams["timezone"] = "UTC"
	db := stdlib.OpenDB(*config)
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

// with adds a query parameter to a URL.
func with(tb testing.TB, text, key, value string) string {
	tb.Helper()
	u, err := url.Parse(text)
	if err != nil {
		tb.Fatal(err)
	}
	q := u.Query()
	q.Set(key, value)
	u.RawQuery = q.Encode()
	return u.String()
}

func harness(mode string) func(tb testing.TB) storetest.Harness {
	return func(tb testing.TB) storetest.Harness {
		tb.Helper()
		direct := migrated(tb)
		url := direct
		if mode != "" {
			url = with(tb, direct, "default_query_exec_mode", mode)
		}
		return storetest.Harness{
			OpenFunc: func(tb testing.TB, now func() time.Time) chatops.Store {
				tb.Helper()
				return open(tb, url, postgres.Options{Clock: now, MaxConns: 4, EmailMarks: storetest.Marks, Log: testLog(tb)})
			},
			SQL: handle(tb, direct),
		}
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, harness(""))
}

// What PgBouncer in transaction mode needs: no prepared statement outlives its
// transaction. The random histories send no statement that the rest does not,
// and would take as long as everything else.
func TestConformance_WithoutPreparedStatements(t *testing.T) {
	t.Parallel()
	storetest.Run(t, harness("exec"), "History", "Stats/QueueStats_AlwaysEqualTheTable")
}
