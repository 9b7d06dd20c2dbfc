package chat

import (
	"fmt"
	"strings"
	"testing"
)

func TestLexicon_FindsWordsAndBeginningsFolded(t *testing.T) {
	t.Parallel()
	l, err := parseLexicon(map[string]string{"a": "Łóżko sof*", "b": "sofa kot"})
	if err != nil {
		t.Fatal(err)
	}
	for w, want := range map[string]uint64{"lozko": 1, "lozka": 0, "sofa": 3, "sofy": 1, "kot": 2, "koty": 0, "so": 0, "": 0} {
		if got := l.groups(w); got != want {
			t.Errorf("%q is in groups %b, want %b", w, got, want)
		}
	}
}

func TestLexicon_RefusesWhatItCannotUse(t *testing.T) {
	t.Parallel()
	many := map[string]string{}
	for i := range maxGroups + 1 {
		many[fmt.Sprint("g", i)] = "word"
	}
	for want, groups := range map[string]map[string]string{
		"65 groups are too many": many, `group "a" has no words`: {"a": "  "}, `"be*" is too short a beginning`: {"a": "word be*"},
	} {
		if _, err := parseLexicon(groups); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
