package e2e

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"chatops/internal/pgtest"
)

// emptyWorld has a database without any schema.
func emptyWorld(t *testing.T, e engine) *world {
	t.Helper()
	w := bareWorld(t, e)
	if e == postgres {
		w.useDatabase(pgtest.New(t))
	} else {
		w.useDatabase("sqlite://" + w.sqlitePath())
	}
	return w
}

// F21: a migration is killed at random moments, again and again. Running it
// once more completes it.
func TestMigrate_KilledAtAnyMoment_CompletesWhenRunAgain(t *testing.T) {
	t.Parallel()
	for _, e := range []engine{sqlite, postgres} {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			whole := time.Hour
			for range 3 { // the first one may wait for the build
				w, begin := emptyWorld(t, e), time.Now()
				w.must("migrate", "up")
				whole = min(whole, time.Since(begin))
			}
			killed := 0
			// Every statement is tried in package migrations; these are real kills.
			for range 4 {
				w := emptyWorld(t, e)
				for range 3 {
					p := w.start("migrate", "up")
					timer := time.NewTimer(time.Duration(rand.Int64N(int64(whole))) + time.Millisecond)
					select {
					case <-p.done:
					case <-timer.C:
						killed++
					}
					timer.Stop()
					p.kill()
				}
				w.must("migrate", "up")
				w.checkSchema(t)
			}
			t.Logf("killed %d of 12 migrations, which take %v", killed, whole)
			if killed == 0 {
				t.Error("no migration was killed: the test shows nothing")
			}
		})
	}
}

// checkSchema looks whether the schema is complete and works.
func (w *world) checkSchema(t *testing.T) {
	t.Helper()
	var status struct {
		Current int   `json:"current"`
		Latest  int   `json:"latest"`
		Pending []any `json:"pending"`
		Applied []any `json:"applied"`
	}
	r := w.must("migrate", "status", "-o", "json")
	if err := json.Unmarshal([]byte(r.out), &status); err != nil {
		t.Fatal(err)
	}
	if status.Current != status.Latest || status.Latest == 0 || len(status.Pending) != 0 || len(status.Applied) != status.Latest {
		t.Errorf("after migrate up: %s", r.out)
	}
	w.enqueue("slack_alert", "slack:alerts", slackPayload, "lead:s1:slack")
	if n := w.number(`select sum(n) from dlq_count`); n != 1 {
		t.Errorf("the counters say %d after one insert: a trigger is missing", n)
	}
	w.must("dlq", "list", "--status", "all")
}

// F21: two deployments migrate at once: one does it, the other finds it done.
func TestMigrate_TwoAtOnce_OneWorksAndBothSucceed(t *testing.T) {
	t.Parallel()
	for _, e := range []engine{sqlite, postgres} {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			w := emptyWorld(t, e)
			var racers []*process
			for range 4 {
				racers = append(racers, w.start("migrate", "up", "-o", "json"))
			}
			applied := 0
			for _, p := range racers {
				if code := p.wait(); code != 0 {
					t.Errorf("a migrator ended with %d", code)
				}
				var change struct {
					Applied []any `json:"applied"`
				}
				if err := json.Unmarshal([]byte(p.out.String()), &change); err != nil {
					t.Fatalf("%v: %s", err, p.out)
				}
				applied += len(change.Applied)
			}
			w.checkSchema(t)
			if latest := w.number(`select max(version_id) from goose_db_version`); applied != latest {
				t.Errorf("%d migrations were applied by all migrators together, want %d", applied, latest)
			}
		})
	}
}

// PostgreSQL is shared: the service does not change its schema by itself.
func TestServe_OnPostgreSQLWithPendingMigrations_RefusesAndNamesTheCommand(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t, postgres)
	r := w.run("serve")
	if r.code != 4 || !strings.Contains(r.err, "chatops migrate up") {
		t.Errorf("exit %d, want 4 and the command to run:\n%s", r.code, r.err)
	}
	if n := w.number(`select count(*) from information_schema.tables where table_name = 'leads'`); n != 0 {
		t.Error("the service changed the schema")
	}
}

// A rolling upgrade migrates first; a replica of the previous release that
// restarts before it is replaced must still come up.
func TestServe_OnANewerSchema_KeepsWorking(t *testing.T) { // fault F22, in part
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		applied := "true"
		if w.engine == sqlite {
			applied = "1"
		}
		w.exec(`insert into goose_db_version (version_id, is_applied) values (9999, ` + applied + `)`)
		s := w.serve()
		if r := s.mustSay("newer", "Ile kosztuje pakiet Comfort?"); r == nil {
			t.Fatal("no answer")
		}
		if up := w.run("migrate", "up"); up.code != 1 || !strings.Contains(up.err, "newer than this chatops") {
			t.Errorf("migrate up: exit %d, want 1 and that the schema is newer:\n%s", up.code, up.err)
		}
	})
}
