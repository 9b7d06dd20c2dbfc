package chat

import (
	"math"
	"slices"
	"strings"
)

// claimKind tells what a number counts.
type claimKind uint8

const (
	claimPlain   claimKind = iota
	claimMoney             // PLN
	claimForeign           // another currency
	claimPercent
	claimArea // square metres
	claimDay
	claimWeek
	claimMonth
	claimYear
	claimHour
	claimMinute
	claimDistance // kilometres
	claimClock    // part of a time of day
)

// claim is a number that a text states.
type claim struct {
	value float64
	kind  claimKind
	// pkg is the package that an amount belongs to, or "" for none; carried says
	// that it was named in an earlier sentence.
	pkg     string
	carried bool
	perM2   bool // a price for a square metre
	priced  bool // stands after a word such as "kosztuje"
	budget  bool // stands after a word such as "budżet"
	small   bool // a word such as "two" without a unit
	// sentence counts the sentences before the number.
	sentence int
}

// claimsIn reads the numbers of a text. loose reports a word of money that
// belongs to no number: "kilka tysięcy złotych".
func claimsIn(x *Extractor, s string) (claims []claim, loose bool) {
	toks := tokenise(s, contactSpans(s))
	owner := owners{toks: toks, mentions: x.packages.mentions(toks), names: x.packages.names, trailing: map[int]bool{}}
	used := make([]bool, len(toks)) // tokens that an amount accounts for
	sentence := 0
	for i := 0; i < len(toks); i++ {
		t := &toks[i]
		if endsSentence(t) {
			sentence++
		}
		if t.kind != kindNumber && (t.kind != kindWord || numberWords[t.fold] == 0) || t.taken != fieldNone || ordinal(toks, i) {
			continue
		}
		a, ok := readAmount(toks, i)
		if !ok {
			continue
		}
		c := readClaim(toks, i, a)
		c.sentence = sentence
		if c.kind == claimMoney || c.kind == claimPlain {
			c.pkg, c.carried = owner.of(i)
		}
		claims = append(claims, c)
		for k := max(0, i-1); k < min(len(toks), a.end+1); k++ {
			used[k] = true
		}
		i = max(i, a.end-1)
	}
	for i := range toks {
		loose = loose || !used[i] && moneyWord(&toks[i])
	}
	return claims, loose
}

// inheritUnits gives numbers without a unit the one of a period named before them
// in their sentence: "do 50 m² w 6–8 tygodni, do 80 m² w 8–10". It is for entries:
// a reply may leave a unit out, but must not use it for another number.
func inheritUnits(claims []claim) {
	unit, sentence := claimPlain, 0
	for i := range claims {
		c := &claims[i]
		if c.sentence != sentence {
			unit, sentence = claimPlain, c.sentence
		}
		switch {
		case c.kind >= claimDay && c.kind <= claimMinute:
			unit = c.kind
		case c.kind == claimPlain && unit != claimPlain:
			c.kind = unit
		}
	}
}

// readClaim tells what the amount read at token i states, its package aside.
func readClaim(toks []token, i int, a amount) claim {
	c := claim{value: math.Round(a.value*100) / 100, kind: kindOf(toks, i, a), perM2: perMetre(toks, i, a.end)}
	written := toks[i].kind == kindWord
	if next := a.end + 1; c.kind == claimPlain && next < len(toks) && rangeSign(&toks[a.end]) && toks[next].kind == kindNumber {
		if b, ok := readAmount(toks, next); ok { // "6–8 tygodni": the unit is of both
			c.kind, c.perM2 = kindOf(toks, next, b), perMetre(toks, next, b.end)
		}
	}
	c.small = written && c.kind == claimPlain && c.value >= 1 && c.value <= 3
	c.budget = budgetBefore(toks, i)
	c.priced = !written && c.kind == claimPlain && priceWordBefore(toks, i)
	return c
}

// contactSpans are the stretches whose digits are no quantities.
func contactSpans(s string) []span {
	phones, _ := findPhones(s)
	all := slices.Concat(findEmails(s), findLinks(s), phones)
	slices.SortStableFunc(all, func(a, b span) int { return a.start - b.start })
	out := all[:0]
	for _, sp := range all {
		if len(out) == 0 || sp.start >= out[len(out)-1].end {
			out = append(out, sp)
		}
	}
	return out
}

// ordinal reports a number that only counts the points of a list: "2) umowa".
func ordinal(toks []token, i int) bool {
	return toks[i].kind == kindNumber && toks[i].value <= 20 && i+1 < len(toks) && toks[i+1].fold == ")" &&
		(i == 0 || toks[i-1].fold == "\n" || toks[i-1].fold == "," || toks[i-1].fold == ":" || toks[i-1].fold == ";")
}

func rangeSign(t *token) bool {
	switch t.fold {
	case "-", "–", "—", "do", "to", "and":
		return true
	}
	return false
}

var moneyPrefixes = []string{"zlot", "grosz", "dolar", "dollar", "thousand", "hundred", "million"}

// moneyWord reports a word or sign of money.
func moneyWord(t *token) bool {
	switch t.fold {
	case "€", "$", "£", "¥", "₿":
		return t.kind == kindPunct
	}
	if t.kind != kindWord {
		return false
	}
	return moneyUnits[t.fold] || otherMoney[t.fold] || multipliers[t.fold] > 1 || hasPrefixOf(t.fold, moneyPrefixes)
}

// kindOf tells what the amount read at token i counts.
func kindOf(toks []token, i int, a amount) claimKind {
	if foreignMoney(toks, i, a.end) {
		return claimForeign
	}
	switch {
	case a.unit:
		return claimMoney
	case i > 1 && toks[i-1].fold == ":" && toks[i-2].kind == kindNumber && toks[i-2].end == toks[i-1].start,
		a.end+1 < len(toks) && toks[a.end].fold == ":" && toks[a.end+1].kind == kindNumber && toks[a.end].end == toks[a.end+1].start:
		return claimClock
	}
	end := a.end
	if end < len(toks) && toks[end].fold == "-" {
		end++ // 36-month
	}
	if end >= len(toks) {
		return claimPlain
	}
	t := &toks[end]
	if t.fold == "%" {
		return claimPercent
	}
	if areaUnitAt(toks, a.end) > 0 {
		return claimArea
	}
	if t.kind != kindWord {
		return claimPlain
	}
	switch {
	case strings.HasPrefix(t.fold, "zlot"):
		return claimMoney
	case strings.HasPrefix(t.fold, "grosz"):
		return claimForeign
	}
	for _, u := range units {
		if hasPrefixOf(t.fold, u.prefixes) {
			return u.kind
		}
	}
	return claimPlain
}

// units are the beginnings of the words that say what a number counts.
var units = []struct {
	kind     claimKind
	prefixes []string
}{
	{claimPercent, []string{"procent", "percent"}},
	{claimDay, []string{"dni", "dzien", "dob", "day", "robocz"}},
	{claimWeek, []string{"tyg", "week"}},
	{claimMonth, []string{"mies", "month"}},
	{claimYear, []string{"lat", "rok", "year"}},
	{claimHour, []string{"godz", "hour"}},
	{claimMinute, []string{"minut", "min"}},
	{claimDistance, []string{"km", "kilom"}},
}
