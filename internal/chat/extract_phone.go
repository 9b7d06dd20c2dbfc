package chat

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// digitGroup is a run of digits of a possible phone number.
type digitGroup struct{ start, end int }

func (g digitGroup) len() int { return g.end - g.start }

// phoneRun is digit groups that stand together, separated by at most three
// spaces, dashes, dots, slashes, brackets or underscores, or after "tel." and
// the like by a comma.
type phoneRun struct {
	groups []digitGroup
	plus   bool // a plus sign stands before the first group
	start  int  // of the plus sign or the first group
}

// maxPhoneGroups is how many groups of digits one number may be written in, and
// maxPhoneGap how many marks may part two of them.
const (
	maxPhoneGroups = 12
	maxPhoneGap    = 3
	nationalDigits = 9
)

// findPhones returns the spans and E.164 numbers of the phone numbers of a text.
func findPhones(s string) ([]span, []string) {
	var spans []span
	var numbers []string
	d := zeroed(s)
	for i := 0; i < len(d); {
		if d[i] < '0' || d[i] > '9' {
			i++
			continue
		}
		run, next := readPhoneRun(d, i)
		i = next
		if start, end, number := run.phone(d); number != "" {
			spans = append(spans, span{start: start, end: end, field: fieldPhone})
			numbers = append(numbers, number)
		}
	}
	return spans, numbers
}

// zeroed reads the letter O among digits as the zero that was meant: "6OO 7OO".
// The length stays.
func zeroed(s string) string {
	if !strings.ContainsAny(s, "oO") {
		return s
	}
	var b []byte
	for i := 1; i < len(s); i++ {
		if s[i] != 'o' && s[i] != 'O' {
			continue
		}
		before := s[i-1]
		if b != nil {
			before = b[i-1]
		}
		if before < '0' || before > '9' || i+1 < len(s) && s[i+1] != 'o' && s[i+1] != 'O' && !phoneMark(s[i+1]) && (s[i+1] < '0' || s[i+1] > '9') {
			continue
		}
		if b == nil {
			b = []byte(s)
		}
		b[i] = '0'
	}
	if b == nil {
		return s
	}
	return string(b)
}

// phoneMark reports what may stand between the digits of a phone number.
func phoneMark(c byte) bool { return strings.IndexByte(" -.()/_,", c) >= 0 }

func readPhoneRun(s string, i int) (phoneRun, int) {
	run := phoneRun{start: i}
	for k := i; k > 0 && (s[k-1] == '+' || s[k-1] == '(' || s[k-1] == ' '); k-- {
		if s[k-1] == '+' {
			run.plus, run.start = true, k-1
			break
		}
	}
	for digits := 0; ; {
		j := digitsEnd(s, i)
		digits += j - i
		run.groups = append(run.groups, digitGroup{i, j})
		k, comma := phoneGap(s, j)
		if digits >= nationalDigits && strings.Contains(s[j:k], "/") {
			return run, j // another number
		}
		if k == j || k >= len(s) || s[k] < '0' || s[k] > '9' || len(run.groups) >= maxPhoneGroups {
			return run, j
		}
		if comma && (k != j+1 || j-i != 3 || digitsEnd(s, k)-k != 3 || len(run.groups) > 2 || !calledPhone(s, run.start)) {
			return run, j
		}
		i = k
	}
}

// phoneGap returns the end of the marks after position j, a dash of any length
// among them, and whether one is a comma.
func phoneGap(s string, j int) (int, bool) {
	k, comma := j, false
	for n := 0; n < maxPhoneGap && k < len(s); n++ {
		r, size := utf8.DecodeRuneInString(s[k:])
		if r == '–' || r == '—' || r == '‑' || r == '−' || size == 1 && phoneMark(s[k]) {
			comma = comma || r == ','
			k += size
			continue
		}
		break
	}
	return k, comma
}

// phone returns the number that the run holds, or "". Digits that belong to a
// quantity after them ("60 m2", "300 000 zł") are left to it.
func (p phoneRun) phone(s string) (int, int, string) {
	if !p.plus && (glued(s, p.start) || numberedOtherwise(s, p.start)) {
		return 0, 0, ""
	}
	called := calledPhone(s, p.start)
	groups := p.groups
	if n := quantityGroups(s, groups, called); n > 0 {
		groups = groups[:len(groups)-n]
	}
	if number := phoneNumber(s, groups, p.plus, called); number != "" {
		return p.start, groups[len(groups)-1].end, number
	}
	if p.plus {
		return 0, 0, ""
	}
	for i := range groups { // a number beside other digits: "60 600 700 800"
		if i+3 <= len(groups) && groups[i].len() == 3 && groups[i+1].len() == 3 && groups[i+2].len() == 3 &&
			(i == 0 || len(groups) == 4) {
			g := groups[i : i+3]
			if number := phoneNumber(s, g, false, called); number != "" && len(groups) <= 5 {
				return g[0].start, g[2].end, number
			}
		}
	}
	return 0, 0, ""
}

// glued reports whether a letter or underscore stands right before the digits,
// as in a part number; "tel600700800" is no such thing.
func glued(s string, i int) bool {
	if i == 0 {
		return false
	}
	r, _ := utf8.DecodeLastRuneInString(s[:i])
	if !unicode.IsLetter(r) && r != '_' && r != '#' && r != ',' {
		return false
	}
	if r == ',' {
		return i > 1 && s[i-2] >= '0' && s[i-2] <= '9' // the decimals of "64,512345678"
	}
	return !phoneWords[fold(lastWord(s[:i]))]
}

// phoneWords introduce a phone number, dialling verbs included.
var phoneWords = words("tel telefon telefonu telefonem telef nr numer numeru kom komorka komorkowy komorki phone mobile cell number dzwon dzwonic dzwoncie zadzwon zadzwoncie call " +
	"kontakt kontaktowy whatsapp")

// otherNumbers introduce a number that looks like a phone number and is not.
var otherNumbers = words("pesel nip regon krs konto konta iban rachunek rachunku faktury faktura zamowienia zamowienie dowod dowodu umowy umowa zlecenia zlecenie sprawy zgloszenia " +
	"ksiegi dzialki account invoice order reference contract")

// phoneFill stands between a word that introduces a number and the number.
var phoneFill = words("nr numer numeru to is pod na moj mojego mnie do me my at on number telefonu komorkowy kontaktowy")

// introduced returns the last word before position i that is not fill, folded,
// and the one before it.
func introducing(s string, i int) string {
	before := strings.TrimRight(s[:i], " :.-=(+")
	w := fold(lastWord(before))
	for n := 0; n < 3 && phoneFill[w]; n++ {
		rest := strings.TrimRight(before[:len(before)-len(lastWord(before))], " :.-=")
		next := fold(lastWord(rest))
		if next == "" || !phoneFill[next] && !phoneWords[next] && !otherNumbers[next] {
			break
		}
		before, w = rest, next
	}
	return w
}

func numberedOtherwise(s string, i int) bool { return otherNumbers[introducing(s, i)] }

func calledPhone(s string, i int) bool { return phoneWords[introducing(s, i)] }

// lastWord returns the letters that end the text.
func lastWord(s string) string {
	i := len(s)
	for i > 0 {
		r, size := utf8.DecodeLastRuneInString(s[:i])
		if !unicode.IsLetter(r) {
			break
		}
		i -= size
	}
	return s[i:]
}

// quantityGroups counts the last groups that a unit after them makes a quantity.
func quantityGroups(s string, groups []digitGroup, called bool) int {
	last := groups[len(groups)-1]
	rest := strings.TrimLeft(s[last.end:], " ")
	if !called && strings.HasPrefix(rest, ",") && len(rest) > 1 && rest[1] >= '0' && rest[1] <= '9' {
		return trailingNumber(s, groups) // decimals follow
	}
	w := fold(firstWord(rest))
	if !moneyUnits[w] && multipliers[w] == 0 && !areaUnit(w) {
		return 0
	}
	return trailingNumber(s, groups)
}

// trailingNumber counts the groups of the number that ends the run: three-digit
// groups after a leading one, parted by single spaces or dots.
func trailingNumber(s string, groups []digitGroup) int {
	n := 1
	for i := len(groups) - 1; i > 0 && groups[i].len() == 3 && groups[i-1].len() <= 3; i-- {
		if sep := s[groups[i-1].end:groups[i].start]; sep != " " && sep != "." {
			break
		}
		n++
	}
	return n
}

// firstWord returns the letters, and digits after them, that begin the text.
func firstWord(s string) string {
	for i, r := range s {
		if !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return s[:i]
		}
	}
	return s
}

// phoneNumber turns digit groups into E.164 (ITU-T E.164), or "" when they are
// no phone number. called says that the text calls them one, so that any
// grouping will do.
func phoneNumber(s string, groups []digitGroup, plus, called bool) string {
	if len(groups) == 0 {
		return ""
	}
	var b strings.Builder
	for _, g := range groups {
		b.WriteString(s[g.start:g.end])
	}
	return e164(b.String(), plus, called || phoneShaped(groups))
}

// e164 returns the international form of a number. Nine digits are Polish; other
// countries need + or 00.
func e164(d string, plus, shaped bool) string {
	if !plus && strings.HasPrefix(d, "00") {
		d, plus = d[2:], true
	}
	switch {
	case plus && strings.HasPrefix(d, "48"):
		d = strings.TrimPrefix(d[2:], "0")
		if len(d) != 9 || d[0] == '0' {
			return ""
		}
		return "+48" + d
	case plus:
		if len(d) < 8 || len(d) > 15 || d[0] == '0' {
			return ""
		}
		return "+" + d
	case len(d) == 9 && d[0] != '0' && shaped:
		return "+48" + d
	case len(d) == 11 && strings.HasPrefix(d, "48") && d[2] != '0':
		return "+" + d
	case len(d) == 10 && d[0] == '0' && d[1] != '0':
		return "+48" + d[1:]
	}
	return ""
}

// phoneShaped rejects groupings that people do not use for phone numbers.
func phoneShaped(groups []digitGroup) bool {
	if len(groups) > 5 {
		return len(groups) == 9
	}
	for _, g := range groups {
		if g.len() == 1 || g.len() == 4 && g != groups[len(groups)-1] {
			return false
		}
	}
	return true
}
