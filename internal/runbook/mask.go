package runbook

import (
	"net/netip"
	"regexp"
	"strings"
	"unicode/utf8"
)

// hidden stands for what a mask leaves out.
const hidden = "***"

// addressLike finds what may be an e-mail address within a text: the characters
// that no address holds end it.
var addressLike = regexp.MustCompile(`[^\s<>,;()"]+@[^\s<>,;()"]+`)

// maskAddresses masks every e-mail address in a text. The user and host of a URL
// are none.
func maskAddresses(text string) string {
	return addressLike.ReplaceAllStringFunc(text, func(found string) string {
		if strings.Contains(found, "://") {
			return found
		}
		return maskEmail(found)
	})
}

// masked masks the addresses in a text when the command is about a person.
func (e *Env) masked(text string) string {
	if !e.personal {
		return text
	}
	return maskAddresses(text)
}

// maskEmail keeps the first character of both sides and the last label:
// j***@f***.example.
func maskEmail(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return maskWord(address)
	}
	domain := address[at+1:]
	if dot := strings.LastIndexByte(domain, '.'); dot > 0 {
		return maskWord(address[:at]) + "@" + maskWord(domain[:dot]) + domain[dot:]
	}
	return maskWord(address[:at]) + "@" + maskWord(domain)
}

// maskWord keeps the first character.
func maskWord(word string) string {
	if word == "" {
		return ""
	}
	_, size := utf8.DecodeRuneInString(word)
	return word[:size] + hidden
}

// maskName keeps the first character of every word.
func maskName(name string) string {
	words := strings.Fields(name)
	for i, word := range words {
		words[i] = maskWord(word)
	}
	return strings.Join(words, " ")
}

// maskPhone keeps the last two digits.
func maskPhone(phone string) string {
	if len(phone) < 6 {
		return maskText(phone)
	}
	return hidden + phone[len(phone)-2:]
}

// maskIP keeps the network: a /16 of IPv4, a /32 of IPv6.
func maskIP(text string) string {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return maskText(text)
	}
	bits := 32
	if a = a.Unmap().WithZone(""); a.Is4() {
		bits = 16
	}
	p, _ := a.Prefix(bits) // both are within the address
	return p.String()
}

// maskText tells only that there is a text.
func maskText(text string) string {
	if text == "" {
		return ""
	}
	return hidden
}
