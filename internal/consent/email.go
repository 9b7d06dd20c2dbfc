package consent

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// maxEmail is the longest address, in characters, as the tables hold them.
const maxEmail = 255

// Email is an e-mail address that a person typed.
type Email struct {
	Typed string // trimmed
	// Mail is where mail goes: as typed, but with a domain in ASCII.
	Mail string
	// Key is what two spellings of an address have in common: lower case, the
	// domain in ASCII.
	Key string
}

var domainProfile = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true), idna.VerifyDNSLength(true))

// ParseEmail normalises an address (trim, NFC, IDNA to ASCII, lower case), then
// checks it: one @, a local part that is a dot-atom (RFC 5322, section 3.2.3;
// letters of all languages, RFC 6531), and a domain of at least two labels.
func ParseEmail(text string) (Email, bool) {
	a := Email{Typed: strings.TrimSpace(text)}
	if utf8.RuneCountInString(a.Typed) > maxEmail {
		return a, false
	}
	local, domain, ok := strings.Cut(norm.NFC.String(a.Typed), "@")
	if !ok || !validLocal(local) {
		return a, false
	}
	ascii, err := domainProfile.ToASCII(domain)
	if err != nil || !validDomain(ascii) {
		return a, false
	}
	a.Key = norm.NFC.String(strings.ToLower(local)) + "@" + ascii
	if isASCII(domain) {
		ascii = domain // the case as typed
	}
	a.Mail = local + "@" + ascii
	return a, utf8.RuneCountInString(a.Key) <= maxEmail
}

// validLocal accepts printable characters except those that have a meaning in a
// header: no mail program could be made to see two addresses or a new line.
func validLocal(local string) bool {
	if local == "" || local[0] == '.' || local[len(local)-1] == '.' || strings.Contains(local, "..") {
		return false
	}
	for _, r := range local {
		if r == utf8.RuneError || unicode.IsSpace(r) || !unicode.IsPrint(r) || strings.ContainsRune(`()<>[]:;,\"@`, r) {
			return false
		}
	}
	return true
}

// validDomain wants a dot, so that "jan@gmail" is noticed, and a last label
// that is not a number, so that no address of a host passes.
func validDomain(ascii string) bool {
	dot := strings.LastIndexByte(ascii, '.')
	return dot > 0 && dot < len(ascii)-1 && strings.Trim(ascii[dot+1:], "0123456789") != ""
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
