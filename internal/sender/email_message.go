package sender

import (
	"bytes"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"chatops/internal/chatops"
)

// maxSubject is in characters; longer ones are cut.
const maxSubject = 250

// message writes the mail. Its Message-ID is the same for every attempt of an
// alert, so that a repeated mail is recognised.
func (e *email) message(to string, p *chatops.EmailPayload, key string) ([]byte, error) {
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
	m.SetMessageIDWithValue(digest(key, 40) + "@" + domain)
	m.SetDateWithValue(e.nowFunc())
	m.Subject(oneLine(p.Subject, maxSubject))
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no vacation replies
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

// mailText makes text fit for a body: valid UTF-8, no NUL, one kind of line end.
func mailText(text string) string {
	text = strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "\uFFFD")
	return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
}
