package chat

import "strings"

// Polish declines place names: Gdańsk, z Gdańska, w Gdańsku, pod Gdańskiem. The
// forms are made by rule from the nominative. Comparison happens after folding,
// which hides most alternations of the stem (ó/o, ń/ni, ś/si, ł/l); what remains
// is t/ci, d/dzi, r/rz, k/c, g/dz, ch/sz and the fleeting e.
//
// The rules make too many forms rather than too few: a form that nobody types
// matches nothing.

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

// caseForms are the folded forms of one word, by case.
type caseForms [caseCount][]string

func (c *caseForms) add(kase int, forms ...string) { c[kase] = append(c[kase], forms...) }

// declinePlace returns the folded forms of a place name, nominative first.
// Words that follow "nad" stay as they are.
func declinePlace(name string) []string {
	parts := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == ' ' || r == '-' })
	decl := make([]caseForms, len(parts))
	fixed := false
	for i, w := range parts {
		fixed = fixed || w == "nad"
		if fixed {
			for k := range decl[i] {
				decl[i].add(k, fold(w))
			}
			continue
		}
		decl[i] = declineWord(w, len(parts) > 1)
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

// declineWord gives a word's forms as a noun and, where its ending allows one,
// as an adjective (always for parts of longer names: Nowy, Górnicza).
func declineWord(w string, part bool) caseForms {
	var c caseForms
	c.add(caseNominative, fold(w))
	f := fold(w)
	switch {
	case strings.HasSuffix(w, "a"):
		declineFeminine(&c, w, f[:len(f)-1])
	case strings.HasSuffix(w, "o"):
		declineNeuter(&c, f[:len(f)-1])
	case strings.HasSuffix(w, "e"):
		declineE(&c, f[:len(f)-1], part)
	case strings.HasSuffix(w, "y"), strings.HasSuffix(w, "i"):
		declinePlural(&c, f[:len(f)-1])
		if part {
			declineAdjective(&c, strings.TrimSuffix(f, "i"), f)
		}
	default:
		declineMasculine(&c, w, f)
	}
	return c
}

// locative returns the form on -e of a hard stem, with its last consonant
// changed as the language wants. last is the unfolded last letter.
func locative(stem string, last rune) string {
	switch {
	case strings.HasSuffix(stem, "st"):
		return stem[:len(stem)-2] + "scie"
	case strings.HasSuffix(stem, "t"):
		return stem[:len(stem)-1] + "cie"
	case strings.HasSuffix(stem, "d"):
		return stem + "zie"
	case strings.HasSuffix(stem, "r"):
		return stem + "ze"
	case last == 'ł', strings.HasSuffix(stem, "l"):
		return stem + "e"
	case strings.HasSuffix(stem, "ch"):
		return stem[:len(stem)-2] + "sze"
	}
	return stem + "ie"
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

func declineFeminine(c *caseForms, w, stem string) {
	acc := []string{stem + "e", stem + "a"}
	c.add(caseAccusative, acc...)
	c.add(caseInstrumental, stem+"a")
	var oblique string // the form that dative and locative share
	switch {
	case endsIn(stem, "k"):
		oblique = stem[:len(stem)-1] + "ce"
		c.add(caseGenitive, stem+"i")
	case endsIn(stem, "g"):
		oblique = stem[:len(stem)-1] + "dze"
		c.add(caseGenitive, stem+"i")
	case endsIn(stem, "i", "j"):
		oblique = strings.TrimRight(stem, "ij") + "i"
		c.add(caseGenitive, oblique, oblique+"i") // Gdyni, Kalwarii
		c.add(caseDative, oblique+"i")
		c.add(caseLocative, oblique+"i")
	case endsIn(stem, "c", "cz", "sz", "rz", "dz"):
		oblique = stem + "y"
		c.add(caseGenitive, oblique)
	default:
		oblique = locative(stem, lastRune(strings.TrimSuffix(w, "a")))
		c.add(caseGenitive, stem+"y", stem+"i")
		c.add(caseLocative, stem+"i", stem+"y") // Wola, Łomża
		c.add(caseDative, stem+"i", stem+"y")
	}
	c.add(caseDative, oblique)
	c.add(caseLocative, oblique)
	ej := stem + "ej"
	if endsIn(stem, "k", "g") {
		ej = stem + "iej"
	}
	c.add(caseGenitive, ej)
	c.add(caseDative, ej)
	c.add(caseLocative, ej)
}

func declineNeuter(c *caseForms, stem string) {
	c.add(caseGenitive, stem+"a")
	c.add(caseDative, stem+"u")
	c.add(caseAccusative, stem+"o")
	c.add(caseInstrumental, stem+"em", stem+"iem")
	c.add(caseLocative, locative(stem, 0), stem+"u")
}

// declineE declines names on -e: plurals (Katowice, Kielce), neuters (Opole,
// Zabrze) and adjectives (Końskie, Śląskie).
func declineE(c *caseForms, stem string, part bool) {
	c.add(caseGenitive, stem, stem+"a", stem+"u")
	c.add(caseDative, stem+"om", stem+"u")
	c.add(caseAccusative, stem+"e")
	c.add(caseInstrumental, stem+"ami", stem+"em")
	c.add(caseLocative, stem+"ach", stem+"u")
	if part || endsIn(stem, "n", "ni", "ki", "w", "sk", "k") {
		adj := stem
		if !endsIn(stem, "i") {
			adj = stem + "y"
		}
		c.add(caseGenitive, adj+"ch", stem+"go", stem+"ego")
		c.add(caseDative, adj+"m", stem+"mu", stem+"emu")
		c.add(caseInstrumental, adj+"mi", adj+"m", stem+"m")
		c.add(caseLocative, adj+"ch", adj+"m", stem+"m")
	}
}

func declinePlural(c *caseForms, stem string) {
	c.add(caseGenitive, stem, stem+"ow")
	if endsIn(stem, "k") {
		c.add(caseGenitive, stem[:len(stem)-1]+"ek")
	}
	c.add(caseDative, stem+"om")
	c.add(caseAccusative, stem+"y", stem+"i")
	c.add(caseInstrumental, stem+"ami")
	c.add(caseLocative, stem+"ach")
}

// declineAdjective declines a masculine adjective: Nowy, Mazowiecki.
func declineAdjective(c *caseForms, stem, nominative string) {
	if endsIn(nominative, "y") {
		stem = strings.TrimSuffix(nominative, "y")
		c.add(caseInstrumental, stem+"ym")
		c.add(caseLocative, stem+"ym")
	} else {
		c.add(caseInstrumental, stem+"im")
		c.add(caseLocative, stem+"im")
		stem += "i"
	}
	c.add(caseGenitive, stem+"ego")
	c.add(caseDative, stem+"emu")
	c.add(caseAccusative, nominative)
}

func declineMasculine(c *caseForms, w, f string) {
	stems := []string{f}
	switch last := lastRune(w); {
	case endsIn(f, "ec"):
		stems = append(stems, f[:len(f)-2]+"c")
	case endsIn(f, "ek"):
		stems = append(stems, f[:len(f)-2]+"k")
	case endsIn(f, "ien"):
		stems = append(stems, f[:len(f)-3]+"ni")
	case strings.ContainsRune("ńśźć", last):
		stems = append(stems, f+"i")
	case strings.ContainsRune("wmbpl", last):
		stems = append(stems, f+"i") // Wrocław, Radom, Oświęcim
	}
	if endsIn(w, "ąb") {
		stems = append(stems, f[:len(f)-2]+"eb")
	}
	c.add(caseAccusative, f)
	c.add(caseLocative, locative(f, lastRune(w)))
	for _, s := range stems {
		c.add(caseGenitive, s+"a", s+"u", s)
		c.add(caseDative, s+"owi", s+"u", s)
		c.add(caseInstrumental, s+"em", s+"iem", s+"a")
		c.add(caseLocative, s+"u", s)
		if endsIn(s, "l", "cz", "rz", "sz", "z") {
			c.add(caseGenitive, s+"y", s+"i") // Bydgoszcz, Sól: feminine
			c.add(caseDative, s+"y", s+"i")
			c.add(caseLocative, s+"y", s+"i")
		}
		if strings.HasSuffix(s, "i") {
			c.add(caseInstrumental, s+"em")
		}
	}
}
