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
		if t.taken != fieldNone || t.kind != kindNumber && (t.kind != kindWord || !opensAmount(t.fold)) {
			continue
		}
		a, ok := readAmount(toks, i)
		if !ok {
			continue
		}
		score := budgetScore(toks, i, a)
		if score > 0 && takesBack(toks, bestEnd, i) {
			score += 3
		}
		if score > 0 {
			for k := i; k < a.end; k++ {
				toks[k].taken = fieldBudget
			}
			// The upper end of a range is what the visitor is ready to pay.
			if score > bestScore || isRange(toks, bestEnd, i) {
				best, bestScore, bestEnd = a.value, max(score, bestScore), a.end
			}
		}
		i = max(i, a.end-1)
	}
	return int(math.Floor(best + 0.5))
}

// opensAmount reports a word that an amount can begin with.
func opensAmount(w string) bool {
	return numberWords[w] > 0 || multipliers[w] == 1e6 || strings.Contains(w, "tysieczn")
}

// readAmount reads a number with its multiplier and currency: "80 tys. zł", "1
// mln 200 tys", "osiemdziesiąt tysięcy pięćset złotych".
func readAmount(toks []token, i int) (amount, bool) {
	v, end, ok := amountNumber(toks, i)
	if !ok {
		return amount{}, false
	}
	a := amount{value: v, end: end}
	for unit := 0.0; ; {
		if m, k := multiplierAt(toks, a.end); k > 0 {
			a.value += v*m - v
			a.end, a.scale, unit = k, true, m
			a.unit = a.unit || toks[k-1].fold == "kpln" || toks[k-1].fold == "kzl"
		}
		k := skipDot(toks, a.end)
		if unit == 0 || k >= len(toks) {
			break
		}
		next, after, ok := numberAt(toks, k)
		m, _ := multiplierAt(toks, after)
		if !ok || next < 1 || m >= unit || m == 0 && (next >= unit || after >= len(toks) || !toks[after].is(moneyUnits)) {
			break
		}
		a.value, a.end, v = a.value+next, after, next
		if m == 0 {
			break
		}
		unit = 0
	}
	if a.end+1 < len(toks) && toks[a.end].fold == "," && toks[a.end+1].fold == "-" {
		a.unit, a.end = true, a.end+2 // 100 000,-
	}
	if k := skipDot(toks, a.end); k < len(toks) && toks[k].is(moneyUnits) && (k == a.end || a.scale) {
		a.unit, a.end = true, k+1
	} else if i > 0 && toks[i-1].is(moneyUnits) {
		a.unit = true
	}
	return a, true
}

// amountNumber reads the number that an amount begins with. A million may stand
// without one.
func amountNumber(toks []token, i int) (v float64, end int, ok bool) {
	if v, end, ok = numberAt(toks, i); ok {
		return v, end, ok
	}
	if v, rest := compound(toks[i].fold); v > 0 && strings.HasPrefix(rest, "tysieczn") {
		return v * 1e3, i + 1, true
	}
	if multipliers[toks[i].fold] == 1e6 {
		return 1, i, true
	}
	return 0, i, false
}

// multiplierAt returns the multiplier at token i and the token after it, or 0.
func multiplierAt(toks []token, i int) (float64, int) {
	if i+1 < len(toks) && toks[i].fold == "-" && strings.HasPrefix(toks[i+1].fold, "tysieczn") {
		return 1e3, i + 2
	}
	if i < len(toks) && toks[i].kind == kindWord && multipliers[toks[i].fold] > 0 {
		return multipliers[toks[i].fold], i + 1
	}
	return 0, 0
}

// skipDot returns the token after a full stop at i: "tys. zł".
func skipDot(toks []token, i int) int {
	if i > 0 && i < len(toks) && toks[i].fold == "." && toks[i-1].kind == kindWord {
		return i + 1
	}
	return i
}

// budgetScore says how sure it is that the amount is the budget; 0: it is not.
func budgetScore(toks []token, i int, a amount) int {
	named := nearBefore(toks, i, budgetWords, numberWindow) ||
		a.value >= minMoney && (savedAround(toks, i, a.end) || held(toks, i, a.end))
	switch {
	case a.value > maxBudget || a.value < minBudget,
		!named && (a.value < minMoney || !a.unit && !a.scale), !a.unit && !a.scale && yearLike(toks, i, a),
		foreignMoney(toks, i, a.end), pricePerUnit(toks, a.end), perMetreBefore(toks, i),
		areaUnitAt(toks, a.end) > 0,
		nearBefore(toks, i, notBudget, 4), a.end < len(toks) && toks[a.end].is(notBudget), othersPrice(toks, i, a.end),
		stanceBefore(toks, i) == stanceRejected && !limiting(toks, i):
		return 0
	}
	score := 1
	if purpose(toks, i, a.end) {
		score += 2
	}
	if named {
		score += 3
	}
	if stanceBefore(toks, i) == stancePreferred {
		score++
	}
	return score
}

// perMetreBefore reports "za metr dawali 9500 zł".
func perMetreBefore(toks []token, i int) bool {
	for k := i - 1; k > 0 && k >= i-5 && !toks[k].breaks(); k-- {
		if (areaUnit(toks[k].fold) || toks[k].fold == "m") && (toks[k-1].fold == "za" || toks[k-1].fold == "per" || toks[k-1].fold == "/") {
			return true
		}
	}
	return false
}

// othersPrice reports an amount that somebody else asks for, that something has
// cost, or that is more than the visitor would pay.
func othersPrice(toks []token, i, end int) bool {
	for k := i - 1; k >= 0 && k >= i-6 && !toks[k].breaks(); k-- {
		if toks[k].kind == kindWord && hasPrefixOf(toks[k].fold, paidWords) {
			return true
		}
	}
	for k := end; k+1 < len(toks) && k < end+4 && !toks[k].breaks(); k++ {
		switch next := toks[k+1].fold; toks[k].fold {
		case "za":
			if next == "duzo" || next == "drogo" || areaUnit(next) || next == "pokoj" {
				return true
			}
		case "too":
			if next == "much" || next == "expensive" {
				return true
			}
		case "od", "from":
			if hasPrefixOf(next, []string{"inn", "konkuren", "another", "other", "develop", "dewelop"}) {
				return true
			}
		case "miesiecznie", "monthly":
			return true
		}
	}
	return false
}

var paidWords = []string{"kosztow", "kupil", "kupion", "sprzeda", "zaplac", "placil", "konkuren", "wycenil", "wycenion", "zarabia", "zarob", "wart", "bought", "paid", "sold", "earn",
	"competit", "quoted", "cost", "inna", "inni", "rachun"}

// purpose reports that the amount is said to be for the work: "na wykończenie
// mamy 90 tys.".
func purpose(toks []token, i, end int) bool {
	for k := max(0, i-5); k < i; k++ {
		if toks[k].fold == "na" && purposes[toks[k+1].fold] {
			return true
		}
	}
	return end+1 < len(toks) && toks[end].fold == "na" && purposes[toks[end+1].fold]
}

var purposes = words("wykonczenie remont calosc prace wszystko urzadzenie to mieszkanie")

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

var limitWords = words("wiecej mniej przekroczyc drozej more less over under exceed")

func foreignMoney(toks []token, i, end int) bool {
	end = skipDot(toks, end)
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
	end = skipDot(toks, end)
	if end < 0 || i != end+1 {
		return false
	}
	switch toks[end].fold {
	case "-", "–", "—", "do", "to", "and", "a", "na":
		return true
	}
	return false
}
