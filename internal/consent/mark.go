package consent

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"chatops/internal/chatops"
)

// Marks makes the digests that stay of an address when it is erased: enough to
// recognise it when it comes back, and of no use to anybody without the keys.
type Marks struct{ keys []markKey }

// markKey is a key with the subkey for marks.
type markKey struct {
	id     string
	secret []byte
}

// NewMarks makes Marks of keys, newest first; CodeInvalid when they cannot be
// used.
func NewMarks(keys []chatops.ConsentKey) (*Marks, error) {
	if err := checkKeys(keys); err != nil {
		return nil, err
	}
	m := &Marks{}
	for _, k := range keys {
		m.keys = append(m.keys, markKey{k.ID, subkey(k, "mark")})
	}
	return m, nil
}

// Of returns, for each key, the digest of a normalised address and that of its
// loose key, as texts like "hmac:<id>:<hex>".
func (m *Marks) Of(emailKey string) []string {
	list := make([]string, 0, 2*len(m.keys))
	for _, k := range m.keys {
		list = append(list, k.mark("key", emailKey), k.mark("loose", LooseKey(emailKey)))
	}
	return list
}

// Subject returns the digest under which the access log names an address; ""
// without keys.
func (m *Marks) Subject(emailKey string) string {
	if len(m.keys) == 0 {
		return ""
	}
	return m.keys[0].mark("key", emailKey)
}

func (k markKey) mark(kind, text string) string {
	h := hmac.New(sha256.New, k.secret)
	h.Write(lengthPrefixed(nil, kind))
	h.Write([]byte(text))
	return "hmac:" + k.id + ":" + hex.EncodeToString(h.Sum(nil))
}
