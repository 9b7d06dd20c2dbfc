package server

import "chatops/internal/consent"

// emailAddress is an e-mail address that a person typed.
type emailAddress struct {
	typed string // trimmed
	mail  string // where mail goes
	key   string // what two spellings of an address have in common
	// proved: a token has named it, so that whoever asks reads its mail.
	proved bool
	// askedAt is the withdrawal mark that a link which confirms was made with.
	askedAt string
}

// parseEmail reads an address by the rules of internal/consent.
func parseEmail(text string) (emailAddress, bool) {
	a, ok := consent.ParseEmail(text)
	return emailAddress{typed: a.Typed, mail: a.Mail, key: a.Key}, ok
}
