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
	maxBudget    = 100_000_000
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

// multipliers scale the number before them.
var multipliers = map[string]float64{
	"tys": 1e3, "tysiac": 1e3, "tysiace": 1e3, "tysiecy": 1e3, "tysiaca": 1e3, "tysi": 1e3, "k": 1e3, "kpln": 1e3, "kzl": 1e3, "thousand": 1e3, "grand": 1e3,
	"mln": 1e6, "milion": 1e6, "miliona": 1e6, "miliony": 1e6, "milionow": 1e6, "million": 1e6, "bln": 0, //nolint:misspell // Polish
}

// numberWords are the numbers that people write out, in the forms they use
// before "metrów", "tysięcy" and their English counterparts.
var numberWords = makeNumberWords()

func makeNumberWords() map[string]float64 {
	m := map[string]float64{"pol": 0.5, "cwierc": 0.25, "poltora": 1.5, "half": 0.5}
	for value, list := range map[float64]string{
		2: "dwa dwie dwoch two", 3: "trzy trzech three", 4: "cztery czterech four", 5: "piec pieciu five", 6: "szesc szesciu six",
		7: "siedem siedmiu seven", 8: "osiem osmiu eight", 9: "dziewiec dziewieciu nine", 10: "dziesiec dziesieciu ten",
		11: "jedenascie jedenastu eleven", 12: "dwanascie dwunastu twelve", 13: "trzynascie trzynastu thirteen",
		14: "czternascie czternastu fourteen", 15: "pietnascie pietnastu fifteen", 16: "szesnascie szesnastu sixteen",
		17: "siedemnascie siedemnastu seventeen", 18: "osiemnascie osiemnastu eighteen", 19: "dziewietnascie dziewietnastu nineteen",
		20: "dwadziescia dwudziestu twenty", 30: "trzydziesci trzydziestu thirty", 40: "czterdziesci czterdziestu forty",
		50: "piecdziesiat piecdziesieciu fifty", 60: "szescdziesiat szescdziesieciu sixty", 70: "siedemdziesiat siedemdziesieciu seventy",
		80: "osiemdziesiat osiemdziesieciu eighty", 90: "dziewiecdziesiat dziewiecdziesieciu ninety",
		100: "sto stu hundred", 200: "dwiescie dwustu", 300: "trzysta trzystu", 400: "czterysta czterystu", 500: "piecset pieciuset",
		600: "szescset szesciuset", 700: "siedemset siedmiuset", 800: "osiemset osmiuset", 900: "dziewiecset dziewieciuset",
	} {
		for w := range words(list) {
			m[w] = value
		}
	}
	return m
}

// numberAt reads the number that starts at a token, in digits or words, and
// returns the token after it.
func numberAt(toks []token, i int) (v float64, end int, ok bool) {
	if toks[i].kind == kindNumber {
		return toks[i].value, i + 1, true
	}
	for end = i; end < len(toks) && toks[end].kind == kindWord; end++ {
		w, known := numberWords[toks[end].fold]
		switch {
		case toks[end].fold == "hundred" && v > 0:
			v *= 100
		case toks[end].fold == "jeden" && v >= 20, toks[end].fold == "one" && v >= 20:
			v++
		case !known || v > 0 && (w >= v || w < 1):
			return v, end, end > i
		default:
			v += w
		}
	}
	return v, end, end > i
}

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
	best, bestScore := 0, -1
	for i := range toks {
		if toks[i].kind != kindNumber && (toks[i].kind != kindWord || numberWords[toks[i].fold] == 0) || toks[i].taken != fieldNone {
			continue
		}
		v, end, ok := numberAt(toks, i)
		if !ok {
			continue
		}
		unitEnd := areaUnitAt(toks, end)
		named := unitEnd == 0 && nearBefore(toks, i, areaNouns, 3) && !followedByUnit(toks, end)
		if unitEnd == 0 && !named || v < minArea || v > maxArea || perUnit(toks, i) {
			continue
		}
		if unitEnd == 0 {
			unitEnd = end
		}
		score := areaScore(toks, i, unitEnd)
		for k := i; k < unitEnd; k++ {
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

// areaScore ranks the area of the property over that of a room; a balcony's is
// below 0.
func areaScore(toks []token, i, end int) int {
	score := 5 + stanceBefore(toks, i).score()/2
	near := func(k int, list []string) bool {
		return k >= 0 && k < len(toks) && toks[k].kind == kindWord && hasPrefixOf(toks[k].fold, list)
	}
	for k := i - 1; k >= i-3 && k >= 0 && !toks[k].breaks(); k-- {
		switch {
		case near(k, sideSpaces):
			return -5
		case near(k, roomWords):
			score -= 3
		case toks[k].is(propertyWords):
			score += 2
		}
	}
	if near(end, sideSpaces) {
		return -5
	}
	if near(end, roomWords) {
		score -= 3
	}
	return score
}

// perUnit reports that the number counts the unit of a price: "za 1 m2".
func perUnit(toks []token, i int) bool {
	return i > 0 && (toks[i-1].fold == "/" || toks[i-1].fold == "per")
}

// bareArea reads the only number of a short answer to "how many metres".
func bareArea(toks []token) int {
	found := 0
	for i := range toks {
		t := &toks[i]
		if t.kind != kindNumber {
			continue
		}
		if t.taken != fieldNone || found > 0 || len(toks) > 6 || followedByUnit(toks, i+1) || t.value < minBareArea || t.value > maxBareArea {
			return 0
		}
		found = int(math.Floor(t.value + 0.5))
	}
	return found
}

// followedByUnit reports that the number counts something else: rooms, money,
// floors, a date.
func followedByUnit(toks []token, end int) bool {
	if end >= len(toks) {
		return false
	}
	t := &toks[end]
	if t.kind == kindPunct {
		return t.fold == "/" || t.fold == "%" || t.fold == "€" || t.fold == "$" || t.fold == ":" || t.fold == "-" && end+1 < len(toks) && toks[end+1].kind == kindNumber
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
