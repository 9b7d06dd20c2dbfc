package llm

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
)

// Kind says why a call brought no answer.
type Kind string

// The kinds of failure. What a breaker counts is for the caller to decide.
const (
	KindConnection    Kind = "connection"    // no connection, or lost before the answer ended
	KindTimeout       Kind = "timeout"       // total or idle deadline, HTTP 408
	KindServer        Kind = "server_error"  // HTTP 5xx, or an error within the stream
	KindGarbage       Kind = "garbage"       // not what the protocol says: HTML, broken JSON, cut off
	KindTooLarge      Kind = "too_large"     // more bytes than MaxBody
	KindRateLimited   Kind = "rate_limited"  // HTTP 429
	KindMisconfigured Kind = "misconfigured" // other HTTP 3xx and 4xx: address, key or model is wrong
	KindCanceled      Kind = "canceled"      // the caller gave up
)

// Kinds lists every kind.
func Kinds() []Kind {
	return []Kind{
		KindConnection, KindTimeout, KindServer, KindGarbage, KindTooLarge,
		KindRateLimited, KindMisconfigured, KindCanceled,
	}
}

// Error is a call that brought no answer. Its text is composed of our own words,
// an HTTP status and codes that OpenAI documents; nothing that was received is
// quoted.
type Error struct {
	Kind Kind
	// Step is what was being done: "connect", "await answer", "read answer".
	Step   string
	Cause  string // of a fixed list, may be empty
	Status int    // HTTP status, 0 when there was none
	// RetryAfter is how long the endpoint asked to be left alone, 0 when it did
	// not say.
	RetryAfter time.Duration
	// Err is the context's error when the caller's context ended, else nil.
	Err error
}

// Error says what was tried and why it did not work.
func (e *Error) Error() string {
	text := "llm: " + e.Step
	if e.Status != 0 {
		text += fmt.Sprintf(": HTTP %d", e.Status)
	}
	if e.Cause != "" {
		text += ": " + e.Cause
	}
	return text
}

// Unwrap returns the context's error, if that was the cause.
func (e *Error) Unwrap() error { return e.Err }

// The steps of a call.
const (
	stepConnect = "connect"
	stepAwait   = "await answer"
	stepRead    = "read answer"
)

var (
	errIdle  = errors.New("nothing arrived in time")
	errTotal = errors.New("the answer took too long")
	errLarge = errors.New("the answer is too large")
)

// transportError classifies an error of the transport or of reading a body.
func transportError(ctx context.Context, step string, err error) *Error {
	switch cause := context.Cause(ctx); {
	case errors.Is(err, errLarge):
		return &Error{Kind: KindTooLarge, Step: step, Cause: errLarge.Error()}
	case cause == nil:
	case errors.Is(cause, errIdle), errors.Is(cause, errTotal):
		return &Error{Kind: KindTimeout, Step: step, Cause: cause.Error()}
	case errors.Is(cause, context.DeadlineExceeded):
		return &Error{Kind: KindTimeout, Step: step, Cause: "the caller's deadline", Err: context.DeadlineExceeded}
	default:
		return &Error{Kind: KindCanceled, Step: step, Cause: "canceled", Err: context.Canceled}
	}
	e := &Error{Kind: KindConnection, Step: step, Cause: "connection lost"}
	var (
		dial    *net.OpError
		host    *net.DNSError
		cert    *tls.CertificateVerificationError
		noTLS   tls.RecordHeaderError
		timeout net.Error
	)
	if errors.As(err, &dial) && dial.Op == "dial" {
		e.Step, e.Cause = stepConnect, "no connection"
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Cause = "connection refused"
	case errors.As(err, &host):
		e.Step, e.Cause = stepConnect, "host name cannot be looked up"
	case errors.As(err, &cert):
		e.Step, e.Cause = stepConnect, "certificate is not trusted"
	case errors.As(err, &noTLS):
		e.Step, e.Cause = stepConnect, "the address does not speak TLS"
	case errors.As(err, &timeout) && timeout.Timeout():
		e.Kind, e.Step, e.Cause = KindTimeout, stepConnect, "no connection in time"
	}
	return e
}

// garbage is an answer that is no completion.
func garbage(cause string) *Error { return &Error{Kind: KindGarbage, Step: stepRead, Cause: cause} }
