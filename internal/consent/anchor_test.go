package consent

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestAnchor_IsALineThatIsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := NewAnchor(&chatops.AuditHead{
			Number: rapid.Int64Range(1, 1<<62).Draw(t, "number"),
			Hash:   rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "hash"),
		}, time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "at"), 5))
		list, err := ParseAnchors("# kept by the accountant\n\n" + a.String() + "\r\n" + Anchor{At: a.At}.String())
		if err != nil || len(list) != 2 || list[0].Number != a.Number || !bytes.Equal(list[0].Hash, a.Hash) || !list[0].At.Equal(a.At) ||
			list[1].Number != 0 {
			t.Fatalf("%q is read as %+v, %v", a, list, err)
		}
	})
}

func TestParseAnchors_OfABadFile_NamesTheLine(t *testing.T) {
	t.Parallel()
	hash, at := strings.Repeat("ab", 32), "2026-03-01T12:00:00Z"
	for text, want := range map[string]string{
		"":                                        "holds no anchor",
		"# nothing\n":                             "holds no anchor",
		"12 " + hash:                              "line 1",
		"\n-1 " + hash + " " + at:                 "line 2",
		"x " + hash + " " + at:                    "line 1",
		"12 " + hash[2:] + " " + at:               "line 1",
		"12 " + hash[1:] + "z " + at:              "line 1",
		"12 - " + at:                              "line 1",
		"0 " + hash + " " + at:                    "line 1",
		"12 " + hash + " yesterday":               "line 1",
		"12 " + hash + " " + at + " more":         "line 1",
		"99999999999999999999 " + hash + " " + at: "line 1",
	} {
		if _, err := ParseAnchors(text); chatops.ErrorCode(err) != chatops.CodeInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func FuzzParseAnchors(f *testing.F) {
	f.Add("12 " + strings.Repeat("ab", 32) + " 2026-03-01T12:00:00Z")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ParseAnchors(text)
		if (err == nil) != (len(list) > 0) {
			t.Fatalf("%d anchors, %v", len(list), err)
		}
	})
}
