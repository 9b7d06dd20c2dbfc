package chat

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"chatops/internal/chat/llm"

	"chatops/internal/chatops"
)

// check returns the reply as the visitor may see it, or why it may not be seen.
// Whoever controls the model, by what a message says or from the endpoint, gets
// past it with claims in words only: every number, price, address and link must
// stand in the entries that the reply was to be worded from.
func (l *LLM) check(p *prompt, written *llm.Completion) (string, LLMReason) {
	text := tidy(written.Text)
	switch {
	case written.TooLong || utf8.RuneCountInString(text) > l.opts.MaxReply:
		return "", ReasonTooLong
	case !written.Complete:
		return "", ReasonUnfinished
	case text == "":
		return "", ReasonEmpty
	case strings.ContainsFunc(text, strangeRune):
		return "", ReasonCharacters
	case markup().MatchString(text):
		return "", ReasonMarkup
	}
	s := normalise(text)
	words := foldedWords(s)
	switch {
	case holdsSecret(s, l.opts.APIKey):
		return "", ReasonSecret
	case holdsSecret(s, p.canary), holdsSecret(s, p.marker), l.rules.heardIn(words):
		return "", ReasonLeak
	case opaque(s, p.grounds.words):
		return "", ReasonOpaque
	case p.grounds.strangeContact(s):
		return "", ReasonContact
	}
	if reason := p.checkClaims(s, words); reason != "" {
		return "", reason
	}
	if !p.inLanguage(s) {
		return "", ReasonLanguage
	}
	return text, ""
}

// checkClaims compares the numbers of a reply with those of the entries.
func (p *prompt) checkClaims(s string, words []string) LLMReason {
	claims, loose := claimsIn(p.grounds.x, s)
	if loose || p.offersWords(words) {
		return ReasonPrice
	}
	for _, c := range claims {
		if p.grounds.stated(c, &p.facts) {
			continue
		}
		if c.kind == claimMoney || c.kind == claimForeign || c.kind == claimPercent || c.priced || c.pkg != "" {
			return ReasonPrice
		}
		return ReasonNumber
	}
	for _, w := range words { // "PLN1" is a word to the tokeniser
		if unicode.IsLetter(rune(w[0])) && strings.ContainsFunc(w, unicode.IsDigit) && !areaUnit(w) && !p.grounds.words[w] {
			return ReasonNumber
		}
	}
	return ""
}

// offers are beginnings of words that promise money without a number.
var offers = []string{"darmo", "bezplat", "gratis", "free", "rabat", "znizk", "promocj", "upust", "discount", "taniej", "cheaper", "polow", "refund", "zwrot"}

// offersWords reports a promise in words that no entry makes.
func (p *prompt) offersWords(words []string) bool {
	for i, w := range words {
		at := slices.IndexFunc(offers, func(o string) bool { return strings.HasPrefix(w, o) })
		if at < 0 || w == "free" && i > 0 && words[i-1] == "feel" {
			continue
		}
		made := false
		for known := range p.grounds.words {
			made = made || strings.HasPrefix(known, offers[at])
		}
		if !made {
			return true
		}
	}
	return false
}

// tidy brings a reply into the form of our own answers. What models do out of
// habit is mended; whatever else is wrong is left for the checks.
func tidy(s string) string {
	s = strings.ReplaceAll(norm.NFC.String(strings.ToValidUTF8(s, "\uFFFD")), "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r != '\n' && unicode.Is(unicode.Zs, r):
			return ' '
		case r == '\uFE0E', r == '\uFE0F': // how a sign is drawn
			return -1
		case r == '\u2010', r == '\u2011':
			return '-'
		}
		return r
	}, s)
	s = strings.ReplaceAll(s, "**", "")
	lines := strings.Split(s, "\n")
	out := lines[:0]
	for _, line := range lines {
		line = strings.TrimSpace(line)
		for _, bullet := range []string{"- ", "* ", "– "} {
			if rest, ok := strings.CutPrefix(line, bullet); ok {
				line = "• " + rest
			}
		}
		if line != "" || len(out) > 0 && out[len(out)-1] != "" {
			out = append(out, line)
		}
	}
	return strings.TrimSpace(strings.Join(out, "\n"))
}

// strangeRune reports a character that has no place in a Polish or English
// answer: controls, escape sequences, invisible and private ones, combining
// marks, letters and digits of other scripts.
func strangeRune(r rune) bool {
	switch {
	case r == '\n':
		return false
	case !unicode.IsPrint(r), r == utf8.RuneError, unicode.Is(unicode.M, r):
		return true
	case unicode.IsLetter(r):
		return !unicode.Is(unicode.Latin, r)
	case unicode.IsDigit(r):
		return r > '9'
	}
	return false
}

// markup is whatever a page or a Markdown viewer would not show as it stands,
// the square brackets of our placeholders, and the signs of other formats.
var markup = chatops.Pattern("[<>\\[\\]{}`|\\\\*^]|~~|__|(?m:^\\s*#|^\\s*(?:-{3,}|={3,}|_{3,})\\s*$)|(?:^|\\s)_\\S|(?i:&(?:#\\w+|[a-z]{2,8});)")

// A secret betrays itself by so many of its characters in a row, whatever stands
// between them, forwards or backwards.
const secretRun = 10

// minSecret is the length from which a key is one: "ollama" is a word.
const minSecret = 8

func holdsSecret(text, secret string) bool {
	if secret = alphanumeric(secret); len(secret) < minSecret {
		return false
	}
	text = alphanumeric(text)
	backwards := []byte(secret)
	slices.Reverse(backwards)
	n := min(secretRun, len(secret))
	for i := 0; i+n <= len(secret); i++ {
		if strings.Contains(text, secret[i:i+n]) || strings.Contains(text, string(backwards[i:i+n])) {
			return true
		}
	}
	return false
}

// alphanumeric keeps the letters and digits of ASCII, in lower case.
func alphanumeric(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, s)
}

const (
	longestWord  = 30 // letters; longer ones are encoded
	longestMixed = 16 // letters and digits mixed
	maxSpelled   = 4  // single letters in a row
)

// opaque reports encoded or spelled-out text.
func opaque(s string, known map[string]bool) bool {
	spelled := 0
	for _, w := range foldedWords(s) {
		n := utf8.RuneCountInString(w)
		digits := strings.ContainsFunc(w, unicode.IsDigit) && strings.ContainsFunc(w, unicode.IsLetter)
		if (n > longestWord || digits && n > longestMixed) && !known[w] {
			return true
		}
		if n > 1 || w[0] <= '9' {
			spelled = 0
		} else if spelled++; spelled > maxSpelled {
			return true
		}
	}
	return false
}
