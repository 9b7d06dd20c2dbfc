package server

import (
	"strings"
	"time"

	"chatops/internal/chatops"
)

// Tokens signs links and reads what was signed.
type Tokens interface {
	// Sign makes a token for an address; with a zero time it never expires.
	Sign(purpose, emailKey string, expires time.Time) string
	// Verify returns the address that a token was made for. Its errors are alike
	// for everything that can be wrong with a token, and take alike long.
	Verify(purpose, token string) (emailKey string, err error)
}

// errBadLink is the one answer to tokens that are cut, expired, of another
// purpose, key or address: what is wrong with a guess is not told.
const errBadLink = "Invalid or expired link"

// maxToken bounds what is looked at, in bytes.
const maxToken = 2048

// tokenAddress returns the address of a token; false when it is worth nothing.
func (s *Server) tokenAddress(purpose, token string) (*emailAddress, bool) {
	if s.opts.Tokens == nil || token == "" || len(token) > maxToken {
		return nil, false
	}
	key, err := s.opts.Tokens.Verify(purpose, token)
	if err != nil || key == "" {
		return nil, false
	}
	a := &emailAddress{proved: true}
	if purpose == chatops.PurposeConfirm {
		at := strings.LastIndexByte(key, ' ')
		if at < 1 || at == len(key)-1 {
			return nil, false
		}
		key, a.askedAt = key[:at], key[at+1:]
	}
	a.key, a.mail = key, key
	return a, true
}

// confirmSubject is what a link that confirms is signed for: the address, and
// its withdrawal mark when the person was asked. Whatever is withdrawn later
// holds against the link.
func confirmSubject(key, mark string) string { return key + " " + mark }

// token reads the member token; nil when it is absent, null or blank. It must
// be of the address that is named beside it.
func (s *Server) token(o object, named *emailAddress) (*emailAddress, error) {
	text, err := o.text("token")
	if err != nil || strings.TrimSpace(text) == "" {
		return named, err
	}
	owner, ok := s.tokenAddress(chatops.PurposeUnsubscribe, text)
	if !ok || named != nil && named.key != owner.key {
		return nil, chatops.Errorf(chatops.CodeInvalid, errBadLink)
	}
	if named != nil {
		owner.typed = named.typed
	}
	return owner, nil
}

// masked shows whose address is meant to whoever knows it: "j•••@x.pl".
func masked(key string) string {
	local, domain, _ := strings.Cut(key, "@")
	first := ""
	for _, r := range local {
		first = string(r)
		break
	}
	return first + "•••@" + domain
}
