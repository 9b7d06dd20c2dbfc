package chat

import (
	_ "embed" // the list of cities
	"strings"
)

//go:embed data/cities.txt
var citiesFile string

// typoCities is how many cities, from the largest on, are recognised with a
// typing error.
const typoCities = 70

// cityForm is one inflected form of a city's name.
type cityForm struct {
	rest       []string // the folded words after the first
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
		forms := declinePlace(name)
		for e := range strings.SplitSeq(extra, ",") {
			if e = fold(strings.TrimSpace(e)); e != "" {
				forms = append(forms, e)
			}
		}
		for i, f := range forms {
			x.add(f, n, i == 0)
			if n < typoCities && !careful && len(f) > minTypo && !strings.Contains(f, " ") {
				typoWords, x.typoOf = append(typoWords, f), append(x.typoOf, n)
			}
		}
	}
	x.typos = newTypoIndex(typoWords)
	return x
}

func (x *cityIndex) add(form string, city int, nominative bool) {
	w := strings.Fields(form)
	x.forms[w[0]] = append(x.forms[w[0]], cityForm{rest: w[1:], city: city, nominative: nominative})
}

var (
	placePrepositions = words("w we z ze do pod spod kolo obok okolice okolicach okolicy niedaleko blisko miasto miescie miasta miejscowosc " +
		"miejscowosci lokalizacja lokalizacje in from near at to city town location around")
	streetWords   = words("ul ulica ulicy al aleja alei aleje os osiedle osiedlu plac placu pl rondo street st avenue")
	propertyWords = words("mieszkanie mieszkania mieszkaniu dom domu lokal lokalu kawalerka kawalerke kawalerki apartament apartamentu budowa budowy " +
		"budowe inwestycja inwestycje remont wykonczenie wykonczenia nieruchomosc flat apartment house home property studio klucze kluczy odbior")
)

// cityMatch is a city found in a text.
type cityMatch struct {
	city, first, end, score int
}

// find returns the city that the text names as the visitor's, in the
// nominative, or "".
func (x *cityIndex) find(toks []token) string {
	var best cityMatch
	best.score = -1
	for i := 0; i < len(toks); i++ {
		m, ok := x.match(toks, i)
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
func (x *cityIndex) match(toks []token, i int) (cityMatch, bool) {
	t := &toks[i]
	if t.kind != kindWord || t.taken != fieldNone || i > 0 && toks[i-1].is(streetWords) ||
		i > 1 && toks[i-1].fold == "." && toks[i-2].is(streetWords) {
		return cityMatch{}, false
	}
	best, found, nominative := cityMatch{}, false, false
	for _, f := range x.forms[t.fold] {
		end, ok := matchRest(toks, i+1, f.rest)
		better := !found || end > best.end || end == best.end && f.nominative && !nominative
		if ok && better && x.allowed(toks, i, end, f) {
			best, found, nominative = cityMatch{city: f.city, first: i, end: end}, true, f.nominative
		}
	}
	if found || len(t.fold) < minTypo || !t.capital && !prepositionBefore(toks, i) {
		return best, found
	}
	if len(x.forms[t.fold]) > 0 {
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
		if i < len(toks) && toks[i].fold == "-" {
			i++
		}
		if i >= len(toks) || toks[i].kind != kindWord || toks[i].fold != w || toks[i].taken != fieldNone {
			return 0, false
		}
		i++
	}
	return i, true
}

// allowed keeps common words from being read as cities: a name that is also a
// word needs a capital and either a preposition or a place of its own between
// commas; any other name needs one of a capital, a preposition, or to be a
// nominative or one of the largest cities.
func (x *cityIndex) allowed(toks []token, i, end int, f cityForm) bool {
	if len(f.rest) > 0 {
		return true
	}
	capital, prep := toks[i].capital, prepositionBefore(toks, i)
	if x.careful[f.city] {
		return capital && (prep && (!f.nominative || !placeCaseOnly(toks[i-1].fold)) || f.nominative && alone(toks, i, end))
	}
	if len(toks[i].fold) <= 3 && !capital {
		return prep
	}
	return capital || prep || f.nominative || f.city < typoCities
}

// placeCaseOnly reports prepositions after which Polish never has a nominative.
func placeCaseOnly(prep string) bool { return prep == "z" || prep == "ze" }

func prepositionBefore(toks []token, i int) bool {
	if i > 0 && toks[i-1].fold == ":" {
		i--
	}
	return i > 0 && toks[i-1].is(placePrepositions)
}

// alone reports whether tokens i to end stand between clause breaks in a
// message that has other parts.
func alone(toks []token, i, end int) bool {
	before := i == 0 || toks[i-1].breaks()
	after := end >= len(toks) || toks[end].breaks()
	return before && after && (i > 0 || end < len(toks))
}

// rate prefers the city of the property to the one the visitor comes from.
func (x *cityIndex) rate(toks []token, m cityMatch) int {
	score := 1 + stanceBefore(toks, m.first).score()
	if rejectedAfter(toks, m.end) {
		score -= 10
	}
	for k, seen := m.first-1, 0; k >= 0 && seen < 5 && !toks[k].breaks(); k, seen = k-1, seen+1 {
		if toks[k].is(propertyWords) {
			score += 2
			break
		}
	}
	return score
}
