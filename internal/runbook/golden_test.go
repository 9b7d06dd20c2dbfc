package runbook

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/goldentest"
)

// golden compares a text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	goldentest.Compare(t, filepath.Join("testdata", name), got)
}

// hostileStore holds alerts whose texts try to command a terminal, a
// spreadsheet, a table or a reader's eye.
func hostileStore() *fakeStore {
	f := newFakeStore(chatops.AlertFailed, chatops.AlertPending, chatops.AlertDelivered)
	a := &f.alerts[0]
	a.EventType, a.Target = "webhook_event", "webhook:\x1b]52;c;cm0gLXJm\x07"
	a.ErrorMessage = "\x1b[2J\x1b[31mDELIVERED\x1b[0m\nid  status\n4   delivered | \u202egpj.exe \u200bpaypal\xff"
	a.Fingerprint, a.RetryCount = "=HYPERLINK(\"http://x\")", 5
	a.LastAttemptAt = noon.Add(-time.Minute)
	a.Payload = []byte("{\"text\":\"\x7f\u202e \\u001b[31m\",\"n\":12345678901234567890}")
	f.attempts[a.ID] = []chatops.Attempt{
		{AlertID: a.ID, StartedAt: noon.Add(-time.Hour), Duration: 1500 * time.Microsecond, Outcome: "transient", HTTPStatus: 503, Error: "reply \x1b[5m503", Replica: "ops-1"},
		{AlertID: a.ID, StartedAt: noon.Add(-time.Minute), Duration: 2 * time.Second, Outcome: "ambiguous", Error: "+lost", Replica: "ops-2"},
	}
	b := &f.alerts[1]
	b.Target, b.ErrorMessage, b.NextAttemptAt = "mailto:łukasz@firma.example", "=cmd|' /C calc'!A0", noon.Add(90*time.Second+250*time.Millisecond)
	c := &f.alerts[2]
	c.DeliveredAt, c.OperationID, c.IdempotencyKey = noon.Add(-30*time.Minute), "op_1", "lead:s1:slack"
	c.Payload = []byte("not \x1b JSON")
	return f
}

func TestOutput_HostileTextIsHarmlessInEveryFormat(t *testing.T) {
	t.Parallel()
	tests := []struct{ file, line string }{
		{"list.tsv", "dlq list --status all"},
		{"list.table", "dlq list --status all -o table"},
		{"list.wide", "dlq list --status all -o wide"},
		{"list.json", "dlq list --status all -o json"},
		{"list.jsonl", "dlq list --status all -o jsonl"},
		{"list.yaml", "dlq list --status all -o yaml"},
		{"list.csv", "dlq list --status all -o csv"},
		{"list.md", "dlq list --status all -o markdown"},
		{"show.table", "dlq show 3 -o table"},
		{"show.json", "dlq show 3 -o json"},
		{"show.md", "dlq show 3 -o markdown"},
		{"show_broken.json", "dlq show 1 -o json"},
		{"stats.table", "dlq stats -o table"},
		{"stats.json", "dlq stats -o json"},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t, hostileStore())
			c.must(exitOK, tt.line)
			if strings.ContainsFunc(strings.ReplaceAll(c.out.String(), "\n", ""), func(r rune) bool { return r != '\t' && chatops.Harmful(r) }) {
				t.Errorf("output is not harmless: %q", c.out.String())
			}
			golden(t, tt.file, c.out.String())
		})
	}
}

func TestOutput_OnATerminalIsATableThatFits(t *testing.T) {
	t.Parallel()
	c := newConsole(t, hostileStore()).terminal("")
	c.Width = 60
	c.must(exitOK, "dlq list --status all")
	golden(t, "list_60.table", c.out.String())
	c.Width = 20
	c.must(exitOK, "dlq list --status all --no-headers")
	golden(t, "list_20.table", c.out.String())
}

func TestOutput_ColoursOnlyWhereTheyAreWanted(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, line, term, noColor string
		tty, want                 bool
	}{
		{"terminal", "dlq list", "xterm", "", true, true},
		{"dumb terminal", "dlq list", "dumb", "", true, false},
		{"NO_COLOR", "dlq list", "xterm", "1", true, false},
		{"never", "dlq list --color never", "xterm", "", true, false},
		{"pipe", "dlq list -o table", "xterm", "", false, false},
		{"always in a pipe", "dlq list -o table --color always", "dumb", "1", false, true},
		{"always in TSV", "dlq list --color always", "xterm", "", false, false},
		{"always in JSON", "dlq list -o json --color always", "xterm", "", true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t, newFakeStore(chatops.AlertFailed))
			if tt.tty {
				c.terminal("")
			}
			c.vars["TERM"], c.vars["NO_COLOR"] = tt.term, tt.noColor
			c.must(exitOK, tt.line)
			if got := strings.Contains(c.out.String(), "\x1b[31mfailed\x1b[0m"); got != tt.want {
				t.Errorf("coloured: %t, want %t: %q", got, tt.want, &c.out)
			}
		})
	}
}

func TestOutput_NoHeaders(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"table", "wide", "csv", "markdown"} {
		c := newConsole(t, newFakeStore(chatops.AlertFailed))
		c.must(exitOK, "dlq list --no-headers -o "+format)
		if text := strings.ToLower(c.out.String()); strings.Contains(text, "status") {
			t.Errorf("%s has headers: %s", format, text)
		}
	}
}

func TestOutput_AWholeMessageOfTheDatabaseIsCleaned(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore())
	c.store.err = chatops.Errorf(chatops.CodeInternal, "read: \x1b[31mbad\ntext %s", dbPassword)
	c.must(exitFailed, "dlq list")
	c.says(`chatops: read: \x1b[31mbad\ntext [redacted]`)
}
