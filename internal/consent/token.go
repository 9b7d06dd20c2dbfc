package consent

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"time"

	"chatops/internal/chatops"
)

const (
	tokenVersion  = 1
	maxSubject    = 4*255 + 64 // an address, and what stands beside it
	expirySize    = 8
	maxTokenBytes = 1 + 1 + maxKeyID + sha256.Size + expirySize + maxSubject
)

// Tokens signs and checks the links that act for a person.
//
// A token is base64url of: version, length of the key's id, the id, a tag of 32
// bytes, and the encrypted expiry and address. The tag is HMAC-SHA-256 over the
// purpose, the key's id and what is encrypted, and its first half is the
// synthetic IV of AES-256-CTR: equal tokens for equal contents, and nothing that
// must never be used twice.
type Tokens struct {
	keys    []tokenKey
	nowFunc func() time.Time
}

// tokenKey is a key with its subkeys.
type tokenKey struct {
	id    string
	mac   []byte
	block cipher.Block
}

// NewTokens makes Tokens of keys, of which the first signs and all verify, and
// a clock. CodeInvalid when there is no key or one cannot be used.
func NewTokens(keys []chatops.ConsentKey, now func() time.Time) (*Tokens, error) {
	if len(keys) == 0 {
		return nil, chatops.Errorf(chatops.CodeInvalid, "no consent key: %s", keysForm)
	}
	if err := checkKeys(keys); err != nil {
		return nil, err
	}
	t := &Tokens{nowFunc: now}
	for _, k := range keys {
		block, err := aes.NewCipher(subkey(k, "token encryption"))
		if err != nil {
			return nil, chatops.WrapError(chatops.CodeInternal, err, "make a cipher of a consent key")
		}
		t.keys = append(t.keys, tokenKey{k.ID, subkey(k, "token authentication"), block})
	}
	return t, nil
}

// Sign returns the token of an address for a purpose. It expires at the second
// given, unless its purpose is chatops.PurposeUnsubscribe; a zero time is in the past
// for every other purpose.
func (t *Tokens) Sign(purpose, emailKey string, expires time.Time) string {
	plain := make([]byte, expirySize, expirySize+len(emailKey))
	if purpose != chatops.PurposeUnsubscribe && !expires.IsZero() {
		binary.BigEndian.PutUint64(plain, uint64(max(expires.Unix(), 1)))
	}
	plain = append(plain, emailKey...)
	k := t.keys[0]
	tag := k.tag(purpose, plain)
	out := append([]byte{tokenVersion, byte(len(k.id))}, k.id...) //nolint:gosec // at most maxKeyID
	out = append(out, tag...)
	return base64.RawURLEncoding.EncodeToString(append(out, k.crypt(tag, plain)...))
}

// Verify returns the address of a token. Whatever is wrong with it (another
// purpose, an unknown key, a changed byte, its age), the error is one and the
// same of CodeInvalid, and so is the time it takes.
func (t *Tokens) Verify(purpose, token string) (emailKey string, err error) {
	raw, good := decodeToken(token)
	id, body := raw[2:2+int(raw[1])], raw[2+int(raw[1]):]
	k, known := t.keys[0], 0
	for _, candidate := range t.keys {
		if candidate.id == string(id) {
			k, known = candidate, 1
		}
	}
	tag := body[:sha256.Size]
	plain := k.crypt(tag, body[sha256.Size:])
	good &= known & subtle.ConstantTimeCompare(tag, k.tag(purpose, plain))
	expires := binary.BigEndian.Uint64(plain)
	fresh := purpose == chatops.PurposeUnsubscribe || expires > uint64(max(t.nowFunc().Unix(), 0))
	if good != 1 || !fresh {
		return "", chatops.Errorf(chatops.CodeInvalid, "this link is not valid, or not any more")
	}
	return string(plain[expirySize:]), nil
}

// decodeToken returns the bytes of a token, or others of the right form and 0.
// It accepts one spelling only: base64 decoders ignore line ends.
func decodeToken(token string) (raw []byte, good int) {
	none := make([]byte, 2+sha256.Size+expirySize)
	if len(token) > base64.RawURLEncoding.EncodedLen(maxTokenBytes) {
		return none, 0
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || base64.RawURLEncoding.EncodeToString(raw) != token ||
		len(raw) < len(none) || raw[0] != tokenVersion || len(raw) < len(none)+int(raw[1]) {
		return none, 0
	}
	return raw, 1
}

func (k tokenKey) tag(purpose string, plain []byte) []byte {
	h := hmac.New(sha256.New, k.mac)
	h.Write(lengthPrefixed(nil, purpose, k.id))
	h.Write(plain)
	return h.Sum(nil)
}

func (k tokenKey) crypt(tag, text []byte) []byte {
	out := make([]byte, len(text))
	cipher.NewCTR(k.block, tag[:aes.BlockSize]).XORKeyStream(out, text)
	return out
}
