package pgtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"chatops/internal/testserver"
)

// EnvURL names the variable that holds a postgres:// URL of a server to use
// instead of a private one. Its user must be allowed to create databases.
const EnvURL = "TEST_DATABASE_URL"

const advice = "\nrun `make test`, which installs PostgreSQL, or set " + EnvURL + " to a postgres:// URL"

// EnvPatience is a variable, and its value, that lets clients wait a minute for
// a connection where the URL says nothing else. Five seconds, which an operator
// is ready to wait, may go by on a machine that runs all tests at once. Programs
// that a test starts inherit it, unless the test makes their environment anew.
const (
	EnvPatience   = "PGCONNECT_TIMEOUT"
	PatienceValue = "60"
)

// Main is the body of TestMain in a package that uses pgtest: it runs the tests
// and ends the shared server.
func Main(m testserver.M) { Wrap(m).Run() }

// Wrap is Main for a TestMain that must hand its M to something else:
//
//	goleak.VerifyTestMain(pgtest.Wrap(m))
func Wrap(m testserver.M) testserver.M {
	if os.Getenv(EnvPatience) == "" {
		_ = os.Setenv(EnvPatience, PatienceValue) // fails for impossible names only
	}
	return testserver.Wrap(m)
}

// New returns the URL of a fresh, empty database. It is dropped when the test
// ends, whoever is still connected to it.
func New(tb testing.TB) string {
	tb.Helper()
	return create(tb, "")
}

// Template returns the URL of a fresh copy of the template database called
// name. The first call in the process makes the template and fills it with
// build, which must close its connections before it returns; all calls with
// the same name must pass an equivalent build. A copy takes some 30 ms however
// long build took.
func Template(tb testing.TB, name string, build func(url string) error) string {
	tb.Helper()
	templates.Lock()
	entry, ok := templates.byName[name]
	if !ok {
		entry = sync.OnceValues(func() (string, error) { return buildTemplate(name, build) })
		templates.byName[name] = entry
	}
	templates.Unlock()
	source, err := entry()
	if err != nil {
		tb.Fatalf("build template database %s: %v", name, err)
	}
	return create(tb, source)
}

var templates = struct {
	sync.Mutex
	byName map[string]func() (string, error)
}{byName: make(map[string]func() (string, error))}

// buildTemplate makes and fills the database, closes it to visitors, since a
// database in use cannot be copied, and returns its name.
func buildTemplate(name string, build func(url string) error) (string, error) {
	admin, err := shared()
	if err != nil {
		return "", err
	}
	database := newName("template_" + name)
	if err := administer(admin, "CREATE DATABASE "+quote(database)); err != nil {
		return "", err
	}
	testserver.AtExit(func() { _ = drop(admin, database) })
	if err := build(withDatabase(admin, database)); err != nil {
		return "", err
	}
	err = administer(admin, "ALTER DATABASE "+quote(database)+" WITH ALLOW_CONNECTIONS false")
	if err != nil {
		return "", err
	}
	return database, administer(admin,
		"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1", database)
}

func create(tb testing.TB, template string) string {
	tb.Helper()
	admin, err := shared()
	if err != nil {
		tb.Fatalf("PostgreSQL for tests: %v", err)
	}
	database := newName("test")
	statement := "CREATE DATABASE " + quote(database)
	if template != "" {
		// Copying files is five times as fast as writing every block to the log,
		// and takes the catalogue cache along.
		statement += " TEMPLATE " + quote(template) + " STRATEGY FILE_COPY"
	}
	if err := administer(admin, statement); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := drop(admin, database); err != nil {
			tb.Errorf("test database is left behind: %v", err)
		}
	})
	return withDatabase(admin, database)
}

// shared returns the URL of the shared server's maintenance database.
var shared = sync.OnceValues(func() (string, error) {
	if external := os.Getenv(EnvURL); external != "" {
		return checkURL(external)
	}
	server := &Server{address: testserver.Loopback}
	if err := server.init(); err != nil {
		return "", err
	}
	if err := server.firstStart(); err != nil {
		server.remove()
		return "", err
	}
	testserver.AtExit(server.remove)
	testserver.AtFailure(func() string { return "the shared PostgreSQL's log:\n" + server.Log() })
	return server.url, nil
})

func checkURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return "", fmt.Errorf("%s must be a postgres:// URL", EnvURL)
	}
	if err := runSQL(text, "SELECT 1"); err != nil {
		return "", fmt.Errorf("%s: %w", EnvURL, err)
	}
	return text, nil
}

// newName returns a database name that no other process has either.
func newName(kind string) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(kind))
	const longest = 30 // a name has at most 63 bytes, and the random part needs 32
	unique := strings.ReplaceAll(uuid.NewString(), "-", "")
	return "chatops_" + clean[:min(len(clean), longest-len("chatops_"))] + "_" + unique
}

func withDatabase(admin, database string) string {
	u, err := url.Parse(admin)
	if err != nil {
		return admin // checked before it got here
	}
	u.Path = "/" + database
	return u.String()
}

func drop(admin, database string) error {
	return administer(admin, "DROP DATABASE IF EXISTS "+quote(database)+" WITH (FORCE)")
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// office is the one connection to the shared server that makes and drops
// databases: to connect costs more than most of what is asked there.
var office struct {
	sync.Mutex
	conn *pgx.Conn
}

// administer runs one statement on the shared server.
func administer(admin, statement string, args ...any) error {
	office.Lock()
	defer office.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if office.conn == nil || office.conn.IsClosed() {
		conn, err := pgx.Connect(ctx, admin)
		if err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		office.conn = conn
		testserver.AtExit(closeOffice)
	}
	if _, err := office.conn.Exec(ctx, statement, args...); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

func closeOffice() {
	office.Lock()
	defer office.Unlock()
	_ = office.conn.Close(context.Background())
	office.conn = nil
}

// runSQL runs one statement on a connection of its own.
func runSQL(url, statement string, args ...any) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, statement, args...); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}
