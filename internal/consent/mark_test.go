package consent

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestLooseKey_FoldsWhatReachesOneMailbox(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"jan@x.pl":                      "jan@x.pl",
		"jan+news@x.pl":                 "jan@x.pl",
		"jan+a+b@x.pl":                  "jan@x.pl",
		"+jan@x.pl":                     "+jan@x.pl",
		"jan.kowalski@x.pl":             "jan.kowalski@x.pl",
		"jan.kowalski@gmail.com":        "jankowalski@gmail.com",
		"j.a.n+x.y@googlemail.com":      "jan@gmail.com",
		"jan@mail.gmail.com":            "jan@mail.gmail.com",
		"jan@xn--w-uga1v8h.pl":          "jan@xn--w-uga1v8h.pl",
		"łucja.żak+1@gmail.com":         "łucjażak@gmail.com",
		"":                              "",
		"not an address":                "not an address",
		"jan+gmail.com":                 "jan+gmail.com",
		"o'brien+@x.pl":                 "o'brien@x.pl",
		"quoted@odd@gmail.com":          "quoted@odd@gmail.com",
		"jan@GMAIL.com (not normalised": "jan@GMAIL.com (not normalised",
	} {
		if got := LooseKey(key); got != want {
			t.Errorf("%q has the loose key %q, want %q", key, got, want)
		}
	}
}

func TestLooseKey_IsItsOwnLooseKey(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.OneOf(
			rapid.StringMatching(`[a-z.+]{1,12}@(gmail\.com|googlemail\.com|x\.pl)`), rapid.String(),
		).Draw(t, "key")
		loose := LooseKey(key)
		if again := LooseKey(loose); again != loose || len(loose) > len(key) {
			t.Fatalf("%q, then %q, then %q", key, loose, again)
		}
	})
}

func newMarks(tb rapid.TB, ids ...string) *Marks {
	tb.Helper()
	var keys []chatops.ConsentKey
	for _, id := range ids {
		keys = append(keys, testKey(id))
	}
	m, err := NewMarks(keys)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func TestMarks_RecogniseAnAddressAndItsMailbox(t *testing.T) {
	t.Parallel()
	m := newMarks(t, "b", "a")
	erased := m.Of("jan.kowalski@gmail.com")
	met := func(m *Marks, key string) bool {
		return slices.ContainsFunc(m.Of(key), func(mark string) bool { return slices.Contains(erased, mark) })
	}
	for key, want := range map[string]bool{
		"jan.kowalski@gmail.com": true, "jankowalski+x@googlemail.com": true, "jan.kowalski@x.pl": false, "": false,
	} {
		if got := met(m, key); got != want {
			t.Errorf("%q is recognised: %v", key, got)
		}
	}
	if !met(newMarks(t, "c", "b"), "jan.kowalski@gmail.com") || met(newMarks(t, "c"), "jan.kowalski@gmail.com") {
		t.Error("marks live as long as one of their keys")
	}
	if len(erased) != 4 || m.Subject("jan.kowalski@gmail.com") != erased[0] {
		t.Errorf("marks %v, subject %v", erased, m.Subject("jan.kowalski@gmail.com"))
	}
	for _, mark := range erased {
		if len(mark) > 255 || strings.Contains(mark, "jan") || !strings.HasPrefix(mark, "hmac:") {
			t.Errorf("mark %q", mark)
		}
	}
	// An address that is its own loose key has two marks all the same: a digest
	// of one kind tells nothing about the other.
	if two := m.Of("jan@x.pl"); two[0] == two[1] {
		t.Error("the digests of key and loose key are one")
	}
}

func TestMarks_WithoutKeys_AreNone(t *testing.T) {
	t.Parallel()
	m := newMarks(t)
	if len(m.Of("jan@x.pl")) != 0 || m.Subject("jan@x.pl") != "" {
		t.Error("marks without keys")
	}
	if _, err := NewMarks([]chatops.ConsentKey{{ID: "a"}}); chatops.ErrorCode(err) != chatops.CodeInvalid {
		t.Errorf("a key without secret: %v", err)
	}
}

func TestLearned_HasMarksOnceTheKeysAreKnown(t *testing.T) {
	t.Parallel()
	var l Learned
	if len(l.Of("jan@x.pl")) != 0 {
		t.Error("marks before any key")
	}
	l.Learn(nil)
	l.Learn([]chatops.ConsentKey{{ID: "short"}})
	if len(l.Of("jan@x.pl")) != 0 {
		t.Error("marks of keys that cannot be used")
	}
	l.Learn([]chatops.ConsentKey{testKey("a")})
	if want := newMarks(t, "a").Of("jan@x.pl"); !slices.Equal(l.Of("jan@x.pl"), want) {
		t.Errorf("%q, want %q", l.Of("jan@x.pl"), want)
	}
	l.Learn(nil) // what is known stays
	if len(l.Of("jan@x.pl")) != 2 {
		t.Error("the marks are forgotten")
	}
}
