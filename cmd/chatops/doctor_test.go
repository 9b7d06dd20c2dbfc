package main

import (
	"bytes"
	"context"
	"database/sql"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/doctor"
	"chatops/internal/pgtest"
	"chatops/internal/runbook"
)

// ward is a real database with one replica, and what each check says of it.
type ward struct {
	t       *testing.T
	cfg     *config.Config
	vars    map[string]string // the environment
	store   chatops.Store
	patient *doctor.Patient
	sql     *sql.DB
}

// newWard makes a healthy one at an address.
func newWard(t *testing.T, url, driver, dsn string) *ward {
	t.Helper()
	ctx := t.Context()
	vars := map[string]string{"DATABASE_URL": url, "CONSENT_KEYS": "k1:" + strings.Repeat("A", 43) + "=", "ESCALATION_EMAIL": "ops@firma.example", "SMTP_URL": "smtp://127.0.0.1:1?tls=none"}
	loaded, err := config.Load(config.Sources{LookupEnvFunc: func(name string) (string, bool) { v, ok := vars[name]; return v, ok }})
	if err != nil {
		t.Fatal(err)
	}
	w := &ward{t: t, cfg: loaded.Config, vars: vars}
	log := slog.New(slog.DiscardHandler)
	m, err := openMigrator(ctx, w.cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Close() }()
	if _, err := m.Up(ctx); err != nil {
		t.Fatal(err)
	}
	if w.store, err = openStore(ctx, w.cfg, log); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.store.Close() })
	if w.sql, err = sql.Open(driver, dsn); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.sql.Close() })
	if err := w.store.EnsureConsentTexts(ctx, chatops.BuiltInConsentTexts()); err != nil {
		t.Fatal(err)
	}
	w.patient = &doctor.Patient{NowFunc: time.Now}
	around(w.cfg, nil, w.patient)
	inside(w.cfg, log, w.store, w.patient)
	w.beat(nil)
	return w
}

// beat lets the replica report.
func (w *ward) beat(change func(*chatops.Instance)) {
	w.t.Helper()
	controls, err := w.store.Controls(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	i := &chatops.Instance{Name: "web-1:1", Version: "1", StartedAt: time.Now(), Revision: controls.Revision, Report: chatops.InstanceReport{Clock: time.Now()}}
	if change != nil {
		change(i)
	}
	if err := w.store.Heartbeat(w.t.Context(), i); err != nil {
		w.t.Fatal(err)
	}
}

// exec changes the database behind the store's back.
func (w *ward) exec(statements ...string) func() {
	return func() {
		w.t.Helper()
		for _, s := range statements {
			if _, err := w.sql.ExecContext(w.t.Context(), s); err != nil {
				w.t.Fatalf("%s: %v", s, err)
			}
		}
	}
}

// speaking are the checks that are not sound, as name and state. The commands that
// they give have to be commands.
func (w *ward) speaking() []string {
	w.t.Helper()
	var list []string
	for _, r := range doctor.Examine(w.t.Context(), w.patient, doctor.Checks(), 20*time.Second) {
		if !r.State.Sound() {
			list = append(list, r.Name+" "+string(r.State)+": "+r.Text)
		}
		for _, f := range r.Findings {
			w.understood(f.Command)
		}
	}
	return list
}

// understood ends the test unless the program knows the command and its flags:
// the help that is asked for last is shown only when all before it is.
func (w *ward) understood(command string) {
	w.t.Helper()
	rest, ours := strings.CutPrefix(command, "chatops ")
	if !ours {
		return
	}
	var out bytes.Buffer
	env := runbook.NewEnv()
	env.Out, env.Err = &out, &out
	if code := runbook.Run(w.t.Context(), env, append(words(rest), "--help")); code != 0 {
		w.t.Errorf("%s: exit %d: %s", command, code, &out)
	}
}

// words splits a command line as a shell does; quotes are single ones.
func words(line string) []string {
	var list []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			list = append(list, part)
			continue
		}
		list = append(list, strings.Fields(part)...)
	}
	return list
}

// illness is a fault in a real database, and how it passes.
type illness struct {
	name         string
	plant, mend  func()
	check, state string
}

func (w *ward) illnesses() []illness {
	order := func(mode chatops.BreakerMode) func() {
		return func() {
			o := &chatops.BreakerOrder{Name: "slack", Mode: mode, Actor: "ewa"}
			if err := w.store.OrderBreaker(w.t.Context(), o); err != nil {
				w.t.Fatal(err)
			}
			w.beat(nil)
		}
	}
	alerts := func(n int, status, created string) func() {
		return func() {
			for range n {
				w.exec(`insert into dead_letter_queue (event_type, target, payload, status, error_message, fingerprint, created_at) values
  ('slack_alert', 'slack:alerts', '{}', '` + status + `', 'slack: HTTP 503', 'slack:503', '` + created + `')`)()
			}
		}
	}
	now := time.Now().UTC().Format("2006-01-02 15:04:05.000000")
	old := time.Now().UTC().Add(-16 * time.Minute).Format("2006-01-02 15:04:05.000000")
	none := w.exec(`delete from dead_letter_queue`)
	const columns = "id, conversation_id, followup_number, status, sent_at, alert_id, person_key, fence"
	return []illness{
		{"many wait", alerts(101, "pending", now), none, "queue", "problem"},
		{"one is old", alerts(1, "pending", old), none, "queue_age", "problem"},
		{"one failed", alerts(1, "failed", now), none, "failed_alerts", "problem"},
		{"held", w.exec(`insert into dead_letter_queue (event_type, target, payload, status, error_message, fingerprint) values
  ('monday_item', 'monday:leads', '{}', 'pending', 'integration monday is not configured: waiting until it is', 'monday:unconfigured')`), none, "unconfigured", "problem"},
		{"tripped", order(chatops.BreakerTripped), order(chatops.BreakerAuto), "breakers", "warning"},
		{"open", func() {
			w.beat(func(i *chatops.Instance) { i.Report.Breakers = []chatops.BreakerReport{{Name: "slack", State: "open"}} })
		}, func() { w.beat(nil) }, "breakers", "problem"},
		{"clock", func() { w.beat(func(i *chatops.Instance) { i.Report.Clock = time.Now().Add(-time.Minute) }) }, func() { w.beat(nil) }, "clocks", "problem"},
		{"version", func() {
			if err := w.store.Heartbeat(w.t.Context(), &chatops.Instance{Name: "web-2:2", Version: "2", StartedAt: time.Now(), Revision: 1 << 40}); err != nil {
				w.t.Fatal(err)
			}
		}, w.exec(`delete from server_instance where instance = 'web-2:2'`), "replicas", "warning"},
		{"uncertain", w.exec(`insert into chat_conversations (id, session_id, marketing_consent, rodo_consent) values (4711, 's', true, true)`,
			`insert into followup_event (conversation_id, followup_number, status, sent_at) values (4711, 1, 'uncertain', '`+now+`')`),
			w.exec(`delete from followup_event`), "uncertain_followups", "warning"},
		{"no constraint", w.exec(`create table followup_old as select `+columns+` from followup_event`, `drop table followup_event`,
			`create table followup_event as select `+columns+` from followup_old`, `drop table followup_old`), func() {
			if _, err := w.store.FixFollowupDuplicates(w.t.Context()); err != nil {
				w.t.Fatal(err)
			}
		}, "followups", "problem"},
		{"texts", w.exec(`update consent_text set created_at = '2999-01-01 00:00:00.000000'`), w.exec(`update consent_text set created_at = '2020-01-01 00:00:00.000000'`), "consent", "problem"},
		{"migration", w.exec(`delete from goose_db_version where version_id = (select max(version_id) from goose_db_version)`),
			w.exec(`insert into goose_db_version (version_id, is_applied) select max(version_id) + 1, true from goose_db_version`), "migrations", "problem"},
		{"newer", w.exec(`insert into goose_db_version (version_id, is_applied) values (99, true)`), w.exec(`delete from goose_db_version where version_id = 99`), "migrations", "warning"},
		{"record", w.exec(`insert into consent_audit_log (email, action, timestamp) values ('x@firma.example', 'unsubscribe', '` + now + `')`), nil, "consent_audit", "problem"},
	}
}

// findsEach plants one fault after the other; exactly one check speaks each time,
// and is silent again afterwards.
func (w *ward) findsEach(list []illness) {
	w.t.Helper()
	if said := w.speaking(); len(said) > 0 {
		w.t.Fatalf("a healthy system is not silent: %q", said)
	}
	for _, one := range list {
		w.beat(nil)
		one.plant()
		said := w.speaking()
		if len(said) != 1 || !strings.HasPrefix(said[0], one.check+" "+one.state+": ") {
			w.t.Errorf("%s: %q speak, want %s %s", one.name, said, one.check, one.state)
		}
		if one.mend != nil {
			one.mend()
		}
	}
}

func TestDoctor_FindsEachFaultOfSQLite(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "doctor.db")
	w := newWard(t, "sqlite://"+path, "sqlite3", "file:"+path+"?_pragma=busy_timeout(5000)")
	w.findsEach(w.illnesses())
}

func TestDoctor_FindsEachFaultOfPostgreSQL(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	w := newWard(t, url, "pgx", url)
	w.findsEach(slices.DeleteFunc(w.illnesses(), func(i illness) bool { // rows like any others
		return slices.Contains([]string{"many wait", "open", "version", "clock"}, i.name)
	}))
}

func TestReach_SaysWhyNot(t *testing.T) {
	t.Parallel()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	open := "http://" + ln.Addr().String() + "/services/secret"
	if err := reach(t.Context(), open); err != nil {
		t.Errorf("an open port cannot be reached: %v", err)
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for raw, want := range map[string]string{
		open: "the connection is refused", "https://host.invalid/x": "its host name", "http://": "has no host", "::": "cannot be read",
	} {
		if err := reach(t.Context(), raw); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want %q", raw, err, want)
		}
	}
	if err := reach(ended, open); err == nil {
		t.Error("an ended context reaches something")
	}
}

func TestIntegrations_AreThoseThatAreConfigured(t *testing.T) {
	t.Parallel()
	cfg := &config.Config{MondayAPIURL: config.NewURL("https://api.monday.com/v2")}
	if got := integrations(cfg); len(got) != 0 {
		t.Errorf("without settings there are %v", got)
	}
	cfg.SlackWebhookURL = config.NewSecret("https://hooks.example/x")
	cfg.MondayAPIKey, cfg.MondayBoardID = config.NewSecret("k"), "1"
	cfg.SMTPURL, cfg.LLMKey = config.NewURL("smtp://127.0.0.1:1?tls=none"), config.NewSecret("k")
	cfg.Webhooks = config.SecretPairs{{Name: "crm", Value: config.NewSecret("https://crm.example/x")}}
	var names []string
	for _, i := range integrations(cfg) {
		names = append(names, i.Name)
		if i.Name == "email" {
			if err := i.ProbeFunc(t.Context()); err == nil {
				t.Error("a closed port greets")
			}
		}
	}
	if got := strings.Join(names, " "); got != "slack monday email webhook:crm llm" {
		t.Errorf("there are %s", got)
	}
}

func TestDiskOf_AFolderThatIsNotMadeYetIsItsParent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, err := diskOf(filepath.Join(dir, "not", "yet", "chatbot.db"))
	if err != nil || d.Folder != dir || d.Free <= 0 || d.Total < d.Free {
		t.Errorf("the disk is %+v, %v", d, err)
	}
	if _, err := diskOf("x\x00/y"); err == nil {
		t.Error("a name that cannot be has a disk")
	}
}
