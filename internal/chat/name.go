package chat

import (
	_ "embed" // the lists of names
	"strings"
)

//go:embed data/names.txt
var namesFile string

//go:embed data/surnames.txt
var surnamesFile string

// maxName is the longest name believed, in runes: the width of leads.name.
const maxName = 100

// loadNames reads a list of names, folded.
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

// introductions are filed under their first word.
var introductions = makeIntroductions()

func makeIntroductions() map[string][]introduction {
	out := map[string][]introduction{}
	add := func(strong bool, phrases ...string) {
		for _, p := range phrases {
			w := strings.Fields(p)
			out[w[0]] = append(out[w[0]], introduction{w, strong})
		}
	}
	add(true, "nazywam sie", "zwe sie", "mam na imie", "na imie mi", "na imie mam", "moje imie i nazwisko", "imie i nazwisko na", "imie i nazwisko", "imie na", "moje imie",
		"imie", "moje nazwisko", "nazwisko na", "nazwisko", "z tej strony", "my name is", "my names", "my full name is", "full name", "first name", "name to", "name is",
		"name", "call me", "podpisano", "nazywam", "mow mi", "mowcie mi", "mowic mi", "mozna mi mowic", "wolaja mnie", "wolaja na mnie", "mowia na mnie", "mowia mi",
		"people call me", "nazywaja mnie")
	add(false, "jestem", "to ja", "tu", "tutaj", "mowi", "pisze", "i am", "im", "this is", "its", "pozdrawiam", "pozdrowienia", "pozdr", "pozdro", "z powazaniem",
		"z wyrazami szacunku", "klania sie", "przy telefonie", "regards", "cheers", "sincerely", "best", "podpis", "dzwoni", "here is", "dane", "speaking is")
	return out
}

var (
	skippable = words("to jest is bedzie was powinno byc ma")
	// closingFill stands between a closing formula and the name.
	closingFill = words("ponownie znowu znow again serdecznie goraco cieplo wishes regards uprzejmie panstwa wszystkich yours truly")
)

// nameSpan is the tokens of a name, from first to before end.
type nameSpan struct{ first, end int }

func (n nameSpan) found() bool { return n.end > n.first }

// findName returns the visitor's name as they wrote it, or "". Only the text
// itself tells it: a correction, an introduction, a first name with a surname,
// or a bare answer when the bot has asked.
func (x *Extractor) findName(s string, toks []token, asked Asked) string {
	if n := x.correctedName(toks); n.found() {
		return takeName(s, toks, n)
	}
	n := x.introduced(toks)
	if surname := x.labelled(toks, "nazwisko"); n.found() && surname.found() && surname.first >= n.end {
		return takeName(s, toks, n, surname) // imię: Ola, nazwisko: Maj
	}
	if !n.found() || n.end == n.first+1 {
		if full := x.namedInFull(toks, n); full.found() {
			n = full
		}
	}
	if !n.found() && asked == AskedName {
		n = x.bareName(toks)
	}
	if !n.found() {
		return ""
	}
	return takeName(s, toks, n)
}

// introduced reads the name that follows an introduction, after a strong one
// first, or that stands before one.
func (x *Extractor) introduced(toks []token) nameSpan {
	for _, strong := range []bool{true, false} {
		for i := range toks {
			if toks[i].kind != kindWord || i > 0 && toks[i-1].fold == "nie" {
				continue
			}
			if k := introducedAt(toks, i, strong); k > 0 && !othersName(toks, i) {
				if n := x.readName(toks, k, strong); n.found() {
					return n
				}
			}
		}
	}
	for i := range toks {
		if n := x.nameBefore(toks, i); n.found() {
			return n
		}
	}
	return nameSpan{}
}

// introducedAt returns the token after an introduction of the given strength
// that starts at i, or 0.
func introducedAt(toks []token, i int, strong bool) int {
	for _, in := range introductions[toks[i].fold] {
		if in.strong != strong {
			continue
		}
		end, ok := matchAlias(toks, i, in.words)
		if !ok {
			continue
		}
		for end < len(toks) && (toks[end].is(skippable) || toks[end].fold == ":" || toks[end].fold == "-" || toks[end].fold == "–" || toks[end].fold == "=" ||
			!strong && (toks[end].fold == "," || toks[end].fold == "." || toks[end].fold == "\n" || toks[end].is(closingFill))) {
			end++
		}
		return end
	}
	return 0
}

// labelled reads what follows a form's label: "nazwisko: Maj".
func (x *Extractor) labelled(toks []token, label string) nameSpan {
	for i := range toks {
		if toks[i].fold == label && (i == 0 || toks[i-1].fold != "i") {
			if k := introducedAt(toks, i, true); k > 0 {
				return x.readName(toks, k, true)
			}
		}
	}
	return nameSpan{}
}

// readName reads the name that starts at a token after an introduction.
func (x *Extractor) readName(toks []token, i int, strong bool) nameSpan {
	after := ""
	if i > 0 {
		after = toks[i-1].fold
	}
	i, titled := skipTitles(toks, i)
	if !nameWord(toks, i) || !strong && after == "jestem" && x.aboutOneself(toks, i) {
		return nameSpan{}
	}
	known := x.names[toks[i].fold]
	lower := !toks[i].capital
	if lower && !strong && wordNames[toks[i].fold] {
		return nameSpan{}
	}
	if lower && !known && (!strong || !x.surname(toks[i].fold) && !x.soleWord(toks, i)) {
		return nameSpan{}
	}
	end := x.surnames(toks, i+1, lower)
	if strong && known && end == i+1 && nameWord(toks, end) && toks[end].capital == !lower && x.placeWord(toks, end) && closes(toks, end+1) {
		end++ // Adam Lublin: nobody adds a city without a word between
	}
	if !strong && !known && (lower || end == i+1 && !x.soleName(toks, i)) || !strong && titled && end == i+1 {
		return nameSpan{} // "pisze Pan Marek": somebody else
	}
	if !strong && !known && x.placeWord(toks, i) || x.spansPlace(toks, i) {
		return nameSpan{}
	}
	return nameSpan{i, end}
}

// aboutOneself reports what somebody is rather than called: after "jestem" Polish
// has the instrumental, "jestem Młodym Architektem".
func (x *Extractor) aboutOneself(toks []token, i int) bool {
	return !x.names[toks[i].fold] && endsIn(toks[i].fold, "em", "ym", "im")
}

// soleName reports an unknown word with a capital after "jestem" or "tu" that can
// only be a name: the clause ends with it, and the words before it are small.
func (x *Extractor) soleName(toks []token, i int) bool {
	if i == 0 || toks[i-1].kind != kindWord || !selfWords[toks[i-1].fold] || !closes(toks, i+1) || i > 1 && toks[i-1].capital && toks[i-2].capital {
		return false
	}
	w := toks[i].fold
	return len(w) > 2 && len(w) < 12 && !x.placeWord(toks, i) && !endsIn(w, "ish", "ian", "ean", "ese", "ing", "ed", "owy", "owa", "cja", "sc") && !callings[w]
}

var (
	selfWords = words("jestem tu ja am im")
	// callings are what people say that they are, other than by name.
	callings = words("mama tata ukrainka ukrainiec polak niemiec klient klientka student studentka architekt architektka inwestor inwestorka wlascicielka singiel singielka emeryt " +
		"emerytka lekarz lekarka deweloper najemca mezatka rozwodka zona maz biuro firma recepcja polska bot robot konsultant ceo owner ukraine poland new nowy nowa ciekaw " +
		"ciekawa zdecydowany zdecydowana otwarta otwarty swiezo pod przed zly zla serio")
)

// soleWord reports that a word in lower case after "nazywam się" must be the
// name because nothing follows it.
func (x *Extractor) soleWord(toks []token, i int) bool {
	if i < 2 || toks[i-1].fold != "sie" && toks[i-1].fold != "imie" || toks[i-2].fold != "nazywam" && toks[i-2].fold != "na" {
		return false
	}
	return len(toks[i].fold) > 2 && closes(toks, i+1)
}

// namedInFull reads a first name with a surname at the start of a clause. With a
// name that is already known it looks for one that completes it, as in "Jestem
// Jan. Jan Nowak."; there must be more than one word of it.
func (x *Extractor) namedInFull(toks []token, known nameSpan) nameSpan {
	for i := range toks {
		if i > 0 && !toks[i-1].breaks() {
			continue
		}
		n := x.fullName(toks, i)
		if n.found() && (!known.found() || n.first != known.first && toks[n.first].fold == toks[known.first].fold) {
			return n
		}
	}
	return nameSpan{}
}

// fullName reads a known first name with a surname, both capitalised, at the
// start of a clause: "Piotr Wiśniewski, Wrocław", or the other way round:
// "Wiśniewski Piotr". After a title the clause must end with the name: "Pan
// Tomasz Lis dzwonił" speaks of another, as does "Jan Lis mi was polecił".
func (x *Extractor) fullName(toks []token, i int) nameSpan {
	if othersName(toks, i) || inStreet(toks, i) {
		return nameSpan{}
	}
	i, titled := skipTitles(toks, i)
	if !nameWord(toks, i) || !toks[i].capital || x.spansPlace(toks, i) {
		return nameSpan{}
	}
	if !x.names[toks[i].fold] {
		if x.surname(toks[i].fold) && nameWord(toks, i+1) && toks[i+1].capital && x.names[toks[i+1].fold] && closes(toks, i+2) {
			return nameSpan{i, i + 2}
		}
		if afterParticles(toks, i+1) == i+1 {
			return nameSpan{}
		}
	}
	end := x.surnames(toks, i+1, false)
	if end == i+1 || titled && !closes(toks, end) || doesSomething(toks, end) || end < len(toks) && romans[toks[end].fold] {
		return nameSpan{}
	}
	return nameSpan{i, end}
}
