package runbook

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestClean_ShowsHostileTextAsEscapes(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"plain", "Zażółć gęślą jaźń 日本 42 m²", "Zażółć gęślą jaźń 日本 42 m²"},
		{"ansi", "\x1b[31mred\x1b[0m", `\x1b[31mred\x1b[0m`},
		{"osc 52", "\x1b]52;c;aGk=\x07", `\x1b]52;c;aGk=\x07`},
		{"c1 csi", "\u009b2J", `\u009b2J`},
		{"lines", "a\nb\r\nc\td", `a\nb\r\nc\td`},
		{"bidi", "abc\u202etxt.exe\u2066", `abc\u202etxt.exe\u2066`},
		{"zero width", "pay\u200bpal\ufeff", `pay\u200bpal\ufeff`},
		{"separators", "a\u2028b\u2029", `a\u2028b\u2029`},
		{"tags", "a\U000e0041", `a\U000e0041`},
		{"fillers", "a\u3164\u2800", `a\u3164\u2800`},
		{"bytes", "a\xff\xc3", `a\xff\xc3`},
		{"nul and delete", "\x00\x7f", `\x00\x7f`},
	}
	for _, tt := range tests {
		if got := chatops.Harmless(tt.in); got != tt.want {
			t.Errorf("%s: chatops.Harmless(%q) = %q, want %q", tt.name, tt.in, got, tt.want)
		}
	}
}

func TestClean_LeavesNothingHarmfulAndIsStable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) + rapid.String().Draw(t, "text")
		got := chatops.Harmless(in)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, chatops.Harmful) {
			t.Fatalf("clean(%q) = %q is not harmless", in, got)
		}
		if again := chatops.Harmless(got); again != got {
			t.Fatalf("clean is not stable: %q then %q", got, again)
		}
	})
}

func FuzzEscapeHarmful_JSONStaysHarmlessAndEqual(f *testing.F) {
	for _, s := range []string{"\x1b[31m", "\u202e\u2028", "\U000e0041", "\x7f\u009b", "ł\"\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		raw, err := encodeJSON(text, "")
		if err != nil {
			t.Fatal(err)
		}
		line := strings.TrimSuffix(string(raw), "\n")
		if strings.ContainsFunc(line, chatops.Harmful) {
			t.Fatalf("JSON %q is not harmless", line)
		}
		if back := decodeText(t, line); back != strings.ToValidUTF8(text, "\ufffd") && utf8.ValidString(text) {
			t.Fatalf("%q came back as %q", text, back)
		}
	})
}

func TestDefuse_CellsCannotBecomeFormulas(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"=1+1": "'=1+1", "+48 600": "'+48 600", "-cmd": "'-cmd", "@SUM": "'@SUM", "\t=1": "'\t=1", "＝1": "'＝1",
		"-5": "-5", "17": "17", "text": "text", "": "", "a=1": "a=1",
	} {
		if got := defuse(in); got != want {
			t.Errorf("defuse(%q) = %q, want %q", in, got, want)
		}
	}
}
