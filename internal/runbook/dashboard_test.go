package runbook

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

// watched is a console whose dashboard is looked at by the test.
func watched(t *testing.T, store *fakeStore, look func(context.Context, *Dashboard) error) *console {
	t.Helper()
	c := newConsole(t, store)
	c.DashboardFunc = look
	return c
}

func TestDashboard_KnowsItsTerminalAndItsPlace(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, line, term, lang, noColor string
		tty                             bool
		want                            Dashboard
	}{
		{
			name: "a terminal", line: "dashboard", term: "xterm-256color", lang: "pl_PL.UTF-8", tty: true,
			want: Dashboard{Refresh: 2 * time.Second, Colour: true},
		},
		{
			name: "with everything", line: "dashboard --write --refresh 5s", term: "xterm", lang: "en_US.utf8", tty: true,
			want: Dashboard{Refresh: 5 * time.Second, Colour: true, Write: true},
		},
		{
			name: "NO_COLOR", line: "dashboard", term: "xterm", lang: "C.UTF-8", noColor: "1", tty: true,
			want: Dashboard{Refresh: 2 * time.Second},
		},
		{
			name: "a terminal without Unicode", line: "dashboard", term: "vt100", lang: "C", tty: true,
			want: Dashboard{Refresh: 2 * time.Second, Colour: true, ASCII: true},
		},
		{
			name: "a terminal of which nothing is known", line: "dashboard", tty: true,
			want: Dashboard{Refresh: 2 * time.Second, Colour: true, ASCII: true, Plain: true},
		},
		{
			name: "a dumb terminal", line: "dashboard", term: "dumb", lang: "C.UTF-8", tty: true,
			want: Dashboard{Refresh: 2 * time.Second, Plain: true},
		},
		{
			name: "a pipe", line: "dashboard", term: "xterm", lang: "C.UTF-8",
			want: Dashboard{Refresh: 2 * time.Second, Plain: true},
		},
		{
			name: "as lines", line: "dashboard --plain", term: "xterm", lang: "C.UTF-8", tty: true,
			want: Dashboard{Refresh: 2 * time.Second, Colour: true, Plain: true},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got *Dashboard
			c := watched(t, newFakeStore(), func(_ context.Context, d *Dashboard) error {
				got = d
				return nil
			})
			if tt.tty {
				c.terminal("")
			}
			c.vars["TERM"], c.vars["LANG"], c.vars["NO_COLOR"] = tt.term, tt.lang, tt.noColor
			c.must(exitOK, tt.line)
			if got == nil || got.Config == nil || got.RunFunc == nil {
				t.Fatal("no dashboard was shown, or it does not know its place")
			}
			bare := Dashboard{Refresh: got.Refresh, Write: got.Write, Plain: got.Plain, Colour: got.Colour, ASCII: got.ASCII}
			if !reflect.DeepEqual(bare, tt.want) {
				t.Errorf("it is %+v, want %+v", bare, tt.want)
			}
			if c.opened > 0 {
				t.Error("the store was opened: a database that is down would keep the dashboard from saying so")
			}
		})
	}
}

func TestDashboard_RefusesWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"dashboard --refresh 100ms":         "must be 500ms or more",
		"dashboard --once --plain":          "--once looks once",
		"dashboard --once --write":          "--once looks once",
		"dashboard -o json":                 "look once: chatops dashboard --once -o json",
		"dashboard --replay x --write":      "--replay shows the past at its own pace",
		"dashboard --replay x --record y":   "without --write, --record and --refresh",
		"dashboard --replay x --refresh 2s": "without --write, --record and --refresh",
		"dashboard --at 12:00":              "--at 12:00: the moment of a record",
		"dashboard prod":                    "takes no arguments",
		"dashboard --refresh soon":          "invalid argument",
		"dashboard --wirte":                 "did you mean: --write",
		"dashboard --once -o screen":        "must be one of",
	} {
		c := watched(t, newFakeStore(), func(context.Context, *Dashboard) error {
			t.Errorf("%s: a dashboard was shown", line)
			return nil
		})
		c.must(exitUsage, line)
		c.says(want)
	}
	c := watched(t, newFakeStore(), nil).profile("read_only = true")
	c.must(exitRefused, "dashboard --write")
	c.says("profile prod is read-only")
}

func TestDashboard_CarriesOutCommandsInTheSamePlace(t *testing.T) {
	t.Parallel()
	store := newFakeStore(chatops.AlertFailed, chatops.AlertPending, chatops.AlertDelivered)
	var lines []string
	var codes []int
	var outs, said []string
	c := watched(t, store, func(ctx context.Context, d *Dashboard) error {
		for _, line := range []string{
			"dlq retry --all --dry-run -o json",
			"dlq retry --all --yes -o json",
			"dlq retry --all -o json", // not confirmed, and there is nobody to ask
			"dlq show 99",
		} {
			code, out, last := d.RunFunc(ctx, strings.Fields(line), func(line string) { lines = append(lines, line) })
			codes, outs, said = append(codes, code), append(outs, string(out)), append(said, last)
		}
		return nil
	}).profile("label = \"Production\"")
	delete(c.vars, "CHATOPS_PROFILE")
	c.must(exitOK, "dashboard --write --profile prod")
	if want := []int{exitOK, exitOK, exitRefused, exitNotFound}; !slices.Equal(codes, want) {
		t.Errorf("exit codes %v, want %v; said %q", codes, want, said)
	}
	var dry, done struct {
		Matched  int64 `json:"matched"`
		Requeued int64 `json:"requeued"`
		DryRun   bool  `json:"dry_run"`
	}
	for text, into := range map[string]any{outs[0]: &dry, outs[1]: &done} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	if dry.Matched != 2 || !dry.DryRun || done.Requeued != 2 || done.DryRun {
		t.Errorf("the dry run says %+v, the run %+v", dry, done)
	}
	if !strings.Contains(said[2], "not confirmed: nothing was changed; there is nobody to ask here") || !strings.Contains(said[3], "alert 99: not found") {
		t.Errorf("the last things said are %q", said)
	}
	if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "operation    op_1") }) {
		t.Errorf("the lines are %q", lines)
	}
	// One row, as if the command had been typed; none for what changed nothing.
	if len(store.actions) != 1 || store.actions[0].Command != "chatops dlq retry --all --yes -o json --profile=prod" || !strings.HasPrefix(store.actions[0].Result, "ok: ") {
		t.Errorf("on record are %+v", store.actions)
	}
	if c.out.Len() > 0 {
		t.Errorf("a command inside wrote on the dashboard's terminal: %q", c.out.String())
	}
}

func TestDashboard_KeepsPasswordsOutOfTheRecord(t *testing.T) {
	t.Parallel()
	store := newFakeStore(chatops.AlertFailed)
	c := watched(t, store, func(ctx context.Context, d *Dashboard) error {
		d.RunFunc(ctx, strings.Fields("dlq retry --all --yes"), func(string) {})
		return nil
	})
	c.must(exitOK, "dashboard --write --database-url postgres://app:"+dbPassword+"@other.example/x")
	if got := store.actions[0].Command; got != "chatops dlq retry --all --yes --database-url=[redacted]" {
		t.Errorf("on record is %q", got)
	}
}

// situationOf is what a look at a store tells.
func situationOf(f *fakeStore) *chatops.Situation {
	ctx := context.Background()
	s := &chatops.Situation{At: noon}
	s.Queue, _ = f.QueueStats(ctx)
	controls, _ := f.Controls(ctx)
	replicas, _ := f.Instances(ctx)
	s.Fleet = &chatops.Fleet{Controls: controls, Replicas: replicas}
	s.Jobs = &chatops.JobList{Now: noon}
	s.Groups = &chatops.AlertGroups{Causes: 1, Groups: []chatops.AlertGroup{
		{Fingerprint: "f1", Pending: 2, Failed: 1000, More: true, First: noon.Add(-time.Hour), Last: noon, EventType: "slack_alert", Target: "https://hook.example/secret", Sample: "HTTP 503\x1b[2J"},
	}}
	return s
}

func TestDashboardOnce_HasTheNumbersOfTheCommands(t *testing.T) {
	t.Parallel()
	store := troubled()
	store.alerts = newFakeStore(chatops.AlertFailed, chatops.AlertPending, chatops.AlertQueued, chatops.AlertDelivered).alerts
	c := newConsole(t, store)
	c.LookFunc = func(context.Context, *Dashboard) (*chatops.Situation, *Replayed, error) {
		return situationOf(store), nil, nil
	}
	read := func(line string) map[string]any {
		c.must(exitOK, line)
		var got map[string]any
		if err := json.Unmarshal(c.out.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	all := read("dashboard --once -o json")
	if !reflect.DeepEqual(all["queue"], any(read("dlq stats -o json"))) {
		t.Errorf("the queue is %v", all["queue"])
	}
	if !reflect.DeepEqual(all["limiter"], any(read("limiter status -o json"))) {
		t.Errorf("the limiter is %v", all["limiter"])
	}
	if !reflect.DeepEqual(all["breakers"], read("breaker status -o json")["breakers"]) {
		t.Errorf("the breakers are %v", all["breakers"])
	}
	if all["level"] != "INCIDENT" || len(all["findings"].([]any)) < 3 || len(all["failing_sources"].([]any)) != 0 {
		t.Errorf("the verdict is %v, %v, %v", all["level"], all["findings"], all["failing_sources"])
	}
	cause := all["causes"].([]any)[0].(map[string]any)
	if cause["target"] != "https://hook.example/…" || cause["at_least"] != true || cause["failed"] != 1000.0 {
		t.Errorf("the cause is %v", cause)
	}
}

func TestDashboardOnce_HostileTextIsHarmlessInEveryFormat(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"table", "wide", "json", "jsonl", "yaml", "csv", "markdown"} {
		c := newConsole(t, troubled())
		c.LookFunc = func(context.Context, *Dashboard) (*chatops.Situation, *Replayed, error) {
			return situationOf(c.store), nil, nil
		}
		c.must(exitOK, "dashboard --once -o "+format)
		if strings.ContainsFunc(strings.ReplaceAll(c.out.String(), "\n", ""), func(r rune) bool { return r != '\t' && chatops.Harmful(r) }) {
			t.Errorf("%s is not harmless: %q", format, c.out.String())
		}
		if format != "csv" && !strings.Contains(c.out.String(), "1000") { // CSV has one table
			t.Errorf("%s does not tell of the causes: %s", format, c.out.String())
		}
	}
}

func TestDashboardOnce_WithoutADatabase_SaysNullAndFails(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore())
	c.LookFunc = func(context.Context, *Dashboard) (*chatops.Situation, *Replayed, error) {
		return &chatops.Situation{At: noon, Sources: []chatops.SourceTrouble{
			{Name: "redis", Since: noon, Error: "no answer"},
			{Name: "postgresql", Since: noon.Add(-time.Second), Error: "connection refused"},
		}}, nil, nil
	}
	c.must(exitUnavailable, "dashboard --once -o json")
	for _, want := range []string{`"queue": null`, `"causes": null`, `"breakers": null`, `"limiter": null`, `"jobs": null`, `"name": "postgresql"`} {
		if !strings.Contains(c.out.String(), want) {
			t.Errorf("it does not say %s:\n%s", want, c.out.String())
		}
	}
	c.says("database db.example:5432")
	// Redis alone is no reason to fail: nothing depends on it.
	c.LookFunc = func(context.Context, *Dashboard) (*chatops.Situation, *Replayed, error) {
		return &chatops.Situation{At: noon, Sources: []chatops.SourceTrouble{{Name: "redis", Since: noon, Error: "no answer"}}}, nil, nil
	}
	c.must(exitOK, "dashboard --once")
	c.LookFunc = func(context.Context, *Dashboard) (*chatops.Situation, *Replayed, error) {
		return nil, nil, chatops.Errorf(chatops.CodeInvalid, "REDIS_URL: bad")
	}
	c.must(exitUsage, "dashboard --once")
}

func TestDashboard_OfARecord_NeedsNoDatabase(t *testing.T) {
	t.Parallel()
	var got *Dashboard
	c := watched(t, newFakeStore(), func(_ context.Context, d *Dashboard) error {
		got = d
		return nil
	})
	c.vars["DATABASE_URL"] = "sqlite://missing.db"
	c.must(exitOK, "dashboard --replay incident.jsonl --at 12:30")
	if got == nil || got.Replay != "incident.jsonl" || got.At != "12:30" || got.RecordTo != "" {
		t.Fatalf("it shows %+v", got)
	}
	c.must(exitUnavailable, "dashboard --record incident.jsonl")
	// One look at it says what it is of, and does not fail because something
	// failed then.
	c.LookFunc = func(context.Context, *Dashboard) (*chatops.Situation, *Replayed, error) {
		return &chatops.Situation{At: noon, Sources: []chatops.SourceTrouble{{Name: "postgresql", Since: noon, Error: "gone"}}},
			&Replayed{Version: "v1", Environment: "production", Host: "db.example:5432/x", From: noon.Add(-time.Hour), Until: noon, Cut: true}, nil
	}
	c.must(exitOK, "dashboard --replay incident.jsonl --once -o table")
	for _, want := range []string{"incident.jsonl, production at db.example:5432/x, from ", ", the last line is cut off", "postgresql does not answer"} {
		if !strings.Contains(c.out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, c.out.String())
		}
	}
}

// Whoever looks at a change that is carried out inside a dashboard sees every
// second how far it is.
func TestMeter_TellsOftenWhereSomebodyLooks(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		watched bool
		want    string
	}{
		{
			name:    "in a dashboard",
			watched: true,
			want:    "requeued 20 of 100|requeued 40 of 100|requeued 60 of 100|requeued 80 of 100|requeued 100 of 100",
		},
		{
			name: "in a log",
			want: "requeued 100 of 100",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var said []string
			now := noon
			c := newConsole(t, newFakeStore())
			c.watched = tt.watched
			c.NowFunc = func() time.Time { return now }
			c.Err = &lineWriter{tellFunc: func(line string) { said = append(said, line) }}
			m := c.newMeter("requeued", 100)
			for n := int64(10); n <= 100; n += 10 {
				now = now.Add(time.Second)
				if n%20 == 0 || !tt.watched {
					m.set(n)
				}
			}
			m.finish()
			if got := strings.Join(said, "|"); got != tt.want {
				t.Errorf("it says %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLineWriter_HandsOnWholeLines(t *testing.T) {
	t.Parallel()
	var told []string
	w := &lineWriter{tellFunc: func(l string) { told = append(told, l) }}
	if w.last() != "" {
		t.Errorf("before anything was said: %q", w.last())
	}
	for _, part := range []string{"one\ntw", "o\n", "", "thr", "ee"} {
		if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
			t.Errorf("wrote %d of %q, %v", n, part, err)
		}
	}
	if !slices.Equal(told, []string{"one", "two"}) || w.last() != "three" {
		t.Errorf("told %q, last %q", told, w.last())
	}
	_, _ = w.Write([]byte("\nchatops: it broke\ndo this\n"))
	if w.last() != "it broke; do this" {
		t.Errorf("the last thing said is %q", w.last())
	}
}
