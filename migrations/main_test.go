package migrations_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	sqlite "modernc.org/sqlite"

	"chatops/internal/pgtest"
	"chatops/migrations"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// database is a fresh database that can be connected to several times.
type database struct {
	dialect   migrations.Dialect
	connector driver.Connector
}

// eachEngine runs a test on a fresh database of each engine.
func eachEngine(t *testing.T, run func(t *testing.T, d database)) {
	t.Helper()
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		run(t, newPostgres(t))
	})
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		run(t, newSQLite(t))
	})
}

func newPostgres(t *testing.T) database {
	t.Helper()
	config, err := pgx.ParseConfig(pgtest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	return database{migrations.Postgres, stdlib.GetConnector(*config)}
}

func newSQLite(t *testing.T) database {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.db")
	dsn := "file:" + path + "?_txlock=immediate&_pragma=busy_timeout(30000)&_pragma=journal_mode(wal)&_pragma=foreign_keys(1)"
	return database{migrations.SQLite, sqliteConnector{dsn}}
}

type sqliteConnector struct{ dsn string }

func (c sqliteConnector) Driver() driver.Driver { return &sqlite.Driver{} }

// open returns a handle of its own, as another process would have.
func (d database) open(t *testing.T) *sql.DB {
	t.Helper()
	db := sql.OpenDB(d.connector)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// migrator returns a migrator of its own.
func (d database) migrator(t *testing.T) *migrations.Migrator {
	t.Helper()
	return newMigrator(t, d.open(t), d.dialect)
}

func newMigrator(t *testing.T, db *sql.DB, dialect migrations.Dialect) *migrations.Migrator {
	t.Helper()
	m, err := migrations.New(db, dialect, migrations.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// objects lists the names of what the schema holds.
func (d database) objects(t *testing.T, db *sql.DB) []string {
	t.Helper()
	query := `select name from sqlite_schema where name not like 'sqlite_%' order by 1`
	if d.dialect == migrations.Postgres {
		query = `select relname::text from pg_class where relnamespace = 'public'::regnamespace
			union all select proname::text from pg_proc where pronamespace = 'public'::regnamespace
			union all select tgname::text from pg_trigger where not tgisinternal order by 1`
	}
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return names
}

func (c sqliteConnector) Connect(context.Context) (driver.Conn, error) {
	return (&sqlite.Driver{}).Open(c.dsn)
}
