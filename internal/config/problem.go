package config

import (
	"fmt"
	"strings"

	"chatops/internal/chatops"
)

// Problem is one thing that is wrong with the settings.
type Problem struct {
	Key      string // the variable, flag or file key as the user wrote it
	Value    string // as given; "[redacted]" for a secret, "" when the value does not matter
	Origin   string // where it was given
	Expected string // what would have been right
}

// String words the problem in one line.
func (p Problem) String() string {
	text := p.Key
	if p.Value != "" {
		text += fmt.Sprintf(" is %q", p.Value)
	}
	if p.Origin != "" {
		text += " (" + p.Origin + ")"
	}
	return text + ": " + p.Expected
}

// ProblemError is every problem found, as one error of CodeInvalid.
type ProblemError struct{ Problems []Problem }

// Error lists the problems, one in a line.
func (e *ProblemError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// asError makes the error that Load returns; nil without problems.
func asError(problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	return chatops.Errorf(chatops.CodeInvalid, "settings: %w", &ProblemError{problems})
}

// Nearest returns the candidate that is closest to a mistyped name, and false
// when none is close enough to be what was meant.
func Nearest(name string, candidates []string) (string, bool) {
	best, distance := "", len(name)/3+2
	for _, c := range candidates {
		if d := editDistance(strings.ToLower(name), strings.ToLower(c)); d < distance {
			best, distance = c, d
		}
	}
	return best, best != ""
}

// editDistance counts the insertions, deletions, replacements and swaps of
// neighbours that turn a into b (optimal string alignment).
func editDistance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
