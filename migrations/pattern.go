package migrations

import (
	"regexp"
	"sync"
)

// pattern is a regular expression that is compiled when it is needed first:
// compiling all of them would be a third of what a short command takes.
func pattern(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
