package sender

import (
	"context"
	"crypto/x509"
	"net"
	"net/mail"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"chatops/internal/chatops"
)

// EmailOptions configures the e-mail sender.
type EmailOptions struct {
	// URL is smtp://user:password@host:587?tls=starttls|implicit|none; empty:
	// not configured. Without tls, a loopback host means none, port 465 and the
	// scheme smtps mean implicit, and any other starttls.
	URL string
	// From is the sender, with or without a display name. Empty: the user of
	// the URL where that is an address, else chatops@<this host>.
	From string
	// Followups guards the mails that must not be sent twice or against a
	// withdrawal; nil: such mails cannot be sent.
	Followups Followups
	// Roots are the certificates to trust; nil means the system's.
	Roots *x509.CertPool
}

// tlsMode is how a connection to the mail server is protected.
type tlsMode string

const (
	tlsStart    tlsMode = "starttls" // required: a server that does not offer it is refused
	tlsImplicit tlsMode = "implicit"
	tlsNone     tlsMode = "none"
)

// email hands mails to one mail server, one connection each.
type email struct {
	host, port         string
	username, password string
	mode               tlsMode
	from               *mail.Address
	helo               string
	roots              *x509.CertPool
	followups          Followups
	times              smtpTimes
	dialFunc           func(ctx context.Context, network, address string) (net.Conn, error)
	nowFunc            func() time.Time
}

func buildEmail(o *Options) ([]chatops.AlertSender, error) {
	if o.Email.URL == "" {
		return nil, nil
	}
	e := &email{
		roots: o.Email.Roots, followups: o.Email.Followups, times: defaultTimes, nowFunc: o.NowFunc, helo: hostname(),
		dialFunc: new(net.Dialer).DialContext,
	}
	if err := e.useURL(o.Email.URL); err != nil {
		return nil, err
	}
	if err := e.useFrom(o.Email.From); err != nil {
		return nil, err
	}
	return []chatops.AlertSender{e}, nil
}

func invalidSMTP(reason string) error {
	return chatops.Errorf(chatops.CodeInvalid,
		"SMTP_URL: %s; the form is smtp://user:password@host:587?tls=starttls|implicit|none", reason)
}

// useURL reads SMTP_URL. No error holds any of it: there may be a password.
func (e *email) useURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "" {
		return invalidSMTP("not understood")
	}
	e.host, e.port = u.Hostname(), u.Port()
	e.username = u.User.Username()
	e.password, _ = u.User.Password()
	switch mode := tlsMode(u.Query().Get("tls")); mode {
	case tlsStart, tlsImplicit, tlsNone:
		e.mode = mode
	case "":
		e.mode = e.defaultMode(u.Scheme)
	default:
		return invalidSMTP("unknown tls mode")
	}
	if e.mode == tlsNone && e.username != "" && !isLoopback(e.host) {
		return invalidSMTP("tls=none would send the password in clear")
	}
	if e.port == "" {
		e.port = map[tlsMode]string{tlsStart: "587", tlsImplicit: "465", tlsNone: "25"}[e.mode]
	}
	return nil
}

func (e *email) defaultMode(scheme string) tlsMode {
	switch {
	case scheme == "smtps" || e.port == "465":
		return tlsImplicit
	case isLoopback(e.host):
		return tlsNone
	}
	return tlsStart
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (e *email) useFrom(text string) error {
	if text == "" {
		text = "chatops@" + e.helo
		if _, ok := plainAddress(e.username); ok {
			text = e.username
		}
	}
	from, err := mail.ParseAddress(text)
	if err != nil {
		return chatops.Errorf(chatops.CodeInvalid, "MAIL_FROM: must be an address such as sales@firma.example or Firma <sales@firma.example>")
	}
	address, ok := plainAddress(from.Address)
	if !ok {
		return chatops.Errorf(chatops.CodeInvalid, "MAIL_FROM: the address cannot be used")
	}
	e.from = &mail.Address{Name: oneLine(from.Name, 100), Address: address}
	return nil
}

// hostname is what EHLO says and Message-IDs end in where MAIL_FROM is missing.
func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	if name, err = idna.Lookup.ToASCII(name); err != nil || name == "" {
		return "localhost"
	}
	return name
}

// plainAddress checks that text is exactly one address without a display name,
// and returns it with its domain in ASCII (IDNA). Addresses whose local part is
// not ASCII would need SMTPUTF8 on the whole way and are refused.
func plainAddress(text string) (string, bool) {
	parsed, err := mail.ParseAddress(text)
	at := strings.LastIndexByte(text, '@')
	if err != nil || parsed.Name != "" || parsed.Address != text || at < 1 {
		return "", false
	}
	local, domain := text[:at], text[at+1:]
	if strings.ContainsFunc(local, func(r rune) bool { return r <= ' ' || r > '~' || r == '<' || r == '>' }) {
		return "", false
	}
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil || len(local)+1+len(ascii) > 254 {
		return "", false
	}
	return local + "@" + ascii, true
}

func (e *email) Integration() string { return "email" }

func (e *email) Policy() chatops.LanePolicy {
	return chatops.LanePolicy{Parallel: 2, Timeout: e.times.total()}
}

// Send delivers a chatops.EmailPayload to the alert's mailto target or, where
// that names nobody, to the payload's recipient.
func (e *email) Send(ctx context.Context, alert *chatops.Alert) error {
	var payload chatops.EmailPayload
	if f := decodePayload("email", alert, &payload); f != nil {
		return f
	}
	recipient, named := strings.CutPrefix(alert.Target, "mailto:")
	if !named {
		recipient = payload.To
	}
	to, ok := plainAddress(recipient)
	if !ok {
		return failure(chatops.FailPermanent, "address_invalid", "email: recipient is not one valid address")
	}
	if strings.TrimSpace(payload.Subject) == "" || payload.Text == "" && payload.HTML == "" {
		return failure(chatops.FailPermanent, "payload_invalid", "email: payload has no subject or no text")
	}
	message, err := e.message(to, &payload, alert.MessageID())
	if err != nil {
		return failure(chatops.FailPermanent, "payload_invalid", "email: payload cannot be made a mail")
	}
	if alert.EventType == chatops.EventFollowup || alert.Target == chatops.TargetFollowups {
		return e.sendOnce(ctx, alert, to, message)
	}
	if f := e.deliver(ctx, to, message, nil); f != nil {
		return f
	}
	return nil
}
