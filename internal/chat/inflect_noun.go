package chat

import "strings"

// softened lists how the end of a hard stem changes before the -e of the
// locative; the longest ending that fits counts.
var softened = []struct{ from, to string }{
	{"st", "ście"}, {"zd", "ździe"}, {"sn", "śnie"}, {"zn", "źnie"}, {"sł", "śle"}, {"zł", "źle"}, {"ch", "sze"},
	{"t", "cie"}, {"d", "dzie"}, {"r", "rze"}, {"ł", "le"}, {"k", "ce"}, {"g", "dze"}, {"h", "że"},
}

// locative returns the form on -e of a hard stem.
func locative(stem string) string {
	for _, s := range softened {
		if head, ok := strings.CutSuffix(stem, s.from); ok {
			return head + s.to
		}
	}
	return stem + "ie"
}

// hardened reports stems whose last consonant was soft once, and which take
// other endings: Legnica, Legnicy; Kalisz, Kaliszu.
func hardened(stem string) bool {
	return endsIn(stem, "c", "cz", "sz", "rz", "dz", "dż", "ż", "j", "l") && !endsIn(stem, "ch")
}

// declineFeminine declines nouns on -a, without it.
func declineFeminine(c *caseForms, stem string) {
	c.add(caseAccusative, stem+"ę")
	c.add(caseInstrumental, stem+"ą")
	oblique := []int{caseDative, caseLocative}
	switch {
	case endsIn(stem, "i"): // Gdynia, Gdyni; Kalwaria, Kalwarii
		for _, form := range []string{stem, stem + "i"} {
			c.oblique(form, caseGenitive, caseDative, caseLocative)
		}
	case endsIn(stem, "j"): // Złotoryja, Złotoryi
		c.oblique(strings.TrimSuffix(stem, "j")+"i", caseGenitive, caseDative, caseLocative)
	case endsIn(stem, "l"):
		c.oblique(stem+"i", caseGenitive, caseDative, caseLocative)
	case hardened(stem):
		c.oblique(stem+"y", caseGenitive, caseDative, caseLocative)
	case endsIn(stem, "k", "g"):
		c.add(caseGenitive, stem+"i")
		c.oblique(locative(stem), oblique...)
	default:
		c.add(caseGenitive, stem+"y")
		c.oblique(locative(stem), oblique...)
	}
}

// declineNeuter declines nouns on -o, without it.
func declineNeuter(c *caseForms, stem string) {
	c.add(caseGenitive, stem+"a")
	c.add(caseDative, stem+"u")
	c.add(caseAccusative, stem+"o")
	if endsIn(stem, "k", "g") {
		c.add(caseInstrumental, stem+"iem")
		c.add(caseLocative, stem+"u")
		return
	}
	c.add(caseInstrumental, stem+"em")
	if endsIn(stem, "ch") || hardened(stem) {
		c.add(caseLocative, stem+"u")
		return
	}
	c.add(caseLocative, locative(stem))
}

// declineE declines names on -e, without it: plurals (Katowice), neuters
// (Opole, Zabrze) and adjectives (Końskie, Zakopane). The last consonant does
// not tell the first two apart.
func declineE(c *caseForms, stem string, part bool) {
	if part || endsIn(stem, "n", "ki", "w", "p") {
		declinePluralAdjective(c, stem)
	}
	if part && endsIn(stem, "ski", "cki", "dzki") {
		c.add(caseAccusative, stem+"e")
		return
	}
	c.add(caseGenitive, stem+"a")
	c.add(caseDative, stem+"u", stem+"om")
	c.add(caseAccusative, stem+"e")
	c.add(caseInstrumental, stem+"em", stem+"ami")
	c.add(caseLocative, stem+"u", stem+"ach")
	if !endsIn(stem, "i") {
		c.add(caseGenitive, stem)
		if head, ok := strings.CutSuffix(stem, "c"); ok && !endsIn(head, "a", "e", "i", "o", "u", "y") {
			c.add(caseGenitive, head+"ec") // Siedlce, Siedlec
		}
	}
}

// declinePlural declines plurals on -y and -i, without it.
func declinePlural(c *caseForms, stem, nominative string) {
	c.add(caseGenitive, stem, stem+"ów")
	if head, ok := strings.CutSuffix(stem, "k"); ok {
		soft := strings.HasSuffix(head, "ń")
		c.add(caseGenitive, strings.TrimSuffix(head, "ń")+map[bool]string{true: "niek", false: "ek"}[soft]) // Mońki, Moniek; Marki, Marek
	}
	if i := strings.LastIndexByte(stem, 'o'); i >= 0 && !strings.ContainsAny(stem[i+1:], "aeiouy") {
		c.add(caseGenitive, stem[:i]+"ó"+stem[i+1:]) // Góry keep theirs; Kozy, Kóz
	}
	c.add(caseDative, stem+"om")
	c.add(caseAccusative, nominative)
	c.add(caseInstrumental, stem+"ami")
	c.add(caseLocative, stem+"ach")
}

// declineMasculine declines nouns on a consonant. Most are masculine, a few
// feminine (Łódź, Bydgoszcz, Sól, Gołdap).
func declineMasculine(c *caseForms, w string) {
	c.add(caseAccusative, w)
	for _, s := range stems(w) {
		switch {
		case s.soft:
			masculineEndings(c, s.text+"i", s.text+"iu")
			if s.feminine {
				c.oblique(s.text+"i", caseGenitive, caseDative, caseLocative)
				c.add(caseInstrumental, s.text+"ią")
			}
		case endsIn(s.text, "k", "g"):
			masculineEndings(c, s.text, s.text+"u")
		case endsIn(s.text, "ch") || hardened(s.text):
			masculineEndings(c, s.text, s.text+"u")
			if s.feminine {
				c.oblique(s.text+map[bool]string{true: "i", false: "y"}[endsIn(s.text, "l")], caseGenitive, caseDative, caseLocative)
				c.add(caseInstrumental, s.text+"ą")
			}
		default:
			masculineEndings(c, s.text, locative(s.text))
			c.add(caseLocative, s.text+"u") // na Helu, w Domu
		}
	}
}

func masculineEndings(c *caseForms, stem, locative string) {
	c.add(caseGenitive, stem+"a", stem+"u")
	c.add(caseDative, stem+"owi", stem+"u")
	c.add(caseInstrumental, stem+map[bool]string{true: "iem", false: "em"}[endsIn(stem, "k", "g")])
	c.add(caseLocative, locative)
}

// stemOf is what the endings are added to.
type stemOf struct {
	text     string
	soft     bool // an i stands before the ending
	feminine bool // feminine endings are possible as well
}

// softConsonants are written with an i before an ending.
var softConsonants = []struct {
	from, to string
	feminine bool
}{{"ść", "ści", false}, {"dź", "dzi", true}, {"ń", "ni", false}, {"ś", "si", true}, {"ź", "zi", true}, {"ć", "ci", false}}

// stems returns the stems of a noun on a consonant. The vowel of the last
// syllable may change or go: Kraków, Krakowa; Mielec, Mielca; Dąb, Dębu.
func stems(w string) []stemOf {
	for _, s := range softConsonants {
		if head, ok := strings.CutSuffix(w, s.from); ok {
			head += strings.TrimSuffix(s.to, "i")
			out := []stemOf{{head, true, s.feminine}}
			if i := strings.LastIndex(head, "ó"); i >= 0 {
				out = append(out, stemOf{head[:i] + "o" + head[i+len("ó"):], true, s.feminine}) // Łódź, Łodzi
			}
			return out
		}
	}
	if head, ok := strings.CutSuffix(w, "ec"); ok {
		return []stemOf{{text: withoutE(head) + "c"}}
	}
	if head, ok := strings.CutSuffix(w, "ek"); ok {
		return []stemOf{{text: withoutE(head) + "k"}}
	}
	feminine := endsIn(w, "szcz", "ól", "ąż", "p")
	out := []stemOf{{text: w, feminine: feminine}}
	if endsIn(w, "w", "m", "b", "p") {
		out = append(out, stemOf{w, true, feminine}) // Wrocław, Radom, Oświęcim
	}
	if head, ok := strings.CutSuffix(w, "el"); ok && endsIn(head, "gi", "ki") {
		out = append(out, stemOf{text: strings.TrimSuffix(head, "i") + "l"}) // Śmigiel, Śmigla
	}
	if head, ok := strings.CutSuffix(w, "ez"); ok {
		out = append(out, stemOf{text: head + "z"}) // Łobez, Łobza
	}
	if head, ok := strings.CutSuffix(w, "ąb"); ok {
		out = append(out, stemOf{text: head + "ęb"}, stemOf{text: head + "ęb", soft: true}) // Dąb, Dębu; Jastrząb, Jastrzębia
	}
	if i := strings.LastIndex(w, "ó"); i > 0 && !strings.ContainsAny(w[i+len("ó"):], "aeiouy") {
		out = append(out, stemOf{text: w[:i] + "o" + w[i+len("ó"):], feminine: feminine})
	}
	return out
}

// withoutE takes the i of a fleeting -ie- from the consonant before it:
// Sosnowiec, Sosnowca; Lubliniec, Lublińca; Nowogrodziec, Nowogrodźca.
func withoutE(head string) string {
	head, ok := strings.CutSuffix(head, "i")
	if !ok {
		return head
	}
	for _, s := range []struct{ from, to string }{{"dz", "dź"}, {"n", "ń"}, {"s", "ś"}, {"z", "ź"}, {"c", "ć"}} {
		if h, ok := strings.CutSuffix(head, s.from); ok {
			return h + s.to
		}
	}
	return head
}
