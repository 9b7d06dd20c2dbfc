package runbook

import (
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

// newAuditConsole has a record of four changes, one an hour.
func newAuditConsole(tb testing.TB) *console {
	tb.Helper()
	c := newConsole(tb, newFakeStore())
	for i, a := range []chatops.OperatorAction{
		{Actor: "ola", Command: "chatops dlq retry --all", Result: "ok: 12 requeued", Reason: "slack is back", Filter: `{"statuses":["failed"]}`},
		{Actor: "jan", Command: "chatops dlq discard 7", Result: "error: \x1b[31m red", Filter: `{"ids":[7]}`},
		{Actor: "ola", Command: "chatops breaker trip slack", Result: "started"},
		{Actor: "ola", Command: "chatops dlq retry 7", Result: "ok: 1 requeued", Filter: "not json"},
	} {
		a.ID, a.Host, a.At = int64(i+1), "ops-1", noon.Add(time.Duration(i-4)*time.Hour)
		if a.Result != "started" {
			a.Finished = a.At.Add(time.Second)
		}
		c.store.actions = append(c.store.actions, a)
	}
	return c
}

func TestAuditList_RestrictsAndPages(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"":                              "4 3 2 1",
		"--actor ola":                   "4 3 1",
		"--command discard":             "2",
		"--since 150m":                  "4 3",
		"--until 2026-03-10T09:30":      "2 1",
		"--limit 2":                     "4 3 next 3",
		"--limit 2 --after 3":           "2 1",
		"--actor ola --limit 1":         "4 next 4",
		"--actor ola --after 4":         "3 1",
		"--actor nobody":                "",
		"--since 2h --until 90m":        "3",
		"--command retry --since 90m":   "4",
		"--command retry --actor jan":   "",
		"--after 1":                     "",
		"--actor ola --command breaker": "3",
	} {
		c := newAuditConsole(t)
		c.must(exitOK, "audit list --no-headers "+line)
		var ids []string
		for row := range strings.Lines(c.out.String()) {
			id, _, _ := strings.Cut(row, "\t")
			ids = append(ids, id)
		}
		c.must(exitOK, "audit list -o json "+line)
		if _, next, ok := strings.Cut(c.out.String(), `"next_cursor": "`); ok {
			next, _, _ = strings.Cut(next, `"`)
			ids = append(ids, "next", next)
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%q lists %s, want %s", line, got, want)
		}
		if len(c.store.actions) != 4 {
			t.Error("to look is no change")
		}
	}
}

func TestAuditList_RefusesWhatMeansNothing(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"--limit 0", "--limit 1001", "--after x", "--after 0", "--since soon", "--until never", "--since 1h --until 2h", "ola"} {
		c := newAuditConsole(t)
		c.must(exitUsage, "audit list "+line)
		if c.opened > 0 {
			t.Errorf("%s opened the database", line)
		}
	}
}

func TestAuditList_EveryFormatIsHarmless(t *testing.T) {
	t.Parallel()
	c := newAuditConsole(t)
	for _, format := range outputFormats {
		c.must(exitOK, "audit list -o "+format)
		if strings.Contains(c.out.String(), "\x1b") || !strings.Contains(c.out.String(), "slack is back") {
			t.Errorf("%s prints %q", format, &c.out)
		}
	}
	c.must(exitOK, "audit list -o jsonl --limit 1")
	c.prints(`{"id":4,"at":"2026-03-10T11:00:00Z","actor":"ola","host":"ops-1","command":"chatops dlq retry 7","filter":"not json",` +
		`"reason":"","result":"ok: 1 requeued","finished_at":"2026-03-10T11:00:01Z"}` + "\n")
	c.must(exitOK, "audit list -o csv --command trip")
	c.prints("id,at,actor,host,command,reason,result,filter,finished\n3,2026-03-10T10:00:00Z,ola,ops-1,chatops breaker trip slack,,started,,\n")
	c.terminal("").must(exitOK, "audit list --limit 1")
	c.says("there are more: --after 4")
	c.must(exitOK, "audit list --actor nobody")
	c.says("no changes match")
}
