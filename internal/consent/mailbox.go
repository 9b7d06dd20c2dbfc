package consent

import (
	"slices"
	"strings"

	"golang.org/x/net/idna"

	"chatops/internal/chatops"
)

// Mailbox is how a person is looked up by an address.
type Mailbox struct {
	Key string
	// Spellings are what lower(email) of a stored address may be. They tell who
	// the person is.
	Spellings []string
	// Suppressing is what suppression.loose_key is in rows that hold for the
	// address: its loose key, and the marks that erasure left. They tell who must
	// be left alone.
	Suppressing []string
}

// NewMailbox makes the Mailbox of a normalised address; marks, when not nil,
// returns its marks. Of "" it has no spellings: nobody is found.
func NewMailbox(key string, marks func(emailKey string) []string) Mailbox {
	m := Mailbox{Key: key, Spellings: []string{}, Suppressing: []string{}}
	if key == "" {
		return m
	}
	m.Spellings = spellings(key)
	m.Suppressing = append(m.Suppressing, LooseKey(key))
	if marks != nil {
		m.Suppressing = append(m.Suppressing, marks(key)...)
	}
	return m
}

// KeyOf returns the key of an address as it is stored somewhere; of what is no
// address, the text in lower case.
func KeyOf(address string) string {
	if a, ok := ParseEmail(address); ok {
		return a.Key
	}
	return strings.ToLower(strings.TrimSpace(chatops.CleanText(address)))
}

// spellings also has the domain in Unicode: not everybody who stores an address
// normalises it.
func spellings(key string) []string {
	list := chatops.EmailSpellings(key)
	local, domain, ok := strings.Cut(key, "@")
	if !ok || !strings.Contains(domain, "xn--") {
		return list
	}
	unicode, err := idna.ToUnicode(domain)
	if err != nil || unicode == domain {
		return list
	}
	for _, s := range chatops.EmailSpellings(local + "@" + unicode) {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}
