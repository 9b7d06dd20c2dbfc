package e2e

import (
	"encoding/json"
	"io"
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// onTerminal runs a command on a real terminal of the given width and returns
// everything that the terminal was sent.
func (w *world) onTerminal(width uint16, input string, args ...string) (shown string, code int) {
	w.t.Helper()
	path, err := binary()
	if err != nil {
		w.t.Fatal(err)
	}
	screen, tty, err := pty.Open()
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = screen.Close() })
	if err := pty.Setsize(screen, &pty.Winsize{Rows: 40, Cols: width}); err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Pdeathsig: syscall.SIGKILL}
	w.env["TERM"] = "xterm-256color"
	p := w.spawn(cmd, strings.Join(args, " "))
	_ = tty.Close()
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(p.out, screen) // ends with EIO when the other side is closed
	}()
	if input != "" {
		if _, err := io.WriteString(screen, input); err != nil {
			w.t.Fatal(err)
		}
	}
	code = p.wait()
	<-read
	return p.out.String(), code
}

// hostile is text that would take a terminal over or lie about itself.
const hostile = "\x1b[31mred\x1b[2J\x1b]52;c;ZXZpbA==\x07\u009b31m\u202eevil\u2066\rover\nsecond line\ttab\x7f"

// colour is the only kind of escape sequence that we send.
var colour = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// F20 of the bad inputs: what is in a row stays in its cell.
func TestTerminal_HostileRows_AreShownHarmless(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		payload, err := json.Marshal(map[string]string{"text": hostile})
		if err != nil {
			t.Fatal(err)
		}
		id := w.enqueue("slack_alert", "pager:"+hostile, string(payload), "k")
		w.exec(`update dead_letter_queue set status = 'failed', error_message = ?, fingerprint = ? where id = ?`, hostile, hostile, id)
		w.enqueue("slack_alert", "slack:alerts", slackPayload, "k2")
		commands := [][]string{
			{"dlq", "list", "--status", "all"}, {"dlq", "list", "-o", "wide"}, {"dlq", "show", strconv.Itoa(id)}, {"dlq", "stats"},
			{"dlq", "list", "-o", "json"}, {"dlq", "list", "-o", "yaml"}, {"dlq", "list", "-o", "csv"}, {"dlq", "list", "-o", "markdown"},
			{"dlq", "retry", strconv.Itoa(id), "--dry-run"},
		}
		for _, args := range commands {
			for _, width := range []uint16{120, 20} {
				shown, code := w.onTerminal(width, "", args...)
				if code != 0 {
					t.Errorf("chatops %s: exit %d\n%q", strings.Join(args, " "), code, shown)
				}
				rest := colour.ReplaceAllString(shown, "")
				for _, bad := range []string{"\x1b", "\u009b", "\a", "\u202e", "\u2066", "\x7f", "\rover"} {
					if strings.Contains(rest, bad) {
						t.Errorf("chatops %s on %d columns sends %q:\n%q", strings.Join(args, " "), width, bad, rest)
					}
				}
			}
			shown, _ := w.onTerminal(120, "", append(args, "--color", "never")...)
			if strings.Contains(shown, "\x1b") {
				t.Errorf("chatops %s --color never sends escapes: %q", strings.Join(args, " "), shown)
			}
		}
	})
}

// In a pipe a table is tab-separated: one line for each row, whatever it holds.
func TestTerminal_InAPipe_ListIsOneLineForEachRow(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		id := w.enqueue("slack_alert", "slack:alerts", slackPayload, "k")
		w.exec(`update dead_letter_queue set status = 'failed', error_message = ? where id = ?`, hostile, id)
		w.enqueueMany(3, "k", "failed")
		r := w.must("dlq", "list")
		lines := strings.Split(strings.TrimSuffix(r.out, "\n"), "\n")
		if len(lines) != 5 {
			t.Fatalf("%d lines, want a header and four rows:\n%q", len(lines), r.out)
		}
		for _, line := range lines {
			if cells := strings.Split(line, "\t"); len(cells) != 7 || strings.ContainsAny(line, "\x1b\r\a") {
				t.Errorf("line of %d cells, want 7: %q", len(cells), line)
			}
		}
		if r := w.must("dlq", "list", "--no-headers"); strings.Count(r.out, "\n") != 4 {
			t.Errorf("without headers:\n%s", r.out)
		}
	})
}

// The fields that programs rely on, exactly.
func TestTerminal_ListAsJSON_HasTheFieldsOfTheContract(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		w.enqueueMany(3, "k", "failed")
		var page struct {
			Items      []map[string]any `json:"items"`
			NextCursor *string          `json:"next_cursor"`
		}
		read := func(args ...string) {
			page.Items, page.NextCursor = nil, nil
			r := w.must(append([]string{"dlq", "list", "-o", "json"}, args...)...)
			if err := json.Unmarshal([]byte(r.out), &page); err != nil {
				t.Fatalf("%v: %s", err, r.out)
			}
		}
		read("--limit", "2")
		if len(page.Items) != 2 || page.NextCursor == nil {
			t.Fatalf("a page of two: %+v", page)
		}
		want := []string{
			"created_at", "delivered_at", "error_message", "event_type", "fingerprint", "id", "last_attempt_at",
			"max_retries", "next_attempt_at", "retry_count", "status", "target",
		}
		if got := slices.Sorted(maps.Keys(page.Items[0])); !slices.Equal(got, want) {
			t.Errorf("fields %v, want %v", got, want)
		}
		created, _ := page.Items[0]["created_at"].(string)
		if at, err := time.Parse(time.RFC3339Nano, created); err != nil || time.Since(at) > time.Hour || time.Since(at) < 0 {
			t.Errorf("created_at %q, want a moment ago in UTC", created)
		}
		read("--limit", "2", "--after", *page.NextCursor)
		if len(page.Items) != 1 || page.NextCursor != nil {
			t.Errorf("the last page: %+v", page)
		}
	})
}

// On a terminal a retry asks, shows a bar and ends with the counts.
func TestTerminal_RetryNow_AsksShowsABarAndTheCounts(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		sink := retryWorld(w)
		shown, code := w.onTerminal(100, "y\n", "dlq", "retry", "--all", "--now")
		if code != 0 {
			t.Errorf("exit %d", code)
		}
		for _, want := range []string{"Continue? [y/N]", "retry 300 alerts", "tried", "%", "delivered 300, failed 0, pending 0"} {
			if !strings.Contains(shown, want) {
				t.Errorf("the terminal never showed %q:\n%q", want, tail(shown))
			}
		}
		sink.expectEachOnce(t, retryRows)
		// Whoever answers no, changes nothing.
		w.enqueueMany(5, "no", "failed")
		if shown, code := w.onTerminal(100, "n\n", "dlq", "retry", "--all", "--now"); code != 7 {
			t.Errorf("after the answer no: exit %d, want 7\n%q", code, shown)
		}
		if n := w.number(`select count(*) from dead_letter_queue where status = 'failed'`); n != 5 {
			t.Errorf("%d alerts are failed after the answer no, want 5", n)
		}
	})
}
