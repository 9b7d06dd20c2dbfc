package e2e

import (
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait for something that should come soon. It is long
// because the machine may be busy, and costs nothing where things work.
const patience = 2 * time.Minute

// process is a running chatops.
type process struct {
	t        *testing.T
	name     string
	cmd      *exec.Cmd
	out, err *output
	done     chan struct{} // closed when it has been reaped
}

// start runs chatops with the world's settings. It is killed, if it still runs,
// when the test ends, and its output is shown when the test has failed.
func (w *world) start(args ...string) *process {
	w.t.Helper()
	path, err := binary()
	if err != nil {
		w.t.Fatal(err)
	}
	return w.spawn(exec.Command(path, args...), strings.Join(args, " "))
}

func (w *world) spawn(cmd *exec.Cmd, name string) *process {
	w.t.Helper()
	p := &process{t: w.t, name: name, cmd: cmd, out: newOutput(), err: newOutput(), done: make(chan struct{})}
	cmd.Env, cmd.Dir = w.environ(), w.dir
	if cmd.Stdout == nil {
		cmd.Stdout, cmd.Stderr = p.out, p.err
	}
	// A group of its own, so that signals to the tests do not reach it.
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	}
	if err := cmd.Start(); err != nil {
		w.t.Fatalf("start chatops %s: %v", name, err)
	}
	go func() {
		defer close(p.done)
		_ = cmd.Wait()
	}()
	w.t.Cleanup(p.cleanup)
	w.note(p)
	return p
}

func (p *process) cleanup() {
	p.thaw()
	p.kill()
	text := p.err.String()
	for _, bad := range []string{"DATA RACE", "panic: ", "fatal error: "} {
		if strings.Contains(text, bad) {
			p.t.Errorf("chatops %s: %s", p.name, bad)
		}
	}
	if p.t.Failed() {
		p.t.Logf("--- chatops %s (process %d) ended with %d\nstdout:\n%s\nstderr:\n%s",
			p.name, p.pid(), p.cmd.ProcessState.ExitCode(), tail(p.out.String()), tail(text))
	}
}

func tail(text string) string {
	const most = 6000
	if len(text) > most {
		return "(...)\n" + text[len(text)-most:]
	}
	return text
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) signal(sig syscall.Signal) {
	select {
	case <-p.done: // the id may belong to somebody else by now
	default:
		_ = syscall.Kill(p.pid(), sig)
	}
}

func (p *process) freeze() { p.signal(syscall.SIGSTOP) }
func (p *process) thaw()   { p.signal(syscall.SIGCONT) }
func (p *process) term()   { p.signal(syscall.SIGTERM) }

// kill ends the process at once and waits until it is gone.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}

// wait returns the exit code, -1 after a signal.
func (p *process) wait() int {
	p.t.Helper()
	return p.waitFor(2 * patience)
}

func (p *process) waitFor(timeout time.Duration) int {
	p.t.Helper()
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-timer.C:
		p.signal(syscall.SIGQUIT) // shows what it waits for
		p.t.Fatalf("chatops %s still runs", p.name)
		return -1
	}
}

// awaitLog waits for a line of its standard error.
func (p *process) awaitLog(text string) string {
	p.t.Helper()
	line := p.err.await(text, patience, p.done)
	if line == "" {
		p.t.Fatalf("chatops %s never wrote %q on standard error", p.name, text)
	}
	return line
}

// result is a command that has ended.
type result struct {
	out, err string
	code     int
}

// run carries out a command to its end.
func (w *world) run(args ...string) result {
	w.t.Helper()
	p := w.start(args...)
	code := p.wait()
	return result{out: p.out.String(), err: p.err.String(), code: code}
}

// must is run for a command that has to end with exit code 0.
func (w *world) must(args ...string) result {
	w.t.Helper()
	r := w.run(args...)
	if r.code != 0 {
		w.t.Fatalf("chatops %s: exit %d\n%s%s", strings.Join(args, " "), r.code, r.out, r.err)
	}
	return r
}

var errNotYet = errors.New("not yet")
