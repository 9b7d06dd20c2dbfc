package chat

import (
	"slices"
	"strings"
)

// Polish declines place names: Gdańsk, z Gdańska, w Gdańsku, pod Gdańskiem. The
// forms are made by rule from the nominative: noun endings in inflect_noun.go,
// and here how the words of a name go together. A form keeps its diacritics, so
// that "główna" is not taken for a form of Głowno.
//
// The rules make too many forms rather than too few: a form that nobody types
// matches nothing. Those that are common words of another meaning are taken out
// again in data/cities.txt.

// A word has a set of forms for each case; the words of a name agree in case.
const (
	caseNominative = iota
	caseGenitive
	caseDative
	caseAccusative
	caseInstrumental
	caseLocative
	caseCount
)

// caseForms are the lower-case forms of one word, by case.
type caseForms [caseCount][]string

func (c *caseForms) add(kase int, forms ...string) { c[kase] = append(c[kase], forms...) }

// oblique adds the same forms to the cases.
func (c *caseForms) oblique(form string, cases ...int) {
	for _, k := range cases {
		c.add(k, form)
	}
}

// declinePlace returns the forms of a place name, nominative first. Words that
// follow "nad" stay as they are.
func declinePlace(name string) []string {
	parts := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == ' ' || r == '-' })
	decl := make([]caseForms, len(parts))
	fixed := false
	plural := len(parts) > 1 && slices.ContainsFunc(parts, func(w string) bool { return strings.HasSuffix(w, "e") })
	for i, w := range parts {
		fixed = fixed || w == "nad"
		if fixed {
			for k := range decl[i] {
				decl[i].add(k, w)
			}
			continue
		}
		decl[i] = declineWord(w, len(parts) > 1, plural)
	}
	seen := map[string]bool{}
	var out []string
	for k := range caseCount {
		for _, f := range combine(decl, k) {
			if !seen[f] {
				seen[f] = true
				out = append(out, f)
			}
		}
	}
	return out
}

// combine joins one form of each word, all in the same case.
func combine(decl []caseForms, kase int) []string {
	out := []string{""}
	for i := range decl {
		var next []string
		for _, head := range out {
			for _, f := range decl[i][kase] {
				if head != "" {
					f = head + " " + f
				}
				next = append(next, f)
			}
		}
		out = next
	}
	return out
}

// irregular words and the stems to which the ordinary endings are added.
var irregular = map[string]caseForms{
	"miasto":     {{"miasto"}, {"miasta"}, {"miastu"}, {"miasto"}, {"miastem"}, {"mieście"}},
	"wieś":       {{"wieś"}, {"wsi"}, {"wsi"}, {"wieś"}, {"wsią"}, {"wsi"}},
	"zławieś":    {{"zławieś"}, {"zławsi"}, {"zławsi"}, {"zławieś"}, {"zławsią"}, {"zławsi"}},
	"białystok":  {{"białystok"}, {"białegostoku"}, {"białemustokowi"}, {"białystok"}, {"białymstokiem"}, {"białymstoku"}},
	"krasnystaw": {{"krasnystaw"}, {"krasnegostawu"}, {"krasnemustawowi"}, {"krasnystaw"}, {"krasnymstawem"}, {"krasnymstawie"}},
	"las":        {{"las"}, {"lasu"}, {"lasowi"}, {"las"}, {"lasem"}, {"lesie"}},
}

// declineWord gives a word's forms as a noun and, where its ending allows one,
// as an adjective (always for parts of longer names: Nowy, Górnicza). plural
// says that another part of the name may be a plural (Śląskie).
func declineWord(w string, part, plural bool) caseForms {
	if c, ok := irregular[w]; ok {
		return c
	}
	var c caseForms
	c.add(caseNominative, w)
	stem := strings.TrimSuffix(w, string(lastRune(w)))
	switch lastRune(w) {
	case 'a':
		if !part || !endsIn(stem, "sk", "ck", "dzk") {
			declineFeminine(&c, stem)
		}
		declineFeminineAdjective(&c, stem)
		if plural || endsIn(stem, "isk") { // Łaziska, Łazisk
			declinePlural(&c, stem, w)
		}
	case 'o':
		declineNeuter(&c, stem)
	case 'e':
		declineE(&c, stem, part)
	case 'y', 'i':
		if part && !plural {
			declineMasculineAdjective(&c, w)
		}
		if !part || plural || !endsIn(w, "wy", "ny", "ły", "ski", "cki", "dzki", "lki") {
			declinePlural(&c, stem, w)
		}
	default:
		declineMasculine(&c, w)
	}
	return c
}

// declineFeminineAdjective: Limanowa, Limanowej; Górnicza; Wysoka, Wysokiej.
func declineFeminineAdjective(c *caseForms, stem string) {
	ending := "ej"
	if endsIn(stem, "k", "g") {
		ending = "iej"
	}
	c.oblique(stem+ending, caseGenitive, caseDative, caseLocative)
	c.add(caseAccusative, stem+"ą")
	c.add(caseInstrumental, stem+"ą")
}

// declineMasculineAdjective: Nowy, Nowego; Mazowiecki, Mazowieckim.
func declineMasculineAdjective(c *caseForms, nominative string) {
	stem := strings.TrimSuffix(nominative, "y")
	c.add(caseGenitive, stem+"ego")
	c.add(caseDative, stem+"emu")
	c.add(caseAccusative, nominative)
	c.oblique(nominative+"m", caseInstrumental, caseLocative)
}

// declinePluralAdjective declines an adjective on -e, in the plural (Śląskie,
// Końskie) and as a neuter (Zakopane: w Zakopanem).
func declinePluralAdjective(c *caseForms, stem string) {
	y := stem
	if !strings.HasSuffix(stem, "i") {
		y = stem + "y"
	}
	c.oblique(y+"ch", caseGenitive, caseLocative)
	c.add(caseGenitive, stem+"ego")
	c.add(caseDative, y+"m", stem+"emu")
	c.add(caseInstrumental, y+"mi", y+"m", stem+"em")
	c.add(caseLocative, y+"m", stem+"em")
}

func lastRune(s string) rune {
	r := []rune(s)
	if len(r) == 0 {
		return 0
	}
	return r[len(r)-1]
}

func endsIn(s string, endings ...string) bool {
	for _, e := range endings {
		if strings.HasSuffix(s, e) {
			return true
		}
	}
	return false
}
