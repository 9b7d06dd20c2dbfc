package chat

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// notNames are words that stand where a name could stand.
var notNames = words("i a z ze w we na do od po o u za to jest jestem sie nie tak czy ale oraz lub mam chce chcialbym chcialabym prosze szukam interesuje " +
	"interesuja potrzebuje mieszkam mieszkanie dom dzien dobry wieczor czesc hej witam siema hello hi hey pan pani panstwo firma klient klientka " +
	"wlasciciel wlascicielka zainteresowany zainteresowana pakiet telefon tel numer mail email adres budzet metraz miasto moj moja moje mi mnie " + //nolint:misspell // Polish
	"the an and or but from in at of my is am are not no yes ok interested looking for thanks thank regards dziekuje pozdrawiam potwierdzam zgadza " +
	"wszystko dane ktos nikt tylko wlasnie teraz juz bardzo gotowy gotowa pewien pewna polakiem polka zadowolony po prostu tez tam sam sama sami " +
	"like need want have here there ready just also with new how what when where ile jak kiedy gdzie co kto dlaczego dopiero inwestorem klientem " +
	"monday tuesday wednesday thursday friday saturday sunday express comfort premium plus individual kontakt prosba pytanie dzwonic w sprawie " +
	"imie nazwisko name surname phone city budget area kom komorka mobile lokalizacja metry metrow osoba inaczej podobnie nijak pilnie ja ty on ona my wy oni " +
	"wasz wasza nasz nasza ten ta te tu tutaj znowu znow ponownie dalej nadal raczej chyba moze zawsze stad stamtad secret private none nobody someone this that it " +
	"poprosze dzwonie pisze mowi mowie wole wybieram rozwazam mysle planuje kupilem kupilam kupuje remontuje remont wykonczenie oferta oferte wycena wycene")

// wordNames are first names that are also common words: in lower case they need
// more than "tu" or "this is" before them.
var wordNames = words("will max maks mark rose may faith hunter mason jay ray pat dan ion lan li pola mania mina mila rob bill sue violet ruby holly poppy lily grace " +
	"jo ed mai duc an thi gaja jack art guy dean drew frank nel noe ika ole wei lee")

// titles stand before a name and are no part of it.
var titles = words("pan pani panna dr inz mgr prof hab arch mr mrs ms miss sir madam")

// particles belong to the surname that they stand before.
var particles = words("van von de del della der den da di la le el al bin ibn ter zu dos du af mac")

// romans number popes and kings, after whom streets are named.
var romans = words("ii iii iv vi vii viii ix xi xii xvi xxiii")

// maxTitles is how many titles one name may have: "pan prof. dr hab. inż.";
// maxNameWords how many words after the first.
const (
	maxTitles    = 5
	maxNameWords = 3
)

// nameWord reports a word that may be part of a name.
func nameWord(toks []token, i int) bool {
	if i >= len(toks) || toks[i].kind != kindWord || toks[i].taken != fieldNone || notNames[toks[i].fold] || romans[toks[i].fold] || len(toks[i].fold) < 2 {
		return false
	}
	return strings.IndexFunc(toks[i].fold, unicode.IsDigit) < 0
}

var surnameEndings = []string{"ski", "ska", "cki", "cka", "dzki", "dzka", "czyk", "czak", "wicz", "niak", "enko", "czuk", "chuk", "wska", "wski", "iuk"}

// surname reports a word that is a surname by its ending or one of the most
// frequent.
func (x *Extractor) surname(w string) bool {
	return len(w) > 4 && endsIn(w, surnameEndings...) || x.lastNames[w]
}

// surnames returns the end of the further words of a name that start at i.
// Names typed in lower case go on only with what cannot be another word.
func (x *Extractor) surnames(toks []token, i int, lower bool) int {
	for n := 0; n < maxNameWords; n++ {
		end := i
		if i+1 < len(toks) && toks[i].fold == "-" && toks[i].start == toks[i-1].end && nameWord(toks, i+1) {
			end = i + 2 // Wójcik-Nowak
			n--
		} else if k := afterParticles(toks, i); k > i && nameWord(toks, k) && (toks[k].capital || lower && closes(toks, k+1)) {
			end = k + 1
		} else if nameWord(toks, i) && (toks[i].capital || lower && x.lowerSurname(toks, i)) && !x.placeWord(toks, i) {
			if n > 0 && !x.names[toks[i-1].fold] && !closes(toks, i+1) {
				break // a third word follows a second first name, or ends the clause
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

// lowerSurname reports a word in lower case that goes on with a name: a surname
// by its looks, or the last word of the clause unless that is a verb.
func (x *Extractor) lowerSurname(toks []token, i int) bool {
	w := toks[i].fold
	return x.surname(w) || closes(toks, i+1) && !endsIn(w, "am", "em", "my", "cie", "ac")
}

// afterParticles returns the token after the particles of a surname that start
// at i: "van der Berg".
func afterParticles(toks []token, i int) int {
	for i < len(toks) && toks[i].is(particles) && toks[i].taken == fieldNone {
		i++
	}
	return i
}

// closes reports that the text or clause ends before token i.
func closes(toks []token, i int) bool {
	if i >= len(toks) || toks[i].breaks() || toks[i].kind != kindWord {
		return i >= len(toks) || toks[i].fold != "-" || toks[i].start == toks[i-1].end
	}
	switch toks[i].fold {
	case "i", "and", "z", "ze", "tel", "telefon", "nr", "numer", "mail", "email", "from", "phone", "nazwisko", "mam", "w", "we":
		return true
	}
	return false
}

// placeWord reports a word that names a city or package rather than a person.
// Only the largest cities are: smaller ones are surnames too.
func (x *Extractor) placeWord(toks []token, i int) bool {
	if toks[i].taken != fieldNone {
		return true
	}
	for _, f := range x.cities.forms[toks[i].fold] {
		if len(f.rest) == 0 && f.nominative && f.city < largeCities && !x.cities.careful[f.city] {
			return true
		}
	}
	return x.spansPlace(toks, i)
}

// spansPlace reports that a city of several words starts at i: Kazimierz Dolny.
func (x *Extractor) spansPlace(toks []token, i int) bool {
	for _, f := range x.cities.forms[toks[i].fold] {
		if len(f.rest) > 0 && f.rest[0] != "-" {
			if _, ok := matchRest(toks, i+1, f.rest); ok {
				return true
			}
		}
	}
	return false
}

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

// takeName marks the tokens as used and returns them as a name, with capitals
// where the visitor did not bother or shouted.
func takeName(s string, toks []token, parts ...nameSpan) string {
	var out []string
	for _, p := range parts {
		for k := p.first; k < p.end; k++ {
			toks[k].taken = fieldName
		}
		out = append(out, nameText(s, toks, p))
	}
	text := strings.Join(out, " ")
	if utf8.RuneCountInString(text) > maxName {
		return ""
	}
	return text
}

// nameText returns the words of a name as they stand in the text, with one space
// or hyphen between them.
func nameText(s string, toks []token, p nameSpan) string {
	var b strings.Builder
	for k := p.first; k < p.end; k++ {
		if k > p.first && toks[k].fold != "-" && toks[k-1].fold != "-" {
			b.WriteByte(' ')
		}
		word := s[toks[k].start:toks[k].end]
		if toks[k].is(particles) && k > p.first && !toks[k].capital {
			b.WriteString(word)
		} else {
			b.WriteString(capitalise(word))
		}
	}
	return b.String()
}

// capitalise gives a word that is all in small or all in capital letters one
// capital letter, after an apostrophe as well: O'Brien. Others are as they
// should be: McDonald.
func capitalise(w string) string {
	lower, upper := strings.ToLower(w), strings.ToUpper(w)
	if w != lower && (w != upper || utf8.RuneCountInString(w) < 2) {
		return w
	}
	up := true
	return strings.Map(func(r rune) rune {
		if up {
			r = unicode.ToUpper(r)
		}
		up = isApostrophe(r)
		return r
	}, lower)
}
