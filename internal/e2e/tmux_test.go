package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"chatops/internal/testserver"
)

// pane is a real terminal, of tmux, in which a shell runs chatops.
type pane struct {
	t      *testing.T
	socket string
	env    []string
	shots  []shot // every look at it
}

// shot is what a terminal showed at some time between two others.
type shot struct {
	from, at time.Time
	screen   string
}

// openPane runs chatops in a terminal of a size. The shell writes "before" ahead
// of it and its exit code after it, and stays.
func (w *world) openPane(width, height int, args ...string) *pane {
	w.t.Helper()
	path, err := binary()
	if err != nil {
		w.t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "pane") // a socket's path must be short
	if err != nil {
		w.t.Fatal(err)
	}
	w.env["LANG"], w.env["TERM"] = "C.UTF-8", "xterm-256color"
	p := &pane{t: w.t, socket: filepath.Join(dir, "s"), env: w.environ()}
	w.t.Cleanup(func() {
		_, _ = p.try("kill-server")
		_ = os.RemoveAll(dir)
	})
	script := `echo before; "$0" "$@"; echo "ended with $?"; stty -a | grep -o ' [-]*icanon\| [-]*echo '; exec sleep 600`
	p.tmux(append([]string{
		"-f", "/dev/null", "new-session", "-d", "-x", strconv.Itoa(width), "-y", strconv.Itoa(height), "-s", "d", "--", "sh", "-c", script, path,
	}, args...)...)
	return p
}

func (p *pane) try(args ...string) (string, error) {
	cmd := exec.Command("tmux", append([]string{"-S", p.socket}, args...)...)
	cmd.Env = p.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (p *pane) tmux(args ...string) string {
	p.t.Helper()
	out, err := p.try(args...)
	if err != nil {
		p.t.Fatalf("tmux %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// screen is what the terminal shows.
func (p *pane) screen() string {
	p.t.Helper()
	from := time.Now()
	screen := p.tmux("capture-pane", "-p", "-t", "d")
	p.shots = append(p.shots, shot{from, time.Now(), screen})
	return screen
}

// await waits until the terminal shows every text.
func (p *pane) await(texts ...string) string {
	p.t.Helper()
	return p.awaitThat("shows "+strings.Join(texts, ", "), func(screen string) bool {
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				return false
			}
		}
		return true
	})
}

// awaitThat waits until what the terminal shows is as it should be.
func (p *pane) awaitThat(what string, isFunc func(screen string) bool) string {
	p.t.Helper()
	var screen string
	err := testserver.Poll(patience, func(context.Context) error {
		if screen = p.screen(); !isFunc(screen) {
			return errNotYet
		}
		return nil
	})
	if err != nil {
		p.t.Fatalf("the terminal never %s:\n%s", what, screen)
	}
	return screen
}

// press sends keys, by tmux's names for them.
func (p *pane) press(keys ...string) {
	p.t.Helper()
	p.tmux(append([]string{"send-keys", "-t", "d"}, keys...)...)
}

// resize gives the terminal another size.
func (p *pane) resize(width, height int) {
	p.t.Helper()
	p.tmux("resize-window", "-t", "d", "-x", strconv.Itoa(width), "-y", strconv.Itoa(height))
}

// colours is what the terminal shows, with its colours.
func (p *pane) colours() string {
	p.t.Helper()
	return p.tmux("capture-pane", "-e", "-p", "-t", "d")
}

// left fails unless the terminal is as it was before chatops ran: its own screen,
// its cursor, and a line discipline that echoes.
func (p *pane) left(code int) {
	p.t.Helper()
	p.await("before", "ended with "+strconv.Itoa(code), " icanon", " echo")
	if screen := p.screen(); strings.Contains(screen, "-icanon") || strings.Contains(screen, "-echo ") {
		p.t.Errorf("the terminal does not echo any more:\n%s", screen)
	}
	if state := strings.TrimSpace(p.tmux("display-message", "-p", "-t", "d", "#{alternate_on} #{cursor_flag} #{mouse_any_flag}")); state != "0 1 0" {
		p.t.Errorf("alternate screen, cursor and mouse are %s, want 0 1 0", state)
	}
}
