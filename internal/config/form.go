package config

import (
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"chatops/internal/consent"
	"chatops/internal/ratelimit"
	"chatops/internal/redisclient"
)

// form is a named shape that a text setting must have.
type form struct {
	expected  string // for people
	checkFunc func(string) bool
}

func (f form) check(text string) bool { return f.checkFunc(text) }

// forms are the shapes that the form tag names.
var forms = map[string]form{
	"database":       {"sqlite://path/to/file.db or postgres://user:password@host:5432/name, with special characters of the password percent-encoded", isDatabase},
	"redis":          {redisclient.Forms, isRedis},
	"http":           {"an https:// or http:// address", isHTTP},
	"origins":        {"origins such as https://www.firma.example, separated by commas, or *", isOrigins},
	"listen":         {"an address such as 127.0.0.1, [::1] or 127.0.0.1:8080", isListen},
	"retention":      {retentionForm, isRetention},
	"consentkeys":    {"id:base64 entries separated by commas, newest first, each with at least 32 random bytes (openssl rand -base64 32)", isConsentKeys},
	"limit":          {ratelimit.Example, isLimit},
	"delays":         {delaysExample, isDelays},
	"networks":       {"addresses and networks such as 10.0.0.0/8 or 192.0.2.7, separated by commas", isNetworks},
	"smtp":           {"smtp://user:password@host:587?tls=starttls|implicit|none", isSMTP},
	"email":          {"one e-mail address", isEmail},
	"mailbox":        {"an e-mail address, as in bot@firma.example or Bot <bot@firma.example>", isMailbox},
	"digits":         {"digits", isDigits},
	"webhooks":       {"name=https://... entries separated by commas", isWebhooks},
	"webhooksecrets": {"name=secret entries separated by commas", isWebhookSecrets},
}

func isDatabase(text string) bool {
	p, ok := splitURL(text)
	switch {
	case !ok:
		return false
	case isSQLite(p.scheme):
		return p.path != "" && p.path != "/"
	case isPostgres(p.scheme):
		// The driver takes what follows the first "@" for the host, and would
		// show the end of a password in its errors.
		return validEscapes(p) && !strings.Contains(p.user+p.password, "@") && (p.hosts != "" || strings.Contains(p.query, "host="))
	}
	return false
}

// validEscapes reports whether the percent-encoding of an address is sound.
func validEscapes(p urlParts) bool {
	for _, s := range []string{p.user, p.password, p.path} {
		if _, err := url.PathUnescape(s); err != nil {
			return false
		}
	}
	_, err := url.ParseQuery(p.query)
	return err == nil
}

func isRedis(text string) bool {
	_, ok := splitURL(text) // else it could not be shown without its password
	return ok && redisclient.Check(text) == nil
}

func isHTTP(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != ""
}

func isOrigins(text string) bool {
	for _, origin := range splitList(text) {
		u, err := url.Parse(origin)
		// A browser sends scheme, host and port and nothing else.
		if origin != "*" && (err != nil || !isHTTP(origin) || !strings.EqualFold(origin, u.Scheme+"://"+u.Host)) {
			return false
		}
	}
	return true
}

func isListen(text string) bool {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		host = text
		if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
			host = text[1 : len(text)-1]
		}
		return net.ParseIP(host) != nil || !strings.ContainsAny(text, ":[]/ \t")
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n <= 65535 && !strings.ContainsAny(host, "/ \t")
}

func isLimit(text string) bool {
	_, err := ratelimit.Parse(text)
	return err == nil
}

func isConsentKeys(text string) bool {
	_, err := consent.ParseKeys(text)
	return err == nil
}

func isNetworks(text string) bool {
	for _, item := range splitList(text) {
		if _, ok := parseNetwork(item); !ok {
			return false
		}
	}
	return true
}

// parseNetwork reads a network or a lone address. IPv4 addresses written in
// IPv6 are the IPv4 ones; bits after the prefix are dropped.
func parseNetwork(text string) (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(text); err == nil {
		a = a.Unmap().WithZone("")
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, false
	}
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p.Masked(), true
}

func isSMTP(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "smtp" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
		return false
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return false
	}
	for name, values := range query {
		if name != "tls" || len(values) != 1 {
			return false
		}
	}
	switch query.Get("tls") {
	case "", "starttls", "implicit", "none":
		return true
	}
	return false
}

func isMailbox(text string) bool {
	a, err := mail.ParseAddress(text)
	return err == nil && strings.Contains(a.Address, "@") && !strings.ContainsAny(text, "\r\n")
}

func isEmail(text string) bool {
	a, err := mail.ParseAddress(text)
	return err == nil && a.Address == text && len(text) <= 254
}

func isDigits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

func isWebhooks(text string) bool {
	pairs, ok := parsePairs(text)
	for _, p := range pairs {
		ok = ok && isHTTP(p.Value)
	}
	return ok
}

func isWebhookSecrets(text string) bool {
	_, ok := parsePairs(text)
	return ok
}
