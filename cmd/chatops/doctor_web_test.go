package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chatops/internal/doctor"
	"chatops/internal/runbook"
)

// shape is a JSON document without its numbers and times: what two of one
// contract have in common.
func shape(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if at, _ := v["at"].(string); !strings.HasSuffix(at, "Z") {
		t.Errorf("it was looked at %v", v["at"])
	}
	delete(v, "at")
	for _, c := range v["checks"].([]any) {
		check := c.(map[string]any)
		if took, ok := check["took_ms"].(float64); !ok || took < 0 {
			t.Errorf("%v took %v", check["name"], check["took_ms"])
		}
		delete(check, "took_ms")
		if check["name"] == doctor.NameDatabase { // how long it took to answer
			delete(check, "text")
		}
	}
	return v
}

func TestWebDoctor_SaysWhatTheCommandPrints(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "web.db")
	w := newWard(t, "sqlite://"+path, "sqlite3", "file:"+path+"?_pragma=busy_timeout(5000)")
	w.exec(`insert into dead_letter_queue (event_type, target, payload, status, error_message, fingerprint) values
  ('monday_item', 'monday:leads', '{}', 'failed', 'monday: HTTP 500', 'monday:500')`)()
	examine := newWebDoctor(w.cfg, slog.New(slog.DiscardHandler), w.store, nil)
	served, err := json.Marshal(examine(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	var out, said bytes.Buffer
	env := runbook.NewEnv()
	env.LookupEnvFunc = func(name string) (string, bool) { v, ok := w.vars[name]; return v, ok }
	env.Out, env.Err, env.PatientFunc = &out, &said, examineAround
	env.OpenStoreFunc, env.OpenMigratorFunc = openStore, openMigrator
	if code := runbook.Run(t.Context(), env, []string{"doctor", "-o", "json"}); code != 4 {
		t.Fatalf("exit %d: %s", code, &said)
	}
	got, want := shape(t, served), shape(t, out.Bytes())
	if !maps.EqualFunc(got, want, func(a, b any) bool {
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		return bytes.Equal(x, y)
	}) {
		t.Errorf("over HTTP\n%v\nthe command\n%v", got, want)
	}
}

func TestWebDoctor_WithoutTheDatabaseTheRestGoesOn(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "web.db")
	w := newWard(t, "sqlite://"+path, "sqlite3", "file:"+path)
	examine := newWebDoctor(w.cfg, slog.New(slog.DiscardHandler), w.store, nil)
	if e := examine(t.Context()); e.Unreachable || e.State != "ok" {
		t.Errorf("a healthy system is %s", e.State)
	}
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	e := examine(t.Context())
	states := map[string][]string{}
	for _, c := range e.Checks {
		states[c.State] = append(states[c.State], c.Name)
	}
	if !e.Unreachable || !slices.Equal(states["problem"], []string{"database"}) || !slices.Contains(states["ok"], "disk") {
		t.Errorf("unreachable %v: %v", e.Unreachable, states)
	}
}

func TestSeldom_KeepsWhatItFoundAndAnErrorToo(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	looks, failing := 0, errors.New("no answer")
	look := seldom(time.Minute, func() time.Time { return now }, func(context.Context) (int64, int, error) {
		if looks++; looks == 2 {
			return 0, 0, failing
		}
		return int64(looks), 7, nil
	})
	for _, want := range []struct {
		rows, looks int
		err         error
	}{{1, 1, nil}, {1, 1, nil}, {0, 2, failing}, {0, 2, failing}, {3, 3, nil}} {
		rows, broken, err := look(t.Context())
		if int(rows) != want.rows || looks != want.looks || !errors.Is(err, want.err) || err == nil && broken != 7 {
			t.Errorf("%d rows, %d broken, %v after %d looks; want %+v", rows, broken, err, looks, want)
		}
		now = now.Add(30 * time.Second)
	}
}
