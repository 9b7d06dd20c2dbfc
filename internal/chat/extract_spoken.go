package chat

import (
	"strconv"
	"strings"
)

// minSpoken is the least number of spoken parts of a phone number: fewer are a
// quantity.
const minSpoken = 3

// spokenRun is a phone number in words, or in words and digits: "sześćset
// siedemset osiemset", "600 siedemset 800".
type spokenRun struct {
	digits []byte
	parts  int
	words  int // parts that are words
	end    int // the token after the run
	plus   bool
}

// joinSpoken finds phone numbers in words and makes each of them one token. It
// returns the tokens with the spans and numbers found.
func joinSpoken(toks []token) (joined []token, spans []span, numbers []string) {
	joined = toks[:0]
	var buf [maxSpokenDigits + 1]byte // mostly enough
	for i := 0; i < len(toks); {
		if run := readSpoken(buf[:0], toks, i); run.words > 0 && run.parts >= minSpoken && !quantityAt(toks, run.end) {
			if number := e164(string(run.digits), run.plus, true); number != "" {
				sp := span{start: toks[i].start, end: toks[run.end-1].end, field: fieldPhone}
				joined = append(joined, token{start: sp.start, end: sp.end, kind: kindFact, taken: fieldPhone})
				spans, numbers = append(spans, sp), append(numbers, number)
				i = run.end
				continue
			}
		}
		joined = append(joined, toks[i])
		i++
	}
	return joined, spans, numbers
}

// quantityAt reports a unit after a number.
func quantityAt(toks []token, i int) bool {
	return areaUnitAt(toks, i) > 0 || i < len(toks) && toks[i].kind == kindWord && (multipliers[toks[i].fold] > 0 || moneyUnits[toks[i].fold])
}

// readSpoken reads the longest run of digits and number words from token i.
// Its digits go to buf.
func readSpoken(buf []byte, toks []token, i int) spokenRun {
	run := spokenRun{end: i, digits: buf}
	if toks[i].kind != kindNumber && (toks[i].kind != kindWord || !spokenStart(toks[i].fold)) {
		return run
	}
	for run.end < len(toks) && len(run.digits) <= maxSpokenDigits {
		k := run.end
		switch digits, next := spokenPart(run.digits, toks, k); {
		case next > k:
			run.digits = digits
			run.parts++
			if toks[k].kind == kindWord {
				run.words++
			} else {
				run.parts += strings.Count(toks[k].fold, " ")
			}
			run.end = next
			continue
		case run.parts == 0 && !run.plus && toks[k].fold == "plus":
			run.plus, run.end = true, k+1
			continue
		case run.parts > 0 && k+1 < len(toks) && (toks[k].fold == "," || toks[k].fold == "-"):
			if _, next := spokenPart(run.digits, toks, k+1); next > k+1 {
				run.end = k + 1
				continue
			}
		}
		break
	}
	return run
}

// maxSpokenDigits is the most digits of a number with its country and trunk
// prefix.
const maxSpokenDigits = 15

func spokenStart(w string) bool {
	_, number := numberWords[w]
	return number || zeros[w] || w == "plus" || repeats[w] > 0 || ones[w]
}

var (
	zeros   = words("zero zera oh")
	ones    = words("jeden jedynka one")
	repeats = map[string]int{"double": 2, "triple": 3, "podwojne": 2, "potrojne": 3}
)

// spokenPart reads one part of a spoken number: a group of digits, a zero, a
// number below a thousand, "two zeros" or "double five". It returns buf with its
// digits appended and the token after it, i when there is none.
func spokenPart(buf []byte, toks []token, i int) ([]byte, int) {
	t := &toks[i]
	switch {
	case t.kind == kindNumber:
		if len(t.fold) > maxSpokenDigits || strings.ContainsAny(t.fold, ",.'") {
			return buf, i
		}
		for k := range len(t.fold) {
			if c := t.fold[k]; c != ' ' {
				buf = append(buf, c)
			}
		}
		return buf, i + 1
	case t.kind != kindWord || t.taken != fieldNone:
		return buf, i
	case zeros[t.fold]:
		return append(buf, '0'), i + 1
	case repeats[t.fold] > 0 && i+1 < len(toks):
		before := len(buf)
		if more, next := spokenDigit(buf, toks, i+1); next > i+1 {
			for range repeats[t.fold] - 1 {
				more = append(more, more[before])
			}
			return more, next
		}
		return buf, i
	}
	v, next := belowThousand(toks, i)
	if next == i {
		return buf, i
	}
	if next < len(toks) && toks[next].fold == "zera" && v < 10 {
		for range v {
			buf = append(buf, '0') // dwa zera
		}
		return buf, next + 1
	}
	return strconv.AppendInt(buf, int64(v), 10), next
}

// spokenDigit reads a single digit in words.
func spokenDigit(buf []byte, toks []token, i int) ([]byte, int) {
	if toks[i].kind != kindWord || repeats[toks[i].fold] > 0 {
		return buf, i
	}
	more, next := spokenPart(buf, toks, i)
	if len(more) != len(buf)+1 {
		return buf, i
	}
	return more, next
}

// belowThousand reads hundreds, tens and ones in words, each at most once and in
// this order.
func belowThousand(toks []token, i int) (v, end int) {
	for end = i; end < len(toks) && toks[end].kind == kindWord; end++ {
		f, known := numberWords[toks[end].fold]
		w := int(f)
		if ones[toks[end].fold] {
			w, known = 1, true
		}
		if !known || float64(w) != f && w != 1 || w == 0 || w > 999 {
			break
		}
		switch {
		case v == 0:
		case w >= 10 && w < 100 && v%100 == 0, w < 10 && (v%100 == 0 || v%10 == 0 && v%100 >= 20):
		default:
			return v, end
		}
		v += w
	}
	return v, end
}
