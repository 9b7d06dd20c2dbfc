package chat

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"chatops/internal/chatops"
)

// masker replaces personal data in texts that leave this program. It is meant
// to hide too much rather than too little: what the answer needs of it (city,
// square metres, budget, package) is sent beside the text.
type masker struct {
	x     *Extractor
	facts *chatops.Facts // what is known of the visitor is hidden wherever it stands
}

// The words that stand for what is hidden.
const (
	maskName    = "[name]"
	maskEmail   = "[email]"
	maskPhone   = "[phone]"
	maskNumber  = "[number]"
	maskAddress = "[address]"
	maskLink    = "[link]"
)

// stretch is a part of a text to be hidden.
type stretch struct {
	start, end int
	word       string
}

var (
	// anyAddress is whatever has an @ in it, loosely: "jan @ x", "x.pl@", "@jan".
	anyAddress = chatops.Pattern(`(?i)\S+\s?(?:@|%40)\s?\S+|(?:@|%40)\S+|\S+(?:@|%40)`)
	// spokenAddress is an address whose @ is written as a word.
	spokenAddress = chatops.Pattern(`(?i)\S+\s*[\[({<]\s*(?:at|ma[łl]pa)\s*[\])}>]\s*\S+(?:\s*[\[({<]?\s*(?:dot|kropka)\s*[\])}>]?\s*\S+)*` +
		`|\S+\s+ma[łl]pa\s+\S+(?:\s+(?:kropka|dot|\.)\s+\S+)*|\S+\s+at\s+\S+(?:\s+(?:kropka|dot)\s+\S+)+`)
	// spokenSign is what each of them holds, to save the search.
	spokenSign = chatops.Pattern(`(?i)ma[łl]pa|\bat\b`)
	anyLink    = chatops.Pattern(`(?i)(?:[a-z][a-z0-9+.-]*://|www\.)\S+|[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)*\.\p{L}{2,}/\S*`)
	// streetAddress is a street, estate or square with a house number. A word
	// that can mean something else needs a name with a capital after it.
	streetAddress = chatops.Pattern(`(?:^|[^\p{L}\p{N}])((?:(?i:(?:ul|al|os|pl)\.\s*|ulic\p{L}*\s+)|(?i:alej\p{L}*|osiedl\p{L}*|plac(?:u|em)?)\s+\p{Lu})` +
		`[\p{L}\p{N}.\- ]{1,50}?\s*\d+(?:\s*(?:/|m\.|lok\.?|mieszkani\p{L}*)\s*\d+|[a-z])?)`)
	postcode = chatops.Pattern(`(?:^|[^\d-])(\d{2}-\d{3})(?:[^\d-]|$)`)
	// document is an identity card or passport number.
	document = chatops.Pattern(`(?i)(?:^|[^\p{L}])([a-z]{2,3}\s?\d{5,7})(?:[^\d]|$)`)
)

// mask returns the text, normalised, with personal data replaced by words in
// square brackets. bare says that the text may be nothing but a name.
func (m *masker) mask(text string, bare bool) string {
	// Names are looked for in the text as typed too: a control character that
	// parts words there is none of them when it was replaced.
	known := m.facts.Name + " " + m.x.Extract(text, AskedNothing).Facts.Name
	if bare {
		known += " " + m.x.Extract(text, AskedName).Facts.Name
	}
	s := cleanText(text)
	for range 4 { // until it is stable: what is hidden is found in what is sent
		next := m.maskOnce(s, bare, stemsOf(known))
		if next == s {
			break
		}
		s, bare = next, false
	}
	return s
}

func (m *masker) maskOnce(text string, bare bool, known nameStems) string {
	s := normalise(text)
	var hide []stretch
	if strings.Contains(s, "@") || strings.Contains(s, "%40") {
		hide = appendMatches(hide, s, anyAddress(), 0, maskEmail)
	}
	if spokenSign().MatchString(s) {
		hide = appendMatches(hide, s, spokenAddress(), 0, maskEmail)
	}
	if strings.ContainsAny(s, "./") {
		hide = appendMatches(hide, s, anyLink(), 0, maskLink)
	}
	if strings.ContainsFunc(s, unicode.IsDigit) {
		hide = appendNumbers(hide, s)
		hide = appendMatches(hide, s, streetAddress(), 1, maskAddress)
		hide = appendMatches(hide, s, document(), 1, maskNumber)
		hide = appendPostcodes(hide, s)
	}
	toks := m.x.Extract(text, AskedNothing).toks // of s: it normalises alike
	hide = append(append(hide, contactFacts(toks)...), m.names(toks, known)...)
	if bare {
		hide = append(hide, m.names(m.x.Extract(text, AskedName).toks, known)...)
	}
	return replaceStretches(s, hide)
}

// appendMatches adds the matches of a pattern, or of a group of it.
func appendMatches(hide []stretch, s string, re *regexp.Regexp, group int, word string) []stretch {
	for _, at := range re.FindAllStringSubmatchIndex(s, -1) {
		start, end := at[2*group], at[2*group+1]
		end = start + len(strings.TrimRight(s[start:end], ".,;:!?"))
		hide = append(hide, stretch{start, end, word})
	}
	return hide
}

// appendPostcodes adds postal codes; "60-120 m2" is none.
func appendPostcodes(hide []stretch, s string) []stretch {
	for _, at := range postcode().FindAllStringSubmatchIndex(s, -1) {
		if w := fold(firstWord(strings.TrimLeft(s[at[3]:], " "))); !areaUnit(w) && w != "m" && !moneyUnits[w] && multipliers[w] == 0 {
			hide = append(hide, stretch{at[2], at[3], maskAddress})
		}
	}
	return hide
}

// Any run of so many digits may be a phone, identity, account or card number,
// whatever stands between the digits, at most so many characters at a time.
const (
	minHiddenDigits = 7
	maxDigitGap     = 3
)

func appendNumbers(hide []stretch, s string) []stretch {
	start, end, digits, gap := -1, 0, 0, 0
	flush := func() {
		if digits >= minHiddenDigits {
			hide = append(hide, stretch{start, end, maskNumber})
		}
		start, digits, gap = -1, 0, 0
	}
	for i, r := range s {
		switch {
		case unicode.IsDigit(r):
			if start < 0 {
				start = i
			}
			digits, end, gap = digits+1, i+utf8.RuneLen(r), 0
		case start < 0:
		case unicode.IsLetter(r) || gap == maxDigitGap:
			flush()
		default:
			gap++
		}
	}
	flush()
	return hide
}

// contactFacts finds what the extractor takes for contact data, phone numbers in
// words included.
func contactFacts(toks []token) []stretch {
	var hide []stretch
	for i := range toks {
		t := &toks[i]
		switch {
		case t.kind != kindFact:
		case t.taken == fieldEmail:
			hide = append(hide, stretch{t.start, t.end, maskEmail})
		case t.taken == fieldPhone:
			hide = append(hide, stretch{t.start, t.end, maskPhone})
		}
	}
	return hide
}

// names finds people's names: what the extractor takes for the visitor's, what
// is known to be, first names of the list in any inflection, and surnames that
// look like some.
func (m *masker) names(toks []token, known nameStems) []stretch {
	var hide []stretch
	person := false // the token before is a part of a name
	for i := range toks {
		t := &toks[i]
		if t.kind != kindWord {
			person = person && t.kind == kindPunct && t.fold == "-"
			continue
		}
		first := i == 0 || endsSentence(&toks[i-1])
		switch {
		case t.taken == fieldName, known.match(t.fold):
			person = true
		case !t.capital || t.taken != fieldNone || m.x.placeWord(toks, i):
			person = false
		case person && nameWord(toks, i), m.firstName(t.fold, first), m.lastName(t.fold, first):
			person = true
		default:
			person = false
		}
		if person {
			hide = append(hide, stretch{t.start, t.end, maskName})
		}
	}
	return hide
}

// commonWords are first names that also begin sentences as something else.
var commonWords = words("sam kim marek maja pola kalina jagoda taras rose mark bill frank jack grace sue pat ted iga ken bob roman jana malina lilia wanna eva will may")

// firstName reports a first name, inflected unless it begins a clause: "Annie",
// "Tomaszem", "Kasią".
func (m *masker) firstName(w string, first bool) bool {
	if m.x.names[w] {
		return !first || !commonWords[w]
	}
	if first {
		return false
	}
	return slices.ContainsFunc(nameEndings, func(ending string) bool {
		base, ok := strings.CutSuffix(w, ending)
		return ok && len(base) >= 3 && (m.x.names[base] || m.x.names[base+"a"])
	})
}

// nameEndings are those that first names take when they are declined, folded.
var nameEndings = []string{"", "a", "e", "i", "y", "u", "o", "ie", "em", "iem", "owi", "ze", "ii"}

// surnameEndsIn are the endings of Polish surnames, inflected and not.
var surnameEndsIn = []string{
	"ski", "ska", "cki", "cka", "dzki", "dzka", "czyk", "czak", "wicz", "niak", "enko", "czuk",
	"skiego", "skiemu", "skim", "skiej", "skich", "ckiego", "ckiemu", "ckim", "ckiej", "ckich", "wicza", "wiczowi", "wiczem", "czyka", "czykowi", "czykiem",
}

// lastName reports a known surname or a word that looks like one. At the
// beginning of a sentence only a long one counts: "Deska" is none.
func (m *masker) lastName(w string, first bool) bool {
	if first {
		return len(w) >= 7 && hasSuffixOf(w, surnameEndsIn)
	}
	return m.x.lastNames[w] || len(w) >= 5 && hasSuffixOf(w, surnameEndsIn)
}

func hasSuffixOf(w string, suffixes []string) bool {
	return slices.ContainsFunc(suffixes, func(e string) bool { return strings.HasSuffix(w, e) })
}

// nameStems are beginnings of the visitor's names.
type nameStems []struct {
	stem    string
	longest int
}

// stemsOf cuts the parts of names so that inflected forms match.
func stemsOf(names string) nameStems {
	var out nameStems
	for _, w := range strings.FieldsFunc(fold(normalise(names)), func(r rune) bool { return !unicode.IsLetter(r) }) {
		stem, longest := strings.TrimRight(w, "aeioy"), len(w)+3
		if len(stem) < 3 {
			stem, longest = w, len(w)
		}
		out = append(out, struct {
			stem    string
			longest int
		}{stem, longest})
	}
	return out
}

func (n nameStems) match(w string) bool {
	for _, k := range n {
		if strings.HasPrefix(w, k.stem) && len(w) <= k.longest {
			return true
		}
	}
	return false
}

// rank prefers, of two words for one stretch, the one that says more.
func rank(word string) int {
	switch word {
	case maskEmail:
		return 0
	case maskPhone:
		return 1
	}
	return 2
}

// replaceStretches puts a word in the place of each stretch. Stretches that
// overlap, and names beside each other, become one.
func replaceStretches(s string, hide []stretch) string {
	if len(hide) == 0 {
		return s
	}
	slices.SortStableFunc(hide, func(a, b stretch) int {
		return cmp.Or(a.start-b.start, b.end-a.end, rank(a.word)-rank(b.word))
	})
	merged := hide[:1]
	for _, h := range hide[1:] {
		last := &merged[len(merged)-1]
		switch {
		case h.start < last.end:
			last.end = max(last.end, h.end)
		case h.word == maskName && last.word == maskName && strings.Trim(s[last.end:h.start], " -") == "":
			last.end = h.end
		default:
			merged = append(merged, h)
		}
	}
	var b strings.Builder
	at := 0
	for _, h := range merged {
		b.WriteString(s[at:h.start] + h.word)
		at = h.end
	}
	return b.String() + s[at:]
}
