package sender

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"chatops/internal/chatops"
)

// smtpTimes bounds each phase of a delivery. RFC 5321, 4.5.3.2 allows minutes;
// an alert that waits that long is better retried, except after the final dot,
// where giving up early means that the mail may arrive twice.
type smtpTimes struct {
	dial, tls, command, text, dot, quit time.Duration
}

var defaultTimes = smtpTimes{
	dial: 5 * time.Second, tls: 5 * time.Second, command: 10 * time.Second,
	text: 15 * time.Second, dot: 30 * time.Second, quit: time.Second,
}

// total is a bound for one attempt. A server that uses up every phase is slower
// than it allows.
func (t smtpTimes) total() time.Duration { return t.dial + t.tls + t.text + t.dot }

// maxConversation bounds what a server may say in one delivery, in bytes.
const maxConversation = 256 << 10

// smtpRun is one delivery.
type smtpRun struct {
	email   *email
	ctx     context.Context //nolint:containedctx // lives as long as the delivery
	conn    *boundedConn
	client  *smtp.Client
	step    string
	guard   *onceMail // opens DATA of a mail that must not be sent twice; nil: nothing guards it
	dotSent bool      // the receiver may have the whole mail
}

// deliver runs one SMTP conversation. Nil means that the server answered 250 to
// the final dot.
func (e *email) deliver(ctx context.Context, to string, message []byte, guard *onceMail) *chatops.SendError {
	r := &smtpRun{email: e, ctx: ctx, step: "connect", guard: guard}
	if err := r.connect(ctx); err != nil {
		return r.classify(err)
	}
	defer func() { _ = r.conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = r.conn.Close() })()
	err := r.greet()
	if err == nil {
		err = r.logIn()
	}
	if err == nil {
		err = r.transfer(to, message)
	}
	if err != nil {
		return r.classify(err)
	}
	r.begin("QUIT", e.times.quit)
	_ = r.client.Quit() // the mail is delivered; how the server says goodbye does not matter
	return nil
}

// begin starts a phase and gives it its time.
func (r *smtpRun) begin(step string, d time.Duration) {
	r.step = step
	deadline := time.Now().Add(d)
	if end, ok := r.ctx.Deadline(); ok && end.Before(deadline) {
		deadline = end
	}
	_ = r.conn.SetDeadline(deadline) // fails on a closed connection only, as the next read does
}

func (r *smtpRun) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.email.times.dial)
	defer cancel()
	conn, err := r.email.dialFunc(ctx, "tcp", net.JoinHostPort(r.email.host, r.email.port))
	if err != nil {
		return err
	}
	r.conn = &boundedConn{Conn: conn, left: maxConversation}
	return nil
}

// greet brings the conversation to a greeted and, where asked for, encrypted
// state.
func (r *smtpRun) greet() error {
	e := r.email
	var conn net.Conn = r.conn
	config := &tls.Config{ServerName: e.host, RootCAs: e.roots, MinVersion: tls.VersionTLS12}
	if e.mode == tlsImplicit {
		r.begin("tls handshake", e.times.tls)
		secure := tls.Client(r.conn, config)
		if err := secure.HandshakeContext(r.ctx); err != nil {
			return err
		}
		conn = secure
	}
	r.begin("banner", e.times.command)
	client, err := smtp.NewClient(conn, e.host)
	if err != nil {
		return err
	}
	client.SkipSMTPUTF8(true)
	r.client = client
	r.begin("EHLO", e.times.command)
	if err := client.Hello(e.helo); err != nil {
		return err
	}
	if e.mode != tlsStart {
		return nil
	}
	r.begin("STARTTLS", e.times.tls)
	if offered, _ := client.Extension("STARTTLS"); !offered {
		return errNoStartTLS
	}
	return client.StartTLS(config)
}

var (
	errNoStartTLS = errors.New("server offers no STARTTLS")
	errNoAuth     = errors.New("server offers no AUTH PLAIN or LOGIN")
)

func (r *smtpRun) logIn() error {
	e := r.email
	if e.username == "" {
		return nil
	}
	r.begin("AUTH", e.times.command)
	_, offer := r.client.Extension("AUTH")
	inClear := e.mode == tlsNone // on this machine only, see useURL
	for mechanism := range strings.FieldsSeq(strings.ToUpper(offer)) {
		switch mechanism {
		case "PLAIN":
			return r.client.Auth(smtp.PlainAuth("", e.username, e.password, e.host, inClear))
		case "LOGIN":
			return r.client.Auth(smtp.LoginAuth(e.username, e.password, e.host, inClear))
		}
	}
	return errNoAuth
}

func (r *smtpRun) transfer(to string, message []byte) error {
	times := r.email.times
	r.begin("MAIL FROM", times.command)
	if err := r.client.Mail("<" + r.email.from.Address + ">"); err != nil {
		return err
	}
	r.begin("RCPT TO", times.command)
	if err := r.client.Rcpt("<" + to + ">"); err != nil {
		return err
	}
	writer, err := r.openData()
	if err != nil {
		return err
	}
	r.begin("send text", times.text)
	if _, err := bytes.NewReader(message).WriteTo(writer); err != nil {
		return err
	}
	// Close writes what is buffered and the final dot, and reads the answer. If
	// a write fails the dot, which comes last, did not leave.
	r.begin("final dot", times.dot)
	err = writer.Close()
	r.dotSent = !r.conn.writeFailed
	return err
}

// openData sends DATA and reads the answer.
func (r *smtpRun) openData() (io.WriteCloser, error) {
	if r.guard != nil {
		return r.guard.open(r)
	}
	r.begin("DATA", r.email.times.command)
	return r.client.Data()
}

// boundedConn ends the conversation with a server that says too much, and
// remembers whether a write failed. It is used by one goroutine, but for Close
// and the deadlines.
type boundedConn struct {
	net.Conn
	left        int
	writeFailed bool
}

func (c *boundedConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errReplyTooLong
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

func (c *boundedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.writeFailed = c.writeFailed || err != nil
	return n, err
}

// classify turns the error of the current phase into a SendError.
func (r *smtpRun) classify(err error) *chatops.SendError {
	var reply *textproto.Error
	if held, ok := errors.AsType[*heldError](err); ok {
		return held.failure
	}
	switch {
	case errors.Is(err, errNoStartTLS), errors.Is(err, errNoAuth):
		return failure(chatops.FailMisconfigured, "unsupported", "email: %s: %s", r.step, err)
	case r.ctx.Err() == nil && errors.As(err, &reply):
		return r.refusal(reply)
	}
	var garbled textproto.ProtocolError
	if r.ctx.Err() == nil && errors.As(err, &garbled) {
		kind := chatops.FailTransient
		if r.dotSent {
			kind = chatops.FailAmbiguous
		}
		return failure(kind, "reply_invalid", "email: %s: reply is not SMTP", r.step)
	}
	return networkFailure(r.ctx, "email", r.step, err, r.dotSent)
}

// refusal classifies an SMTP reply (RFC 5321, 4.2.1; RFC 4954, 6).
func (r *smtpRun) refusal(reply *textproto.Error) *chatops.SendError {
	code := fmt.Sprint(reply.Code)
	if enhanced := enhancedCode(reply.Msg); enhanced != "" {
		code += " " + enhanced
	}
	f := failure(r.refusalKind(reply.Code), "smtp_"+strings.ReplaceAll(code, " ", "_"), "email: %s: SMTP %s", r.step, code)
	f.HTTPStatus = reply.Code
	return f
}

func (r *smtpRun) refusalKind(code int) chatops.FailureKind {
	switch {
	case code == 530 || code == 534 || code == 535 || code == 538:
		return chatops.FailMisconfigured
	case code >= 500 && code < 600:
		switch r.step {
		case "banner", "EHLO", "STARTTLS", "AUTH": // it refuses us, not this mail
			return chatops.FailMisconfigured
		}
		return chatops.FailPermanent
	case code >= 400 && code < 500:
		return chatops.FailTransient
	case r.dotSent:
		return chatops.FailAmbiguous // neither yes nor no
	}
	return chatops.FailTransient
}

var enhancedPattern = chatops.Pattern(`^[245]\.\d{1,3}\.\d{1,3}$`)

// enhancedCode returns the status code of RFC 3463 that a reply begins with.
func enhancedCode(text string) string {
	word, _, _ := strings.Cut(text, " ")
	if !enhancedPattern().MatchString(word) {
		return ""
	}
	return word
}
