package chat

import (
	_ "embed" // the list of first names
	"strings"
	"unicode"
	"unicode/utf8"
)

//go:embed data/names.txt
var namesFile string

// maxName is the longest name believed, in runes: the width of leads.name.
const maxName = 100

func loadNames(file string) map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(file) {
		if !strings.HasPrefix(line, "#") {
			for n := range strings.FieldsSeq(line) {
				set[fold(n)] = true
			}
		}
	}
	return set
}

// introduction is how people say who they are. After a strong one any
// capitalised word is a name; after a weak one only a known first name, or two
// capitalised words.
type introduction struct {
	words  []string
	strong bool
}

var introductions = makeIntroductions()

func makeIntroductions() []introduction {
	var out []introduction
	add := func(strong bool, phrases ...string) {
		for _, p := range phrases {
			out = append(out, introduction{strings.Fields(p), strong})
		}
	}
	add(true, "nazywam sie", "zwe sie", "mam na imie", "na imie mi", "moje imie i nazwisko", "imie i nazwisko", "moje imie", "imie", "moje nazwisko",
		"nazwisko", "z tej strony", "my name is", "my names", "my full name is", "full name", "name is", "name", "call me", "podpisano", "nazywam", "mow mi", "mowcie mi", "mowic mi", "mozna mi mowic", "wolaja mnie", "people call me")
	add(false, "jestem", "to ja", "tu", "tutaj", "mowi", "pisze", "i am", "im", "this is", "its", "pozdrawiam", "pozdrowienia", "regards", "podpis", "dzwoni", "here is", "dane")
	return out
}

var (
	// notNames are words that stand where a name could stand.
	notNames = words("i a z ze w we na do od po o u za to jest jestem sie nie tak czy ale oraz lub mam chce chcialbym chcialabym prosze szukam interesuje " +
		"interesuja potrzebuje mieszkam mieszkanie dom dzien dobry wieczor czesc hej witam siema hello hi hey pan pani panstwo firma klient klientka " +
		"wlasciciel wlascicielka zainteresowany zainteresowana pakiet telefon tel numer mail email adres budzet metraz miasto moj moja moje mi mnie " + //nolint:misspell // Polish
		"the an and or but from in at of my is am are not no yes ok interested looking for thanks thank regards dziekuje pozdrawiam potwierdzam zgadza " +
		"wszystko dane ktos nikt tylko wlasnie teraz juz bardzo gotowy gotowa pewien pewna polakiem polka zadowolony po prostu tez tam sam sama sami " +
		"like need want have here there ready just also with new how what when where ile jak kiedy gdzie co kto dlaczego dopiero inwestorem klientem " +
		"monday tuesday wednesday thursday friday saturday sunday express comfort premium plus individual kontakt prosba pytanie dzwonic w sprawie")

	skippable = words("to jest is")
)

// findName returns the visitor's name as they wrote it, or "". Only the text
// itself tells it: an introduction, a first name with a surname, or a bare
// answer when the bot has asked.
func (x *Extractor) findName(s string, toks []token, asked Asked) string {
	if name := x.introduced(s, toks); name != "" {
		return name
	}
	for i := range toks {
		if i == 0 || toks[i-1].breaks() {
			if name := x.fullName(s, toks, i); name != "" {
				return name
			}
		}
	}
	if asked == AskedName {
		return x.bareName(s, toks)
	}
	return ""
}

// introduced reads the name that follows an introduction, after a strong one
// first, or that stands before one.
func (x *Extractor) introduced(s string, toks []token) string {
	for _, strong := range []bool{true, false} {
		for i := range toks {
			if toks[i].kind != kindWord || i > 0 && toks[i-1].fold == "nie" {
				continue
			}
			if n := introducedAt(toks, i, strong); n > 0 {
				if name := x.readName(s, toks, n, strong); name != "" {
					return name
				}
			}
		}
	}
	for i := range toks {
		if toks[i].fold == "z" || toks[i].fold == "here" {
			if name := x.nameBefore(s, toks, i); name != "" {
				return name
			}
		}
	}
	return ""
}

// introducedAt returns the token after an introduction of the given strength
// that starts at i, or 0.
func introducedAt(toks []token, i int, strong bool) int {
	for _, in := range introductions {
		if in.strong != strong || toks[i].fold != in.words[0] {
			continue
		}
		end, ok := matchAlias(toks, i, in.words)
		if !ok {
			continue
		}
		for end < len(toks) && (toks[end].is(skippable) || toks[end].fold == ":" || toks[end].fold == "-" || toks[end].fold == "–" ||
			!strong && (toks[end].fold == "," || toks[end].fold == "\n")) {
			end++
		}
		return end
	}
	return 0
}

// readName reads the name that starts at a token after an introduction.
func (x *Extractor) readName(s string, toks []token, i int, strong bool) string {
	i, titled := skipTitles(toks, i)
	if !nameWord(toks, i) {
		return ""
	}
	known := x.names[toks[i].fold]
	lower := !toks[i].capital
	if lower && !known {
		if !strong || !surnameShaped(toks[i].fold) {
			return ""
		}
	}
	end := x.surnames(toks, i+1, lower)
	if !strong && !known && (end == i+1 || lower) || !strong && titled && end == i+1 {
		return "" // "pisze Pan Marek": somebody else
	}
	if !strong && !known && x.placeWord(toks, i) {
		return ""
	}
	return takeName(s, toks, i, end)
}

// surnames returns the end of the further words of a name that start at i.
// Names typed in lower case go on only with what cannot be another word.
func (x *Extractor) surnames(toks []token, i int, lower bool) int {
	for n := 0; n < 2; n++ {
		end := i
		if i+1 < len(toks) && toks[i].fold == "-" && toks[i].start == toks[i-1].end && nameWord(toks, i+1) {
			end = i + 2 // Wójcik-Nowak
			n--
		} else if nameWord(toks, i) && (toks[i].capital || lower && (surnameShaped(toks[i].fold) || closes(toks, i+1))) && !x.placeWord(toks, i) {
			if n == 1 && !x.names[toks[i-1].fold] {
				break // a third word follows only a second first name
			}
			end = i + 1
		}
		if end == i {
			break
		}
		i = end
	}
	return i
}

// closes reports that the text or clause ends before token i.
func closes(toks []token, i int) bool {
	return i >= len(toks) || toks[i].breaks() || toks[i].fold == "-" && toks[i].start == toks[i-1].end || toks[i].kind == kindFact || toks[i].fold == "i" || toks[i].fold == "and" || toks[i].fold == "z"
}

// placeWord reports a word that names a city or package rather than a person.
func (x *Extractor) placeWord(toks []token, i int) bool {
	if toks[i].taken != fieldNone {
		return true
	}
	for _, f := range x.cities.forms[toks[i].fold] {
		if len(f.rest) == 0 && !x.cities.careful[f.city] || len(f.rest) > 0 && i+1 < len(toks) && toks[i+1].fold == f.rest[0] {
			return true
		}
	}
	return false
}

// titles stand before a name and are no part of it.
var titles = words("pan pani panna dr inz mgr prof hab arch mr mrs ms miss sir madam")

// maxTitles is how many titles one name may have: "pan prof. dr hab. inż.".
const maxTitles = 5

// skipTitles returns the token after the titles that start at i, and whether
// there were any.
func skipTitles(toks []token, i int) (int, bool) {
	start := i
	for n := 0; n < maxTitles && i < len(toks) && toks[i].is(titles); n++ {
		i++
		if i < len(toks) && toks[i].fold == "." {
			i++
		}
	}
	return i, i > start
}

// nameBefore reads a name that ends where "z tej strony" or "here" starts: known,
// and for the English word with nothing before it, as "is Tom here" asks.
func (x *Extractor) nameBefore(s string, toks []token, end int) string {
	phrase := []string{"z", "tej", "strony"}
	if toks[end].fold == "here" {
		phrase = phrase[:0]
	}
	if _, ok := matchAlias(toks, end, phrase); !ok {
		return ""
	}
	for i := max(0, end-3); i < end; i++ {
		opens := i == 0 || toks[i-1].breaks() || toks[i-1].is(titles)
		if nameWord(toks, i) && x.names[toks[i].fold] && (opens || len(phrase) > 0) && x.surnames(toks, i+1, !toks[i].capital) == end {
			return takeName(s, toks, i, end)
		}
	}
	return ""
}

// fullName reads a known first name with a surname, both capitalised, at the
// start of a clause: "Piotr Wiśniewski, Wrocław". After a title the clause must
// end with the name: "Pan Tomasz Lis dzwonił" speaks of another.
func (x *Extractor) fullName(s string, toks []token, i int) string {
	i, titled := skipTitles(toks, i)
	if !nameWord(toks, i) || !toks[i].capital || !x.names[toks[i].fold] {
		return ""
	}
	if end := x.surnames(toks, i+1, false); end > i+1 && (!titled || closes(toks, end)) {
		return takeName(s, toks, i, end)
	}
	return ""
}

// bareName reads an answer that is nothing but a name.
func (x *Extractor) bareName(s string, toks []token) string {
	first, end := -1, 0
	for i := range toks {
		switch t := &toks[i]; {
		case first < 0 && t.is(titles):
		case t.kind == kindPunct && t.fold != "-" || t.kind == kindFact:
			if first >= 0 && end == 0 {
				end = i
			}
		case t.kind == kindNumber, end > 0:
			if t.kind == kindWord && !x.names[toks[max(first, 0)].fold] {
				return ""
			}
			if end > 0 {
				continue
			}
			return ""
		case first < 0:
			first = i
		}
	}
	if end == 0 {
		end = len(toks)
	}
	if first < 0 || end-first > 5 || !nameWord(toks, first) || x.placeWord(toks, first) {
		return ""
	}
	known := x.names[toks[first].fold]
	if !known && !toks[first].capital {
		return ""
	}
	if got := x.surnames(toks, first+1, !toks[first].capital); got != end {
		return ""
	}
	return takeName(s, toks, first, end)
}

// nameWord reports a word that may be part of a name.
func nameWord(toks []token, i int) bool {
	if i >= len(toks) || toks[i].kind != kindWord || toks[i].taken != fieldNone || notNames[toks[i].fold] || len(toks[i].fold) < 2 {
		return false
	}
	return strings.IndexFunc(toks[i].fold, unicode.IsDigit) < 0
}

var surnameEndings = []string{"ski", "ska", "cki", "cka", "dzki", "dzka", "czyk", "czak", "wicz", "niak", "owicz", "ewicz", "enko", "czuk"}

func surnameShaped(w string) bool { return len(w) > 4 && endsIn(w, surnameEndings...) }

// takeName marks the tokens as used and returns them as a name, with capitals
// where the visitor did not bother or shouted.
func takeName(s string, toks []token, i, end int) string {
	text := s[toks[i].start:toks[end-1].end]
	if utf8.RuneCountInString(text) > maxName {
		return ""
	}
	for k := i; k < end; k++ {
		toks[k].taken = fieldName
	}
	text = strings.Join(strings.Fields(text), " ")
	if hasLower(text) && toks[i].capital {
		return text
	}
	up := true
	return strings.Map(func(r rune) rune {
		if up {
			r = unicode.ToUpper(r)
		} else {
			r = unicode.ToLower(r)
		}
		up = r == ' ' || r == '-'
		return r
	}, text)
}
