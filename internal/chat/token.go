package chat

import (
	"unicode"
	"unicode/utf8"
)

// kind tells the sorts of token apart.
type kind uint8

const (
	kindWord   kind = iota // letters, and digits after a letter: "m2"
	kindNumber             // a number with its grouping and decimals: "300 000", "64,5"
	kindPunct              // one punctuation mark, symbol or line feed
	kindFact               // an address or number that was recognised before
)

// token is a piece of a message.
type token struct {
	start, end int    // bytes of the normalised text
	fold       string // folded word, or the mark itself
	value      float64
	kind       kind
	capital    bool  // a word that starts with a capital letter
	taken      field // the fact that has used this token
}

// breaks reports whether the token ends a clause.
func (t *token) breaks() bool {
	if t.kind != kindPunct {
		return false
	}
	switch t.fold {
	case ",", ";", ".", "!", "?", ":", "\n", "(", ")", "|", "/", "•", "–", "—":
		return true
	}
	return false
}

// is reports whether the token is one of the words.
func (t *token) is(set map[string]bool) bool { return t.kind == kindWord && set[t.fold] }

// span is a recognised stretch of the text.
type span struct {
	start, end int
	field      field
}

// tokenise cuts a normalised text. Spans, in order, become single tokens.
func tokenise(s string, spans []span) []token {
	toks := make([]token, 0, len(s)/5+4)
	for i := 0; i < len(s); {
		if len(spans) > 0 && i >= spans[0].start {
			sp := spans[0]
			spans = spans[1:]
			toks = append(toks, token{start: sp.start, end: sp.end, kind: kindFact, taken: sp.field})
			i = sp.end
			continue
		}
		limit := len(s)
		if len(spans) > 0 {
			limit = spans[0].start
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case unicode.IsLetter(r):
			end := wordEnd(s[:limit], i+size)
			toks = append(toks, token{start: i, end: end, kind: kindWord, fold: fold(s[i:end]), capital: unicode.IsUpper(r)})
			i = end
		case r >= '0' && r <= '9':
			end, v := readNumber(s[:limit], i)
			toks = append(toks, token{start: i, end: end, kind: kindNumber, value: v, fold: s[i:end]})
			i = end
		default:
			if r == '\n' || !unicode.IsSpace(r) {
				toks = append(toks, token{start: i, end: i + size, kind: kindPunct, fold: s[i : i+size]})
			}
			i += size
		}
	}
	return toks
}

// wordEnd returns where the word that has begun before i ends. An apostrophe
// between letters belongs to it.
func wordEnd(s string, i int) int {
	for i < len(s) {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.Is(unicode.Mn, r):
			i += size
		case isApostrophe(r):
			next, n := utf8.DecodeRuneInString(s[i+size:])
			if n == 0 || !unicode.IsLetter(next) {
				return i
			}
			i += size
		default:
			return i
		}
	}
	return i
}

// readNumber reads the number that starts at i: groups of three digits after a
// space, dot, comma or apostrophe, then decimals. It returns where it ends.
func readNumber(s string, i int) (int, float64) {
	j := digitsEnd(s, i)
	v := digitsValue(s[i:j])
	zero := s[i] == '0'
	if !zero && j-i <= 3 {
		sep := byte(0)
		for j < len(s) && isGroupSep(s[j]) && (sep == 0 || s[j] == sep) && digitsEnd(s, j+1)-(j+1) == 3 {
			sep = s[j]
			v = v*1000 + digitsValue(s[j+1:j+4])
			j += 4
		}
	}
	if j < len(s) && (s[j] == ',' || s[j] == '.') {
		k := digitsEnd(s, j+1)
		if n := k - (j + 1); n == 1 || n == 2 || zero && n > 0 && n <= 6 {
			div := 1.0
			for range n {
				div *= 10
			}
			return k, v + digitsValue(s[j+1:k])/div
		}
	}
	return j, v
}

func isGroupSep(c byte) bool { return c == ' ' || c == '.' || c == ',' || c == '\'' }

func digitsEnd(s string, i int) int {
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return i
}

// digitsValue is the value of up to 15 digits; longer runs are no quantity and
// give a number too large for any fact.
func digitsValue(s string) float64 {
	if len(s) > 15 {
		return 1e18
	}
	var v float64
	for i := range len(s) {
		v = v*10 + float64(s[i]-'0')
	}
	return v
}
