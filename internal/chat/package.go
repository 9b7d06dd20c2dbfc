package chat

import (
	"slices"
	"strings"
)

// packageAlias is a way to name a package, as folded words; a word that ends in
// "*" stands for every word that begins so.
type packageAlias struct {
	words []string
	index int
}

// packageIndex finds packages by what people call them.
type packageIndex struct {
	names   []string
	aliases map[byte][]packageAlias // by first letter, the longest first
	typos   *typoIndex
	typoOf  []int
	longer  map[int][]packageAlias // by package: what more makes another package of it
}

func newPackageIndex(packages []Package) *packageIndex {
	x := &packageIndex{longer: longerNames(packages), aliases: map[byte][]packageAlias{}}
	var typoWords []string
	for n, p := range packages {
		x.names = append(x.names, p.Name)
		for _, a := range append([]string{p.Name}, p.Aliases...) {
			w := strings.Fields(fold(a))
			x.aliases[w[0][0]] = append(x.aliases[w[0][0]], packageAlias{words: w, index: n})
			if len(w) == 1 && len(w[0]) > minTypo && !strings.HasSuffix(w[0], "*") {
				typoWords, x.typoOf = append(typoWords, w[0]), append(x.typoOf, n)
			}
		}
	}
	for _, list := range x.aliases {
		slices.SortStableFunc(list, func(a, b packageAlias) int { return len(b.words) - len(a.words) })
	}
	x.typos = newTypoIndex(typoWords)
	return x
}

// longerNames finds the packages whose name begins with another's, as Express
// Plus does with Express: however the shorter one was written, what follows it
// makes it the longer one.
func longerNames(packages []Package) map[int][]packageAlias {
	out := map[int][]packageAlias{}
	for short := range packages {
		for long := range packages {
			if more, ok := strings.CutPrefix(fold(packages[long].Name), fold(packages[short].Name)+" "); ok {
				out[short] = append(out[short], packageAlias{words: strings.Fields(more), index: long})
			}
		}
	}
	return out
}

// packageMention is a package named in a text.
type packageMention struct{ index, first, end int }

// find returns the packages named and not turned down, those turned down, and
// the one that the visitor wants, or "" when several are named alike.
func (x *packageIndex) find(toks []token) (named, rejected []string, wanted string) {
	var mentions []packageMention
	for i := 0; i < len(toks); i++ {
		if m, ok := x.match(toks, i); ok {
			for k := m.first; k < m.end; k++ {
				toks[k].taken = fieldPackage
			}
			mentions = append(mentions, m)
			i = m.end - 1
		}
	}
	preferred := ""
	for i, m := range mentions {
		name := x.names[m.index]
		s := stanceBefore(toks, m.first)
		switch {
		case i+1 < len(mentions) && changed(toks, m, mentions[i+1]):
			s = stanceRejected
		case i > 0 && changed(toks, mentions[i-1], m):
			s = stancePreferred
		}
		switch {
		case s == stanceRejected || s == stanceNeutral && rejectedAfter(toks, m.end):
			rejected = append(rejected, name)
			continue
		case s == stancePreferred:
			preferred = name
		}
		if !slices.Contains(named, name) {
			named = append(named, name)
		}
	}
	switch {
	case preferred != "":
		wanted = preferred
	case len(named) == 1:
		wanted = named[0]
	}
	rejected = slices.DeleteFunc(rejected, func(r string) bool { return slices.Contains(named, r) })
	return named, rejected, wanted
}

// changed reports "z Comfort na Premium".
func changed(toks []token, from, to packageMention) bool {
	if from.first == 0 || to.first != from.end+1 {
		return false
	}
	z, na := toks[from.first-1].fold, toks[from.end].fold
	return (z == "z" || z == "ze") && na == "na" || z == "from" && na == "to"
}

func (x *packageIndex) match(toks []token, i int) (packageMention, bool) {
	if toks[i].kind != kindWord || toks[i].taken != fieldNone || toks[i].fold == "" {
		return packageMention{}, false
	}
	aliases := x.aliases[toks[i].fold[0]]
	if len(aliases) == 0 {
		return packageMention{}, false // a typing error spares the first letter
	}
	for _, a := range aliases {
		if end, ok := matchAlias(toks, i, a.words); ok && !otherSense(toks, i, end) {
			return x.lengthen(toks, packageMention{index: a.index, first: i, end: end}), true
		}
	}
	if m, ok := x.joined(toks, i); ok {
		return m, true
	}
	m, found := packageMention{}, false
	if strings.ContainsAny(toks[i].fold, "0123456789") {
		return m, false
	}
	x.typos.find(toks[i].fold, func(n int) {
		m, found = packageMention{index: x.typoOf[n], first: i, end: i + 1}, true
	})
	if found && otherSense(toks, i, i+1) {
		return m, false
	}
	if found {
		m = x.lengthen(toks, m)
	}
	return m, found
}

// joined reads a longer name written as one word: "ekspresplus".
func (x *packageIndex) joined(toks []token, i int) (packageMention, bool) {
	for _, a := range x.aliases[toks[i].fold[0]] {
		if len(a.words) != 1 {
			continue
		}
		for _, more := range x.longer[a.index] {
			if rest, ok := strings.CutPrefix(toks[i].fold, strings.TrimSuffix(a.words[0], "*")); ok && len(more.words) == 1 && rest == more.words[0] {
				return packageMention{index: more.index, first: i, end: i + 1}, true
			}
		}
	}
	return packageMention{}, false
}

// lengthen takes in the words after a mention that make another package of it.
// They may be inflected, and a plus may be written as a sign.
func (x *packageIndex) lengthen(toks []token, m packageMention) packageMention {
	best := m
	for _, more := range x.longer[m.index] {
		end := m.end
		for _, w := range more.words {
			if end < len(toks) && (toks[end].fold == "-" || toks[end].fold == "z") {
				end++
			}
			if end >= len(toks) || stem(toks[end].fold) != stem(w) && (w != "plus" || toks[end].fold != "+") {
				end = 0
				break
			}
			end++
		}
		if end > best.end {
			best = packageMention{index: more.index, first: m.first, end: end}
		}
	}
	return best
}

func matchAlias(toks []token, i int, alias []string) (int, bool) {
	for _, w := range alias {
		if i < len(toks) && toks[i].fold == "-" && w != "-" {
			i++
		}
		if i >= len(toks) || !wordMatches(toks[i].fold, w) {
			return 0, false
		}
		i++
	}
	return i, true
}

func wordMatches(word, pattern string) bool {
	if p, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(word, p)
	}
	return word == pattern
}

// otherSense reports words that name a package and mean something else here:
// "ekspres do kawy", "karnet premium", "indywidualne podejście", "płytki klasy premium", and
// "ekspresem" for in a hurry.
func otherSense(toks []token, i, end int) bool {
	for k := max(0, i-3); k < min(len(toks), end+3); k++ {
		if toks[k].is(coffee) {
			return true
		}
	}
	if end < len(toks) && hasPrefixOf(toks[end].fold, approaches) {
		return true
	}
	if i > 1 && toks[i-1].is(grades) && hasPrefixOf(toks[i-2].fold, products) {
		return true
	}
	if i > 0 && hasPrefixOf(toks[i-1].fold, products) {
		return true
	}
	if strings.HasPrefix(toks[i].fold, "indywidual") && i > 0 && hasPrefixOf(toks[i-1].fold, approaches) {
		return true
	}
	return toks[i].fold == "ekspresem" && end == i+1 && !talksOfPackages(toks, i)
}

var (
	coffee     = words("kawa kawe kawie kawy kawowy espresso coffee cisnieniowy kolbowy")
	approaches = []string{"podejsci", "traktowan", "rozmow", "konsultacj", "spotkan", "tempo", "tempie", "approach", "attention"}
	grades     = words("klasy jakosci segmentu marki typu klasa quality grade class")
	products   = []string{"plytk", "materialy", "materialow", "drzwi", "farb", "panel", "podlog", "mebl", "armatur", "bateri", "sprzet", "agd", "okn", "produkt", "marki", "marek", "tiles", "materials", "brands", "doors", "paint", "karnet", "konto", "abonament", "subskrypc",
		"czlonko", "silown", "spotify", "youtube", "netflix", "telewiz", "samochod", "auto", "paliw", "karm", "hotel", "klub", "account", "subscription", "membership"}
)

// talksOfPackages reports words about packages before token i.
func talksOfPackages(toks []token, i int) bool {
	for k := i - 1; k >= 0 && k >= i-4; k-- {
		if hasPrefixOf(toks[k].fold, []string{"pakiet", "zainteres", "nad", "opcj", "wersj", "myslimy", "mysle"}) {
			return true
		}
	}
	return i+1 < len(toks) && toks[i+1].fold == "plus"
}
