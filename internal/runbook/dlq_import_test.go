package runbook

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func (f *fakeStore) ImportAlerts(_ context.Context, alerts []chatops.Alert) (int, error) {
	added := 0
	for _, a := range alerts {
		if err := a.ValidateImport(); err != nil {
			return 0, err
		}
		if slices.ContainsFunc(f.alerts, func(b chatops.Alert) bool { return b.IdempotencyKey == a.IdempotencyKey }) {
			continue
		}
		added++
		a.ID = int64(len(f.alerts) + 1)
		f.alerts = append(f.alerts, a)
	}
	if f.importFunc != nil {
		return added, f.importFunc()
	}
	return added, f.err
}

// exportedFile is the export of a queue.
func exportedFile(tb testing.TB, c *console, flags string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "alerts.jsonl")
	c.must(exitOK, "dlq export --status all --payload --purpose move --output-file "+path+flags)
	return path
}

// fileOf is a file with some lines.
func fileOf(tb testing.TB, lines ...string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "alerts.jsonl")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

const goodLine = `{"id":7,"event_type":"slack_alert","target":"slack:alerts","status":"pending","retry_count":3,"created_at":"2026-03-01T08:00:00Z","idempotency_key":"k7","payload":{"text":"x"}}`

func TestDLQImport_TakesWhatWasExportedOnceAndSendsNothing(t *testing.T) {
	t.Parallel()
	const n = exportPage + 20
	path := exportedFile(t, newExportConsole(t, n), "")
	c := newConsole(t, newFakeStore())
	c.must(exitOK, "dlq import "+path+" --dry-run -o jsonl")
	c.prints(fmt.Sprintf(`{"alerts":%d,"imported":0,"known":0,"by_status":{"delivered":102,"failed":918},"dry_run":true}`, n) + "\n")
	if c.opened > 0 {
		t.Error("a dry run opened the database")
	}
	c.must(exitOK, "dlq import "+path+" --reason restored --yes -o jsonl")
	c.says("import 1020 alerts (918 failed, 102 delivered); none is sent")
	if len(c.store.alerts) != n || c.store.announced > 0 {
		t.Errorf("%d alerts, announced %d times", len(c.store.alerts), c.store.announced)
	}
	if a := c.store.actions; len(a) != 1 || a[0].Result != "ok: imported 1020, known 0 of 1020" || a[0].Reason != "restored" {
		t.Errorf("on record: %+v", a)
	}
	c.must(exitOK, "dlq import "+path+" --reason again --yes -o jsonl")
	if !strings.Contains(c.out.String(), `"imported":0,"known":1020,`) || len(c.store.alerts) != n {
		t.Errorf("the second import: %s", &c.out)
	}
}

func TestDLQImport_SendsWhenAskedTo(t *testing.T) {
	t.Parallel()
	path := fileOf(t, goodLine, `{"exported":1}`)
	c := newConsole(t, newFakeStore())
	c.must(exitOK, "dlq import "+path+" --reason restored --yes --status pending")
	c.says("import 1 alert (1 pending) and send 1 of them")
	if a := c.store.alerts[0]; a.Status != chatops.AlertPending || a.RetryCount != 0 || c.store.announced != 1 {
		t.Errorf("%+v, announced %d times", a, c.store.announced)
	}
	c = newConsole(t, newFakeStore())
	c.must(exitOK, "dlq import "+path+" --reason restored --yes")
	if a := c.store.alerts[0]; a.Status != chatops.AlertFailed || a.RetryCount != 3 {
		t.Errorf("%+v", a)
	}
}

func TestDLQImport_BadLinesAreNamedAndNothingIsStored(t *testing.T) {
	t.Parallel()
	swap := func(was, is string) string { return strings.Replace(goodLine, was, is, 1) }
	for says, lines := range map[string][]string{
		"line 2: is no JSON object of an alert":                {goodLine, "nonsense canary", `{"exported":2}`},
		"line 1: id has a value of the wrong kind":             {swap(`"id":7`, `"id":"canary"`), `{"exported":1}`},
		"line 3: has no payload; export with --payload":        {goodLine, "", swap(`{"text":"x"}`, "null"), `{"exported":2}`},
		`line 1: status "sent": there is no such status`:       {swap("pending", "sent"), `{"exported":1}`},
		"line 1: created_at is missing":                        {swap(`"created_at":"2026-03-01T08:00:00Z",`, ""), `{"exported":1}`},
		"line 2: stands behind the end of the export":          {`{"exported":0}`, goodLine},
		"cut short after 1 alert: its last line is missing":    {goodLine},
		"the export has 3 alerts and this file 1":              {goodLine, `{"exported":3}`},
		"line 1: alert target of 0 characters: must have 1 to": {swap("slack:alerts", ""), `{"exported":1}`},
		"line 1: retry count -1: must be 0 or more":            {swap(`"retry_count":3`, `"retry_count":-1`), `{"exported":1}`},
		"2 lines cannot be imported: nothing was stored":       {"x", "y"},
		"cut short after 0 alerts":                             {},
	} {
		c := newConsole(t, newFakeStore())
		c.must(exitUsage, "dlq import "+fileOf(t, lines...)+" --reason restored --yes")
		c.says(says)
		if c.opened > 0 || strings.Contains(c.err.String(), "canary") {
			t.Errorf("%s: opened %d databases: %s", says, c.opened, &c.err)
		}
	}
	many := slices.Repeat([]string{"x"}, maxBadTold+5)
	c := newConsole(t, newFakeStore())
	c.must(exitUsage, "dlq import "+fileOf(t, many...)+" --dry-run")
	c.says("line 20: ", "and 5 more", "25 lines cannot be imported")
	c.must(exitOK, "dlq import "+fileOf(t, goodLine)+" --incomplete --reason rest --yes")
}

func TestDLQImport_RefusesBeforeTheFileIsOpened(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"", "a b --reason x", "a", "a --reason x --status queued"} {
		c := newConsole(t, newFakeStore())
		c.must(exitUsage, "dlq import "+line)
	}
	c := newConsole(t, newFakeStore())
	c.must(exitUsage, "dlq import /none/such --reason x")
	c.says("open the export: ")
	c.must(exitRefused, "dlq import "+fileOf(t, goodLine, `{"exported":1}`)+" --reason x")
	if len(c.store.alerts) > 0 || len(c.store.actions) > 0 {
		t.Error("something was stored")
	}
}

func TestDLQImport_AFailureInBetweenSaysHowFarItGot(t *testing.T) {
	t.Parallel()
	path := exportedFile(t, newExportConsole(t, exportPage+5), "")
	c := newConsole(t, newFakeStore())
	calls := 0
	c.store.importFunc = func() error {
		if calls++; calls == 2 {
			return chatops.Errorf(chatops.CodeUnavailable, "database db.example:5432/chatops: gone")
		}
		return nil
	}
	c.must(exitUnavailable, "dlq import "+path+" --reason restored --yes -o jsonl")
	c.says("gone: imported 1000, known 0 of 1005", "import the file again: what is stored is left alone")
	if a := c.store.actions[0]; !strings.HasPrefix(a.Result, "error: ") {
		t.Errorf("on record: %+v", a)
	}
}

func TestDLQImport_ReadsStandardInput(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore())
	c.In = strings.NewReader(goodLine + "\n" + `{"exported":1}`)
	c.must(exitOK, "dlq import - --reason restored --yes")
	if len(c.store.alerts) != 1 {
		t.Errorf("%d alerts", len(c.store.alerts))
	}
}

// What is exported is what is imported, whatever the alerts hold.
func TestImport_IsTheInverseOfExport(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var want []chatops.Alert
		var file bytes.Buffer
		x := newExportWriter(&file, false, true, false, 5)
		for i := range rapid.IntRange(0, 5).Draw(t, "alerts") {
			payload, _ := json.Marshal(map[string]string{"text": rapid.String().Draw(t, "text")})
			a := chatops.Alert{
				ID: int64(i + 1), EventType: "slack_alert", Target: rapid.SampledFrom([]string{"slack:alerts", "https://hooks.example/T0/secret"}).Draw(t, "target"),
				Status: rapid.SampledFrom(chatops.AlertStatuses()).Draw(t, "status"), RetryCount: rapid.IntRange(0, 9).Draw(t, "retries"),
				Payload: payload, ErrorMessage: rapid.StringMatching(`[ -~ł]{0,20}`).Draw(t, "error"), Fingerprint: rapid.StringMatching(`[0-9a-f]{12}|`).Draw(t, "fingerprint"),
				IdempotencyKey: rapid.StringMatching(`k[0-9]{1,5}`).Draw(t, "key"), CreatedAt: noon.Add(time.Duration(i) * time.Microsecond),
			}
			if err := x.write(&a); err != nil {
				t.Fatal(err)
			}
			want = append(want, a)
		}
		if err := x.end(int64(len(want))); err != nil {
			t.Fatal(err)
		}
		var got []chatops.Alert
		r := &alertReader{waiting: chatops.AlertFailed}
		if err := r.each(context.Background(), &file, func(a *chatops.Alert) error { got = append(got, *a); return nil }); err != nil {
			t.Fatal(err, r.bad)
		}
		for i := range want {
			want[i].ID, want[i].Status = 0, r.become(want[i].Status)
			var a, b any
			if json.Unmarshal(want[i].Payload, &a) != nil || json.Unmarshal(got[i].Payload, &b) != nil || fmt.Sprint(a) != fmt.Sprint(b) {
				t.Fatalf("payload %s, want %s", got[i].Payload, want[i].Payload)
			}
			want[i].Payload = got[i].Payload
			if fmt.Sprintf("%+v", got[i]) != fmt.Sprintf("%+v", want[i]) {
				t.Fatalf("imported\n%+v\nwant\n%+v", got[i], want[i])
			}
		}
	})
}

func TestImportKey_IsThatOfTheRow(t *testing.T) {
	t.Parallel()
	l := importedLine{ID: 1, EventType: "a", Target: "b", CreatedAt: noon, Payload: []byte(`{}`)}
	key := importKey(&l)
	if key != importKey(&l) || !strings.HasPrefix(key, "import:") || len(key) != 39 {
		t.Errorf("key %q", key)
	}
	other := l
	other.ID = 2
	if importKey(&other) == key {
		t.Error("two rows share a key")
	}
}
