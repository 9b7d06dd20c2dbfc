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

// mentionFor finds the package that the amount at token i belongs to: one named
// before it in its clause, in brackets right after it, before it in its
// sentence, after it, or else in an earlier sentence.
func mentionFor(toks []token, mentions []packageMention, names []string, i int) (name string, carried bool) {
	before := -1 // the nearest mention before the amount
	for n := range mentions {
		if mentions[n].end <= i {
			before = n
		}
	}
	if before >= 0 && !anyOf(toks[mentions[before].end:i], endsClause) {
		return names[mentions[before].index], false
	}
	after := -1
	if before+1 < len(mentions) && mentions[before+1].first > i {
		after = before + 1
	}
	if after >= 0 {
		between := toks[i+1 : mentions[after].first]
		if n := len(between); n > 0 && between[n-1].fold == "(" && !anyOf(between[:n-1], endsClause) {
			return names[mentions[after].index], false
		}
	}
	if before >= 0 && !anyOf(toks[mentions[before].end:i], endsSentence) {
		return names[mentions[before].index], false
	}
	if after >= 0 && !anyOf(toks[i+1:mentions[after].first], func(t *token) bool { return endsSentence(t) || t.kind == kindNumber }) {
		return names[mentions[after].index], false
	}
	if before >= 0 {
		return names[mentions[before].index], true
	}
	return "", false
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
