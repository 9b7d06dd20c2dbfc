package sendertest

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
)

// Mail is one accepted mail.
type Mail struct {
	From string // of the envelope
	To   []string
	Data []byte // header and body as received, lines ending in \n, dots unstuffed
	At   time.Time
}

// Header returns a header field with encoded words decoded, "" when it is
// missing or the mail is not a valid message.
func (m Mail) Header(name string) string {
	message, err := mail.ReadMessage(bytes.NewReader(m.Data))
	if err != nil {
		return ""
	}
	value, err := new(mime.WordDecoder).DecodeHeader(message.Header.Get(name))
	if err != nil {
		return ""
	}
	return value
}

// MessageID returns the Message-ID without its angle brackets.
func (m Mail) MessageID() string { return strings.Trim(m.Header("Message-ID"), "<>") }

// Text returns the decoded text/plain part, "" when there is none.
func (m Mail) Text() string { return m.part("text/plain") }

// HTML returns the decoded text/html part, "" when there is none.
func (m Mail) HTML() string { return m.part("text/html") }

func (m Mail) part(want string) string {
	message, err := mail.ReadMessage(bytes.NewReader(m.Data))
	if err != nil {
		return ""
	}
	return findPart(want, message.Header.Get("Content-Type"), message.Header.Get("Content-Transfer-Encoding"), message.Body)
}

func findPart(want, contentType, encoding string, body io.Reader) string {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ""
	}
	if !strings.HasPrefix(kind, "multipart/") {
		if kind != want {
			return ""
		}
		if strings.EqualFold(encoding, "quoted-printable") {
			body = quotedprintable.NewReader(body)
		}
		text, err := io.ReadAll(body)
		if err != nil {
			return ""
		}
		return string(text)
	}
	// NextRawPart: NextPart would undo the encoding and hide its header.
	for reader := multipart.NewReader(body, params["boundary"]); ; {
		part, err := reader.NextRawPart()
		if err != nil {
			return ""
		}
		text := findPart(want, part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), part)
		if text != "" {
			return text
		}
	}
}
