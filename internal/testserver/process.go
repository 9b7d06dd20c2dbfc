package testserver

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// supervisor is run by /bin/sh: log file, directory and last signal come first,
// then the server's own command line. Its standard input is the life line.
const supervisor = `
log=$1 dir=$2 last=$3
shift 3
exec 3<&0
"$@" </dev/null >>"$log" 2>&1 3<&- &
server=$!
(
	read -r _ <&3
	trap '' TERM
	kill -s "$last" "$server"
	kill -s CONT "$server"
	while kill -0 "$server"; do sleep 0.05; done
	rm -rf "$dir"
) </dev/null >/dev/null 2>&1 &
watch=$!
echo "$server"
exec >&-
wait "$server"
code=$?
kill "$watch" 2>/dev/null
exit "$code"
`

// Command says what to run and how.
type Command struct {
	Argv       []string            // absolute path of the program, then its arguments
	Dir        string              // private directory: working directory, log file, removed at the end
	Credential *syscall.Credential // the user to run as; nil is the present one
	LastSignal string              // what ends an orphaned server: "QUIT", "KILL"
}

// Process is a running server and its supervising shell.
type Process struct {
	pid      int
	program  string
	dir      string
	shell    *exec.Cmd
	lifeline *os.File
	exited   chan struct{}
}

// Spawn starts the server and returns as soon as its process exists; whether it
// answers yet is for the caller to find out.
func Spawn(c Command) (*Process, error) {
	in, lifeline, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("open life line: %w", err)
	}
	out, pidLine, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("open pid pipe: %w", err)
	}
	args := append([]string{"-c", supervisor, "supervisor", logPath(c.Dir), c.Dir, c.LastSignal}, c.Argv...)
	shell := exec.CommandContext(context.Background(), "/bin/sh", args...) //nolint:gosec // its purpose
	shell.Dir = c.Dir
	shell.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + c.Dir, "LANG=C", "LC_ALL=C"}
	shell.Stdin, shell.Stdout = in, pidLine
	// A session of its own: a terminal's Ctrl-C does not reach it, and the kernel
	// does not send SIGHUP to a group that is orphaned while a member is frozen.
	shell.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: c.Credential}
	err = shell.Start()
	_ = in.Close()
	_ = pidLine.Close()
	defer func() { _ = out.Close() }()
	if err != nil {
		_ = lifeline.Close()
		return nil, fmt.Errorf("start supervisor of %s: %w", c.Argv[0], err)
	}
	p := &Process{program: c.Argv[0], dir: c.Dir, shell: shell, lifeline: lifeline}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		p.pid, err = strconv.Atoi(strings.TrimSpace(line))
	}
	if err != nil {
		_ = lifeline.Close()
		_ = shell.Wait()
		return nil, fmt.Errorf("read process id of %s: %w", c.Argv[0], err)
	}
	return p, nil
}

// Pid is the server's own process id, not the supervisor's.
func (p *Process) Pid() int { return p.pid }

// Alive reports whether the server process exists.
func (p *Process) Alive() bool {
	err := syscall.Kill(p.pid, 0)
	return err == nil || err == syscall.EPERM
}

// Signal sends sig to the server process alone.
func (p *Process) Signal(sig syscall.Signal) error {
	if err := syscall.Kill(p.pid, sig); err != nil {
		return fmt.Errorf("send %v to process %d: %w", sig, p.pid, err)
	}
	return nil
}

// SignalTree sends sig to the server and to every process below it. The
// processes are frozen first: one that runs on could fork while it is being
// visited, and the children of one that died could no longer be found.
func (p *Process) SignalTree(sig syscall.Signal) error {
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	tree := []int{p.pid}
	for visited := 0; visited < len(tree); {
		visited = len(tree)
		tree = append([]int{p.pid}, descendants(p.pid)...)
		for _, pid := range tree {
			_ = syscall.Kill(pid, syscall.SIGSTOP)
		}
	}
	for _, pid := range tree {
		_ = syscall.Kill(pid, sig)
		if sig != syscall.SIGSTOP {
			_ = syscall.Kill(pid, syscall.SIGCONT)
		}
	}
	return nil
}

// Wait waits until the server has exited and its supervisor has been reaped.
// It may be called again after it timed out.
func (p *Process) Wait(timeout time.Duration) error {
	if p.exited == nil {
		p.exited = make(chan struct{})
		go func() {
			defer close(p.exited)
			_ = p.shell.Wait()
			_ = p.lifeline.Close()
		}()
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-p.exited:
		return nil
	case <-timer.C:
		return fmt.Errorf("process %d still runs after %v", p.pid, timeout)
	}
}

// Kill ends the server and everything below it without asking, and waits.
func (p *Process) Kill() error {
	_ = p.SignalTree(syscall.SIGKILL)
	return p.Wait(time.Minute)
}
