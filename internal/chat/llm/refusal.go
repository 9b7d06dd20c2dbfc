package llm

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// knownCodes are the error codes of OpenAI that help an operator. No other text
// of a refusal is passed on: it may quote the key or the prompt.
var knownCodes = []string{
	"account_deactivated", "billing_hard_limit_reached", "billing_not_active", "context_length_exceeded", "insufficient_quota",
	"invalid_api_key", "invalid_organization", "model_not_found", "rate_limit_exceeded", "string_above_max_length",
	"unsupported_country_region_territory", "unsupported_model", "unsupported_parameter", "unsupported_value",
}

// refusal makes the error of an answer other than HTTP 200.
func refusal(res *http.Response, body io.Reader) *Error {
	e := &Error{Kind: KindMisconfigured, Step: stepAwait, Status: res.StatusCode}
	switch s := res.StatusCode; {
	case s >= http.StatusInternalServerError:
		e.Kind = KindServer
	case s == http.StatusTooManyRequests:
		e.Kind, e.RetryAfter = KindRateLimited, retryAfter(res.Header.Get("Retry-After"), time.Now())
	case s == http.StatusRequestTimeout:
		e.Kind = KindTimeout
	case s < http.StatusMultipleChoices:
		e.Kind, e.Cause = KindGarbage, "not an answer to a completion"
	case s < http.StatusBadRequest:
		e.Cause = "redirects are not followed"
	}
	if e.Cause == "" {
		e.Cause = codeOf(body)
	}
	return e
}

// codeOf returns the known code that a refusal names, or "".
func codeOf(body io.Reader) string {
	data, err := io.ReadAll(body)
	if err != nil {
		return ""
	}
	var doc struct {
		Error struct {
			Code any `json:"code"`
			Type any `json:"type"`
		} `json:"error"`
	}
	if json.Unmarshal(data, &doc) != nil {
		return ""
	}
	for _, known := range knownCodes {
		if doc.Error.Code == known || doc.Error.Type == known {
			return known
		}
	}
	return ""
}

// longestRest caps what a refusal may ask for, in seconds.
const longestRest = 1_000_000

// retryAfter reads the header of that name (RFC 9110, section 10.2.3): seconds or
// a date. What is neither, or past, is 0.
func retryAfter(text string, now time.Time) time.Duration {
	text = strings.TrimSpace(text)
	if s, err := strconv.ParseFloat(text, 64); err == nil {
		if !(s > 0) {
			return 0
		}
		return time.Duration(min(s, longestRest) * float64(time.Second))
	}
	if at, err := http.ParseTime(text); err == nil && at.After(now) {
		return min(at.Sub(now), longestRest*time.Second)
	}
	return 0
}
