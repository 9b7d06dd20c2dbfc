package consent

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseEmail_NormalisesThenChecks(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string][2]string{ // mail, key
		"jan@x.pl":                     {"jan@x.pl", "jan@x.pl"},
		"\u00a0 JAN@X.PL \n":           {"JAN@X.PL", "jan@x.pl"},
		"jan+a@x.pl":                   {"jan+a@x.pl", "jan+a@x.pl"},
		"o'brien.x_y-z%~@mail.x.co.uk": {"o'brien.x_y-z%~@mail.x.co.uk", "o'brien.x_y-z%~@mail.x.co.uk"},
		"Jan@ŻÓŁW.pl":                  {"Jan@xn--w-uga1v8h.pl", "jan@xn--w-uga1v8h.pl"},
		"jan@xn--w-uga1v8h.pl":         {"jan@xn--w-uga1v8h.pl", "jan@xn--w-uga1v8h.pl"},
		"Z\u0307ak@x.pl":               {"\u017bak@x.pl", "\u017cak@x.pl"}, // NFC
		"jan@x.pl\u200b":               {"jan@x.pl", "jan@x.pl"},           // a zero-width space in a domain is nothing (UTS 46)
		"jan@ｘ.pl":                     {"jan@x.pl", "jan@x.pl"},
		"jan@x。pl":                     {"jan@x.pl", "jan@x.pl"},
	} {
		a, ok := ParseEmail(typed)
		if !ok || a.Mail != want[0] || a.Key != want[1] || a.Typed != strings.TrimSpace(typed) {
			t.Errorf("%q: %+v, %v; want %q", typed, a, ok, want)
		}
	}
	for _, typed := range []string{
		"", " ", "@", "jan", "jan@", "@x.pl", "jan@x", "jan@x.", "jan@.pl", "jan@x..pl", "jan@@x.pl", "a@b@x.pl", "jan＠x.pl",
		".jan@x.pl", "jan.@x.pl", "j..n@x.pl", "j n@x.pl", "jan@x .pl", "ja\u200bn@x.pl", "ja\x00n@x.pl", "jan@x.pl\x00", "ja\nn@x.pl", "jan@x.pl\r\nBcc: a@b.pl",
		"Jan <jan@x.pl>", "<jan@x.pl>", `"jan"@x.pl`, "jan@x.pl, ewa@x.pl", "jan@x.pl;ewa@x.pl", "jan@x.pl,ewa", "jan@x_y.pl", "jan@-x.pl",
		"jan@127.0.0.1", "jan@[127.0.0.1]", "jan@x.pl:25", "jan@x.pl/a", "mailto:jan@x.pl", "jan@x.p%l", "ja\xffn@x.pl", "jan@\ufffd.pl",
		"jan@" + strings.Repeat("a", 64) + ".pl", strings.Repeat("a", 251) + "@x.pl", strings.Repeat("ż.", 200) + "@x.pl",
		"jan@" + strings.Repeat("ż", 60) + ".pl",
	} {
		if a, ok := ParseEmail(typed); ok {
			t.Errorf("%q passes as %+v", typed, a)
		}
	}
	if _, ok := ParseEmail(strings.Repeat("a", 250) + "@x.pl"); !ok {
		t.Error("255 characters are refused")
	}
}

func TestParseEmail_KeyIsItsOwnKey(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		typed := rapid.OneOf(
			rapid.StringMatching(`[A-Za-z0-9.+żŁ]{1,20}@[A-Za-z0-9żŁ-]{1,20}\.(pl|PL|com)`), rapid.String(),
		).Draw(t, "typed")
		a, ok := ParseEmail(typed)
		if !ok {
			return
		}
		wantMailable(t, a)
		for _, again := range []string{a.Key, a.Mail, a.Typed, " " + typed + " "} {
			if b, ok := ParseEmail(again); !ok || b.Key != a.Key {
				t.Fatalf("%q has the key %q, and %q has %q, %v", typed, a.Key, again, b.Key, ok)
			}
		}
	})
}

// wantMailable checks what a mail program relies on.
func wantMailable(tb rapid.TB, a Email) {
	tb.Helper()
	local, domain, _ := strings.Cut(a.Mail, "@")
	if strings.Count(a.Mail, "@") != 1 || local == "" || !isASCII(domain) || !strings.Contains(domain, ".") ||
		strings.ContainsAny(a.Mail, "\r\n\x00 <>,;:\"") || strings.ToLower(a.Key) != a.Key {
		tb.Fatalf("%+v", a)
	}
}

func FuzzParseEmail(f *testing.F) {
	for _, seed := range []string{"jan@x.pl", "Jan@ŻÓŁW.pl", "jan＠x.pl", "a@xn--", "\u200b@x.pl", "a@\u202ex.pl"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		if a, ok := ParseEmail(typed); ok {
			wantMailable(t, a)
		}
	})
}
