package chat

import (
	"math"
	"strings"
)

// amount is a sum of money read in a text.
type amount struct {
	value float64
	end   int  // the token after it
	scale bool // a multiplier such as "tys." was written
	unit  bool // a currency was written
}

// findBudget returns the budget in whole PLN, or 0. Prices per metre, deposits,
// instalments and other currencies are none.
func findBudget(toks []token) int {
	best, bestScore, bestEnd := 0.0, 0, -1
	for i := 0; i < len(toks); i++ {
		t := &toks[i]
		if t.taken != fieldNone || t.kind != kindNumber && (t.kind != kindWord || numberWords[t.fold] == 0 && multipliers[t.fold] != 1e6) {
			continue
		}
		a, ok := readAmount(toks, i)
		if !ok {
			continue
		}
		score := budgetScore(toks, i, a)
		if score > 0 {
			for k := i; k < a.end; k++ {
				toks[k].taken = fieldBudget
			}
			// The upper end of a range is what the visitor is ready to pay.
			if score > bestScore || score == bestScore && isRange(toks, bestEnd, i) {
				best, bestScore, bestEnd = a.value, score, a.end
			}
		}
		i = max(i, a.end-1)
	}
	return int(math.Floor(best + 0.5))
}

// readAmount reads a number with its multiplier and currency.
func readAmount(toks []token, i int) (amount, bool) {
	v, end, ok := numberAt(toks, i)
	if !ok && multipliers[toks[i].fold] == 1e6 { // a million, written without a one
		v, end, ok = 1e6, i+1, true
	}
	if !ok {
		return amount{}, false
	}
	a := amount{value: v, end: end}
	at := func() *token {
		if a.end < len(toks) && toks[a.end].kind == kindWord {
			return &toks[a.end]
		}
		return nil
	}
	if t := at(); t != nil && multipliers[t.fold] > 0 {
		a.value *= multipliers[t.fold]
		a.scale = true
		a.unit = t.fold == "kpln" || t.fold == "kzl"
		a.end++
		if a.end+1 < len(toks) && toks[a.end].fold == "." && toks[a.end+1].is(moneyUnits) {
			a.end++
		}
	}
	if t := at(); t != nil && moneyUnits[t.fold] {
		a.unit = true
		a.end++
	} else if i > 0 && toks[i-1].is(moneyUnits) {
		a.unit = true
	}
	return a, true
}

// budgetScore says how sure it is that the amount is the budget; 0: it is not.
func budgetScore(toks []token, i int, a amount) int {
	named := nearBefore(toks, i, budgetWords, numberWindow) ||
		a.value >= minMoney && (savedAround(toks, i, a.end) || held(toks, i, a.end))
	switch {
	case a.value > maxBudget || a.value < minBudget,
		!named && (a.value < minMoney || !a.unit && !a.scale), !a.unit && !a.scale && yearLike(toks, i, a),
		foreignMoney(toks, i, a.end), pricePerUnit(toks, a.end),
		areaUnitAt(toks, a.end) > 0,
		nearBefore(toks, i, notBudget, 4), a.end < len(toks) && toks[a.end].is(notBudget),
		stanceBefore(toks, i) == stanceRejected && !limiting(toks, i):
		return 0
	}
	score := 1
	if named {
		score += 3
	}
	if stanceBefore(toks, i) == stancePreferred {
		score++
	}
	return score
}

// savedAround reports words beside the amount that make it money set aside or
// judged for its sufficing: "odłożone 90 000", "czy 90 000 wystarczy".
func savedAround(toks []token, i, end int) bool {
	for k := i - 1; k >= 0 && k >= i-4 && !toks[k].breaks(); k-- {
		if toks[k].kind == kindWord && hasPrefixOf(toks[k].fold, savingWords) {
			return true
		}
	}
	for k := end; k < len(toks) && k < end+3 && !toks[k].breaks(); k++ {
		if toks[k].kind == kindWord && (hasPrefixOf(toks[k].fold, savingWords) || hasPrefixOf(toks[k].fold, sufficing)) {
			return true
		}
	}
	return false
}

var (
	savingWords = []string{"odloz", "zaoszczedz", "oszczedno", "uzbier", "uskladan", "przeznacz", "dyspon", "budzet", "saved", "savings", "aside", "afford"}
	sufficing   = []string{"starczy", "wystarczy", "enough", "suffice"}
)

// held reports a grouped amount that somebody simply has: "mamy 130 000",
// "mam około 90 000 na całość". Thousands that a noun follows count that noun.
func held(toks []token, i, end int) bool {
	if end != i+1 || toks[i].kind != kindNumber || strings.IndexByte(toks[i].fold, ' ') < 0 && strings.IndexByte(toks[i].fold, '.') < 0 {
		return false
	}
	if end < len(toks) && !toks[end].breaks() && toks[end].fold != "na" && toks[end].fold != "for" && toks[end].fold != "i" && toks[end].fold != "and" {
		return false
	}
	k := i - 1
	for k > 0 && toks[k].is(hedging) {
		k--
	}
	return k >= 0 && toks[k].is(holding)
}

var (
	holding = words("mam mamy mialbym mialabym mielibysmy have got")
	hedging = words("okolo ok jakies gdzies moze plus minus ponad prawie niecale razem lacznie about around roughly some nearly over")
)

// yearLike reports a bare number that is rather a year: "budżet na 2026".
func yearLike(toks []token, i int, a amount) bool {
	return a.end == i+1 && len(toks[i].fold) == 4 && a.value >= 1950 && a.value < 2100
}

// limiting reports "nie więcej niż", which names a budget although it says no.
func limiting(toks []token, i int) bool {
	return nearBefore(toks, i, limitWords, 3)
}

var limitWords = words("wiecej przekroczyc drozej more over exceed")

func foreignMoney(toks []token, i, end int) bool {
	if end < len(toks) && (toks[end].is(otherMoney) || toks[end].fold == "€" || toks[end].fold == "$" || toks[end].fold == "£") {
		return true
	}
	return i > 0 && (toks[i-1].is(otherMoney) || toks[i-1].fold == "€" || toks[i-1].fold == "$" || toks[i-1].fold == "£")
}

// pricePerUnit reports "zł/m2", "zł za metr", "PLN per sqm" after an amount.
func pricePerUnit(toks []token, end int) bool {
	if end+1 >= len(toks) {
		return false
	}
	switch toks[end].fold {
	case "/", "za", "per", "na", "od":
		return areaUnit(toks[end+1].fold) || toks[end+1].fold == "m" || toks[end+1].fold == "square" || toks[end+1].fold == "sq"
	case "a":
		return false
	}
	return false
}

// isRange reports that the amount at i follows the one that ended before it as
// the upper end of a range.
func isRange(toks []token, end, i int) bool {
	if end < 0 || i != end+1 {
		return false
	}
	switch toks[end].fold {
	case "-", "–", "—", "do", "to", "and", "a":
		return true
	}
	return false
}
