package config

import (
	"strings"
)

// Pair is one entry of a list such as "email=email_mkq,phone=phone_1".
type Pair struct{ Name, Value string }

// Pairs is a list of named texts, in the order given.
type Pairs []Pair

// String returns the list as it is written in a variable.
func (p Pairs) String() string {
	parts := make([]string, len(p))
	for i, e := range p {
		parts[i] = e.Name + "=" + e.Value
	}
	return strings.Join(parts, ",")
}

// Map returns the list as a map.
func (p Pairs) Map() map[string]string {
	m := make(map[string]string, len(p))
	for _, e := range p {
		m[e.Name] = e.Value
	}
	return m
}

// SecretPair is one entry of a list of named secrets.
type SecretPair struct {
	Name  string
	Value Secret
}

// SecretPairs is a list of named secrets, in the order given. It shows the
// names only.
type SecretPairs []SecretPair

// String returns the list with every value redacted.
func (p SecretPairs) String() string {
	parts := make([]string, len(p))
	for i, e := range p {
		parts[i] = e.Name + "=" + e.Value.String()
	}
	return strings.Join(parts, ",")
}

// Get returns the secret of a name; the zero Secret when there is none.
func (p SecretPairs) Get(name string) Secret {
	for _, e := range p {
		if e.Name == name {
			return e.Value
		}
	}
	return Secret{}
}

// parsePairs reads name=value entries separated by commas. Spaces around names
// and values do not count. It is false for an entry without "=", an empty name
// or value, a name of other characters than letters, digits, "_" and "-", and a
// name given twice.
func parsePairs(text string) (Pairs, bool) {
	var pairs Pairs
	seen := map[string]bool{}
	for entry := range strings.SplitSeq(text, ",") {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		name, value, ok := strings.Cut(entry, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || value == "" || !isName(name) || seen[name] {
			return nil, false
		}
		seen[name] = true
		pairs = append(pairs, Pair{name, value})
	}
	return pairs, true
}

// isName reports whether s may name a webhook, a column or a profile.
func isName(s string) bool {
	for _, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && r != '_' && r != '-' {
			return false
		}
	}
	return s != "" && len(s) <= 64
}
