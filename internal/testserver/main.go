package testserver

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
)

// M is the part of testing.M that matters here. Leak checkers accept it too.
type M interface{ Run() int }

var exit struct {
	mu      sync.Mutex
	funcs   []func()
	reports []func() string
}

// AtExit registers a function that Main and Wrap call after the last test, the
// latest first.
func AtExit(f func()) {
	exit.mu.Lock()
	defer exit.mu.Unlock()
	exit.funcs = append(exit.funcs, f)
}

// AtFailure registers a report that is shown after the last test when one has
// failed, such as the end of a shared server's log.
func AtFailure(report func() string) {
	exit.mu.Lock()
	defer exit.mu.Unlock()
	exit.reports = append(exit.reports, report)
}

// Main runs the tests and then ends every shared server. It is meant as the
// whole body of TestMain; the testing package exits with the right code by
// itself afterwards.
func Main(m M) { Wrap(m).Run() }

// Wrap returns an M whose Run ends every shared server after the tests, for a
// TestMain that hands its M to something else, such as a leak checker.
func Wrap(m M) M { return wrapped{m} }

type wrapped struct{ m M }

// Run implements M.
func (w wrapped) Run() int {
	defer runExitFuncs()
	code := w.m.Run()
	exit.mu.Lock()
	reports := exit.reports
	exit.reports = nil
	exit.mu.Unlock()
	if code != 0 {
		explain(os.Stderr, reports)
	}
	return code
}

// explain tells what only the machine that ran the tests knows: a test that
// failed there and nowhere else cannot be explained without it.
func explain(to io.Writer, reports []func() string) {
	_, _ = fmt.Fprintf(to, "--- temporary files in %s\n", os.TempDir())
	for _, path := range []string{"/proc/loadavg", "/proc/pressure/cpu", "/proc/pressure/memory", "/proc/pressure/io", "/sys/fs/cgroup/cpu.stat"} {
		if text, err := os.ReadFile(path); err == nil { // what a kernel has differs
			_, _ = fmt.Fprintf(to, "--- %s\n%s\n", path, strings.TrimSpace(string(text)))
		}
	}
	for _, f := range reports {
		_, _ = fmt.Fprintln(to, "--- "+f())
	}
}

func runExitFuncs() {
	exit.mu.Lock()
	funcs := exit.funcs
	exit.funcs = nil
	exit.mu.Unlock()
	for _, f := range slices.Backward(funcs) {
		f()
	}
}
