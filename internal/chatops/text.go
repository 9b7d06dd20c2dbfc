package chatops

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// CleanText returns s as every store keeps it: invalid UTF-8 and NUL, which
// PostgreSQL refuses, become U+FFFD. Text that is clean already is not copied.
func CleanText(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(s, "\x00", "\uFFFD")
}

// CleanJSON returns a valid JSON text with the same treatment inside its
// strings: invalid UTF-8, an escaped NUL and escaped halves of surrogate pairs
// become U+FFFD, so that no engine refuses the document and all return the same.
func CleanJSON(raw json.RawMessage) json.RawMessage {
	if !utf8.Valid(raw) {
		raw = bytes.ToValidUTF8(raw, []byte("\uFFFD"))
	}
	if !bytes.Contains(raw, []byte(`\u`)) {
		return raw
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		n := escapeLength(raw[i:])
		switch unit := escapedUnit(raw[i:]); {
		case unit < 0:
			out = append(out, raw[i:i+n]...)
		case isHigh(unit) && isLow(escapedUnit(raw[i+n:])):
			out = append(out, raw[i:i+2*n]...)
			n *= 2
		case unit == 0 || isHigh(unit) || isLow(unit):
			out = append(out, `\ufffd`...)
		default:
			out = append(out, raw[i:i+n]...)
		}
		i += n
	}
	return out
}

// escapeLength is the length of the escape, or single byte, that b begins with.
func escapeLength(b []byte) int {
	switch {
	case b[0] != '\\' || len(b) < 2:
		return 1
	case b[1] == 'u' && len(b) >= 6:
		return 6
	}
	return 2
}

// escapedUnit is the UTF-16 unit of a \uXXXX escape at the start of b, or -1.
func escapedUnit(b []byte) int {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return -1
	}
	unit := 0
	for _, c := range b[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		unit = unit<<4 | int(c)
	}
	return unit
}

func isHigh(unit int) bool { return unit >= 0xD800 && unit <= 0xDBFF }
func isLow(unit int) bool  { return unit >= 0xDC00 && unit <= 0xDFFF }
