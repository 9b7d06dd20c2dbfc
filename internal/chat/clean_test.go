package chat

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// odd draws texts of what keyboards, phones and pranksters make.
func odd() *rapid.Generator[string] {
	piece := rapid.OneOf(rapid.SampledFrom([]string{
		"a", "Ż", "ł", "o\u0301", "m²", "ﬁ", "ﷺ", "İ", "ß", "ẞ", "1", "½", "１", "٣", " ", "\u00a0", "\u202f", "\u200b", "\u200d", "\u00ad", "\ufe0f", "\u202e", "\u2066", "\ufeff",
		"\r\n", "\r", "\n", "\t", "\x00", "\x1b[0m", "\u0085", "\xff", "\xc5", "'", "’", "`", "-", "–", "@", ".", ",", "👋", "👨‍👩‍👧", "\U000e0041", "\u0301\u0301\u0301", "Ａ", "ⅷ", "日",
	}), rapid.StringN(0, 3, -1))
	return rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(piece, 0, 40).Draw(t, "pieces"), "") })
}

func TestCleanText_ReplacesControlsAndKeepsLines(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "a\tb\nc": "a\tb\nc", "a\r\nb": "a\nb", "a\rb": "a\ufffdb", "\x00": "\ufffd", "\x1b[31m": "\ufffd[31m", "\xffa": "\ufffda", "\u0085\u009b": "\ufffd\ufffd",
		"Zażółć 👋": "Zażółć 👋", "\u202e": "\u202e",
	} {
		if got := cleanText(in); got != want {
			t.Errorf("cleanText(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCleanText_IsSafeAndDoneOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := odd().Draw(t, "text")
		got := cleanText(in)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
			t.Fatalf("%q became %q", in, got)
		}
		if cleanText(got) != got || utf8.RuneCountInString(got) > utf8.RuneCountInString(in) {
			t.Fatalf("%q became %q, then %q", in, got, cleanText(got))
		}
	})
}

func TestNormalise_LeavesNothingInvisible(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := odd().Draw(t, "text")
		got := normalise(in)
		if !utf8.ValidString(got) || len(got) > maxNormalised || strings.ContainsFunc(got, invisible) {
			t.Fatalf("%q became %q", in, got)
		}
		// What cannot be seen cannot keep an address from being read either.
		split := normalise("jan\u200b@x\u00ad.\u2060pl " + in)
		if !strings.HasPrefix(split, "jan@x.pl") {
			t.Fatalf("%q became %q", in, split)
		}
	})
}

func TestFold_GivesNeitherCapitalsNorMarks(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := normalise(odd().Draw(t, "text"))
		got := fold(in)
		for _, r := range got {
			if r >= 'A' && r <= 'Z' || isApostrophe(r) || unicode.Is(unicode.Mn, r) || strings.ContainsRune(polishLetters, r) {
				t.Fatalf("%q folds to %q, which has %q", in, got, r)
			}
		}
		if upper := fold(strings.ToUpper(in)); len(in) == len(got) && upper != got { // plain letters only
			t.Fatalf("%q folds to %q, in capitals to %q", in, got, upper)
		}
	})
}

// Tokens cover the text in order: between them stands nothing but space, and
// their values and folded forms are those of the text that they cover.
func TestTokenise_LosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := normalise(odd().Draw(t, "text"))
		at := 0
		for _, tok := range tokenise(s, nil) {
			if tok.start < at || tok.end <= tok.start {
				t.Fatalf("%q: token %+v begins before %d", s, tok, at)
			}
			if gap := s[at:tok.start]; strings.TrimSpace(gap) != "" || strings.Contains(gap, "\n") {
				t.Fatalf("%q: %q is in no token", s, gap)
			}
			checkToken(t, s, &tok)
			at = tok.end
		}
		if rest := s[at:]; strings.TrimSpace(rest) != "" {
			t.Fatalf("%q: %q is in no token", s, rest)
		}
	})
}

func checkToken(t *rapid.T, s string, tok *token) {
	text := s[tok.start:tok.end]
	first, _ := utf8.DecodeRuneInString(text)
	switch tok.kind {
	case kindWord:
		if !unicode.IsLetter(first) || tok.fold != fold(text) || tok.capital != unicode.IsUpper(first) {
			t.Fatalf("%q: word %+v", text, tok)
		}
	case kindNumber:
		if first < '0' || first > '9' || tok.value < 0 || tok.fold != text {
			t.Fatalf("%q: number %+v", text, tok)
		}
	case kindPunct:
		if utf8.RuneCountInString(text) != 1 || unicode.IsLetter(first) || tok.fold != text {
			t.Fatalf("%q: mark %+v", text, tok)
		}
	case kindFact:
		t.Fatalf("%q: a fact that nobody marked: %+v", text, tok)
	}
}

func TestTokenise_ASpanIsOneToken(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		before := rapid.StringMatching(`[a-z0-9 ,.]{0,10}`).Draw(t, "before")
		marked := rapid.StringMatching(`[a-z0-9 ,.@]{1,10}`).Draw(t, "marked")
		s := before + marked + rapid.StringMatching(`[a-z0-9 ,.]{0,10}`).Draw(t, "after")
		sp := span{start: len(before), end: len(before) + len(marked), field: fieldPhone}
		facts := 0
		for _, tok := range tokenise(s, []span{sp}) {
			if tok.kind == kindFact {
				facts++
				if tok.start != sp.start || tok.end != sp.end || tok.taken != fieldPhone {
					t.Fatalf("%q: %+v, want %+v", s, tok, sp)
				}
			} else if tok.start < sp.end && tok.end > sp.start {
				t.Fatalf("%q: %+v reaches into %+v", s, tok, sp)
			}
		}
		if facts != 1 {
			t.Fatalf("%q: %d tokens for %+v", s, facts, sp)
		}
	})
}

func TestReadNumber_ReadsWhatFormatNumberWrites(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]struct {
		end   int
		value float64
	}{
		"1 200": {5, 1200}, "1.200,50": {8, 1200.5}, "1'200": {5, 1200}, "1,200.5": {7, 1200.5}, "1 200.300": {5, 1200}, "12 34": {2, 12}, "0 200": {1, 0}, "1234 567": {4, 1234},
		"0,1234": {6, 0.1234}, "5,1234": {1, 5}, "5,": {1, 5}, "5.": {1, 5}, "007": {3, 7}, "1 2000": {1, 1}, "999 999 999": {11, 999_999_999}, "1234567890123456": {16, 1e18},
	} {
		if end, v := readNumber(in, 0); end != want.end || v != want.value {
			t.Errorf("%q: %g up to %d, want %g up to %d", in, v, end, want.value, want.end)
		}
	}
}
