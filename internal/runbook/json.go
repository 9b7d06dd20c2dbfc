package runbook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"chatops/internal/chatops"
)

// timestamp is a time in JSON: RFC 3339 in UTC, null for the zero time.
type timestamp time.Time

// MarshalJSON encodes the time.
func (t timestamp) MarshalJSON() ([]byte, error) {
	if time.Time(t).IsZero() {
		return []byte("null"), nil
	}
	return []byte(`"` + t.String() + `"`), nil
}

// String is the time as tables show it, "" for the zero time.
func (t timestamp) String() string {
	if time.Time(t).IsZero() {
		return ""
	}
	return time.Time(t).UTC().Format(time.RFC3339Nano)
}

// short is the time to the second.
func (t timestamp) short() string {
	if time.Time(t).IsZero() {
		return ""
	}
	return time.Time(t).UTC().Format(time.RFC3339)
}

// document is stored JSON. What is stored need not be valid: then it is shown
// as a text.
type document []byte

// MarshalJSON encodes the document as it is, or as a text.
func (d document) MarshalJSON() ([]byte, error) {
	switch {
	case len(d) == 0:
		return []byte("null"), nil
	case json.Valid(d):
		return d, nil
	}
	return json.Marshal(string(d))
}

// encodeJSON encodes a value. Characters that could command a terminal or hide
// text, which only occur within strings, are written as \u escapes.
func encodeJSON(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode the result: %w", err)
	}
	return escapeHarmful(b.Bytes()), nil
}

func escapeHarmful(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		r, size := utf8.DecodeRune(raw[i:])
		switch {
		case r == '\n' || !chatops.Harmful(r):
			out = append(out, raw[i:i+size]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		i += size
	}
	return out
}
