package deadletter

import "strings"

// secretKeys name values that are never shown. A colon introduces a value only
// after the names of which prose makes no other use ("invalid token: expired"),
// or after a quoted name.
var secretKeys = []struct {
	name  string
	colon bool
}{
	{"password", true}, {"passwd", true}, {"pwd", true}, {"secret", true}, {"authorization", true},
	{"token", false}, {"api_key", true}, {"apikey", true}, {"api-key", true},
	{"key", false}, {"signature", false}, {"sig", false},
}

// hideCredentials replaces what follows "Bearer", "Basic" and the names of
// secrets.
func hideCredentials(text string) string {
	text = hideAfterScheme(text, "bearer ", 6)
	text = hideAfterScheme(text, "basic ", 8)
	for _, k := range secretKeys {
		text = hideAfterKey(text, k.name, k.colon)
	}
	return text
}

// hideAfterScheme replaces the word after an authentication scheme when it has
// at least the given length.
func hideAfterScheme(text, scheme string, least int) string {
	low := lowerASCII(text)
	var b strings.Builder
	done := 0
	for {
		i := strings.Index(low[done:], scheme)
		if i < 0 {
			b.WriteString(text[done:])
			return b.String()
		}
		start := done + i + len(scheme)
		b.WriteString(text[done:start])
		end := start + wordEnd(text[start:])
		if end-start >= least {
			b.WriteString("[redacted]")
			done = end
		} else {
			done = start
		}
	}
}

// hideAfterKey replaces the value in key=value, "key":"value" and key: value.
func hideAfterKey(text, key string, colon bool) string {
	low := lowerASCII(text)
	var b strings.Builder
	done := 0
	for {
		i := strings.Index(low[done:], key)
		if i < 0 {
			b.WriteString(text[done:])
			return b.String()
		}
		start := done + i + len(key)
		value := valueStart(text[start:], colon)
		b.WriteString(text[done : start+value])
		done = start + value
		if value == 0 {
			continue
		}
		if end := done + wordEnd(text[done:]); end > done {
			b.WriteString("[redacted]")
			done = end
		}
	}
}

// valueStart returns where the value begins in what follows a key, or 0 when
// no value follows.
func valueStart(rest string, colon bool) int {
	i := 0
	if i < len(rest) && (rest[i] == '"' || rest[i] == '\'') {
		i, colon = 1, true
	}
	for i < len(rest) && rest[i] == ' ' {
		i++
	}
	if i == len(rest) || rest[i] != '=' && (rest[i] != ':' || !colon) {
		return 0
	}
	i++
	for i < len(rest) && (rest[i] == ' ' || rest[i] == '"' || rest[i] == '\'') {
		i++
	}
	return i
}

// wordEnd returns where the value at the start of text ends.
func wordEnd(text string) int {
	if strings.HasPrefix(text, "[redacted]") {
		return len("[redacted]")
	}
	if i := strings.IndexAny(text, " \"'&,;}"); i >= 0 {
		return i
	}
	return len(text)
}

// hideTokens replaces strings that look random: keys, hashes, session ids.
func hideTokens(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for i := 0; i < len(text); {
		end := i
		for end < len(text) && isTokenByte(text[end]) {
			end++
		}
		if end == i {
			b.WriteByte(text[i])
			i++
			continue
		}
		b.WriteString(hideToken(text[i:end]))
		i = end
	}
	return b.String()
}

func isTokenByte(c byte) bool {
	return isAlnum(c) || strings.IndexByte("_-+/=~%", c) >= 0
}

// hideToken judges a run of token characters, as a whole and between slashes.
func hideToken(run string) string {
	if len(run) < 16 {
		return run
	}
	if len(run) >= 32 && strings.ContainsAny(run, "0123456789") && mixedCase(run) {
		return "[token]"
	}
	parts := strings.Split(run, "/")
	for i, p := range parts {
		if looksRandom(p) {
			parts[i] = "[token]"
		}
	}
	return strings.Join(parts, "/")
}

// looksRandom tells keys, hashes and ids from words, CamelCase and snake_case.
func looksRandom(s string) bool {
	digits, upper, lower, other, longest, word := 0, 0, 0, 0, 0, 0
	for i := range len(s) {
		word++
		switch c := s[i]; {
		case isDigit(c):
			digits++
		case isUpper(c):
			upper++
		case isAlnum(c):
			lower++
		default:
			other++
			word = 0
		}
		longest = max(longest, word)
	}
	letters := upper + lower
	switch {
	case digits > 0 && letters > 0:
		return len(s) >= 20 || other == 0 && len(s) >= 16
	case digits > 0 || len(s) < 20:
		return false // hideNumbers judges digits
	case upper > 0 && lower > 0:
		return 3*upper >= letters && longest >= 16
	}
	return longest > 24
}

func mixedCase(s string) bool {
	return strings.ToLower(s) != s && strings.ToUpper(s) != s
}

// lowerASCII lowers the ASCII letters of s and keeps every byte in its place.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
