package config

import (
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
)

// URL is an address that may hold a password. It shows itself without it: the
// password, and any query parameter named like a secret, become "[redacted]".
// Lists of hosts, as PostgreSQL has them, are understood.
type URL struct{ value *string }

// NewURL makes a URL of a text, which is not checked.
func NewURL(value string) URL {
	if value == "" {
		return URL{}
	}
	return URL{&value}
}

// Reveal returns the whole address. Give it to nothing that prints.
func (u URL) Reveal() string {
	if u.value == nil {
		return ""
	}
	return *u.value
}

// IsZero reports whether there is no address.
func (u URL) IsZero() bool { return u.value == nil }

// Scheme is the part before "://" in lower case; "" when there is none.
func (u URL) Scheme() string {
	p, _ := splitURL(u.Reveal())
	return strings.ToLower(p.scheme)
}

// Host is what people recognise the address by, without user, password and
// options: "db.example:5432/chatops", or the path of a SQLite file.
func (u URL) Host() string {
	p, ok := splitURL(u.Reveal())
	if !ok {
		return ""
	}
	host := p.hosts
	for pair := range strings.SplitSeq(p.query, "&") {
		if name, value, _ := strings.Cut(pair, "="); name == "host" && host == "" {
			host = value
		}
	}
	return strings.TrimSuffix(host+p.path, "/")
}

// String returns the address with its secrets redacted.
func (u URL) String() string {
	if u.value == nil {
		return ""
	}
	return redactURL(*u.value)
}

// GoString is String in quotes.
func (u URL) GoString() string { return fmt.Sprintf("%q", u.String()) }

// Format prints the redacted address for every verb and flag.
func (u URL) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, u.String()) }

// MarshalText encodes the redacted address; JSON, YAML and TOML use it too.
func (u URL) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// LogValue logs the redacted address.
func (u URL) LogValue() slog.Value { return slog.StringValue(u.String()) }

// inMemory begins the address of an SQLite database that lives in the process.
const inMemory = "sqlite::memory:"

// urlParts are the pieces of scheme://user:password@hosts/path?query#fragment.
// net/url is not used because it rejects PostgreSQL's lists of hosts.
type urlParts struct {
	scheme, user, password, hosts, path, query string
	hasPassword                                bool
}

// splitURL takes an address apart. It is false for a text without "://", and
// for one whose "@" comes after the host part: then a password holds a
// character that must be percent-encoded, and no piece can be trusted.
func splitURL(s string) (urlParts, bool) {
	var p urlParts
	if name, ok := strings.CutPrefix(s, inMemory); ok {
		return urlParts{scheme: "sqlite", path: ":memory:" + name}, true
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok || scheme == "" || strings.ContainsAny(scheme, "@/:?# ") {
		return p, false
	}
	p.scheme = scheme
	if isSQLite(scheme) { // a path, whatever characters it has
		p.path, p.query, _ = strings.Cut(rest, "?")
		return p, true
	}
	authority, tail := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, tail = rest[:i], rest[i:]
	}
	if strings.Contains(tail, "@") {
		return p, false
	}
	p.hosts = authority
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		p.hosts = authority[i+1:]
		p.user, p.password, p.hasPassword = strings.Cut(authority[:i], ":")
	}
	tail, _, _ = strings.Cut(tail, "#")
	p.path, p.query, _ = strings.Cut(tail, "?")
	return p, true
}

// redactURL shows an address without its secrets; what it cannot take apart it
// does not show at all.
func redactURL(s string) string {
	p, ok := splitURL(s)
	if !ok {
		return redacted
	}
	var b strings.Builder
	b.WriteString(p.scheme + "://")
	switch {
	case p.hasPassword:
		b.WriteString(p.user + ":" + redacted + "@")
	case p.user != "" && !isPostgres(p.scheme): // a lone user may be a token
		b.WriteString(redacted + "@")
	case p.user != "":
		b.WriteString(p.user + "@")
	}
	b.WriteString(p.hosts + p.path)
	for i, pair := range strings.Split(p.query, "&") {
		if p.query == "" {
			break
		}
		b.WriteByte("?&"[min(i, 1)])
		name, _, _ := strings.Cut(pair, "=")
		if secretParameter(name) {
			pair = name + "=" + redacted
		}
		b.WriteString(pair)
	}
	return b.String()
}

// secretParameter reports whether a query parameter is named like a secret.
// Names with an escape could hide one, so they count as well.
func secretParameter(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"pass", "pwd", "secret", "token", "key", "sig", "auth", "credential", "%"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

func isSQLite(scheme string) bool { return strings.EqualFold(scheme, "sqlite") }

func isPostgres(scheme string) bool {
	return strings.EqualFold(scheme, "postgres") || strings.EqualFold(scheme, "postgresql")
}

// urlSecrets returns the pieces of an address that must not be shown, as they
// are written there and as they read without percent-encoding.
func urlSecrets(s string) []string {
	p, ok := splitURL(s)
	if !ok {
		return []string{s}
	}
	var secrets []string
	add := func(value string) {
		if value == "" {
			return
		}
		secrets = append(secrets, value)
		if plain, err := url.PathUnescape(value); err == nil && plain != value {
			secrets = append(secrets, plain)
		}
	}
	add(p.password)
	if p.user != "" && !p.hasPassword && !isPostgres(p.scheme) {
		add(p.user)
	}
	for pair := range strings.SplitSeq(p.query, "&") {
		if name, value, _ := strings.Cut(pair, "="); secretParameter(name) {
			add(value)
		}
	}
	return secrets
}
