package chat

import (
	"slices"

	"chatops/internal/chatops"
)

// grounds is what the retrieved entries state, in the form in which a reply is
// compared with it.
type grounds struct {
	x      *Extractor
	words  map[string]bool // folded
	claims []claim
	// contacts are the addresses and phone numbers as they stand in the text.
	links, emails, phones map[string]bool
}

func newGrounds(k *Knowledge, entries []LLMEntry) *grounds {
	g := &grounds{x: k.Extractor(), words: map[string]bool{}, links: map[string]bool{}, emails: map[string]bool{}, phones: map[string]bool{}}
	for _, e := range entries {
		s := normalise(cleanText(e.Text))
		for _, w := range foldedWords(s) {
			g.words[w] = true
		}
		for _, c := range contactsIn(s) {
			c.in(g)[c.text] = true
		}
		for _, p := range g.x.spokenPhones(s) {
			g.phones[p] = true
		}
		claims, _ := claimsIn(g.x, s)
		inheritUnits(claims)
		g.claims = append(g.claims, claims...)
	}
	return g
}

// stated reports whether the entries, or what the visitor has told, state a claim.
func (g *grounds) stated(c claim, f *chatops.Facts) bool {
	switch {
	case c.small:
		return true
	case c.kind == claimMoney && f.Budget > 0 && c.value == float64(f.Budget) && (c.pkg == "" || c.budget),
		(c.kind == claimArea || c.kind == claimPlain) && f.SquareMeters > 0 && c.value == float64(f.SquareMeters) && !c.priced:
		return true
	case c.kind == claimMoney || c.priced || c.kind == claimPlain && g.isPrice(c.value):
		return slices.ContainsFunc(g.claims, func(e claim) bool { return e.covers(c) })
	}
	return slices.ContainsFunc(g.claims, func(e claim) bool {
		return e.value == c.value && (e.kind == c.kind || c.kind == claimPlain)
	})
}

// isPrice reports whether an entry states the number as money, and none as
// something else.
func (g *grounds) isPrice(v float64) bool {
	is := false
	for _, e := range g.claims {
		if e.value == v {
			if e.kind != claimMoney {
				return false
			}
			is = true
		}
	}
	return is
}

// covers reports whether an entry's claim states an amount of a reply: the same
// sum, of the same package, and for a square metre if the reply says so.
func (e claim) covers(c claim) bool {
	if e.value != c.value || e.kind != claimMoney || c.kind == claimForeign {
		return false
	}
	if c.perM2 && !e.perM2 {
		return false
	}
	return c.pkg == "" || c.pkg == e.pkg || c.carried && e.pkg == ""
}
