package sender

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"chatops/internal/chatops"
)

// redacted is the error inside a SendError. Its text was composed here, never by
// a library or a receiver, because theirs hold addresses and data. Only a
// context's error stays in the chain.
type redacted struct {
	text  string
	cause error
}

func (r *redacted) Error() string { return r.text }
func (r *redacted) Unwrap() error { return r.cause }

// failure makes a SendError with a composed text.
func failure(kind chatops.FailureKind, code, format string, args ...any) *chatops.SendError {
	return &chatops.SendError{Kind: kind, Code: code, Err: &redacted{text: fmt.Sprintf(format, args...)}}
}

// networkFailure is an attempt that ended without a reply, at a named step. It
// is ambiguous when the receiver may have the whole request.
func networkFailure(ctx context.Context, name, step string, err error, sent bool) *chatops.SendError {
	kind := chatops.FailTransient
	text, code := networkCause(err)
	var untrusted *tls.CertificateVerificationError
	switch {
	case ctx.Err() != nil:
		text, code = "timeout", "timeout"
		if errors.Is(ctx.Err(), context.Canceled) {
			text, code = "cancelled", "cancelled"
		}
	case errors.As(err, &untrusted), errors.Is(err, errBlockedAddress):
		kind = chatops.FailMisconfigured
	}
	if sent {
		kind = chatops.FailAmbiguous
	}
	return &chatops.SendError{Kind: kind, Code: code, Err: &redacted{
		text: name + ": " + step + ": " + text, cause: ctx.Err(),
	}}
}

// networkCause names a network error in words of our own.
func networkCause(err error) (text, code string) {
	var (
		errno     syscall.Errno
		lookup    *net.DNSError
		untrusted *tls.CertificateVerificationError
		record    tls.RecordHeaderError
		timeout   net.Error
	)
	switch {
	case errors.Is(err, errBlockedAddress):
		return "private address is not allowed", "blocked_address"
	case errors.As(err, &untrusted):
		return "certificate is not trusted", "certificate"
	case errors.As(err, &record):
		return "the other side does not speak TLS", "tls"
	case errors.As(err, &lookup) && lookup.IsNotFound:
		return "host name is unknown", "host_unknown"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout", "timeout"
	case errors.As(err, &lookup):
		return "name server does not answer", "name_server"
	case errors.As(err, &errno):
		return errno.Error(), strings.ReplaceAll(errno.Error(), " ", "_")
	case errors.Is(err, errReplyTooLong):
		return "reply is too long", "reply_too_long"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return "connection closed", "connection_closed"
	}
	return "connection failed", "connection"
}

// errReplyTooLong stops reading from a receiver that sends without end.
var errReplyTooLong = errors.New("reply is too long")

// statusFailure classifies an HTTP status other than 2xx. The code is the
// receiver's own, "" when it gave none.
func statusFailure(name string, reply *httpReply, code string, now time.Time) *chatops.SendError {
	text := fmt.Sprintf("%s: HTTP %d", name, reply.status)
	if code == "" {
		code = fmt.Sprintf("http_%d", reply.status)
	} else {
		text += ": " + code
	}
	f := failure(statusKind(reply.status), code, "%s", text)
	f.HTTPStatus = reply.status
	f.RetryAfter = retryAfter(reply.header.Get("Retry-After"), now)
	return f
}

// statusKind is the classification shared by the HTTP senders (RFC 9110, 15).
func statusKind(status int) chatops.FailureKind {
	switch {
	case status == http.StatusTooManyRequests:
		return chatops.FailRateLimited
	case status == http.StatusUnauthorized, status == http.StatusForbidden,
		status == http.StatusNotFound, status == http.StatusProxyAuthRequired:
		return chatops.FailMisconfigured
	case status >= 300 && status < 400:
		return chatops.FailMisconfigured // redirects are not followed: the address is not the receiver's
	case status == http.StatusRequestTimeout, status == http.StatusMisdirectedRequest,
		status == http.StatusLocked, status == http.StatusTooEarly:
		return chatops.FailTransient
	case status >= 400 && status < 500:
		return chatops.FailPermanent
	case status >= 500:
		return chatops.FailTransient
	}
	return chatops.FailAmbiguous // 1xx is no answer
}

var codePattern = chatops.Pattern(`^[A-Za-z][A-Za-z0-9_.-]{0,63}$`)

// shortCode returns a receiver's text if it is a code that may be shown, else "".
func shortCode(text string) string {
	text = strings.TrimSpace(text)
	if !codePattern().MatchString(text) {
		return ""
	}
	return text
}
