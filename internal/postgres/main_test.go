package postgres_test

import (
	"context"
	"database/sql"
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

func TestMain(m *testing.M) { goleak.VerifyTestMain(pgtest.Wrap(m)) }

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
func migrated(t testing.TB) string { return pgtest.Template(t, "migrated", migrate) }

// open opens a store that is closed when the test ends.
func open(t testing.TB, url string, o postgres.Options) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(context.Background(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// handle opens a plain handle on a database, in UTC.
func handle(t testing.TB, url string) *sql.DB {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.RuntimeParams["timezone"] = "UTC"
	db := stdlib.OpenDB(*config)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// with adds a query parameter to a URL.
func with(t testing.TB, text, key, value string) string {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set(key, value)
	u.RawQuery = q.Encode()
	return u.String()
}

func harness(mode string) func(t testing.TB) storetest.Harness {
	return func(t testing.TB) storetest.Harness {
		t.Helper()
		direct := migrated(t)
		url := direct
		if mode != "" {
			url = with(t, direct, "default_query_exec_mode", mode)
		}
		return storetest.Harness{
			OpenFunc: func(t testing.TB, now func() time.Time) chatops.Store {
				t.Helper()
				return open(t, url, postgres.Options{Clock: now, MaxConns: 4, Log: testLog(t)})
			},
			SQL: handle(t, direct),
		}
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, harness(""))
}

// What PgBouncer in transaction mode needs: no prepared statement outlives its
// transaction.
func TestConformance_WithoutPreparedStatements(t *testing.T) {
	t.Parallel()
	storetest.Run(t, harness("exec"))
}
