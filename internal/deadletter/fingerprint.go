package deadletter

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
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
	words = slices.DeleteFunc(words, func(w string) bool { return strings.Trim(w, ".:-") == "" })
	for i, w := range words {
		words[i] = strings.Trim(w, ".:-")
	}
	var b strings.Builder
	hash := false
	for i, differs := range differing(words) {
		if !differs || !hash {
			word := words[i]
			if differs {
				word = "#"
			}
			b.WriteString(word)
			b.WriteByte(' ')
		}
		hash = differs
		if b.Len() >= maxNormalised {
			break
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// differing marks the words that can differ from one alert to the next: by
// themselves, or beside one that does, as the month does in a date and the unit
// in a length of time.
func differing(words []string) []bool {
	marks := make([]bool, len(words))
	for i, w := range words {
		marks[i] = varies(w) || i > 0 && words[i-1] == "lookup"
	}
	for i := len(words) - 2; i >= 0; i-- {
		marks[i] = marks[i] || marks[i+1] && dateWords[words[i]]
	}
	for i := 1; i < len(words); i++ {
		marks[i] = marks[i] || marks[i-1] && (dateWords[words[i]] || unitWords[words[i]])
	}
	return marks
}

// dateWords are what a date has besides its numbers. They mean something else
// where no number is beside them: "may" above all.
var dateWords = wordSet(`mon tue wed thu fri sat sun monday tuesday wednesday thursday friday saturday sunday
	jan feb mar apr may jun jul aug sep sept oct nov dec january february march april june july august
	september october november december am pm utc gmt cet cest`)

// unitWords are what is counted, in one and in many.
var unitWords = wordSet(`ns us ms s sec secs second seconds millisecond milliseconds m min mins minute minutes
	h hour hours d day days byte bytes kb mb gb kib mib gib`)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		set[w] = true
	}
	return set
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
