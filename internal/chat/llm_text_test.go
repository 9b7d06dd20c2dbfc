package chat

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

func TestTidy_MendsHabitsAndNothingElse(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                            "",
		"\n\n a \n\n\n\n b \n":        "a\n\nb",
		"a\r\nb\r\n\r\nc":             "a\nb\n\nc",
		"- a\n* b\n– c\n• d":          "• a\n• b\n• c\n• d",
		"-a\n*b":                      "-a\n*b",
		"a - b":                       "a - b",
		"**a** b**":                   "a b",
		"a\tb\u00a0c\u202fd\u3000e":   "a b c d e",
		"z\u0142\u2011o\u2010ty":      "zł-o-ty",
		"\u2600\ufe0f a\ufe0e":        "\u2600 a",
		"o\u0301":                     "ó",
		"a\xffb":                      "a\ufffdb",
		"- \n- a":                     "-\n• a",
		"<b>a</b>":                    "<b>a</b>",
		"a\u200bb":                    "a\u200bb",
		"  • a\n    • b\n\n\n  c\n\n": "• a\n• b\n\nc",
	} {
		if got := tidy(in); got != want {
			t.Errorf("tidy(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestTidy_IsDoneOnce(t *testing.T) {
	t.Parallel()
	piece := rapid.SampledFrom([]string{"a", "ą", "- ", "* ", "– ", "**", "\n", "\n\n", " ", "\t", "\r\n", "\u00a0", "\ufe0f", "o\u0301", "\u2011", "•", "1"})
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOfN(piece, 0, 30).Draw(t, "pieces"), "")
		once := tidy(s)
		if strings.Contains(once, "\n\n\n") || strings.TrimSpace(once) != once || !utf8.ValidString(once) || strings.Contains(once, "**") {
			t.Fatalf("%q became %q", s, once)
		}
		words := func(s string) []string { return foldedWords(normalise(strings.ReplaceAll(s, "**", ""))) }
		if !slices.Equal(words(s), words(once)) || tidy(once) != once {
			t.Fatalf("%q became %q, then %q", s, once, tidy(once))
		}
	})
}

func TestStrangeRune_LetsPolishAndEnglishTypographyThrough(t *testing.T) {
	t.Parallel()
	for _, r := range "aZ0 ąĆęŁńÓśŹż éü .,;:!?-–—…„”“’'\"()/%+=×²½€$£•✓👍😀\n" {
		if strangeRune(r) {
			t.Errorf("%q has a place in an answer", r)
		}
	}
	for _, r := range "\t\r\x00\x1b\u007f\u0085\u00ad\u200b\u200d\u202e\u2066\ufeff\ufffd\u0301\ue000\U000e0041жаאب中あก٣१１" {
		if !strangeRune(r) {
			t.Errorf("%q has none", r)
		}
	}
}

func TestOpaque_FindsEncodedAndSpelledText(t *testing.T) {
	t.Parallel()
	known := words("novawnetrzaexamplekonsultacjawarszawa a1b2c3d4e5f6a7b8c9")
	for text, want := range map[string]bool{
		"Dzień dobry, chętnie pomożemy.":          false,
		strings.Repeat("a", longestWord):          false,
		strings.Repeat("a", longestWord+1):        true,
		"novawnetrzaexamplekonsultacjawarszawa":   false, // an entry has it
		"a4f3a9c81d2e64f3":                        false,
		"a4f3a9c81d2e64f3a":                       true,
		"a1b2c3d4e5f6a7b8c9":                      false,
		"12345678901234567890":                    false, // a number is judged as one
		"i w z o":                                 false,
		"i w z o u":                               true,
		"i w z 1 o u":                             false,
		"w Łodzi i w Krakowie, a u nas z umową":   false,
		"s.k.p.r.o.j":                             true,
		strings.Repeat("ż", longestWord) + " i w": false,
	} {
		if got := opaque(text, known); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// contactTexts lists what can be called, written to or opened.
func contactTexts(s string) []string {
	var out []string
	for _, c := range contactsIn(s) {
		out = append(out, c.text)
	}
	return out
}

func TestContactsIn_FindsWhateverCanBeCalledWrittenToOrOpened(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"https://A.example/x?y=1.":            {"https://a.example/x?y=1"},
		"www.a.example, ftp://b":              {"www.a.example", "ftp://b"},
		"javascript:alert(1)":                 {"javascript:alert(1"},
		"TEL:600700800":                       {"tel:600700800"},
		"a.example i b.co.uk/x":               {"a.example", "b.co.uk/x"},
		"jan@a.example; Ewa@B.example":        {"jan@a.example", "ewa@b.example"},
		"@handle":                             {"@handle"},
		"//a":                                 {"//"},
		"+48 22 555 01 23":                    {"225550123"},
		"0048 600-700-800":                    {"600700800"},
		"(22) 555.01.23":                      {"225550123"},
		"600 700":                             nil,
		"1 200 000 zł i 1 000 000 m2":         nil,
		"1 200 000 sztuk":                     {"1200000"},
		"m.in. płytki, np. gres":              {"m.in"},
		"koniec.Początek":                     {"koniec.początek"},
		"8:00–18:00, 36 miesięcy, 1 499,00":   nil,
		"bez kontaktu":                        nil,
		"https://a.example i https://a.b/c?d": {"https://a.example", "https://a.b/c?d"},
	} {
		if got := contactTexts(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestStrangeContact_KnowsThoseOfTheEntries(t *testing.T) {
	t.Parallel()
	g := newGrounds(testKnowledge(t), []LLMEntry{{Name: "contact", Text: "Telefon +48 22 555 01 23, biuro@a.example, https://a.example/x, także sześćset siedemset osiemset"}})
	for text, want := range map[string]bool{
		"22 555 01 23":                      false,
		"+48 22 555-01-23, BIURO@a.example": false,
		"https://A.example/x.":              false,
		"sześćset siedemset osiemset":       false,
		"m.in. po umowie":                   false,
		"22 555 01 24":                      true,
		"biuro2@a.example":                  true,
		"https://a.example/y":               true,
		"a.example":                         true, // another address than the one that is known
		"pięćset siedemset osiemset":        true,
		"biuro małpa a kropka example":      true,
		"biuro [at] a":                      true,
		"kropka nad i":                      true, // rather too careful than too little
		"Proszę pytać":                      false,
	} {
		if got := g.strangeContact(text); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// However it is cut up and dressed, enough of a secret in a row is found.
func TestHoldsSecret_FindsAnyRunOfIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringMatching(`[a-zA-Z0-9]{12,40}`).Draw(t, "secret")
		from := rapid.IntRange(0, len(secret)-secretRun).Draw(t, "from")
		run := []byte(secret[from : from+secretRun])
		if rapid.Bool().Draw(t, "backwards") {
			slices.Reverse(run)
		}
		var b strings.Builder
		for _, c := range run {
			b.WriteByte(c)
			b.WriteString(rapid.SampledFrom([]string{"", "", " ", "-", ".", "\n", "ą"}).Draw(t, "between"))
		}
		text := "To jest " + b.String()
		if !holdsSecret(text, secret) || !holdsSecret(strings.ToUpper(text), secret) {
			t.Fatalf("%q is not found in %q", secret, text)
		}
		if holdsSecret("Konsultacja jest bezpłatna", secret+"0000000000") {
			t.Fatalf("%q is found where it is not", secret)
		}
	})
}

func TestStated_TakesTheVisitorsOwnNumbers(t *testing.T) {
	t.Parallel()
	g := newGrounds(testKnowledge(t), []LLMEntry{{Text: "Express kosztuje 999 zł/m². Gwarancja: 36 miesięcy. Zaliczka 20%."}})
	f := &chatops.Facts{Budget: 120_000, SquareMeters: 60}
	for name, c := range map[string]struct {
		claim claim
		want  bool
	}{
		"the budget":                   {claim{value: 120_000, kind: claimMoney}, true},
		"the budget as a price":        {claim{value: 120_000, kind: claimMoney, pkg: "Express"}, false},
		"the budget beside a package":  {claim{value: 120_000, kind: claimMoney, pkg: "Express", budget: true}, true},
		"another budget":               {claim{value: 130_000, kind: claimMoney, budget: true}, false},
		"the area":                     {claim{value: 60, kind: claimArea}, true},
		"the area without its unit":    {claim{value: 60}, true},
		"the area as a price":          {claim{value: 60, priced: true}, false},
		"the area in weeks":            {claim{value: 60, kind: claimWeek}, false},
		"the warranty":                 {claim{value: 36, kind: claimMonth}, true},
		"the warranty without a unit":  {claim{value: 36}, true},
		"the warranty in years":        {claim{value: 36, kind: claimYear}, false},
		"the warranty as a price":      {claim{value: 36, kind: claimMoney}, false},
		"the price without a currency": {claim{value: 999}, true},
		"the share as a number":        {claim{value: 20}, true},
		"a share made up":              {claim{value: 36, kind: claimPercent}, false},
		"two":                          {claim{value: 2, small: true}, true},
	} {
		if got := g.stated(c.claim, f); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if g.stated(claim{value: 0, kind: claimArea}, &chatops.Facts{}) {
		t.Error("an area that nobody told is no area of 0")
	}
}
