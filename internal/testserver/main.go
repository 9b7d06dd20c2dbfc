package testserver

import (
	"slices"
	"sync"
)

// M is the part of testing.M that matters here. Leak checkers accept it too.
type M interface{ Run() int }

var exit struct {
	mu    sync.Mutex
	funcs []func()
}

// AtExit registers a function that Main and Wrap call after the last test, the
// latest first.
func AtExit(f func()) {
	exit.mu.Lock()
	defer exit.mu.Unlock()
	exit.funcs = append(exit.funcs, f)
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
	return w.m.Run()
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
