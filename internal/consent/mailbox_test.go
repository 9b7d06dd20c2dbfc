package consent

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestNewMailbox_OfNobody_FindsNobody(t *testing.T) {
	t.Parallel()
	m := NewMailbox("", func(string) []string { return []string{"mark"} })
	if m.Key != "" || m.Spellings == nil || m.Suppressing == nil || len(m.Spellings)+len(m.Suppressing) != 0 {
		t.Errorf("%+v", m)
	}
}

func TestNewMailbox_KnowsSpellingsAndWhatSuppresses(t *testing.T) {
	t.Parallel()
	m := NewMailbox("jan+x@xn--w-uga1v8h.pl", func(key string) []string { return []string{"mark of " + key} })
	for _, want := range []string{"jan+x@xn--w-uga1v8h.pl", "jan+x@żółw.pl", "jan+x@ŻÓŁw.pl"} {
		if !slices.Contains(m.Spellings, want) {
			t.Errorf("spellings %q lack %s", m.Spellings, want)
		}
	}
	if want := []string{"jan@xn--w-uga1v8h.pl", "mark of jan+x@xn--w-uga1v8h.pl"}; !slices.Equal(m.Suppressing, want) {
		t.Errorf("suppressed by %q, want %q", m.Suppressing, want)
	}
	if m := NewMailbox("jan@gmail.com", nil); !slices.Equal(m.Spellings, []string{"jan@gmail.com"}) || !slices.Equal(m.Suppressing, m.Spellings) {
		t.Errorf("%+v", m)
	}
	if m := NewMailbox("jan@xn--.pl", nil); m.Spellings[0] != "jan@xn--.pl" {
		t.Errorf("%+v", m)
	}
}

func TestKeyOf_IsTheKeyOrSomethingLikeIt(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		" Jan@ŻÓŁW.pl ": "jan@xn--w-uga1v8h.pl", "JAN at x.pl": "jan at x.pl", "": "", "a\x00B": "a\ufffdb",
	} {
		if got := KeyOf(address); got != want {
			t.Errorf("%q has the key %q, want %q", address, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		key := KeyOf(rapid.String().Draw(t, "address"))
		if again := KeyOf(key); again != key {
			t.Fatalf("%q, then %q", key, again)
		}
	})
}
