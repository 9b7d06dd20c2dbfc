package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"chatops/internal/testserver"
)

// formerMigration is the newest migration that the former release did not have:
// the commit before the one that added it is that release.
const formerMigration = "migrations/postgres/0003_people.sql"

// F22: in a rolling upgrade the former binary goes on working on the new
// schema, beside the new one.
func TestUpgrade_TheFormerBinaryWorksOnTheNewSchemaBesideTheNewOne(t *testing.T) {
	t.Parallel()
	path, err := formerBinary()
	if err != nil {
		t.Fatal(err)
	}
	if path == "" {
		t.Skip("SKIPPED, NOT PASSED: this copy of the sources has no history, so the former release cannot be built")
	}
	forEachEngine(t, func(t *testing.T, w *world) {
		newer := w.serve()
		older := w.serveBy(w.spawn(exec.Command(path, "serve"), "serve (former)"))
		older.awaitReady()

		// Each begins a conversation, and the other one ends it.
		for session, pair := range map[string][2]*server{"visit-a": {newer, older}, "visit-b": {older, newer}} {
			lines := script("Jan Kowalski", session+"@przyklad.pl")
			for i, line := range lines {
				pair[i*2/len(lines)].mustSay(session, line)
			}
		}
		w.await(6, `select count(*) from dead_letter_queue where status = 'delivered'`)
		if n := w.number(`select count(*) from leads`); n != 2 {
			t.Errorf("%d leads, want 2", n)
		}
		if slack, items, mails := len(w.slack.Texts()), len(w.monday.Items()), len(w.smtp.Mails()); slack != 2 || items != 2 || mails != 2 {
			t.Errorf("%d Slack messages, %d items, %d mails, want 2 of each", slack, items, mails)
		}

		// The former runbook works as well.
		w.breakReceivers(outages()[0])
		w.enqueueLead("s3")
		w.await(3, `select count(*) from dead_letter_queue where status = 'pending'`)
		w.mendReceivers()
		retry := w.spawn(exec.Command(path, "dlq", "retry", "--all", "--yes", "--now"), "dlq retry (former)")
		if code := retry.wait(); code != 0 {
			t.Errorf("the former dlq retry ended with %d:\n%s", code, retry.err)
		}
		w.await(9, `select count(*) from dead_letter_queue where status = 'delivered'`)
		for _, s := range []*server{older, newer} {
			s.term()
			if code := s.wait(); code != 0 {
				t.Errorf("%s ended with %d, want 0", s.name, code)
			}
		}
	})
}

// formerBinary builds the former release and returns its path, "" where the
// history is missing.
var formerBinary = sync.OnceValues(func() (string, error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return "", err
	}
	commit := strings.TrimSpace(git(root, "log", "-1", "--diff-filter=A", "--format=%H", "--", formerMigration))
	if commit == "" || git(root, "cat-file", "-t", commit+"^:cmd/chatops/main.go") == "" {
		return "", nil
	}
	dir, err := os.MkdirTemp("", "chatops-former-")
	if err != nil {
		return "", err
	}
	testserver.AtExit(func() { _ = os.RemoveAll(dir) })
	archive := filepath.Join(dir, "former.tar")
	for _, step := range [][]string{
		{"git", "-C", root, "archive", "--output", archive, commit + "^", "--", "go.mod", "go.sum", "cmd", "internal", "migrations"},
		{"tar", "-xf", archive, "-C", dir},
		{"go", "build", "-C", dir, "-o", filepath.Join(dir, "chatops-former"), "./cmd/chatops"},
	} {
		c := exec.Command(step[0], step[1:]...)
		c.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil {
			return "", fmt.Errorf("build the former release: %s: %w\n%s", step[0], err, out)
		}
	}
	return filepath.Join(dir, "chatops-former"), nil
})

// git returns what git prints, "" when it fails: without history there is
// nothing to ask.
func git(root string, args ...string) string {
	out, err := exec.Command("git", append([]string{"-C", root}, args...)...).Output()
	if err != nil {
		return ""
	}
	return string(bytes.TrimSpace(out))
}
