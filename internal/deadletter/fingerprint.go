package deadletter

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
)

// maxNormalised is how much of a normalised message tells causes apart, in
// bytes.
const maxNormalised = 160

// Fingerprint names the cause of a failure: 12 hexadecimal digits over the
// integration, the receiver's code and the message without what differs from
// one alert to the next (numbers, ids, times, addresses, host names). Equal
// causes have equal fingerprints in every replica and version.
func Fingerprint(integration, code, message string) string {
	sum := sha256.Sum256([]byte(integration + "\x00" + code + "\x00" + normalise(message)))
	return hex.EncodeToString(sum[:6])
}

// normalise reduces a message to its wording. Each word that can differ from
// one alert to the next becomes "#", and a row of them one "#".
func normalise(message string) string {
	words := strings.FieldsFunc(strings.ToLower(scrub(message)), func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune("\"'`(),;=<>{}|!?", r)
	})
	var b strings.Builder
	hash := false
	for _, w := range words {
		w = strings.Trim(w, ".:-")
		switch {
		case w == "":
			continue
		case varies(w):
			if !hash {
				b.WriteString("# ")
			}
			hash = true
			continue
		}
		hash = false
		b.WriteString(w)
		b.WriteByte(' ')
		if b.Len() >= maxNormalised {
			break
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// varies reports whether a word is, or holds, a number, a placeholder of
// Redact, a host name, a URL, an IPv6 address or a hexadecimal id.
func varies(w string) bool {
	if strings.ContainsFunc(w, unicode.IsDigit) || strings.ContainsAny(w, "[]") ||
		strings.Contains(w, ".") || strings.Contains(w, "://") || strings.Count(w, ":") > 1 {
		return true
	}
	if len(w) < 6 {
		return false
	}
	return strings.Trim(w, "abcdef-") == ""
}
