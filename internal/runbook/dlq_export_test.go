package runbook

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"chatops/internal/chatops"
)

// newExportConsole has a queue of n alerts, a tenth of them delivered.
func newExportConsole(tb testing.TB, n int) *console {
	tb.Helper()
	c := newConsole(tb, newFakeStore())
	for i := range n {
		a := chatops.Alert{
			ID: int64(n - i), EventType: "slack_alert", Target: "slack:alerts", Status: chatops.AlertFailed, RetryCount: 2,
			Payload: json.RawMessage(fmt.Sprintf(`{"text":"lead %d, jan@firma.example"}`, n-i)), IdempotencyKey: fmt.Sprint("lead:", n-i),
			ErrorMessage: "=HYPERLINK(\"x\")", Fingerprint: "abc", CreatedAt: noon.Add(-time.Duration(i) * time.Minute), LastAttemptAt: noon,
		}
		if i%10 == 9 {
			a.Status, a.DeliveredAt = chatops.AlertDelivered, noon
		}
		c.store.alerts = append(c.store.alerts, a)
	}
	return c
}

func TestDLQExport_WritesEveryAlertOnceAcrossPages(t *testing.T) {
	t.Parallel()
	const n = 2*exportPage + 10
	c := newExportConsole(t, n)
	c.must(exitOK, "dlq export --status all")
	c.says(fmt.Sprintf("exported %d alerts", n))
	seen := map[int64]bool{}
	dec := json.NewDecoder(&c.out)
	for {
		var line map[string]any
		if err := dec.Decode(&line); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		id := int64(line["id"].(float64))
		if seen[id] || line["payload"] != nil {
			t.Fatalf("alert %d twice, or with a payload: %v", id, line)
		}
		seen[id] = true
	}
	if len(seen) != n || len(c.store.people.access) > 0 {
		t.Errorf("%d alerts, %d look-ups on record", len(seen), len(c.store.people.access))
	}
}

func TestDLQExport_OfPayloadsIsOnRecordFirst(t *testing.T) {
	t.Parallel()
	c := newExportConsole(t, 3)
	c.must(exitUsage, "dlq export --payload")
	c.must(exitUsage, "dlq export --purpose move")
	c.must(exitOK, "dlq export --payload --purpose ticket-7 --fingerprint abc")
	lines := strings.Split(strings.TrimSpace(c.out.String()), "\n")
	if len(lines) != 4 || !strings.HasSuffix(lines[0], `"idempotency_key":"lead:3","payload":{"text":"lead 3, jan@firma.example"}}`) || lines[3] != `{"exported":3}` {
		t.Errorf("%s", &c.out)
	}
	if a := c.store.people.access; len(a) != 1 || a[0].Subject != "*" || a[0].Purpose != "ticket-7" || a[0].Command != "dlq export --payload (status pending, failed; fingerprint abc)" {
		t.Errorf("on record: %+v", a)
	}
	c.store.people.accessErr = chatops.Errorf(chatops.CodeUnavailable, "gone")
	c.must(exitUnavailable, "dlq export --payload --purpose ticket-7")
	c.prints("")
}

func TestDLQExport_AsCSVIsSafeForSpreadsheets(t *testing.T) {
	t.Parallel()
	c := newExportConsole(t, 2)
	c.must(exitOK, "dlq export -o csv --payload --purpose ticket-7")
	rows, err := csv.NewReader(bytes.NewReader(c.out.Bytes())).ReadAll()
	if err != nil || len(rows) != 3 || rows[0][0] != "id" || rows[1][5] != `'=HYPERLINK("x")` || rows[1][12] != `{"text":"lead 2, jan@firma.example"}` {
		t.Errorf("%v: %q", err, rows)
	}
}

func TestDLQExport_FileAppearsWhenItIsWhole(t *testing.T) {
	t.Parallel()
	c := newExportConsole(t, 5)
	dir := t.TempDir()
	path := filepath.Join(dir, "out.jsonl")
	c.must(exitOK, "dlq export --output-file "+path)
	c.prints("")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info, err)
	}
	raw, _ := os.ReadFile(path)
	if bytes.Count(raw, []byte("\n")) != 5 {
		t.Errorf("%s", raw)
	}
	c.must(exitUsage, "dlq export --output-file "+path)
	c.says("the file exists; nothing was written")
	c.store.err = chatops.Errorf(chatops.CodeUnavailable, "gone")
	c.must(exitUnavailable, "dlq export --output-file "+filepath.Join(dir, "other"))
	c.must(exitUsage, "dlq export --output-file "+filepath.Join(dir, "none", "other"))
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestDLQExport_IntoAFolderThatIsNotThereNamesTheFileThatWasAskedFor(t *testing.T) {
	t.Parallel()
	c := newExportConsole(t, 5)
	dir := t.TempDir()
	path := filepath.Join(dir, "none", "alerts.jsonl")
	c.must(exitUsage, "dlq export --payload --purpose ticket --output-file "+path)
	c.says("--output-file "+path+": there is no folder "+filepath.Join(dir, "none"), "make it, or name a file in one that exists")
	if strings.Contains(c.err.String(), ".part") {
		t.Errorf("it names a file that nobody has asked for:\n%s", &c.err)
	}
	if n := len(c.store.people.access); n != 0 {
		t.Errorf("%d looks are on record, of an export that wrote nothing", n)
	}
	for _, err := range []error{
		&fs.PathError{Op: "open", Path: "/x/.alerts.jsonl.123.part", Err: syscall.EROFS},
		&os.LinkError{Op: "rename", Old: "/x/.alerts.jsonl.123.part", New: "/x/alerts.jsonl", Err: syscall.EROFS},
	} {
		if got := unmade("/x/alerts.jsonl", err).Error(); got != "--output-file /x/alerts.jsonl: read-only file system" {
			t.Errorf("it says %s", got)
		}
	}
	denied := unmade("/x/alerts.jsonl", &fs.PathError{Op: "open", Path: "/x/.part", Err: syscall.EACCES})
	if got := denied.Error(); got != "--output-file /x/alerts.jsonl: you may not write into the folder /x" {
		t.Errorf("it says %s", got)
	}
}

func TestDLQExport_DoesNotOverwriteWhatCameMeanwhile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "out")
	err := writeAtomically(path, func(w io.Writer) error {
		if err := os.WriteFile(path, []byte("theirs"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := io.WriteString(w, "ours")
		return err
	})
	if raw, _ := os.ReadFile(path); chatops.ErrorCode(err) != chatops.CodeUsage || string(raw) != "theirs" {
		t.Errorf("%v: %s", err, raw)
	}
}

func TestDLQExport_CutShortEndsWithAnError(t *testing.T) {
	t.Parallel()
	c := newExportConsole(t, 5)
	c.Out = brokenPipe{syscall.ENOSPC}
	c.must(exitFailed, "dlq export")
	c.says("write the output: no space left on device")
	c.Out = brokenPipe{syscall.EPIPE}
	c.must(exitOK, "dlq export")
	for _, format := range []string{"json", "yaml", "table", "wide", "markdown"} {
		c.must(exitUsage, "dlq export -o "+format)
		c.says("an export is jsonl or csv")
	}
}
