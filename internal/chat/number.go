package chat

import (
	"math"
	"strings"
)

// multipliers scale the number before them.
var multipliers = map[string]float64{
	"tys": 1e3, "tysiac": 1e3, "tysiace": 1e3, "tysiecy": 1e3, "tysiaca": 1e3, "tysi": 1e3, "tysiacach": 1e3, "tysiacami": 1e3, "tysiacom": 1e3, "tysiacem": 1e3, "k": 1e3, "kpln": 1e3, "kzl": 1e3, "thousand": 1e3, "grand": 1e3,
	"mln": 1e6, "milion": 1e6, "miliona": 1e6, "miliony": 1e6, "milionow": 1e6, "milionie": 1e6, "milionem": 1e6, "million": 1e6, "bln": 0, //nolint:misspell // Polish
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
// returns the token after it. A half may follow: "65 i pół".
func numberAt(toks []token, i int) (v float64, end int, ok bool) {
	if toks[i].kind == kindNumber {
		v, end, ok = toks[i].value, i+1, true
	} else {
		v, end = wordsValue(toks, i)
		ok = end > i
	}
	if ok && v >= 1 && v == math.Trunc(v) {
		if k := matchWords(toks, end, "i", "pol"); k > 0 {
			return v + 0.5, k, true
		}
		if k := matchWords(toks, end, "and", "a", "half"); k > 0 {
			return v + 0.5, k, true
		}
	}
	return v, end, ok
}

// matchWords matches words one after the other and returns the token after
// them, or 0.
func matchWords(toks []token, i int, list ...string) int {
	if i+len(list) > len(toks) {
		return 0
	}
	for n, w := range list {
		if toks[i+n].fold != w {
			return 0
		}
	}
	return i + len(list)
}

// wordsValue reads a number below a thousand in words: "sto dwadzieścia pięć",
// "a hundred and twenty", "sixty-five".
func wordsValue(toks []token, i int) (v float64, end int) {
	for end = i; end < len(toks); end++ {
		k := end
		if v > 0 && k+1 < len(toks) && (toks[k].fold == "-" || toks[k].fold == "and" && v >= 100) && toks[k+1].kind == kindWord {
			k++ // sixty-five, a hundred and five
		}
		if toks[k].kind != kindWord {
			break
		}
		w, known := numberWords[toks[k].fold]
		switch {
		case toks[k].fold == "hundred" && v > 0 && v < 10:
			v *= 100
		case ones[toks[k].fold] && v >= 20 && math.Mod(v, 10) == 0:
			v++
		case !known || v > 0 && (w >= magnitude(v) || w < 1):
			return v, end
		default:
			v += w
		}
		end = k
	}
	return v, end
}

// magnitude is what may still be added to a number in words must be below.
func magnitude(v float64) float64 {
	switch {
	case v >= 100 && math.Mod(v, 100) == 0:
		return 100
	case v >= 20 && math.Mod(v, 10) == 0:
		return 10
	}
	return 0
}

// combiningForms are the numbers that open a compound: sześćdziesięciometrowe,
// dwustumetrowy, stutysięczny.
var combiningForms = []struct {
	form  string
	value float64
}{
	{"dziewiecdziesiecio", 90}, {"osiemdziesiecio", 80}, {"siedemdziesiecio", 70}, {"szescdziesiecio", 60}, {"piecdziesiecio", 50}, {"czterdziesto", 40},
	{"trzydziesto", 30}, {"dwudziesto", 20}, {"dziewietnasto", 19}, {"osiemnasto", 18}, {"siedemnasto", 17}, {"szesnasto", 16}, {"pietnasto", 15},
	{"czternasto", 14}, {"trzynasto", 13}, {"dwunasto", 12}, {"jedenasto", 11}, {"dziesiecio", 10}, {"dziewiecio", 9}, {"osmio", 8}, {"siedmio", 7},
	{"szescio", 6}, {"piecio", 5}, {"cztero", 4}, {"trzystu", 300}, {"dwustu", 200}, {"trzech", 3}, {"trzy", 3}, {"dwu", 2}, {"stu", 100},
}

// compound splits a word that begins with numbers: "studwudziestometrowe" gives
// 120 and "metrowe".
func compound(w string) (v float64, rest string) {
	for again := true; again; {
		again = false
		for _, c := range combiningForms {
			if r, ok := strings.CutPrefix(w, c.form); ok && (v == 0 || c.value < magnitude(v)) {
				v, w, again = v+c.value, r, true
				break
			}
		}
	}
	return v, w
}
