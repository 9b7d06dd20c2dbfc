// Package goldentest compares what a test has made with a file that somebody has
// looked at and found right. With -update the test writes the file anew; what has
// changed is then seen in review. It knows nothing of what the files hold.
package goldentest

import (
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Compare fails the test unless the file holds what it got.
func Compare(tb testing.TB, path, got string) {
	tb.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	if got != string(want) {
		tb.Errorf("%s differs; -update accepts it: got\n%s\nwant\n%s", path, got, want)
	}
}
