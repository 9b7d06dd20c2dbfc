package chat

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// An address has at most 64 bytes before the @ and 254 in all (RFC 5321,
// section 4.5.3.1, and the erratum to RFC 3696).
const (
	maxEmailLocal = 64
	maxEmail      = 254
)

// findEmails returns the spans of the well-formed e-mail addresses of a text.
func findEmails(s string) []span {
	var out []span
	for from := 0; from < len(s); {
		at := strings.IndexByte(s[from:], '@')
		if at < 0 {
			break
		}
		at += from
		start, end := at, at+1
		for start > from && isLocalByte(s[start-1]) {
			start--
		}
		for start < at && s[start] == '.' {
			start++
		}
		end = domainEnd(s, end)
		if end < len(s) && s[end] == '@' || start > 0 && s[start-1] == '@' || partOfWord(s, start) {
			from = at + 1
			continue
		}
		if validLocal(s[start:at]) && validDomain(s[at+1:end]) && end-start <= maxEmail {
			out = append(out, span{start: start, end: end, field: fieldEmail})
			from = end
			continue
		}
		from = at + 1
	}
	return out
}

// partOfWord reports whether the rune before i is a letter or digit, so that
// what starts at i is only the tail of something else.
func partOfWord(s string, i int) bool {
	r, _ := utf8.DecodeLastRuneInString(s[:i])
	return i > 0 && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

func isLocalByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("._%+-", c) >= 0
}

func validLocal(s string) bool {
	return s != "" && len(s) <= maxEmailLocal && s[len(s)-1] != '.' && !strings.Contains(s, "..")
}

// domainEnd returns where the host name that starts at i ends. A dot belongs to
// it only before another label; a label that starts a new sentence ("x.pl.Dzwoń")
// does not.
func domainEnd(s string, i int) int {
	start := i
	for i < len(s) {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-':
			i += size
		case r == '.':
			next, n := utf8.DecodeRuneInString(s[i+1:])
			if n == 0 || !unicode.IsLetter(next) && !unicode.IsDigit(next) {
				return i
			}
			if unicode.IsUpper(next) && i > start && hasLower(s[start:i]) && strings.IndexByte(s[start:i], '.') >= 0 {
				return i
			}
			i++
		default:
			return i
		}
	}
	return i
}

func hasLower(s string) bool { return strings.IndexFunc(s, unicode.IsLower) >= 0 }

func validDomain(s string) bool {
	labels := strings.Split(s, ".")
	if len(labels) < 2 {
		return false
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
	}
	top := labels[len(labels)-1]
	return utf8.RuneCountInString(top) >= 2 && strings.IndexFunc(top, func(r rune) bool { return !unicode.IsLetter(r) }) < 0
}

// findLinks returns the spans of web addresses, so that their parts are not
// read as names or cities.
func findLinks(s string) []span {
	var out []span
	for _, mark := range []string{"http://", "https://", "www."} {
		for from := 0; ; {
			i := strings.Index(s[from:], mark)
			if i < 0 {
				break
			}
			i += from
			end := i
			for end < len(s) && s[end] > ' ' {
				end++
			}
			out = append(out, span{start: i, end: end})
			from = end
		}
	}
	return out
}

// digitGroup is a run of digits of a possible phone number.
type digitGroup struct{ start, end int }

func (g digitGroup) len() int { return g.end - g.start }

// phoneRun is digit groups that stand together, separated by at most a space,
// hyphen, dot, slash or bracket.
type phoneRun struct {
	groups []digitGroup
	plus   bool // a plus sign stands before the first group
	start  int  // of the plus sign or the first group
}

// findPhones returns the spans and E.164 numbers of the phone numbers of a text.
func findPhones(s string) ([]span, []string) {
	var spans []span
	var numbers []string
	for i := 0; i < len(s); {
		if s[i] < '0' || s[i] > '9' {
			i++
			continue
		}
		run, next := readPhoneRun(s, i)
		i = next
		if start, end, number := run.phone(s); number != "" {
			spans = append(spans, span{start: start, end: end, field: fieldPhone})
			numbers = append(numbers, number)
		}
	}
	return spans, numbers
}

func readPhoneRun(s string, i int) (phoneRun, int) {
	run := phoneRun{start: i}
	for k := i; k > 0 && (s[k-1] == '+' || s[k-1] == '(' || s[k-1] == ' '); k-- {
		if s[k-1] == '+' {
			run.plus, run.start = true, k-1
			break
		}
	}
	for {
		j := digitsEnd(s, i)
		run.groups = append(run.groups, digitGroup{i, j})
		k := j
		for k < len(s) && k-j < 3 && strings.IndexByte(" -.()/", s[k]) >= 0 {
			k++
		}
		if k == j || k >= len(s) || s[k] < '0' || s[k] > '9' || len(run.groups) >= 12 {
			return run, j
		}
		i = k
	}
}

// phone returns the number that the run holds, or "". Digits that belong to a
// quantity after them ("60 m2", "300 000 zł") are left to it.
func (p phoneRun) phone(s string) (int, int, string) {
	if !p.plus && (glued(s, p.start) || numberedOtherwise(s, p.start)) {
		return 0, 0, ""
	}
	groups := p.groups
	if n := quantityGroups(s, groups); n > 0 {
		groups = groups[:len(groups)-n]
	}
	if number := phoneNumber(s, groups, p.plus); number != "" {
		return p.start, groups[len(groups)-1].end, number
	}
	if p.plus {
		return 0, 0, ""
	}
	for i := range groups { // a number beside other digits: "60 600 700 800"
		if i+3 <= len(groups) && groups[i].len() == 3 && groups[i+1].len() == 3 && groups[i+2].len() == 3 &&
			(i == 0 || len(groups) == 4) {
			g := groups[i : i+3]
			if number := phoneNumber(s, g, false); number != "" && len(groups) <= 5 {
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
	w := fold(lastWord(s[:i]))
	return !phoneWords[w]
}

// phoneWords introduce a phone number.
var phoneWords = words("tel telefon telefonu nr numer kom komorka phone mobile")

// otherNumbers introduce a number that looks like a phone number and is not.
var otherNumbers = words("pesel nip regon krs konto konta iban rachunek rachunku faktury faktura zamowienia dowod dowodu account invoice order")

func numberedOtherwise(s string, i int) bool {
	before := strings.TrimRight(s[:i], " :.-")
	w := fold(lastWord(before))
	if w == "nr" || w == "numer" || w == "to" {
		before = strings.TrimRight(before[:len(before)-len(lastWord(before))], " :.-")
		w = fold(lastWord(before))
	}
	return otherNumbers[w]
}

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
func quantityGroups(s string, groups []digitGroup) int {
	last := groups[len(groups)-1]
	rest := strings.TrimLeft(s[last.end:], " ")
	if strings.HasPrefix(rest, ",") && len(rest) > 1 && rest[1] >= '0' && rest[1] <= '9' {
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
// no phone number. Nine digits are Polish; other countries need + or 00.
func phoneNumber(s string, groups []digitGroup, plus bool) string {
	if len(groups) == 0 {
		return ""
	}
	var b strings.Builder
	for _, g := range groups {
		b.WriteString(s[g.start:g.end])
	}
	d := b.String()
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
	case len(d) == 9 && d[0] != '0' && phoneShaped(groups):
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
