package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	quoted   = regexp.MustCompile("`([a-z0-9_/.]+)`")
	testName = regexp.MustCompile(`\bTest[A-Z]\w+`)
	testFunc = regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)
)

// docs/guarantees.md names tests that exist where it says, and every test of
// this package has its row.
func TestGuarantees_NameTestsThatExist(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/guarantees.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(doc)) {
		cells := strings.Split(line, "|")
		if len(cells) < 5 || strings.Contains(cells[1], "---") || strings.TrimSpace(cells[3]) == "test" {
			continue
		}
		rows++
		for part := range strings.SplitSeq(cells[3], ";") {
			where := quoted.FindStringSubmatch(part)
			if where == nil {
				t.Errorf("a row names no file: %s", line)
				continue
			}
			source := sourceOf(t, where[1])
			for _, name := range testName.FindAllString(part, -1) {
				if !strings.Contains(source, "\nfunc "+name+"(t *testing.T)") {
					t.Errorf("%s has no %s", where[1], name)
				}
			}
		}
	}
	if rows < 20 {
		t.Errorf("%d rows, want at least 20: is the table still read?", rows)
	}
	for _, match := range testFunc.FindAllStringSubmatch(sourceOf(t, "internal/e2e"), -1) {
		if name := match[1]; !strings.Contains(string(doc), name) && !strings.HasPrefix(name, "TestGuarantees") {
			t.Errorf("%s has no row in docs/guarantees.md", name)
		}
	}
}

// sourceOf returns the text of a file, or of all test files in a folder.
func sourceOf(t *testing.T, path string) string {
	t.Helper()
	path = filepath.Join("../..", path)
	names := []string{path}
	if filepath.Ext(path) != ".go" {
		var err error
		if names, err = filepath.Glob(filepath.Join(path, "*_test.go")); err != nil {
			t.Fatal(err)
		}
	}
	var all strings.Builder
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}
