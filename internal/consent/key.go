package consent

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"chatops/internal/chatops"
)

const (
	maxKeyID  = 16
	minSecret = 32
	keysForm  = "expected id:base64[,id:base64...], newest first, each with at least 32 random bytes (openssl rand -base64 32)"
)

// ParseKeys reads CONSENT_KEYS: "id:base64[,id:base64...]", the key that signs
// first. Its errors are CodeInvalid and never show a secret.
func ParseKeys(text string) ([]chatops.ConsentKey, error) {
	var keys []chatops.ConsentKey
	place := 0
	for entry := range strings.SplitSeq(text, ",") {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		place++
		id, encoded, ok := strings.Cut(entry, ":")
		id = strings.TrimSpace(id)
		if !ok || !validKeyID(id) { // without a colon, the secret itself may stand there
			return nil, chatops.Errorf(chatops.CodeInvalid,
				"consent key %d: its id must be 1 to %d letters and digits before a colon; %s", place, maxKeyID, keysForm)
		}
		secret, err := decodeSecret(strings.TrimSpace(encoded))
		if err != nil {
			return nil, chatops.Errorf(chatops.CodeInvalid, "consent key %d (%s): its secret is not base64; %s", place, id, keysForm)
		}
		keys = append(keys, chatops.ConsentKey{ID: id, Secret: secret})
	}
	if len(keys) == 0 {
		return nil, chatops.Errorf(chatops.CodeInvalid, "no consent key: %s", keysForm)
	}
	if err := checkKeys(keys); err != nil {
		return nil, err
	}
	return keys, nil
}

// GenerateKey makes a key of 32 random bytes with a random id.
func GenerateKey() chatops.ConsentKey {
	secret := make([]byte, minSecret)
	_, _ = rand.Read(secret) // never fails
	return chatops.ConsentKey{ID: strings.ToLower(rand.Text()[:8]), Secret: secret}
}

// checkKeys reports keys that cannot be used, as CodeInvalid.
func checkKeys(keys []chatops.ConsentKey) error {
	seen := map[string]bool{}
	for i, k := range keys {
		switch {
		case !validKeyID(k.ID):
			return chatops.Errorf(chatops.CodeInvalid, "consent key %d: its id must be 1 to %d letters and digits", i+1, maxKeyID)
		case seen[k.ID]:
			return chatops.Errorf(chatops.CodeInvalid, "consent key %d (%s): another key has the same id", i+1, k.ID)
		case len(k.Secret) < minSecret:
			return chatops.Errorf(chatops.CodeInvalid, "consent key %d (%s): its secret has %d bytes; %s", i+1, k.ID, len(k.Secret), keysForm)
		}
		seen[k.ID] = true
	}
	return nil
}

func validKeyID(id string) bool {
	for _, c := range []byte(id) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return id != "" && len(id) <= maxKeyID
}

// decodeSecret reads base64 of either alphabet, padded or not.
func decodeSecret(text string) ([]byte, error) {
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	return base64.RawStdEncoding.DecodeString(text)
}

// subkey derives a key of 32 bytes for one use, so that what is made for one is
// worth nothing for another.
func subkey(k chatops.ConsentKey, use string) []byte {
	key, err := hkdf.Key(sha256.New, k.Secret, nil, "chatops "+use, sha256.Size)
	if err != nil { // only for lengths that no hash gives
		panic(fmt.Sprintf("derive a key: %v", err))
	}
	return key
}
