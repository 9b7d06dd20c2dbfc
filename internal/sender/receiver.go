package sender

import (
	"net"
	"net/url"

	"chatops/internal/chatops"
)

// Receiver is an integration that is configured, and where its sender connects to.
type Receiver struct {
	Integration string
	// Address is a scheme and a host, such as https://hooks.slack.com: paths and
	// passwords are left out. smtps is a mail server that speaks TLS from the first
	// byte, and smtp one that greets before.
	Address string
	// Err says why no sender can be built; then there is no address.
	Err error
}

// located is a sender that connects to one place.
type located interface {
	chatops.AlertSender
	address() string
}

// Receivers lists what New builds senders for, in the same order. A setting that
// cannot work is an error of its integration alone.
func Receivers(options Options) []Receiver {
	var all []Receiver
	for _, b := range builders() {
		senders, err := b.buildFunc(&options)
		if err != nil {
			all = append(all, Receiver{Integration: b.name, Err: err})
			continue
		}
		for _, s := range senders {
			r := Receiver{Integration: s.Integration()}
			if at, ok := s.(located); ok {
				r.Address = at.address()
			}
			all = append(all, r)
		}
	}
	return all
}

func (s *slack) address() string { return placeOf(s.url) }

func (m *monday) address() string { return placeOf(m.options.URL) }

func (w *webhook) address() string { return placeOf(w.url) }

func (e *email) address() string {
	scheme := map[bool]string{true: "smtps", false: "smtp"}[e.mode == tlsImplicit]
	return scheme + "://" + net.JoinHostPort(e.host, e.port)
}

// placeOf is the scheme and the host of an address that was checked.
func placeOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
