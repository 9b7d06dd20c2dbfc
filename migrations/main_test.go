package migrations_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"flag"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/ncruces/go-sqlite3"
	sqlite "github.com/ncruces/go-sqlite3/driver"

	"chatops/internal/pgtest"
	"chatops/migrations"
)

// randomChecks is how many databases and values are drawn; -rapid.checks on the
// command line wins.
const randomChecks = "30"

func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", randomChecks); err != nil {
		panic(err)
	}
	pgtest.Main(m)
}

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

func newPostgres(tb testing.TB) database {
	tb.Helper()
	config, err := pgx.ParseConfig(pgtest.New(tb))
	if err != nil {
		tb.Fatal(err)
	}
	return database{migrations.Postgres, stdlib.GetConnector(*config)}
}

func newSQLite(tb testing.TB) database {
	tb.Helper()
	d := sqliteDatabase(filepath.Join(tb.TempDir(), "test.db"), "wal")
	// The first connection switches the file to WAL, for which SQLite waits for
	// nobody: several at once would fail.
	if err := d.open(tb).PingContext(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return d
}

func sqliteDatabase(path, journal string) database {
	dsn := "file:" + path + "?_pragma=busy_timeout(30000)&_pragma=journal_mode(" + journal + ")&_pragma=foreign_keys(1)"
	return database{migrations.SQLite, sqliteConnector{dsn}}
}

// sqliteConnector opens connections that know migrations.Functions.
type sqliteConnector struct{ dsn string }

func (c sqliteConnector) Driver() driver.Driver { return &sqlite.SQLite{} }

func (c sqliteConnector) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := (&sqlite.SQLite{}).OpenConnector(c.dsn)
	if err != nil {
		return nil, err
	}
	conn, err := inner.Connect(ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range migrations.Functions() {
		if err := conn.(sqlite.Conn).Raw().CreateFunction(f.Name, f.Args, sqlite3.DETERMINISTIC|sqlite3.INNOCUOUS, call(f)); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	return conn, nil
}

// call makes a function of SQLite's, as the store does.
func call(f migrations.Function) sqlite3.ScalarFunction {
	return func(ctx sqlite3.Context, values ...sqlite3.Value) {
		args := make([]any, len(values))
		for i, v := range values {
			switch v.Type() {
			case sqlite3.INTEGER:
				args[i] = v.Int64()
			case sqlite3.FLOAT:
				args[i] = v.Float()
			case sqlite3.TEXT:
				args[i] = v.Text()
			case sqlite3.BLOB:
				args[i] = v.Blob(nil)
			case sqlite3.NULL:
			}
		}
		switch v := f.Func(args).(type) {
		case int64:
			ctx.ResultInt64(v)
		case float64:
			ctx.ResultFloat(v)
		case string:
			ctx.ResultText(v)
		case bool:
			ctx.ResultBool(v)
		case nil:
			ctx.ResultNull()
		}
	}
}

// open returns a handle of its own, as another process would have.
func (d database) open(tb testing.TB) *sql.DB {
	tb.Helper()
	db := sql.OpenDB(d.connector)
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

// migrator returns a migrator of its own.
func (d database) migrator(t *testing.T) *migrations.Migrator {
	t.Helper()
	return newMigrator(t, d.open(t), d.dialect)
}

func newMigrator(tb testing.TB, db *sql.DB, dialect migrations.Dialect) *migrations.Migrator {
	tb.Helper()
	m, err := migrations.New(db, dialect, migrations.Options{})
	if err != nil {
		tb.Fatal(err)
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
