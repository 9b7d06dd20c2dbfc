package chat

import (
	_ "embed" // the list of cities
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

//go:embed data/cities.txt
var citiesFile string

// The list of cities begins with the largest. typoCities of them are recognised
// with a typing error; largeCities are so well known that their names are hardly
// ever meant as surnames.
const (
	typoCities  = 100
	largeCities = 150
)

// cityForm is one inflected form of a city's name.
type cityForm struct {
	rest       []string // the folded words after the first; "-" stands for a hyphen that must be written
	full       string   // the whole form with its diacritics
	city       int
	nominative bool
}

// cityIndex finds cities by the first word of any of their forms.
type cityIndex struct {
	names   []string
	careful []bool // the name is also a common word
	forms   map[string][]cityForm
	typos   *typoIndex
	typoOf  []int // city of each word of typos
}

func newCityIndex(file string) *cityIndex {
	x := &cityIndex{forms: map[string][]cityForm{}}
	var typoWords []string
	for line := range strings.Lines(file) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, extra, _ := strings.Cut(line, " = ")
		name, careful := strings.CutPrefix(name, "?")
		n := len(x.names)
		x.names, x.careful = append(x.names, name), append(x.careful, careful)
		for i, f := range placeForms(name, extra) {
			x.add(f, n, i == 0)
			if w := fold(f); n < typoCities && !careful && len(w) > minTypo && !strings.ContainsAny(w, " -") {
				typoWords, x.typoOf = append(typoWords, w), append(x.typoOf, n)
			}
		}
	}
	x.typos = newTypoIndex(typoWords)
	return x
}

// placeForms returns all forms of a line of the list, the nominative first.
func placeForms(name, extra string) []string {
	forms := declinePlace(name)
	if short, ok := strings.CutSuffix(name, "-Zdrój"); ok {
		forms = append(forms, declinePlace(short)...)
	}
	for _, f := range forms {
		if short := abbreviated(f); short != "" {
			forms = append(forms, short)
		}
	}
	for e := range strings.SplitSeq(extra, ",") {
		e = strings.TrimSpace(e)
		first, _ := utf8.DecodeRuneInString(e)
		switch {
		case e == "":
		case first == '!':
			forms = slices.DeleteFunc(forms, func(f string) bool { return f == e[1:] })
		case unicode.IsUpper(first):
			forms = append(forms, declinePlace(e)...)
		default:
			forms = append(forms, e)
		}
	}
	return forms
}

// placeAbbreviations of the adjectives that tell places of one name apart.
var placeAbbreviations = []struct{ beginning, short string }{
	{"wielkopolsk", "wlkp"}, {"mazowieck", "maz"}, {"śląsk", "śl"}, {"gdańsk", "gd"}, {"trybunalsk", "tryb"}, {"świętokrzysk", "św"}, {"podlask", "podl"}, {"kujawsk", "kuj"},
	{"pomorsk", "pom"}, {"warmińsk", "warm"}, {"małopolsk", "młp"},
}

// abbreviated returns "ostrów wlkp" for "ostrów wielkopolski", or "".
func abbreviated(form string) string {
	head, last, ok := strings.Cut(form, " ")
	if !ok {
		return ""
	}
	for _, a := range placeAbbreviations {
		if strings.HasPrefix(last, a.beginning) {
			return head + " " + a.short
		}
	}
	return ""
}

func (x *cityIndex) add(form string, city int, nominative bool) {
	w := strings.Fields(strings.ReplaceAll(fold(form), "-", " - "))
	x.forms[w[0]] = append(x.forms[w[0]], cityForm{rest: w[1:], full: form, city: city, nominative: nominative})
}

// cityMatch is a city found in a text.
type cityMatch struct {
	city, first, end, score int
}

// find returns the city that the text names as the visitor's, in the
// nominative, or "".
func (x *cityIndex) find(s string, toks []token) string {
	var best cityMatch
	best.score = -1
	for i := 0; i < len(toks); i++ {
		m, ok := x.match(s, toks, i)
		if !ok {
			continue
		}
		m.score = x.rate(toks, m)
		if m.score > best.score {
			best = m
		}
		for k := m.first; k < m.end; k++ {
			toks[k].taken = fieldCity
		}
		i = m.end - 1
	}
	if best.score < 0 {
		return ""
	}
	return x.names[best.city]
}

// match returns the longest city form that starts at a token and that the
// surroundings allow.
func (x *cityIndex) match(s string, toks []token, i int) (cityMatch, bool) {
	t := &toks[i]
	if t.kind != kindWord || t.taken != fieldNone || inStreet(toks, i) {
		return cityMatch{}, false
	}
	best, found, nominative := cityMatch{}, false, false
	for _, f := range x.forms[t.fold] {
		end, ok := matchRest(toks, i+1, f.rest)
		better := !found || end > best.end || end == best.end && f.nominative && !nominative
		if ok && better && x.spelled(s, toks, i, end, &f) && x.allowed(toks, i, end, &f) {
			best, found, nominative = cityMatch{city: f.city, first: i, end: end}, true, f.nominative
		}
	}
	if found || len(t.fold) <= minTypo || !t.capital && (i == 0 || !toks[i-1].is(casePrepositions)) {
		return best, found
	}
	if len(x.forms[t.fold]) > 0 || t.is(notCities) || strings.ContainsAny(t.fold, "0123456789") {
		return cityMatch{}, false
	}
	x.typos.find(t.fold, func(n int) {
		if c := x.typoOf[n]; !found || c < best.city {
			best, found = cityMatch{city: c, first: i, end: i + 1}, true
		}
	})
	return best, found
}

// matchRest matches the further words of a name, with or without hyphens.
func matchRest(toks []token, i int, rest []string) (int, bool) {
	for _, w := range rest {
		if w != "-" && i < len(toks) && toks[i].fold == "-" {
			i++
		}
		if i >= len(toks) || toks[i].fold != w || toks[i].taken != fieldNone {
			return 0, false
		}
		i++
	}
	return i, true
}

// spelled reports that the text writes no diacritic where the form has a plain
// letter: "przemysł" is no form of Przemyśl, and "główna" none of Głowno. Who
// writes no diacritics at all may leave them out; who writes some leaves none
// out in the last letter ("Piła" is not "piłą"), and in smaller places none
// anywhere ("proszków" is not Prószków). An ó that inflection should have
// changed is let pass.
func (x *cityIndex) spelled(s string, toks []token, i, end int, f *cityForm) bool {
	typed, form := s[toks[i].start:toks[end-1].end], f.full
	careful := strings.ContainsAny(typed, strokes)
	if careful && lastRune(typed) < utf8.RuneSelf && lastRune(form) >= utf8.RuneSelf {
		return false
	}
	careful = careful && f.city >= typoCities
	for len(typed) > 0 && len(form) > 0 {
		t, n := utf8.DecodeRuneInString(typed)
		r, m := utf8.DecodeRuneInString(form)
		typed, form = typed[n:], form[m:]
		t = unicode.ToLower(t)
		switch {
		case t == r || t < utf8.RuneSelf && r >= utf8.RuneSelf && !careful:
		case t == 'ó' && strings.ContainsRune(x.names[f.city], 'ó'):
		case t < utf8.RuneSelf && r >= utf8.RuneSelf, t >= utf8.RuneSelf && r < utf8.RuneSelf && strings.ContainsRune(strokes, t):
			return false
		}
	}
	return true
}

// strokes are the Polish letters that others are written for.
const strokes = "ąćęłńóśźż"
