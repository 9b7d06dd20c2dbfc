package config

import (
	"fmt"
	"io"
	"log/slog"
)

// redacted stands wherever a secret would have been shown.
const redacted = "[redacted]"

// Secret is a text that is never shown: every way of printing or encoding it
// gives "[redacted]", or "" when it is empty. The value sits behind a pointer,
// so even a struct that holds a Secret in an unexported field prints an address
// instead of it.
type Secret struct{ value *string }

// NewSecret makes a Secret of a text.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{&value}
}

// Reveal returns the text. Give it to nothing that prints.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.value == nil }

// String returns "[redacted]", or "" for the empty secret.
func (s Secret) String() string {
	if s.value == nil {
		return ""
	}
	return redacted
}

// GoString is String in quotes.
func (s Secret) GoString() string { return fmt.Sprintf("%q", s.String()) }

// Format prints the redacted text for every verb and flag.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText encodes the redacted text; JSON, YAML and TOML use it too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON encodes the redacted text.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(s.GoString()), nil }

// LogValue logs the redacted text.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
