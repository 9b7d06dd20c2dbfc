package chatops

import (
	"errors"
	"fmt"
)

// Code says what kind of failure an Error is. The HTTP server and the command
// line each map codes in one table, so a code means the same everywhere.
type Code string

// The codes of the program.
const (
	CodeInvalid      Code = "invalid"      // the caller's input is wrong; the text names the value and the fix
	CodeUnauthorized Code = "unauthorized" // a key or token is missing or wrong
	CodeNotFound     Code = "not_found"    // the named thing does not exist
	CodeConflict     Code = "conflict"     // somebody else changed it first, or a lease was lost
	CodeMismatch     Code = "mismatch"     // a key was used before, for something else
	CodeTooLarge     Code = "too_large"    // input over a stated size
	CodeRateLimited  Code = "rate_limited" // try again later
	CodeUnavailable  Code = "unavailable"  // a dependency cannot be reached; try again
	CodeUsage        Code = "usage"        // a command was typed wrongly
	CodeFinding      Code = "finding"      // a check answered no
	CodePartial      Code = "partial"      // some of it was done, some not
	CodeRefused      Code = "refused"      // not done: confirmation or permission is missing
	CodeInterrupted  Code = "interrupted"  // stopped by a signal
	CodeInternal     Code = "internal"     // a defect of ours or an unforeseen failure
)

// Codes lists every code, for tables that must cover all of them.
func Codes() []Code {
	return []Code{
		CodeInvalid, CodeUnauthorized, CodeNotFound, CodeConflict, CodeMismatch, CodeTooLarge,
		CodeRateLimited, CodeUnavailable, CodeUsage, CodeFinding, CodePartial,
		CodeRefused, CodeInterrupted, CodeInternal,
	}
}

// Error is the program's one error type. Message is safe to show to a caller:
// lower case, what was tried and why it did not work, no secret, no personal
// data, no SQL. Err is the cause, for logs.
type Error struct {
	Code    Code
	Message string
	Err     error
	shown   bool // Message contains the cause's text already
}

// Error returns the message, followed by the cause where there is one.
func (e *Error) Error() string {
	if e.Err == nil || e.shown {
		return e.Message
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error of a code. A %w verb keeps its operand as the cause's
// chain; its text becomes part of the message, so wrap only what may be shown.
func Errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), Err: errors.Unwrap(err), shown: true}
}

// WrapError makes an Error whose message is shown to callers and whose cause is
// only logged.
func WrapError(code Code, cause error, message string) *Error {
	return &Error{Code: code, Message: message, Err: cause}
}

// ErrorCode returns the code of the first Error in the chain, CodeInternal for
// any other error and "" for nil.
func ErrorCode(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}

// ErrorMessage returns what a caller may see: the message of the first Error in
// the chain, or "internal error" for an error of unknown kind.
func ErrorMessage(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Message
	}
	return "internal error"
}
