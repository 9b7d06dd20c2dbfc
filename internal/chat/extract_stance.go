package chat

// stance is how the text speaks of a candidate.
type stance int8

const (
	stanceNeutral stance = iota
	stanceRejected
	stancePreferred
)

// score orders candidates; below 0 means not to be taken.
func (s stance) score() int {
	switch s {
	case stanceRejected:
		return -10
	case stancePreferred:
		return 3
	case stanceNeutral:
	}
	return 0
}

var (
	rejecting  = words("nie ani bez zamiast oprocz odpada stary stara stare starego poprzedni poprzednia poprzedniego bledny zly niz not no never dont wont isnt instead without except old wrong than rezygnuje rezygnujemy zrezygnowac")
	preferring = words("tylko wole wolimy wolalbym wolalabym jednak lecz raczej bardziej wybieram wybieramy wybralem wybralam nowy nowa poprawny " +
		"poprawna aktualny aktualna zdecydowanie biore bierzemy wezme wezmiemy wybiore poprosze prosimy zmieniam rzecz prefer rather take new correct choose but")
	// correcting words take back what was said before them; a comma may follow.
	correcting = words("przepraszam sorry sory pardon znaczy wlasciwie pomylka pomylilem pomylilam poprawka poprawiam korekta wroc sprostowanie mialo powinno actually correction mistake meant mean " +
		"oops ups")
	// dismissing words turn down what stands before them.
	dismissing = words("odpada odpadaja drogi drogie drogo slaby slabe slabo ubogi ubogie")
	// turning words end the reach of a "nie" before them.
	turning  = words("a ale czy albo lub i and or if whether wiem jestem pewien pewna mam moge masz know sure macie")
	negating = words("nie not isnt arent doesnt wont")
	denying  = words("nie nope no")
)

// stanceWindow is how many words before a candidate may speak of it.
const stanceWindow = 5

// stanceBefore looks back from a token for a word that turns it down or prefers
// it, within the clause and at most five words.
func stanceBefore(toks []token, i int) stance {
	for k, seen := i-1, 0; k >= 0 && seen < stanceWindow; k-- {
		t := &toks[k]
		switch {
		case t.breaks():
			if correctsAt(toks, k) {
				return stancePreferred
			}
			return stanceNeutral
		case t.kind == kindFact || t.taken == fieldPackage || t.taken == fieldCity:
			return stanceNeutral
		case t.is(preferring) || t.is(correcting):
			return preferredAt(toks, k)
		case t.is(rejecting):
			return stanceRejected
		case t.is(turning):
			return stanceNeutral
		}
		if t.kind == kindWord {
			seen++
		}
	}
	return stanceNeutral
}

// preferredAt judges a preferring word: "nie poproszę" turns down, and so does
// "wszystko tylko nie".
func preferredAt(toks []token, k int) stance {
	if k > 0 && (toks[k-1].fold == "nie" || toks[k-1].fold == "not" || toks[k-1].fold == "dont") {
		return stanceRejected
	}
	return stancePreferred
}

// correctsAt reports that the break at token k follows a word that takes back
// what was said: "56 m2, przepraszam, 65 m2", "Premium? Nie, Comfort".
func correctsAt(toks []token, k int) bool {
	if t := toks[k].fold; t != "," && t != ":" && t != "." && t != "!" || k == 0 {
		return false
	}
	return toks[k-1].is(correcting) || toks[k-1].is(denying) && k > 1 && toks[k-2].breaks()
}

// rejectedAfter reports whether the words after a candidate turn it down:
// "premium odpada", "premium mnie nie interesuje", "premium is too expensive".
func rejectedAfter(toks []token, end int) bool {
	if end < len(toks) && toks[end].fold == "?" && answersNo(toks, end+1) {
		return true
	}
	for k, seen := end, 0; k < len(toks) && seen < 4; k++ {
		t := &toks[k]
		switch {
		case t.breaks() || t.kind == kindFact || t.taken != fieldNone:
			return false
		case t.kind == kindWord && t.is(dismissing):
			return true
		case t.kind == kindWord && t.fold == "expensive" && k > end && toks[k-1].fold == "too":
			return true
		case t.is(negating):
			return k+1 >= len(toks) || toks[k+1].taken == fieldNone
		case t.is(turning):
			return false
		}
		seen++
	}
	return false
}

// answersNo reports a "nie" of its own from token i on: "premium? raczej nie".
func answersNo(toks []token, i int) bool {
	if i < len(toks) && (toks[i].fold == "raczej" || toks[i].fold == "no" && i+1 < len(toks) && toks[i+1].fold == "nie") {
		i++
	}
	return i < len(toks) && toks[i].is(denying) && (i+1 == len(toks) || toks[i+1].breaks())
}

// outdated words say after an address or number that it is no longer right.
var outdated = words("stary stare nieaktualny nieaktualne niewazny niewazne bledny bledne zly zle poprzedni poprzednie dawny dawne old outdated wrong")

// onceWords say it before: "było 600 700 800".
var onceWords = words("bylo byl was wczesniej")

// takeBackWindow is how far apart such two values may stand.
const takeBackWindow = 12

// takesBack reports that the text between two values takes the first one back:
// "60 m2... a nie, sprawdziłem, 62 m2".
func takesBack(toks []token, from, to int) bool {
	if from < 0 || to-from > takeBackWindow {
		return false
	}
	for k := from; k < to; k++ {
		if toks[k].is(correcting) {
			return true
		}
		if toks[k].is(denying) && k+1 < to && toks[k+1].breaks() && (k == from || toks[k-1].breaks() || toks[k-1].fold == "a" || toks[k-1].fold == "oj") {
			return true
		}
	}
	return false
}

// outdatedAfter reports "600 700 800 to stary numer".
func outdatedAfter(toks []token, end int) bool {
	for k, seen := end, 0; k < len(toks) && seen < 4 && !toks[k].breaks() && toks[k].kind != kindFact; k, seen = k+1, seen+1 {
		if toks[k].is(outdated) {
			return true
		}
		if toks[k].fold == "a" || toks[k].fold == "nowy" {
			return false
		}
	}
	return false
}
