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
