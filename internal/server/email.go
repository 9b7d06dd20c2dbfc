package server

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// maxEmail is the longest address, in characters, as the tables hold them.
const maxEmail = 255

// emailAddress is an e-mail address that a person typed.
type emailAddress struct {
	typed string // trimmed
	// mail is where mail goes: as typed, but with a domain in ASCII.
	mail string
	// key is what two spellings of an address have in common: lower case, the
	// domain in ASCII.
	key string
	// proved: a token has named it, so that whoever asks reads its mail.
	proved bool
}

var domainProfile = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true), idna.VerifyDNSLength(true))

// parseEmail normalises an address (trim, NFC, IDNA to ASCII, lower case), then
// checks it: one @, a local part that is a dot-atom (RFC 5322, section 3.2.3;
// letters of all languages, RFC 6531), and a domain of at least two labels.
func parseEmail(text string) (emailAddress, bool) {
	a := emailAddress{typed: strings.TrimSpace(text)}
	if utf8.RuneCountInString(a.typed) > maxEmail {
		return a, false
	}
	local, domain, ok := strings.Cut(norm.NFC.String(a.typed), "@")
	if !ok || !validLocal(local) {
		return a, false
	}
	ascii, err := domainProfile.ToASCII(domain)
	if err != nil || !validDomain(ascii) {
		return a, false
	}
	a.key = norm.NFC.String(strings.ToLower(local)) + "@" + ascii
	if isASCII(domain) {
		ascii = domain // the case as typed
	}
	a.mail = local + "@" + ascii
	return a, utf8.RuneCountInString(a.key) <= maxEmail
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
