package sender

import (
	"bytes"
	"errors"
	"net/url"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"chatops/internal/chatops"
)

// maxSubject is in characters; longer ones are cut.
const maxSubject = 250

// message writes the mail, whose Message-ID begins with id. It is the same for
// every attempt of an alert, so that a repeated mail is recognised.
func (e *email) message(to string, p *chatops.EmailPayload, id string) ([]byte, error) {
	m := gomail.NewMsg(
		gomail.WithCharset(gomail.CharsetUTF8),
		gomail.WithEncoding(gomail.EncodingQP),
		gomail.WithNoDefaultUserAgent(),
	)
	m.FromMailAddress(e.from)
	if err := m.To(to); err != nil {
		return nil, err
	}
	_, domain, _ := strings.Cut(e.from.Address, "@")
	m.SetMessageIDWithValue(id + "@" + domain)
	m.SetDateWithValue(e.nowFunc())
	m.Subject(oneLine(p.Subject, maxSubject))
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no vacation replies
	if p.Unsubscribe != "" {
		if !isLink(p.Unsubscribe) {
			return nil, errors.New("the link to unsubscribe is not one")
		}
		m.SetGenHeaderPreformatted("List-Unsubscribe", "<"+p.Unsubscribe+">")
		m.SetGenHeaderPreformatted("List-Unsubscribe-Post", "List-Unsubscribe=One-Click") // RFC 8058
	}
	switch p.Text {
	case "":
		m.SetBodyString(gomail.TypeTextHTML, mailText(p.HTML))
	default:
		m.SetBodyString(gomail.TypeTextPlain, mailText(p.Text))
		if p.HTML != "" {
			m.AddAlternativeString(gomail.TypeTextHTML, mailText(p.HTML))
		}
	}
	var raw bytes.Buffer
	if _, err := m.WriteTo(&raw); err != nil {
		return nil, err
	}
	return raw.Bytes(), nil
}

// maxLink keeps a header on one line of at most 998 characters.
const maxLink = 950

// isLink reports whether a text is a web address that can stand in a header as
// it is.
func isLink(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && len(text) <= maxLink &&
		!strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' || r == '<' || r == '>' })
}

// mailText makes text fit for a body: valid UTF-8, no NUL, one kind of line end.
func mailText(text string) string {
	text = strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "\uFFFD")
	return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
}
