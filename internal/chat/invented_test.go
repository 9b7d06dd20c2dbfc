package chat

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// What "the message says it" means, field by field. The definitions are written
// apart from the code that reads: they look at the folded text as a whole and
// know nothing of clauses, units or introductions.
//
//	e-mail    stands in the message, letter case aside
//	phone     its digits other than zeros, without the Polish prefix, stand in
//	          the message in a row, as digits or in number words
//	area      likewise, or those of the number below (halves are rounded up)
//	budget    likewise; a million may be written without its one
//	name      each of its parts stands in the message, in this order
//	city      a word of the message is within one letter of the first word of
//	          one of its forms
//	package   one of its aliases stands in the message, each word whole or
//	          within one letter
type holds struct {
	lower, folded string
	words         []string
	digits        string // other than zeros, as digits or in words
}

func readHolds(text string) *holds {
	n := normalise(text)
	h := &holds{lower: strings.ToLower(n), folded: fold(n)}
	var b strings.Builder
	for _, w := range strings.FieldsFunc(h.folded, func(r rune) bool { return !unicode.IsLetter(r) && (r < '0' || r > '9') }) {
		for _, part := range splitDigits(w) {
			h.words = append(h.words, part)
			b.WriteString(wordDigits(part))
		}
	}
	h.digits = b.String()
	return h
}

// splitDigits parts a word where letters and digits meet.
func splitDigits(w string) []string {
	var out []string
	start := 0
	for i := 1; i <= len(w); i++ {
		if i == len(w) || (w[i] >= '0' && w[i] <= '9') != (w[i-1] >= '0' && w[i-1] <= '9') {
			out, start = append(out, w[start:i]), i
		}
	}
	return out
}

// wordDigits returns the digits other than zeros that a word stands for.
func wordDigits(w string) string {
	if d := strings.ReplaceAll(digitsOf(w), "0", ""); d != "" {
		return d
	}
	switch {
	case ones[w]:
		return "1"
	case w == "pol" || w == "half":
		return "5"
	case w == "cwierc":
		return "25"
	case w == "poltora":
		return "15"
	}
	v := numberWords[w]
	if v == 0 {
		v, _ = compound(w)
	}
	return strings.ReplaceAll(digitsOf(strconv.Itoa(int(v))), "0", "")
}

func (h *holds) number(v int) bool {
	for _, n := range []int{v, v - 1} {
		d := strings.ReplaceAll(strconv.Itoa(n), "0", "")
		if strings.Contains(h.digits, d) {
			return true
		}
		for _, w := range []string{"milion", "million", "mln"} { //nolint:misspell // Polish
			if rest, ok := strings.CutPrefix(d, "1"); ok && strings.Contains(h.folded, w) && strings.Contains(h.digits, rest) {
				return true
			}
		}
	}
	return false
}

func (h *holds) phone(e164 string) bool {
	for _, d := range []string{strings.TrimPrefix(e164, "+48"), e164} {
		d = strings.ReplaceAll(digitsOf(d), "0", "")
		if strings.Contains(h.digits, d) || repeated(h, d) {
			return true
		}
	}
	return false
}

// repeated allows for "double five".
func repeated(h *holds, d string) bool {
	return slices.ContainsFunc(h.words, func(w string) bool { return repeats[w] > 0 }) && strings.Contains(withoutRuns(h.digits), withoutRuns(d))
}

func withoutRuns(s string) string {
	return string(slices.Compact([]byte(s)))
}

func (h *holds) name(name string) bool {
	rest := h.folded
	for w := range strings.FieldsFuncSeq(fold(name), func(r rune) bool { return r == ' ' || r == '-' }) {
		_, after, ok := strings.Cut(rest, w)
		if !ok {
			return false
		}
		rest = after
	}
	return utf8.RuneCountInString(name) <= maxName
}

func (h *holds) city(x *cityIndex, city string) bool {
	n := slices.Index(x.names, city)
	for first, forms := range x.forms {
		if slices.ContainsFunc(forms, func(f cityForm) bool { return f.city == n }) &&
			slices.ContainsFunc(h.words, func(w string) bool { return w == first || len(first) > minTypo && within1(w, first) }) {
			return true
		}
	}
	return false
}

// pack reports an alias of the package, or for a longer name its beginning
// and, apart from that, its end: "express z plusem", "ekspresplus".
func (h *holds) pack(packages []Package, name string) bool {
	i := slices.IndexFunc(packages, func(p Package) bool { return p.Name == name })
	if i < 0 {
		return false
	}
	for _, alias := range append([]string{name}, packages[i].Aliases...) {
		whole := true
		for w := range strings.FieldsSeq(fold(alias)) {
			whole = whole && (strings.Contains(h.folded, strings.TrimSuffix(w, "*")) || slices.ContainsFunc(h.words, func(m string) bool { return within1(m, w) }))
		}
		if whole {
			return true
		}
	}
	for _, p := range packages {
		if more, ok := strings.CutPrefix(name, p.Name+" "); ok {
			return h.pack(packages, p.Name) && (strings.Contains(h.folded, fold(more)) || strings.Contains(h.folded, "+"))
		}
	}
	return false
}

// checkNothingInvented fails for a fact that the message does not hold.
func checkNothingInvented(t interface {
	Fatalf(format string, args ...any)
}, x *Extractor, packages []Package, text string, f *chatops.Facts) {
	h := readHolds(text)
	switch {
	case f.Email != "" && !strings.Contains(h.lower, f.Email):
		t.Fatalf("%q: e-mail %q", text, f.Email)
	case f.Phone != "" && !h.phone(f.Phone):
		t.Fatalf("%q: phone %q", text, f.Phone)
	case f.Name != "" && !h.name(f.Name):
		t.Fatalf("%q: name %q", text, f.Name)
	case f.Package != "" && !h.pack(packages, f.Package):
		t.Fatalf("%q: package %q", text, f.Package)
	case f.City != "" && !h.city(x.cities, f.City):
		t.Fatalf("%q: city %q", text, f.City)
	case f.SquareMeters != 0 && (!h.number(f.SquareMeters) || f.SquareMeters < minArea || f.SquareMeters > maxArea):
		t.Fatalf("%q: %d m2", text, f.SquareMeters)
	case f.Budget != 0 && (!h.number(f.Budget) || f.Budget < minBudget || f.Budget > maxBudget):
		t.Fatalf("%q: budget %d", text, f.Budget)
	}
}

func TestExtract_InventsNothing(t *testing.T) {
	t.Parallel()
	k := testKnowledge(t)
	x := k.Extractor()
	rapid.Check(t, func(t *rapid.T) {
		text := message().Draw(t, "message")
		asked := rapid.SampledFrom([]Asked{AskedNothing, AskedName, AskedDetails}).Draw(t, "asked")
		e := x.Extract(text, asked)
		checkNothingInvented(t, x, k.Packages, text, &e.Facts)
		if again := x.Extract(text, asked); again.Facts != e.Facts || classify(again.toks) != classify(e.toks) {
			t.Fatalf("%q: read as %+v, then as %+v", text, e.Facts, again.Facts)
		}
	})
}

func TestExtract_InventsNothingInTheExamples(t *testing.T) {
	t.Parallel()
	k := testKnowledge(t)
	x := k.Extractor()
	for _, c := range append(readCases[extractionCase](t, "extraction.jsonl"), readAll[extractionCase](t, "extraction")...) {
		for _, asked := range []Asked{AskedNothing, AskedName, AskedDetails} {
			e := x.Extract(c.Message, asked)
			checkNothingInvented(t, x, k.Packages, c.Message, &e.Facts)
		}
	}
}

// The definitions themselves refuse what is not there.
func TestHolds_RefusesWhatIsNotThere(t *testing.T) {
	t.Parallel()
	k := testKnowledge(t)
	x := k.Extractor()
	h := readHolds("Jan Kowalski, sześćset jeden 222 333, pół miliona, 64,5 m2, w Łodzi, Comfort, j@x.pl")
	for what, ok := range map[string]bool{
		"phone": h.phone("+48601222333"), "area": h.number(65), "half a million": h.number(500_000), "name": h.name("Jan Kowalski"), "city": h.city(x.cities, "Łódź"),
		"package": h.pack(k.Packages, "Comfort"),
	} {
		if !ok {
			t.Errorf("%s is there", what)
		}
	}
	for what, ok := range map[string]bool{
		"phone": h.phone("+48601222334"), "area": h.number(78), "budget": h.number(700_000), "name": h.name("Jan Nowak"), "order": h.name("Kowalski Jan"),
		"city": h.city(x.cities, "Gdynia"), "package": h.pack(k.Packages, "Premium"), "longer package": h.pack(k.Packages, "Express Plus"),
	} {
		if ok {
			t.Errorf("%s is not there", what)
		}
	}
}

// Whatever stands in a message, reading it takes less than 5 ms; the best of
// several is taken, for the machine is shared.
func TestExtract_AnyMessageTakesUnder5ms(t *testing.T) { //nolint:paralleltest // it measures time
	x := testKnowledge(t).Extractor()
	rapid.Check(t, func(t *rapid.T) {
		piece := message().Draw(t, "message")
		if strings.TrimSpace(piece) == "" {
			return
		}
		text := strings.Repeat(piece+" ", chatops.MaxMessageLength/(utf8.RuneCountInString(piece)+1))
		if best := fastest(5, func() { classify(x.Extract(text, AskedName).toks) }); best > maxReading && !raceEnabled {
			t.Fatalf("%q...: %v", piece, best)
		}
	})
}
