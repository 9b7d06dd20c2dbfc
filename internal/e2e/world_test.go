package e2e

import (
	"context"
	"database/sql"
	"encoding/json"
	"hash/fnv"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"chatops/internal/pgtest"
	"chatops/internal/sendertest"
	"chatops/internal/testserver"
)

// engine is a kind of database.
type engine string

const (
	sqlite   engine = "sqlite"
	postgres engine = "postgres"
)

// world is a database, the receivers and the settings of a deployment.
type world struct {
	t      *testing.T
	engine engine
	dir    string
	url    string // DATABASE_URL
	env    map[string]string
	db     *sql.DB

	slack  *sendertest.Slack
	monday *sendertest.Monday
	smtp   *sendertest.SMTP

	mu        sync.Mutex
	processes []*process

	toldQueue  []moment[queueFigures] // by dlq stats, where it was asked
	toldLimits []moment[limitFigures] // by limiter status
}

// forEachEngine runs a test on SQLite and on PostgreSQL, in parallel.
func forEachEngine(t *testing.T, test func(*testing.T, *world)) {
	t.Helper()
	for _, e := range []engine{sqlite, postgres} {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			test(t, newWorld(t, e))
		})
	}
}

// takeTurns runs a case of a table whose subject is a receiver: the cases, told
// apart by their names, take turns on the engines. With E2E_ENGINES=all each
// runs on both.
func takeTurns(t *testing.T, test func(*testing.T, *world)) {
	t.Helper()
	if os.Getenv("E2E_ENGINES") == "all" {
		forEachEngine(t, test)
		return
	}
	name := fnv.New32a()
	_, _ = name.Write([]byte(t.Name()))
	e := []engine{sqlite, postgres}[name.Sum32()%2]
	t.Run(string(e), func(t *testing.T) {
		t.Parallel()
		test(t, newWorld(t, e))
	})
}

// newWorld makes a deployment with a migrated, empty database and every
// integration configured. Its waits between retries are as long as they can be:
// nothing is repeated unless a test asks for it.
func newWorld(t *testing.T, e engine) *world {
	t.Helper()
	w := bareWorld(t, e)
	if e == postgres {
		w.useDatabase(pgtest.Template(t, "e2e", migrate))
	} else {
		copyFile(t, sqliteTemplate(t), w.sqlitePath())
		w.useDatabase("sqlite://" + w.sqlitePath())
	}
	w.useReceivers()
	return w
}

// useReceivers starts the receivers and configures every integration.
func (w *world) useReceivers() {
	w.t.Helper()
	t := w.t
	w.slack = sendertest.StartSlack(t, receiverAddress())
	w.monday = sendertest.StartMonday(t, receiverAddress())
	w.smtp = sendertest.StartSMTP(t, sendertest.SMTPOptions{Addr: receiverAddress(), Username: "robot", Password: "smtppassword0canary"})
	maps.Copy(w.env, map[string]string{
		"SLACK_WEBHOOK_URL": w.slack.URL(), "SLACK_RATE": "100",
		"MONDAY_API_KEY": "mondaykey0canary", "MONDAY_BOARD_ID": "4711", "MONDAY_API_URL": w.monday.URL(),
		"SMTP_URL": w.smtp.URL(), "MAIL_FROM": "Robot <robot@firma.example>",
		"ADMIN_EMAIL": "sales@firma.example", "ESCALATION_EMAIL": "oncall@firma.example",
		"DLQ_RETRY_DELAY_MINUTES": "240",
	})
}

// receiverAddress is where a receiver listens that is stopped and started again.
func receiverAddress() string { return testserver.PrivateAddress() + ":0" }

// bareWorld has neither a database nor receivers.
func bareWorld(t *testing.T, e engine) *world {
	t.Helper()
	dir := t.TempDir()
	return &world{t: t, engine: e, dir: dir, env: map[string]string{
		"PATH": os.Getenv("PATH"), "HOME": dir, "TMPDIR": os.TempDir(), "USER": "tester",
		"LISTEN": "127.0.0.1", "PORT": "0", "LOG_FORMAT": "json",
		pgtest.EnvPatience: pgtest.PatienceValue,
		// All requests come from one address, and more of them than a visitor
		// sends. Tests of the limits set their own.
		"CHAT_RATE_LIMIT": "100000 per minute", "API_RATE_LIMIT_HOUR": "100000 per hour", "API_RATE_LIMIT_MINUTE": "100000 per minute",
		"HEALTH_RATE_LIMIT": "100000 per minute", "CONSENT_RATE_LIMIT": "100000 per minute", "LEAD_RATE_LIMIT": "100000 per minute",
		// The alarm of the queue is an alert itself, which would be one too many
		// wherever a test counts.
		"DLQ_ALERT_WAITING": "0", "DLQ_ALERT_AGE_MINUTES": "0", "DLQ_ALERT_GROWTH": "0",
		// On a busy machine one process on an SQLite file can be kept from
		// writing for as long as a usual lease lasts. See leasesRunOut.
		"DLQ_LEASE_SECONDS": "600",
		"GORACE":            "halt_on_error=0 exitcode=66 atexit_sleep_ms=0",
	}}
}

func (w *world) sqlitePath() string { return filepath.Join(w.dir, "chatbot.db") }

// environ is the whole environment of the world's processes: nothing of the
// tests' own surroundings may change a result.
func (w *world) environ() []string {
	list := make([]string, 0, len(w.env))
	for _, name := range slices.Sorted(maps.Keys(w.env)) {
		list = append(list, name+"="+w.env[name])
	}
	return list
}

func (w *world) note(p *process) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.processes = append(w.processes, p)
}

// migrate brings the PostgreSQL database at url to the newest schema.
func migrate(url string) error {
	path, err := binary()
	if err != nil {
		return err
	}
	return runMigrate(path, url)
}

var (
	templateOnce sync.Once
	templatePath string
	errTemplate  error
)

// sqliteTemplate is a migrated SQLite file to copy from.
func sqliteTemplate(t *testing.T) string {
	t.Helper()
	templateOnce.Do(func() {
		path, err := binary()
		if err != nil {
			errTemplate = err
			return
		}
		templatePath = filepath.Join(filepath.Dir(path), "template.db")
		errTemplate = runMigrate(path, "sqlite://"+templatePath)
	})
	if errTemplate != nil {
		t.Fatal(errTemplate)
	}
	return templatePath
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// server is a running `chatops serve`.
type server struct {
	*process
	base   string // http://127.0.0.1:port
	client *http.Client
}

// serve starts the service and waits until it is ready.
func (w *world) serve() *server {
	w.t.Helper()
	s := w.startServe()
	s.awaitReady()
	return s
}

// startServe returns as soon as the service listens.
func (w *world) startServe() *server {
	w.t.Helper()
	return w.serveBy(w.start("serve"))
}

// serveBy returns the service that a process runs, as soon as it listens.
func (w *world) serveBy(p *process) *server {
	w.t.Helper()
	return w.serverAt(p, p.awaitLog(`"msg":"serving"`))
}

// serverAt is a service whose address a line of its log tells.
func (w *world) serverAt(p *process, line string) *server {
	w.t.Helper()
	var entry struct {
		Address string `json:"address"`
	}
	if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Address == "" {
		w.t.Fatalf("the service does not tell its address: %s", line)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	w.t.Cleanup(transport.CloseIdleConnections)
	return &server{process: p, base: "http://" + entry.Address, client: &http.Client{Transport: transport, Timeout: patience}}
}

func (s *server) awaitReady() {
	s.t.Helper()
	err := testserver.Poll(patience, func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+"/readyz", nil)
		if err != nil {
			return err
		}
		res, err := s.client.Do(req)
		if err != nil {
			return err
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return errNotYet
		}
		return nil
	})
	if err != nil {
		s.t.Fatalf("the service is not ready: %v", err)
	}
}
