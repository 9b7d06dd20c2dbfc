package chat

import (
	"slices"
	"sort"
	"strings"

	"chatops/internal/chatops"
)

// field names a fact.
type field uint8

const (
	fieldNone field = iota
	fieldName
	fieldEmail
	fieldPhone
	fieldCity
	fieldArea
	fieldBudget
	fieldPackage
)

// Asked is what the bot's last line asked for. A bare answer ("60", "Ania") is
// read in its light.
type Asked uint8

// The questions that change how an answer is read.
const (
	AskedNothing Asked = iota
	AskedName
	AskedDetails // square metres, city or package
)

// Extraction is what one message says about the visitor and their flat. Every
// field was read in the message itself; nothing is guessed.
type Extraction struct {
	Facts chatops.Facts
	// Packages are the packages named and not turned down, in order of
	// appearance; Rejected those that were turned down ("nie premium").
	Packages []string
	Rejected []string

	toks       []token
	typoBudget int // how many unknown words may still be looked up with an error
}

// Extractor reads facts. It is built once and safe for concurrent use.
type Extractor struct {
	cities    *cityIndex
	names     map[string]bool // first names
	lastNames map[string]bool
	packages  *packageIndex
}

// NewExtractor builds an extractor that knows the given packages.
func NewExtractor(packages []Package) *Extractor {
	return &Extractor{
		cities: newCityIndex(citiesFile), names: loadNames(namesFile), lastNames: loadNames(surnamesFile), packages: newPackageIndex(packages),
	}
}

// Extract reads a message. It never fails: what cannot be read is left unknown.
func (x *Extractor) Extract(message string, asked Asked) *Extraction {
	s := normalise(message)
	e := &Extraction{typoBudget: maxTypoWords}
	e.toks = x.contacts(s, &e.Facts)
	e.Facts.SquareMeters = findArea(e.toks, asked)
	e.Facts.Budget = findBudget(e.toks)
	e.Packages, e.Rejected, e.Facts.Package = x.packages.find(e.toks)
	e.Facts.Name = x.findName(s, e.toks, asked)
	e.Facts.City = x.cities.find(s, e.toks)
	return e
}

// contacts finds e-mail addresses and phone numbers and cuts the text into
// tokens around them.
func (x *Extractor) contacts(s string, f *chatops.Facts) []token {
	emails := findEmails(s)
	phones, numbers := findPhones(s)
	links := findLinks(s)
	all := make([]span, 0, len(emails)+len(phones)+len(links))
	all = append(append(append(all, emails...), phones...), links...)
	sort.SliceStable(all, func(i, j int) bool { return all[i].start < all[j].start })
	spans := all[:0]
	for _, sp := range all {
		if n := len(spans); n > 0 && sp.start < spans[n-1].end {
			continue // an address holds digits, a link an address
		}
		spans = append(spans, sp)
	}
	toks, spoken, more := joinSpoken(tokenise(s, spans))
	phones, numbers = append(phones, spoken...), append(numbers, more...)
	if sp, ok := chooseFact(toks, fieldEmail); ok {
		f.Email = strings.ToLower(s[sp.start:sp.end])
	}
	if sp, ok := chooseFact(toks, fieldPhone); ok {
		f.Phone = numbers[slices.IndexFunc(phones, func(p span) bool { return p.start == sp.start })]
	}
	return toks
}

// chooseFact picks the first address or number that is not turned down; one
// that corrects another ("nie ..., tylko ...") goes first.
func chooseFact(toks []token, f field) (span, bool) {
	best, bestScore := -1, -1
	for i := range toks {
		if toks[i].kind == kindFact && toks[i].taken == f {
			score := stanceBefore(toks, i).score()
			if outdatedAfter(toks, i+1) || i > 0 && toks[i-1].is(onceWords) {
				score -= 10
			}
			if score > bestScore {
				best, bestScore = i, score
			}
		}
	}
	if best < 0 {
		return span{}, false
	}
	return span{start: toks[best].start, end: toks[best].end}, true
}

// words makes a set of a space-separated list.
func words(list string) map[string]bool {
	fields := strings.Fields(list)
	set := make(map[string]bool, len(fields))
	for _, w := range fields {
		set[w] = true
	}
	return set
}
