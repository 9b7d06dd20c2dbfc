package sender

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"chatops/internal/chatops"
)

// decodePayload reads an alert's payload into v. A payload that is not a JSON
// object of the right shape can never be delivered.
func decodePayload(name string, alert *chatops.Alert, v any) *chatops.SendError {
	switch payload := bytes.TrimSpace(alert.Payload); {
	case len(payload) > maxPayload:
		return failure(chatops.FailPermanent, "payload_too_large", "%s: payload of %d bytes is too large", name, len(payload))
	case !json.Valid(payload):
		return failure(chatops.FailPermanent, "payload_invalid", "%s: payload is not JSON", name)
	case payload[0] != '{' || json.Unmarshal(payload, v) != nil:
		return failure(chatops.FailPermanent, "payload_invalid", "%s: payload has the wrong shape", name)
	}
	return nil
}

// reference is what a receiver may recognise a repeated alert by.
func reference(alert *chatops.Alert) string {
	if alert.IdempotencyKey != "" {
		return alert.IdempotencyKey
	}
	return fmt.Sprintf("alert:%d", alert.ID)
}

var plainKey = chatops.Pattern(`^[A-Za-z0-9_:-]{1,255}$`)

// headerKey is the reference in a form that is safe in a header and, having no
// full stop, in a Standard Webhooks signature. Unusual keys become a digest.
func headerKey(alert *chatops.Alert) string {
	key := reference(alert)
	if plainKey().MatchString(key) {
		return key
	}
	return "key_" + digest(key, 32)
}

// digest is a stable short name for a text, of n lower-case letters and digits.
func digest(text string, n int) string {
	sum := sha256.Sum256([]byte(text))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:n]
}

// oneLine makes text safe for a header or a name: valid UTF-8, no control or
// line-breaking characters, at most n characters.
func oneLine(text string, n int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) > n {
		runes = append(runes[:n-1], '…')
	}
	return string(runes)
}
