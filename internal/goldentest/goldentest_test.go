package goldentest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// listener hears what a test would be told.
type listener struct {
	testing.TB

	said string
}

func (*listener) Helper() {}

func (l *listener) Errorf(format string, args ...any) { l.said += fmt.Sprintf(format, args...) }

func (l *listener) Fatal(args ...any) { l.said += fmt.Sprint(args...) }

// compare returns what is said of a text and a file.
func compare(t *testing.T, path, got string) string {
	t.Helper()
	l := &listener{TB: t}
	Compare(l, path, got)
	return l.said
}

func TestCompare_IsSilentOnlyWhereNothingHasChanged(t *testing.T) { //nolint:paralleltest // it sets a flag
	path := filepath.Join(t.TempDir(), "page.html")
	if said := compare(t, path, "old"); !strings.Contains(said, "no such file") {
		t.Errorf("without a file it says %q", said)
	}
	*update = true
	if said := compare(t, path, "old"); said != "" {
		t.Errorf("while it writes it says %q", said)
	}
	*update = false
	if raw, err := os.ReadFile(path); err != nil || string(raw) != "old" {
		t.Errorf("it has written %q, %v", raw, err)
	}
	if said := compare(t, path, "old"); said != "" {
		t.Errorf("of the same it says %q", said)
	}
	if said := compare(t, path, "new"); !strings.Contains(said, path) || !strings.Contains(said, "new\nwant\nold") {
		t.Errorf("of another it says %q", said)
	}
}
