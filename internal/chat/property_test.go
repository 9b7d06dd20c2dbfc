package chat

import (
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
	"sześćset", "jeden", "zero", "double", "oh", "6OO", "600_700", "i pół", "mln", "tysięczny", "sześćdziesięciometrowe", "van", "O'Brien", "nazwisko", "imię", "z tej strony",
	"przepraszam", "jednak", "pomyłka", "stary", "nowy", "pod", "koło", "Górą", "Kalwarią", "na Helu", "w-wa", "Kazimierz", "Dolny", "balkon", "łazienka", "x", "za metr", "euro", "=",
	"mąż", "pan", "dr", "II", "plus", "czterdzieści osiem", "milion", "ćwierć", "półtora", //nolint:misspell // Polish
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
		"one word": fill("x"), "hyphens": fill("a-"), "links": fill("http://www."), "titles": fill("dr."), "sums": fill("mam ok 9 000 "), "this side": fill("Jan z tej strony "), "savings": fill("odłożone "), "spoken": fill("zero jeden "), "pluses": fill("plus "), "letters o": fill("6O"), "apostrophes": fill("a'"), "corrections": fill("nie, 6 m2, "),
		"places": fill("pod Górą "), "particles": fill("van de "), "compounds": fill("stu"), "surnames": fill("nazwisko Lis "),
		"punctuation": fill(","), "questions": fill("ile kosztuje? "), "long emails": fill("abcdefghij"),
	}
}

// maxReading is what reading any message may take.
const maxReading = 5 * time.Millisecond

// fastest returns the shortest of n runs; under the race detector, where times
// say nothing, of one.
func fastest(n int, run func()) time.Duration {
	if raceEnabled {
		n = 1
	}
	best := time.Hour
	for range n {
		start := time.Now()
		run()
		best = min(best, time.Since(start))
	}
	return best
}

func TestExtract_TheHardestMessagesTakeUnder5ms(t *testing.T) { //nolint:paralleltest // it measures time
	k := testKnowledge(t)
	x, idx := k.Extractor(), k.Index()
	for name, text := range hardMessages() {
		best := fastest(15, func() {
			e := x.Extract(text, AskedName)
			classify(e.toks)
			idx.Search(e)
		})
		t.Logf("%s: %v", name, best)
		if best > maxReading && !raceEnabled {
			t.Errorf("%s: %v", name, best)
		}
	}
}

func FuzzExtract(f *testing.F) {
	for _, c := range readCases[extractionCase](f, "extraction.jsonl") {
		f.Add(c.Message)
	}
	for _, text := range []string{"\xff", "a@b", "+48", "1,", "0048 0", "m2", "Bielsku-", "nie nie", strings.Repeat("1 ", 100), "tel sześć zero zero double five", "6OO 7OO", "imię: A nazwisko: B", "w-", "z z z"} {
		f.Add(text)
	}
	k := testKnowledge(f)
	x := k.Extractor()
	f.Fuzz(func(t *testing.T, text string) {
		e := x.Extract(text, AskedName)
		checkNothingInvented(t, x, k.Packages, text, &e.Facts)
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
