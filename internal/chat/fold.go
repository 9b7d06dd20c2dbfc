package chat

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"chatops/internal/chatops"
)

// foldPairs lists, pairwise, the letters whose Unicode decomposition does not
// give their plain Latin letter, or that are too common here to decompose.
const foldPairs = "ąaćcęełlńnóośsźzżzàaáaâaãaäaåaçcèeéeêeëeìiíiîiïiñnòoôoõoöoøoùuúuûuüuýyÿyßsđdðdıičcďděeňnřršsťtůužzłl"

// foldTable maps the letters below its length to their plain lower-case form.
var foldTable = makeFoldTable()

func makeFoldTable() [0x180]rune {
	var t [0x180]rune
	for r := range t {
		t[r] = unicode.ToLower(rune(r))
	}
	pairs := []rune(foldPairs)
	for i := 0; i+1 < len(pairs); i += 2 {
		t[pairs[i]] = pairs[i+1]
		if up := unicode.ToUpper(pairs[i]); int(up) < len(t) && up > 0x7f {
			t[up] = pairs[i+1]
		}
	}
	return t
}

// fold lower-cases a word and takes its diacritics away, the l-stroke included,
// and drops apostrophes: what is left compares equal however it was typed.
// It allocates nothing for a word that is folded already.
func fold(s string) string {
	plain := true
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || c >= 'A' && c <= 'Z' || c == '\'' || c == '`' {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	b := make([]byte, 0, len(s))
	for _, r := range s {
		switch {
		case isApostrophe(r) || unicode.Is(unicode.Mn, r):
		case int(r) < len(foldTable):
			b = utf8.AppendRune(b, foldTable[r])
		default:
			b = utf8.AppendRune(b, unicode.ToLower(r))
		}
	}
	return string(b)
}

func isApostrophe(r rune) bool { return r == '\'' || r == '’' || r == '`' || r == '´' || r == '‘' }

// normalise brings a message into the form that is read for facts: compatibility
// composed (m² is m2, full-width letters are plain, no-break spaces are spaces),
// without invisible characters, at most maxNormalised bytes long.
func normalise(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if !norm.NFKC.IsNormalString(s) {
		s = compose(s)
	}
	if len(s) > maxNormalised {
		s = strings.ToValidUTF8(s[:maxNormalised], "")
	}
	if strings.IndexFunc(s, invisible) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if invisible(r) {
			return -1
		}
		return r
	}, s)
}

// compose is norm.NFKC.String for the first maxNormalised bytes: some characters
// become eighteen.
func compose(s string) string {
	out := make([]byte, 0, len(s)+16)
	var it norm.Iter
	for it.InitString(norm.NFKC, s); !it.Done() && len(out) < maxNormalised; {
		out = append(out, it.Next()...)
	}
	return string(out)
}

// maxNormalised bounds the work per message: 4,000 runes of at most 4 bytes,
// whatever compatibility composition makes of them.
const maxNormalised = 4 * chatops.MaxMessageLength

// invisible reports characters that a reader does not see and that would split
// an address or a word: soft hyphen, zero-width and bidirectional controls,
// variation selectors.
func invisible(r rune) bool {
	switch {
	case r < 0xAD:
		return false
	case r == 0xAD, r == 0x2060, r == 0xFEFF:
		return true
	case r >= 0x200B && r <= 0x200F, r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069:
		return true
	}
	return r >= 0xFE00 && r <= 0xFE0F
}

// cleanText makes a message safe to store and show: invalid UTF-8 and control
// characters other than tab and line feed become U+FFFD, line ends line feeds.
func cleanText(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return '\uFFFD'
		}
		return r
	}, s)
}
