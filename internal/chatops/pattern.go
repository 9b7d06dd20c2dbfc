package chatops

import (
	"regexp"
	"sync"
)

// Pattern is a regular expression that is compiled when it is needed first:
// compiling all of them would be a third of what a short command takes. It
// panics then where the expression is wrong.
func Pattern(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
