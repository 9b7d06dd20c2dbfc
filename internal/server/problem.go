package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"chatops/internal/chatops"

	"github.com/danielgtaylor/huma/v2"
)

// Problem is the body of every error: the fields of RFC 9457 and, for clients
// written against the older API, the text once more as "error".
type Problem struct { //nolint:errname // the OpenAPI document shows the name
	Type      string `json:"type" doc:"Always about:blank: the status says what kind of problem it is"`
	Title     string `json:"title" doc:"The status in words"`
	Status    int    `json:"status" doc:"The HTTP status"`
	Detail    string `json:"detail" doc:"What was wrong with this request"`
	Message   string `json:"error" doc:"The error as a short text"`
	RequestID string `json:"request_id" doc:"Quote it when you report the problem"`
	// RetryAfter repeats the header for clients of the older API.
	RetryAfter int `json:"retry_after,omitempty" doc:"Over a limit: seconds to wait"`

	retryAfter int // seconds; 0: no Retry-After header
}

const problemType = "application/problem+json"

// retryAfterSeconds is what a client is asked to wait when a dependency is down.
const retryAfterSeconds = 5

// Error returns the text.
func (p *Problem) Error() string { return p.Message }

// GetStatus returns the HTTP status, for huma.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType returns the media type of RFC 9457, for huma.
func (p *Problem) ContentType(string) string { return problemType }

// GetHeaders returns the headers that go with the problem, for huma.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	p.setHeaders(h)
	return h
}

func (p *Problem) setHeaders(h http.Header) {
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="chatops"`) // RFC 9110, section 15.5.2
	}
}

// unavailableText stands for the text of a dependency's error.
const unavailableText = "temporarily unavailable, please try again in a moment"

// namesPlace reports whether a text may hold an address or a path.
func namesPlace(text string) bool {
	for i := range len(text) - 1 {
		if text[i] == '/' || text[i] == ':' && text[i+1] != ' ' {
			return true
		}
	}
	return strings.Contains(text, "connect to ")
}

// StatusOf returns the HTTP status of a code; 500 for a code it does not know.
func StatusOf(code chatops.Code) int {
	if status, ok := statusByCode[code]; ok {
		return status
	}
	return http.StatusInternalServerError
}

var statusByCode = map[chatops.Code]int{
	chatops.CodeInvalid:      http.StatusBadRequest,
	chatops.CodeUnauthorized: http.StatusUnauthorized,
	chatops.CodeNotFound:     http.StatusNotFound,
	chatops.CodeConflict:     http.StatusConflict,
	chatops.CodeMismatch:     http.StatusUnprocessableEntity,
	chatops.CodeTooLarge:     http.StatusRequestEntityTooLarge,
	chatops.CodeRateLimited:  http.StatusTooManyRequests,
	chatops.CodeUnavailable:  http.StatusServiceUnavailable,
	chatops.CodeUsage:        http.StatusBadRequest,
	chatops.CodeFinding:      http.StatusConflict,
	chatops.CodePartial:      http.StatusInternalServerError,
	chatops.CodeRefused:      http.StatusForbidden,
	chatops.CodeInterrupted:  http.StatusServiceUnavailable,
	chatops.CodeInternal:     http.StatusInternalServerError,
}

func newProblem(status int, text, requestID string) *Problem {
	p := &Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status,
		Detail: text, Message: text, RequestID: requestID,
	}
	switch status {
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		p.retryAfter = retryAfterSeconds
	case http.StatusConflict:
		p.retryAfter = 1 // somebody else is at it, for a moment
	}
	return p
}

// detailedError keeps a fixed error text that clients know, and adds a detail
// that says more.
type detailedError struct {
	error
	detail string
}

func (e *detailedError) Unwrap() error { return e.error }

// problemOf turns any error into what the caller may see of it.
func problemOf(err error, requestID string) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		p.RequestID = requestID
		return p
	}
	code := chatops.ErrorCode(err)
	text := chatops.ErrorMessage(err)
	switch {
	case code == chatops.CodeInternal:
		text = "internal error"
	case code == chatops.CodeUnavailable && namesPlace(text):
		text = unavailableText // where a dependency runs stays in the log
	}
	p := newProblem(StatusOf(code), text, requestID)
	if d, ok := errors.AsType[*detailedError](err); ok {
		p.Detail = d.detail
	}
	return p
}

// write sends the problem as the whole answer.
func (p *Problem) write(w http.ResponseWriter) {
	body, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and numbers
	}
	h := w.Header()
	p.setHeaders(h)
	h.Set("Content-Type", problemType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Del("Content-Encoding")
	h.Del("ETag")
	h.Del("Location")
	h["Cache-Control"] = noStore
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // the client is gone: nobody is left to tell
}

// humaError builds the errors that huma itself raises: a parameter of the wrong
// form, mostly. Values are not repeated.
func humaError(ctx huma.Context, status int, text string, errs ...error) huma.StatusError {
	id := ""
	if ctx != nil {
		id = requestID(ctx.Context())
	}
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest // 422 is kept for a reused Idempotency-Key
	}
	if status >= http.StatusInternalServerError {
		return newProblem(status, "internal error", id)
	}
	var said []string
	for _, err := range errs {
		var d huma.ErrorDetailer
		if errors.As(err, &d) {
			if e := d.ErrorDetail(); e.Location != "" {
				said = append(said, e.Location+": "+e.Message)
			}
		}
	}
	p := newProblem(status, text, id)
	if len(said) > 0 {
		p.Detail = text + ": " + strings.Join(said, "; ")
	}
	return p
}
