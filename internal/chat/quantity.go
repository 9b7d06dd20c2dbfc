package chat

import (
	"math"
	"strings"
)

// What is believed of a flat and a budget. Anything outside is a price, a room
// or a slip, and is left unknown.
const (
	minArea      = 5
	maxArea      = 10_000
	minBareArea  = 15 // for a bare number after the bot has asked
	maxBareArea  = 500
	minBudget    = 1_000 // when the text calls it a budget
	minMoney     = 5_000 // when it is only an amount of money
	maxBudget    = 50_000_000
	numberWindow = 6 // words before a number that say what it is
)

var (
	moneyUnits  = words("zl zlotych zlote zloty zlotowek pln zlociszy")
	otherMoney  = words("eur euro usd gbp chf dolarow dollars dollar pounds funtow")
	budgetWords = words("budzet budzetu budzecie budzetem budget kwota kwote kwoty kwocie wydac wydania przeznaczyc przeznaczam dysponuje dysponujemy maksymalnie maks max limit spend")
	notBudget   = words("zaliczka zaliczki zaliczke zadatek zadatku rata rate raty rat miesiecznie miesieczna czynsz czynszu zarabiam zarabia pensja pensji kosztuje " +
		"kosztowalo kosztowal kosztowala kupilem kupilam kupilismy sprzedalem deposit salary month monthly instalment instalments")
	areaNouns  = words("metraz metrazu metrazem powierzchnia powierzchni powierzchnie pow area size")
	sideSpaces = []string{"balkon", "taras", "ogrod", "garaz", "piwnic", "dzialk", "loggi", "antresol", "terrace", "balcony", "garden", "garage"}
	roomWords  = []string{"lazien", "kuchni", "salon", "sypialni", "pokoj", "pokoi", "korytarz", "toalet", "bathroom", "kitchen", "bedroom", "living"}
)

// areaUnit reports a word that means square metres, standing right after the
// number.
func areaUnit(w string) bool {
	switch w {
	case "m2", "mkw", "mtr", "mtrow", "sqm", "sqmeters":
		return true
	}
	return strings.HasPrefix(w, "metr") && w != "metro" || strings.HasPrefix(w, "meter") || strings.HasPrefix(w, "metre")
}

// areaUnitAt returns the token after a unit of area that starts at i, or 0.
func areaUnitAt(toks []token, i int) int {
	if i < len(toks) && toks[i].fold == "-" {
		i++ // 60-metrowe
	}
	if i >= len(toks) || toks[i].kind != kindWord {
		return 0
	}
	at := func(k int) string {
		if k < len(toks) {
			return toks[k].fold
		}
		return ""
	}
	switch w := toks[i].fold; {
	case areaUnit(w):
		if strings.HasPrefix(at(i+1), "biez") {
			return 0
		}
		return i + 1
	case w == "sq" || w == "square" || w == "kw":
		k := i + 1
		if at(k) == "." {
			k++
		}
		if at(k) == "m" || strings.HasPrefix(at(k), "met") {
			return k + 1
		}
	case w == "m":
		return bareMetre(at, i)
	}
	return 0
}

// bareMetre judges "60 m": an area unless what follows makes a length of it.
func bareMetre(at func(int) string, i int) int {
	switch {
	case at(i+1) == "^" && at(i+2) == "2":
		return i + 3
	case at(i+1) == "kw":
		return i + 2
	case at(i+1) == "." && at(i+2) == "kw":
		return i + 3
	}
	switch next := at(i + 1); next {
	case "wysokosci", "dlugosci", "szerokosci", "glebokosci", "stad", "dalej", "in", "x", "n", "b", "high", "long", "wide":
		return 0
	case ".":
		if at(i+2) == "in" { // m.in.
			return 0
		}
	}
	return i + 1
}

// findArea returns the whole square metres of the property, or 0.
func findArea(toks []token, asked Asked) int {
	best, bestScore, last := 0, -1, -1
	for i := range toks {
		if toks[i].taken != fieldNone {
			continue
		}
		v, end := areaAt(toks, i)
		if end == 0 && last > 0 {
			v, end = areaInstead(toks, last, i)
		}
		if end == 0 || v < minArea || v > maxArea || perUnit(toks, i) {
			continue
		}
		score := areaScore(toks, i, end, v)
		if takesBack(toks, last, i) {
			score += 3
		}
		last = end
		for k := i; k < end; k++ {
			toks[k].taken = fieldArea
		}
		if score > bestScore {
			best, bestScore = int(math.Floor(v+0.5)), score
		}
	}
	if best == 0 && asked == AskedDetails {
		return bareArea(toks)
	}
	return best
}

// areaAt reads a number of square metres at a token, with its unit or named as
// an area before it. end is 0 when there is none.
func areaAt(toks []token, i int) (v float64, end int) {
	if toks[i].kind == kindWord {
		if strings.Contains(toks[i].fold, "metrow") {
			if v, rest := compound(toks[i].fold); v > 0 && strings.HasPrefix(rest, "metrow") {
				return v, i + 1
			}
		}
	}
	if toks[i].kind != kindNumber && (toks[i].kind != kindWord || numberWords[toks[i].fold] == 0) {
		return 0, 0
	}
	v, end, ok := numberAt(toks, i)
	if !ok {
		return 0, 0
	}
	if unitEnd := areaUnitAt(toks, end); unitEnd > 0 {
		if length(toks, i, end, unitEnd) {
			return 0, 0
		}
		return v, unitEnd
	}
	if contrastedArea(toks, end) {
		return v, end
	}
	if (nearBefore(toks, i, areaNouns, 3) || i > 1 && areaUnit(toks[i-2].fold) && (toks[i-1].fold == ":" || toks[i-1].fold == "=")) && !followedByUnit(toks, end) {
		return v, end
	}
	return 0, 0
}

// contrastedArea reports that a number which ends at the token stands against an
// area that it is not: "72, a nie 27 m2", "72 instead of 27 m2". The unit is said
// once.
func contrastedArea(toks []token, i int) bool {
	if i < len(toks) && toks[i].fold == "," {
		i++
	}
	if i < len(toks) && toks[i].fold == "a" {
		i++
	}
	switch {
	case i >= len(toks):
		return false
	case toks[i].is(negating) || toks[i].fold == "zamiast":
		i++
	case toks[i].fold == "instead" && i+1 < len(toks) && toks[i+1].fold == "of":
		i += 2
	default:
		return false
	}
	if i >= len(toks) || toks[i].kind != kindNumber {
		return false
	}
	_, end, ok := numberAt(toks, i)
	return ok && areaUnitAt(toks, end) > 0
}

// length reports that plain metres are a distance or the side of a room: "200
// metrów od stacji", "do metra mam 300 metrów", "12 x 10 m".
func length(toks []token, i, unit, end int) bool {
	if w := toks[unit].fold; w == "-" || w != "m" && !strings.HasPrefix(w, "met") || end > unit+1 {
		return false
	}
	for k := max(0, i-3); k < min(len(toks), end+3); k++ {
		if hasPrefixOf(toks[k].fold, linear) {
			return true
		}
	}
	if end+1 < len(toks) && toks[end].is(towards) && hasPrefixOf(toks[end+1].fold, landmarks) {
		return true
	}
	if i > 0 && (toks[i-1].fold == "x" || toks[i-1].fold == "×") {
		return true
	}
	for k := i - 1; k >= 0 && k >= i-5 && !toks[k].breaks(); k-- {
		if k > 0 && toks[k-1].is(towards) && hasPrefixOf(toks[k].fold, landmarks) || toks[k].fold == "odleglosc" || toks[k].fold == "odleglosci" {
			return true
		}
	}
	return false
}

var (
	// linear things are measured along.
	linear    = []string{"kabel", "kabl", "przewod", "listw", "cokol", "plot", "ogrodzen", "tasm", "wysok", "szerok", "dlugos", "dlugi", "gleboko", "rur", "karnisz", "parapet", "cable", "wire", "fence", "skirting", "ceiling", "tall"}
	towards   = words("do od from to away")
	landmarks = []string{"stacj", "przystan", "metra", "metro", "morza", "plaz", "las", "centr", "szkol", "przedszkol", "sklep", "park", "dworc", "ryn", "drog", "ulic", "sasiad",
		"granic", "jezior", "rzek", "autostrad", "tramwaj", "autobus", "koscio", "apte", "szpital", "lotnisk", "wind", "biedron", "zabk", "przychodn", "the", "tube", "station", "beach",
		"bus", "school", "pracy", "rodzic", "ogrodz"}
)

// areaInstead reads a bare number in place of an area that was turned down:
// "metraż to nie 60, tylko 62".
func areaInstead(toks []token, last, i int) (v float64, end int) {
	if i < 1 || i > last+3 || toks[i].kind != kindNumber || !toks[i-1].is(insteadWords) || followedByUnit(toks, i+1) {
		return 0, 0
	}
	return toks[i].value, i + 1
}

var insteadWords = words("tylko lecz ale jednak but")

// areaScore ranks the area of the property over that of a room, which is below 0
// like that of a balcony. What stands nearest before the number decides.
func areaScore(toks []token, i, end int, v float64) int {
	score := 5 + stanceBefore(toks, i).score()/2
	if end < len(toks) && toks[end].fold == "nie" && (end+1 == len(toks) || toks[end+1].breaks()) {
		score -= 5 // "60 m2 nie, 62"
	}
	decided := false
	for k := i - 1; k >= i-3 && k >= 0 && !toks[k].breaks(); k-- {
		with := k > 0 && (toks[k-1].fold == "z" || toks[k-1].fold == "ze" || toks[k-1].fold == "with")
		switch {
		case decided:
		case toks[k].fold == "=" || toks[k].fold == "+":
			decided = true
		case isSpace(toks, k, sideSpaces):
			if !with || v < minFlatArea {
				return -5
			}
		case isSpace(toks, k, roomWords):
			if !with {
				return -5
			}
		}
		if toks[k].is(propertyWords) {
			score += 2
			decided = true
		}
	}
	if isSpace(toks, end, sideSpaces) {
		return -5
	}
	if isSpace(toks, end, roomWords) {
		score -= 3
	}
	return score
}

// minFlatArea is the least area of a flat "with a balcony" rather than of the
// balcony.
const minFlatArea = 20

// isSpace reports a word for a part of a home, but not the count of such parts:
// "3 pokoje", "trzypokojowe".
func isSpace(toks []token, k int, list []string) bool {
	if k < 0 || k >= len(toks) || toks[k].kind != kindWord || !hasPrefixOf(toks[k].fold, list) || strings.Contains(toks[k].fold, "pokojow") {
		return false
	}
	return k == 0 || toks[k-1].kind != kindNumber && numberWords[toks[k-1].fold] == 0 && toks[k-1].fold != "-"
}

// perUnit reports that the number counts the unit of a price: "za 1 m2".
func perUnit(toks []token, i int) bool {
	return i > 0 && (toks[i-1].fold == "/" || toks[i-1].fold == "per")
}

// bareArea reads the only number of a short answer to "how many metres".
func bareArea(toks []token) int {
	found, last := 0, -1
	for i := 0; i < len(toks) && len(toks) <= maxBareAnswer; i++ {
		if toks[i].kind != kindNumber && (toks[i].kind != kindWord || numberWords[toks[i].fold] == 0) {
			continue
		}
		v, end, _ := numberAt(toks, i)
		upper := found > 0 && isRange(toks, last, i)
		lower := end+1 < len(toks) && isRange(toks, end, end+1) && toks[end+1].kind == kindNumber
		if toks[i].taken != fieldNone || found > 0 && !upper || followedByUnit(toks, end) && !lower || v < minBareArea || v > maxBareArea {
			return 0
		}
		found, last = int(math.Floor(v+0.5)), end
		i = end - 1
	}
	return found
}

// maxBareAnswer is how many tokens a bare answer may have.
const maxBareAnswer = 6

// followedByUnit reports that the number counts something else: rooms, money,
// floors, a date.
func followedByUnit(toks []token, end int) bool {
	if end >= len(toks) {
		return false
	}
	t := &toks[end]
	if t.kind == kindPunct {
		return t.fold == "/" || t.fold == "%" || t.fold == "€" || t.fold == "$" || t.fold == ":" || t.fold == "-" && end+1 < len(toks) &&
			(toks[end+1].kind == kindNumber || toks[end+1].kind == kindWord && toks[end+1].start == t.end && t.start == toks[end-1].end)
	}
	if t.kind != kindWord {
		return false
	}
	for _, p := range []string{"pok", "room", "lat", "rok", "dni", "tyg", "mies", "pietr", "zl", "pln", "tys", "k", "mln", "os", "lut", "mar", "maj", "sty", "kwi", "cze", "lip", "sie", "wrz", "paz", "lis", "gru"} {
		if strings.HasPrefix(t.fold, p) {
			return true
		}
	}
	return false
}

// nearBefore reports one of the words in the clause within n tokens before i.
func nearBefore(toks []token, i int, set map[string]bool, n int) bool {
	for k := i - 1; k >= 0 && k >= i-n; k-- {
		if toks[k].is(set) {
			return true
		}
		if toks[k].breaks() && toks[k].fold != ":" && toks[k].fold != "." {
			return false
		}
	}
	return false
}

func hasPrefixOf(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}
