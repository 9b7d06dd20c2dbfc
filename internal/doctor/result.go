package doctor

import (
	"slices"
	"strings"
	"time"
)

// State is what a check found.
type State string

// The states, from the one that matters least.
const (
	Skipped State = "skipped" // there is nothing to check here
	OK      State = "ok"
	Warning State = "warning" // nothing is broken yet, or somebody has ordered it so
	Unknown State = "unknown" // it could not be found out
	Problem State = "problem"
)

// States lists every state, the one that matters least first.
func States() []State { return []State{Skipped, OK, Warning, Unknown, Problem} }

// badness is how bad a state is.
func (s State) badness() int { return slices.Index(States(), s) }

// Sound reports whether the state needs nobody.
func (s State) Sound() bool { return s == OK || s == Skipped }

// Finding is one thing that is not as it should be.
type Finding struct {
	State   State  // Warning or Problem
	Text    string // in words, with numbers
	Cause   string // "" when it is not known
	Command string // what repairs it, as it is typed
}

// Result is what a check found.
type Result struct {
	Name     string
	State    State
	Text     string // the findings in a line, or what was seen where there are none
	Findings []Finding
	Took     time.Duration
}

// found makes the result of what was found; without findings all is well, and
// seen says what that means.
func found(list []Finding, seen string) Result {
	r := Result{State: OK, Text: seen, Findings: list}
	if len(list) == 0 {
		return r
	}
	slices.SortStableFunc(list, func(a, b Finding) int { return b.State.badness() - a.State.badness() })
	texts := make([]string, len(list))
	for i, f := range list {
		texts[i] = f.Text
	}
	r.State, r.Text = list[0].State, strings.Join(texts, "; ")
	return r
}

// skipped is the result of a check that has nothing to look at.
func skipped(why string) Result { return Result{State: Skipped, Text: why} }

// Worst is the worst state of all; OK where nothing was checked.
func Worst(list []Result) State {
	worst := OK
	for _, r := range list {
		if r.State.badness() > worst.badness() {
			worst = r.State
		}
	}
	return worst
}
