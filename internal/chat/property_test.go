package chat

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// fragments are pieces of which messages are made: facts, traps and junk.
var fragments = []string{
	"jestem", "Jan Kowalski", "nazywam się", "my name is", "anna", "Wójcik-Nowak", "nie", "tak", "tylko", "wolę", "Comfort", "premium", "express plus",
	"ekspres", "indywidualny", "pakiet", "60", "m2", "m²", "metrów", "64,5", "1 200", "tys", "zł", "PLN", "budżet", "300 000", "0,2 mln", "pół miliona",
	"pięćdziesiąt", "sto", "+48", "600 700 800", "0048", "123-456-789", "tel.", "@", "jan@x.pl", "a@@b", "ANIA@Firma.PL", "www.x.pl/a@b.pl", "w", "z", "do",
	"Warszawie", "Łodzi", "Nowym Sączu", "Bielsku-Białej", "Pile", "pisz", "ul.", "Krakowska", "potwierdzam", "zgadza się", "?", "!", ".", ",", ";", ":", "\n",
	"-", "—", "/", "(", ")", "👋", "😀", "\u200b", "\u00ad", "\u0301", "Ａ＠ｂ．ｐｌ", "½", "ﷺ", "İ", "ß", "'", "’", "\x00", "\xff", "\u202e", "$", "€", "%s", "{name}", "<b>",
	"ile", "kosztuje", "gwarancja", "jak", "długo", "kiedy", "hello", "how much", "is", "the", "9999999999999999999999", "000000000", "1.1.1.1", "m^2", "m kw",
}

func message() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		for range rapid.IntRange(0, 40).Draw(t, "pieces") {
			if rapid.IntRange(0, 9).Draw(t, "kind") == 0 {
				b.WriteString(rapid.String().Draw(t, "junk"))
			} else {
				b.WriteString(rapid.SampledFrom(fragments).Draw(t, "fragment"))
			}
			b.WriteString(rapid.SampledFrom([]string{" ", " ", " ", "", ", "}).Draw(t, "gap"))
		}
		return b.String()
	})
}

// digitsOf keeps the decimal digits.
func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// checkNothingInvented fails for a fact that the message does not hold.
func checkNothingInvented(t interface {
	Fatalf(format string, args ...any)
}, x *Extractor, text string, e *Extraction) {
	f := e.Facts
	lower, folded := strings.ToLower(normalise(text)), fold(normalise(text))
	squeezed := strings.Join(strings.Fields(folded), " ")
	if f.Email != "" && !strings.Contains(lower, f.Email) {
		t.Fatalf("%q: e-mail %q", text, f.Email)
	}
	if f.Phone != "" && !strings.Contains(digitsOf(lower), strings.TrimPrefix(f.Phone, "+48")[0:]) && !strings.Contains(digitsOf(lower), f.Phone[1:]) {
		t.Fatalf("%q: phone %q", text, f.Phone)
	}
	if f.Name != "" && (!strings.Contains(squeezed, fold(f.Name)) || utf8.RuneCountInString(f.Name) > maxName) {
		t.Fatalf("%q: name %q", text, f.Name)
	}
	if f.Package != "" && !slices.ContainsFunc(testAliases[f.Package], func(a string) bool { return strings.Contains(folded, a) }) {
		t.Fatalf("%q: package %q", text, f.Package)
	}
	if f.City != "" && !slices.Contains(x.cities.names, f.City) {
		t.Fatalf("%q: city %q", text, f.City)
	}
	if f.SquareMeters < 0 || f.SquareMeters > maxArea || f.Budget < 0 || f.Budget > maxBudget {
		t.Fatalf("%q: %d m2, budget %d", text, f.SquareMeters, f.Budget)
	}
}

// testAliases are what a mention of each package must hold at least: its
// beginning, which no typing error may touch.
var testAliases = map[string][]string{
	"Express": {"e"}, "Express Plus": {"plus", "+"}, "Comfort": {"c", "k"}, "Premium": {"p"}, "Individual": {"i", "bespoke", "custom", "zamowienie"},
}

func TestExtract_InventsNothing(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	rapid.Check(t, func(t *rapid.T) {
		text := message().Draw(t, "message")
		asked := rapid.SampledFrom([]Asked{AskedNothing, AskedName, AskedDetails}).Draw(t, "asked")
		e := x.Extract(text, asked)
		checkNothingInvented(t, x, text, e)
		if again := x.Extract(text, asked); again.Facts != e.Facts || classify(again.toks) != classify(e.toks) {
			t.Fatalf("%q: read as %+v, then as %+v", text, e.Facts, again.Facts)
		}
	})
}

func TestExtract_FindsPlantedFactsAmongNoise(t *testing.T) {
	t.Parallel()
	x := testKnowledge(t).Extractor()
	noise := rapid.SampledFrom([]string{"dzień dobry", "proszę o ofertę", "szukam ekipy", "pozdro", "to pilne", "😀", "mamy dwa koty"})
	rapid.Check(t, func(t *rapid.T) {
		area := rapid.IntRange(20, 400).Draw(t, "area")
		budget := rapid.IntRange(10, 900).Draw(t, "budget")
		phone := rapid.StringMatching(`[5-8][0-9]{2} [0-9]{3} [0-9]{3}`).Draw(t, "phone")
		email := rapid.StringMatching(`[a-z]{3,10}\.[a-z]{2,10}@[a-z]{3,10}\.(pl|com|com\.pl)`).Draw(t, "email")
		city := x.cities.names[rapid.IntRange(0, 60).Draw(t, "city")]
		parts := []string{
			formatNumber(Polish, area) + " m2", "budżet " + formatNumber(Polish, budget*1000) + " zł", phone, email, city, "pakiet Comfort",
			noise.Draw(t, "a"), noise.Draw(t, "b"),
		}
		text := strings.Join(rapid.Permutation(parts).Draw(t, "order"), ", ")
		f := x.Extract(text, AskedNothing).Facts
		want := chatops.Facts{
			Name: f.Name, Email: email, Phone: "+48" + digitsOf(phone), City: city, SquareMeters: area, Budget: budget * 1000, Package: "Comfort",
		}
		if f != want {
			t.Fatalf("%q:\n%+v, want\n%+v", text, f, want)
		}
	})
}

func TestReply_NeverFailsAndKeepsItsPromises(t *testing.T) {
	t.Parallel()
	s, store := testService(t)
	rapid.Check(t, func(t *rapid.T) {
		session := ""
		for range rapid.IntRange(1, 6).Draw(t, "turns") {
			text := message().Draw(t, "message")
			r, err := s.Reply(t.Context(), chatops.ChatRequest{Message: text, SessionID: session})
			if err != nil {
				if code := chatops.ErrorCode(err); code != chatops.CodeInvalid {
					t.Fatalf("%q: %v", text, err)
				}
				continue
			}
			session = r.SessionID
			if strings.TrimSpace(r.Response) == "" || strings.ContainsAny(r.Response, "{}") || r.Sources == nil || r.Alerts == nil {
				t.Fatalf("%q: %+v", text, r)
			}
			if r.Language != "pl" && r.Language != "en" || r.LeadScore < 0 || r.LeadScore > 100 || r.NextBestAction == "" {
				t.Fatalf("%q: %+v", text, r)
			}
		}
		if l, ok := store.leads[session]; ok && (l.Name == "" || l.Email == "" && l.Phone == "") {
			t.Fatalf("lead without contact: %+v", l)
		}
	})
}

// hardMessages are the longest messages that make the most work.
func hardMessages() map[string]string {
	fill := func(s string) string {
		n := chatops.MaxMessageLength / utf8.RuneCountInString(s)
		return strings.Repeat(s, n)
	}
	return map[string]string{
		"digits": fill("1"), "digit groups": fill("12 "), "at": fill("a@"), "dots": fill("a.a@a.a "), "typos": fill("gwarnacjx "),
		"cities": fill("Nowy Nowa "), "city typos": fill("w Warszwae "), "ligature": fill("ﷺ"), "negations": fill("nie premium "), "names": fill("Jan Jan "),
		"jestem": fill("jestem "), "sentences": fill("? "), "numbers": fill("sto "), "zero width": fill("\u200b"), "combining": fill("a\u0301\u0301"),
		"one word": fill("x"), "hyphens": fill("a-"), "links": fill("http://www."), "titles": fill("dr."), "sums": fill("mam ok 9 000 "), "this side": fill("Jan z tej strony "), "savings": fill("odłożone "),
		"punctuation": fill(","), "questions": fill("ile kosztuje? "), "long emails": fill("abcdefghij"),
	}
}

func TestExtract_TheHardestMessagesTakeUnder5ms(t *testing.T) { //nolint:paralleltest // it measures time
	k := testKnowledge(t)
	x, idx := k.Extractor(), k.Index()
	for name, text := range hardMessages() {
		best := time.Hour // of several
		for range 7 {     // the best of several: the machine is shared
			start := time.Now()
			e := x.Extract(text, AskedName)
			classify(e.toks)
			idx.Search(e)
			best = min(best, time.Since(start))
		}
		t.Logf("%s: %v", name, best)
		if best > 5*time.Millisecond && !raceEnabled {
			t.Errorf("%s: %v", name, best)
		}
	}
}

func FuzzExtract(f *testing.F) {
	for _, c := range readCases[extractionCase](f, "extraction.jsonl") {
		f.Add(c.Message)
	}
	for _, text := range []string{"\xff", "a@b", "+48", "1,", "0048 0", "m2", "Bielsku-", "nie nie", strings.Repeat("1 ", 100)} {
		f.Add(text)
	}
	x := testKnowledge(f).Extractor()
	f.Fuzz(func(t *testing.T, text string) {
		e := x.Extract(text, AskedName)
		checkNothingInvented(t, x, text, e)
		classify(e.toks)
		detectLanguage(text, e.toks, Polish)
	})
}

func FuzzParsePhrase(f *testing.F) {
	for _, s := range []string{"ile kosztuje", "gwaranc*", "@m2 ile ^1.3", "a|b* c", "^", "|", "*", "@"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePhrase(s)
		if err == nil && (len(p.terms) == 0 || len(p.terms) > maxTerms || p.weight <= 0) {
			t.Fatalf("%q parsed as %+v", s, p)
		}
	})
}
