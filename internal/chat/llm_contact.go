package chat

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"chatops/internal/chatops"
)

// contact is an address or phone number in a text.
type contact struct {
	text string
	in   func(*grounds) map[string]bool
}

var (
	contactLink   = chatops.Pattern(`(?i)(?:[a-z][a-z0-9+.-]*://|www\.)\S+|(?:mailto|tel|sms|callto|whatsapp|javascript|vbscript|data|file):\S+`)
	contactDomain = chatops.Pattern(`[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?(?:\.[\p{L}\p{N}-]+)*\.\p{L}{2,}(?:[/:?#]\S*)?`)
	contactEmail  = chatops.Pattern(`[^\s@]*@[^\s@]*`)
	contactDigits = chatops.Pattern(`\+?\d(?:[ .\-()/]{0,2}\d){6,}`)
)

// contactsIn returns whatever can be called, written to or opened.
func contactsIn(s string) []contact {
	var out []contact
	take := func(re *regexp.Regexp, s string, in func(*grounds) map[string]bool) string {
		for _, m := range re.FindAllString(s, -1) {
			out = append(out, contact{strings.ToLower(strings.TrimRight(m, ".,;:!?)")), in})
		}
		return re.ReplaceAllString(s, " ")
	}
	s = take(contactLink(), s, func(g *grounds) map[string]bool { return g.links })
	if strings.Contains(s, "//") { // an address without its beginning or end
		out = append(out, contact{"//", func(g *grounds) map[string]bool { return g.links }})
	}
	s = take(contactEmail(), s, func(g *grounds) map[string]bool { return g.emails })
	s = take(contactDomain(), s, func(g *grounds) map[string]bool { return g.links })
	for _, at := range contactDigits().FindAllStringIndex(s, -1) {
		if w := fold(firstWord(strings.TrimLeft(s[at[1]:], " "))); moneyUnits[w] || areaUnit(w) {
			continue // a quantity: judged as one
		}
		digits := strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, s[at[0]:at[1]])
		digits = strings.TrimPrefix(strings.TrimPrefix(digits, "00"), "48")
		out = append(out, contact{digits, func(g *grounds) map[string]bool { return g.phones }})
	}
	return out
}

// spokenPhones returns the phone numbers of a text that are written in words.
func (x *Extractor) spokenPhones(s string) []string {
	var out []string
	toks := x.contacts(s, &chatops.Facts{})
	for i := range toks {
		if t := &toks[i]; t.kind == kindFact && t.taken == fieldPhone && strings.ContainsFunc(s[t.start:t.end], unicode.IsLetter) {
			out = append(out, fold(s[t.start:t.end]))
		}
	}
	return out
}

// abbreviations look like host names.
var abbreviations = words("m.in m.in. tzn.np")

// strangeContact reports an address or number that no entry holds.
func (g *grounds) strangeContact(s string) bool {
	for _, c := range contactsIn(s) {
		if !c.in(g)[c.text] && !abbreviations[c.text] {
			return true
		}
	}
	return spokenContact().MatchString(s) || slices.ContainsFunc(g.x.spokenPhones(s), func(p string) bool { return !g.phones[p] })
}

// spokenContact is an address that is spelled so that no program sees it.
var spokenContact = chatops.Pattern(`(?i)\b(?:kropka|dot)\s+\p{L}{2,}|[\[({]\s*(?:at|ma[łl]pa|dot|kropka)\s*[\])}]|\bma[łl]pa\b`)
