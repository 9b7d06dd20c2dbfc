package deadletter

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"chatops/internal/chatops"
)

const (
	// MaxErrorText is the most characters that Redact returns.
	MaxErrorText = 500
	// maxScrubbed bounds the work on a hostile text, in bytes.
	maxScrubbed = 4096
)

// Redact makes an error text fit to be stored and shown: one line of at most
// MaxErrorText characters without the user, path and query of URLs, e-mail
// addresses, phone and other long numbers, credentials and token-like strings,
// control and formatting characters. It leaves host names, ports, status codes
// and words, and takes away too much rather than too little.
func Redact(text string) string {
	text = scrub(text)
	if utf8.RuneCountInString(text) <= MaxErrorText {
		return text
	}
	runes := []rune(text)
	return string(runes[:MaxErrorText-1]) + "…"
}

// scrub is Redact without the bound on the result.
func scrub(text string) string {
	text = oneLine(bounded(text))
	if text == "" {
		return ""
	}
	text = hideURLs(text)
	text = hideAddresses(text)
	text = hideCredentials(text)
	text = hideTokens(text)
	return hideNumbers(text)
}

// bounded cuts a long text where no half of a secret is left behind: the word
// and the row of digits at the cut are dropped with it.
func bounded(text string) string {
	if len(text) <= maxScrubbed {
		return text
	}
	text = text[:maxScrubbed]
	if i := strings.LastIndexAny(text, " \t\r\n"); i > 0 {
		text = text[:i]
	}
	return strings.TrimRight(text, "0123456789+-./() \t\r\n")
}

// oneLine makes valid UTF-8 on one line: control characters and spaces become
// one space, formatting characters (zero width, bidi) vanish, full-width forms
// become the ASCII that they look like.
func oneLine(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	space := false
	for _, r := range chatops.CleanText(text) {
		switch {
		case r >= 0xFF01 && r <= 0xFF5E:
			r -= 0xFEE0
		case r == 0xFE6B:
			r = '@'
		case unicode.Is(unicode.Cf, r), r == utf8.RuneError:
			continue
		case unicode.IsSpace(r), unicode.IsControl(r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
			space = true
			continue
		}
		if space && b.Len() > 0 {
			b.WriteByte(' ')
		}
		space = false
		b.WriteRune(r)
	}
	return b.String()
}

// eachWord rebuilds a text, replacing each longest run of characters that are
// not delimiters.
func eachWord(text, delimiters string, replaceFunc func(word string) string) string {
	var b strings.Builder
	b.Grow(len(text))
	for text != "" {
		n := strings.IndexAny(text, delimiters)
		switch {
		case n < 0:
			n = len(text)
		case n == 0:
			b.WriteByte(text[0])
			text = text[1:]
			continue
		}
		b.WriteString(replaceFunc(text[:n]))
		text = text[n:]
	}
	return b.String()
}

// hideURLs leaves scheme, host and port of URLs, and the host of an address
// that is written without a scheme.
func hideURLs(text string) string {
	if !strings.Contains(text, "/") {
		return text
	}
	return eachWord(text, " \"'`<>|", func(word string) string {
		if at := strings.Index(word, "://"); at >= 0 {
			return word[:at+3] + hideLocation(word[at+3:])
		}
		start := strings.LastIndexAny(word[:max(0, strings.Index(word, "/"))], "(=,[{") + 1
		host, path, _ := strings.Cut(word[start:], "/")
		if path == "" || !looksLikeHost(host) {
			return word
		}
		return word[:start] + host + "/[redacted]"
	})
}

// hideLocation leaves the host of what follows the scheme of a URL.
func hideLocation(rest string) string {
	end := strings.IndexAny(rest, `/?#\`)
	authority, path := rest, ""
	if end >= 0 {
		authority, path = rest[:end], rest[end:]
	}
	if strings.Contains(path, "@") || strings.Contains(path, "%40") {
		return "[redacted]" // a password may hold a slash
	}
	authority = authority[strings.LastIndexByte(authority, '@')+1:]
	for host := range strings.SplitSeq(authority, ",") {
		if !plainHost(host) {
			return "[redacted]"
		}
	}
	switch path {
	case "", "/":
		return authority + path
	}
	return authority + "/[redacted]"
}

// plainHost reports whether s is a host with or without a numeric port, and not
// half of user:password.
func plainHost(s string) bool {
	for _, placeholder := range []string{"[redacted]", "[number]", "[token]"} {
		s = strings.ReplaceAll(s, placeholder, "x")
	}
	if strings.HasPrefix(s, "[") {
		return strings.Trim(s, "[]:.%0123456789abcdefABCDEF") == ""
	}
	name, port, _ := strings.Cut(strings.TrimSuffix(s, ":"), ":")
	for i := range len(name) {
		if c := name[i]; !isAlnum(c) && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return strings.Trim(port, "0123456789") == ""
}

// looksLikeHost reports whether s is a dotted name that ends in letters, with
// or without a port.
func looksLikeHost(s string) bool {
	s, _, _ = strings.Cut(s, ":")
	dot := strings.LastIndexByte(s, '.')
	if dot <= 0 || len(s)-dot < 3 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !isAlnum(c) && c != '.' && c != '-' || i > dot && isDigit(c) {
			return false
		}
	}
	return true
}

// hideAddresses replaces e-mail addresses, and user:password@ wherever it is.
func hideAddresses(text string) string {
	if !strings.Contains(text, "@") && !strings.Contains(text, "%40") {
		return text
	}
	return eachWord(text, " <>()[]{},;|=", func(word string) string {
		at, width := strings.LastIndexByte(word, '@'), 1
		if i := strings.LastIndex(word, "%40"); i > at {
			at, width = i, 3
		}
		if at <= 0 {
			return word
		}
		rest := word[at+width:]
		end := strings.IndexFunc(rest, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && r != '.' && r != '-' && r != '_'
		})
		if end < 0 {
			end = len(rest)
		}
		return "[email]" + rest[end:]
	})
}

// hideNumbers replaces what may be a phone or identity number: nine digits or
// more in a row, seven after a plus, whatever separates them. IPv4 addresses
// and dates stay.
func hideNumbers(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for i := 0; i < len(text); {
		c := text[i]
		if !isDigit(c) && c != '+' {
			b.WriteByte(c)
			i++
			continue
		}
		if n := keptNumber(text[i:]); n > 0 {
			b.WriteString(text[i : i+n])
			i += n
			continue
		}
		end, digits := numberRun(text[i:])
		if digits >= 9 || c == '+' && digits >= 7 {
			b.WriteString("[number]")
		} else {
			b.WriteString(text[i : i+end])
		}
		i += end
	}
	return b.String()
}

// numberRun measures the digits at the start of text, with the separators
// between them.
func numberRun(text string) (end, digits int) {
	end = 1
	gap := 0
	for i := 0; i < len(text) && gap <= 2; i++ {
		switch c := text[i]; {
		case isDigit(c):
			if gap > 0 && text[i-1] == ' ' && keptNumber(text[i:]) > 0 {
				return end, digits
			}
			digits, end, gap = digits+1, i+1, 0
		case i == 0 && c == '+':
		case strings.IndexByte(" -.()/", c) >= 0:
			gap++
		default:
			return end, digits
		}
	}
	return end, digits
}

// keptNumber returns the length of an IPv4 address or a date of this or the
// last century at the start of text, or 0.
func keptNumber(text string) int {
	n := 0
	for n < len(text) && (isDigit(text[n]) || text[n] == '.') {
		n++
	}
	candidate := strings.TrimRight(text[:n], ".")
	if a, err := netip.ParseAddr(candidate); err == nil && a.Is4() {
		return len(candidate)
	}
	if len(text) < 10 || text[4] != '-' || text[7] != '-' || text[:2] != "19" && text[:2] != "20" ||
		len(text) > 10 && isDigit(text[10]) {
		return 0
	}
	for _, i := range []int{2, 3, 5, 6, 8, 9} {
		if !isDigit(text[i]) {
			return 0
		}
	}
	return 10
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
func isAlnum(c byte) bool { return isDigit(c) || isUpper(c) || c >= 'a' && c <= 'z' }
