package chat

// perMetre reports that an amount is the price of one square metre: "999 zł/m²",
// "999 zł (za metr)", "60 m² × 999 zł".
func perMetre(toks []token, i, end int) bool {
	if end < len(toks) && toks[end].fold == "(" {
		end++
	}
	if pricePerUnit(toks, end) {
		return true
	}
	k := i - 1
	if k >= 0 && toks[k].is(moneyUnits) {
		k--
	}
	return k >= 0 && (toks[k].fold == "×" || toks[k].fold == "x")
}

// priceWords make a number a price although no currency stands beside it.
var priceWords = words("kosztuje kosztuja kosztowac koszt koszty cena cene ceny cenie zaplaci zaplacisz zaplacicie zaplata stawka costs cost price priced pay charge charges")

func priceWordBefore(toks []token, i int) bool {
	for k, seen := i-1, 0; k >= 0 && seen < 4; k-- {
		switch toks[k].fold {
		case ".", "!", "?", "\n", ",", ";":
			return false
		}
		if toks[k].is(priceWords) {
			return true
		}
		if toks[k].kind == kindWord {
			seen++
		}
	}
	return false
}

// budgetBefore reports an amount that is the visitor's budget and not a price:
// "w budżecie 120 000 zł".
func budgetBefore(toks []token, i int) bool {
	near := toks[max(0, i-3):i]
	return nearBefore(toks, i, budgetWords, len(near)) &&
		!anyOf(near, func(t *token) bool { return t.taken == fieldPackage || t.is(priceWords) })
}

// mentions finds the packages that a text names, without judging whether they
// are wanted.
func (x *packageIndex) mentions(toks []token) []packageMention {
	var out []packageMention
	for i := 0; i < len(toks); i++ {
		if m, ok := x.match(toks, i); ok {
			out = append(out, m)
			i = m.end - 1
		}
	}
	for _, m := range out {
		for k := m.first; k < m.end; k++ {
			toks[k].taken = fieldPackage
		}
	}
	return out
}

// owners tells which package each amount of a text belongs to.
type owners struct {
	toks     []token
	mentions []packageMention
	names    []string
	// trailing are the mentions that an amount before them has claimed: "999 zł
	// w pakiecie Express do 1 999 zł w pakiecie Premium".
	trailing map[int]bool
}

// of finds the package that the amount at token i belongs to: one named before
// it in its clause, in brackets right after it, before it in its sentence, after
// it, or else in an earlier sentence.
func (o *owners) of(i int) (name string, carried bool) {
	before, after := -1, -1 // the nearest mentions
	for n := range o.mentions {
		switch {
		case o.mentions[n].end <= i:
			before = n
		case after < 0:
			after = n
		}
	}
	take := func(n int) (string, bool) {
		if n == after {
			o.trailing[n] = true
		}
		return o.names[o.mentions[n].index], false
	}
	follows := after >= 0 && !anyOf(o.toks[i+1:o.mentions[after].first], func(t *token) bool { return endsSentence(t) || t.kind == kindNumber })
	switch {
	case before >= 0 && !anyOf(o.toks[o.mentions[before].end:i], endsClause) && (!follows || !o.trailing[before]):
		return take(before)
	case after >= 0 && inBrackets(o.toks[i+1:o.mentions[after].first]):
		return take(after)
	case before >= 0 && !anyOf(o.toks[o.mentions[before].end:i], endsSentence) && (!follows || !o.trailing[before]):
		return take(before)
	case follows:
		return take(after)
	case before >= 0:
		return o.names[o.mentions[before].index], true
	}
	return "", false
}

// inBrackets reports that what stands between an amount and a mention opens
// brackets for the mention: "999 zł (Express)".
func inBrackets(between []token) bool {
	n := len(between)
	return n > 0 && between[n-1].fold == "(" && !anyOf(between[:n-1], endsClause)
}

func anyOf(toks []token, test func(*token) bool) bool {
	for i := range toks {
		if test(&toks[i]) {
			return true
		}
	}
	return false
}

func endsSentence(t *token) bool {
	return t.kind == kindPunct && (t.fold == "." || t.fold == "!" || t.fold == "?" || t.fold == "\n")
}

func endsClause(t *token) bool {
	return endsSentence(t) || t.kind == kindPunct && (t.fold == "," || t.fold == ";" || t.fold == "(" || t.fold == ")" || t.fold == "•")
}
