package pgtest_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"chatops/internal/pgtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(pgtest.Wrap(m)) }

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func queryText(t *testing.T, conn *pgx.Conn, sql string) string {
	t.Helper()
	var text string
	if err := conn.QueryRow(t.Context(), sql).Scan(&text); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return text
}

func run(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func TestNew_GivesEachTestAnEmptyDatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	first, second := connect(t, pgtest.New(t)), connect(t, pgtest.New(t))
	run(t, first, "CREATE TABLE lead (id int)")
	if n := queryText(t, second, "SELECT count(*)::text FROM pg_tables WHERE tablename = 'lead'"); n != "0" {
		t.Fatalf("the second database sees %s tables of the first", n)
	}
}

func TestNew_DropsTheDatabaseWithItsClients(t *testing.T) {
	t.Parallel()
	var name string
	t.Run("inner", func(t *testing.T) { // its cleanup must have run below
		conn, err := pgx.Connect(t.Context(), pgtest.New(t))
		if err != nil {
			t.Fatal(err)
		}
		name = conn.Config().Database // left open on purpose
	})
	conn := connect(t, pgtest.New(t))
	if n := queryText(t, conn, "SELECT count(*)::text FROM pg_database WHERE datname = '"+name+"'"); n != "0" {
		t.Fatalf("database %s outlived its test", name)
	}
}

func TestNew_FoldsPolishLettersAndKeepsItsOwnTimeZone(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.New(t))
	if got := queryText(t, conn, "SELECT lower('ŻÓŁW')"); got != "żółw" {
		t.Errorf("lower = %q", got)
	}
	if got := queryText(t, conn, "SHOW server_version_num"); len(got) != 6 {
		t.Errorf("server_version_num = %q", got)
	}
}

func TestTemplate_IsBuiltOnceAndCopiedPerTest(t *testing.T) {
	t.Parallel()
	var builds atomic.Int32
	build := func(url string) error {
		builds.Add(1)
		ctx := context.Background()
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		// The connection stays open: the harness must cope with a careless build.
		_, err = conn.Exec(ctx, "CREATE TABLE lead (id int); INSERT INTO lead VALUES (1)")
		return err
	}
	t.Run("copies", func(t *testing.T) {
		t.Parallel()
		for range 8 {
			t.Run("copy", func(t *testing.T) {
				t.Parallel()
				conn := connect(t, pgtest.Template(t, "Lead table", build))
				run(t, conn, "INSERT INTO lead VALUES (2)")
				if n := queryText(t, conn, "SELECT count(*)::text FROM lead"); n != "2" {
					t.Errorf("a copy holds %s rows, want 2", n)
				}
			})
		}
	})
	t.Cleanup(func() {
		if n := builds.Load(); n != 1 {
			t.Errorf("template built %d times", n)
		}
	})
}

func TestURL_HoldsAPasswordThatIsRequired(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, pgtest.Options{})
	config, err := pgx.ParseConfig(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	config.Password = "guess"
	if conn, err := pgx.ConnectConfig(t.Context(), config); err == nil {
		_ = conn.Close(t.Context())
		t.Fatal("a wrong password was accepted")
	} else if !strings.Contains(err.Error(), "password authentication failed") {
		t.Fatal(err)
	}
}
