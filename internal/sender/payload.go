package sender

import (
	"bytes"
	"encoding/json"
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

var plainKey = chatops.Pattern(`^[A-Za-z0-9_:-]{1,255}$`)

// headerKey is the reference in a form that is safe in a header and, having no
// full stop, in a Standard Webhooks signature. Unusual keys become a digest.
func headerKey(alert *chatops.Alert) string {
	key := alert.Reference()
	if plainKey().MatchString(key) {
		return key
	}
	return "key_" + chatops.Digest(key, 32)
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
