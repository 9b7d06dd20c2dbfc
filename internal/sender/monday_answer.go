package sender

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// mondayAnswer is a reply of the GraphQL API, read as leniently as it is
// written: data may be an array, errors may be strings, and versions before
// 2025-01 put one error at the top.
type mondayAnswer struct {
	reply *httpReply
	isMap bool // the body is a JSON object
	data  map[string]json.RawMessage
	err   *mondayError // nil: the body names no error
}

type mondayError struct {
	code    string
	message string // may quote data: never shown
	status  int    // Monday's own idea of the HTTP status
	retryIn time.Duration
}

// mondayErrorText is one error, in errors[] or at the top of an older reply.
type mondayErrorText struct {
	Message      string           `json:"message"`
	ErrorMessage string           `json:"error_message"`
	ErrorCode    string           `json:"error_code"`
	StatusCode   json.RawMessage  `json:"status_code"`
	RetryIn      float64          `json:"retry_in_seconds"`
	ErrorData    json.RawMessage  `json:"error_data"`
	Extensions   *mondayErrorMore `json:"extensions"`
}

type mondayErrorMore struct {
	Code       string          `json:"code"`
	StatusCode json.RawMessage `json:"status_code"`
	RetryIn    float64         `json:"retry_in_seconds"`
	ErrorData  json.RawMessage `json:"error_data"`
}

func readMonday(reply *httpReply) *mondayAnswer {
	answer := &mondayAnswer{reply: reply}
	var body struct {
		Data   json.RawMessage `json:"data"`
		Errors json.RawMessage `json:"errors"`
	}
	if !reply.whole || json.Unmarshal(reply.body, &body) != nil {
		return answer
	}
	answer.isMap = true
	_ = json.Unmarshal(body.Data, &answer.data) // anything but an object holds nothing for us
	answer.err = readMondayErrors(body.Errors)
	var top mondayErrorText
	if answer.err == nil && json.Unmarshal(reply.body, &top) == nil && (top.ErrorCode != "" || top.ErrorMessage != "") {
		answer.err = top.read()
	}
	return answer
}

// readMondayErrors returns the first error of errors[], which may be an array of
// objects or of strings, or one of these by itself.
func readMondayErrors(raw json.RawMessage) *mondayError {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	list := []json.RawMessage{raw}
	if raw[0] == '[' {
		if json.Unmarshal(raw, &list) != nil || len(list) == 0 {
			return nil
		}
	}
	var object mondayErrorText
	if json.Unmarshal(list[0], &object) == nil {
		return object.read()
	}
	var text string
	_ = json.Unmarshal(list[0], &text)
	return &mondayError{message: text, retryIn: resetIn(text)}
}

func (t *mondayErrorText) read() *mondayError {
	more := t.Extensions
	if more == nil {
		more = &mondayErrorMore{}
	}
	e := &mondayError{code: shortCode(first(more.Code, t.ErrorCode)), message: first(t.Message, t.ErrorMessage)}
	e.status, _ = strconv.Atoi(strings.Trim(first(string(more.StatusCode), string(t.StatusCode)), `"`))
	e.retryIn = max(secondsWait(max(t.RetryIn, more.RetryIn)), dataRetryIn(t.ErrorData), dataRetryIn(more.ErrorData), resetIn(e.message))
	return e
}

func dataRetryIn(raw json.RawMessage) time.Duration {
	var data struct {
		RetryIn float64 `json:"retry_in_seconds"`
	}
	if json.Unmarshal(raw, &data) != nil {
		return 0
	}
	return secondsWait(data.RetryIn)
}

var resetPattern = chatops.Pattern(`reset in (\d+)(?:\.\d+)? seconds?`)

// resetIn reads the wait out of a message such as "budget exhausted, ... reset
// in 12 seconds", which is all that older versions say.
func resetIn(message string) time.Duration {
	match := resetPattern().FindStringSubmatch(message)
	if match == nil {
		return 0
	}
	return digits(match[1])
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// created returns the id of the created item, "" when the answer holds none.
func (a *mondayAnswer) created() string {
	if !a.reply.ok() {
		return ""
	}
	return itemID(a.data["create_item"])
}

// itemID returns the id of an item, a number or a string of digits; "" for
// anything else.
func itemID(raw json.RawMessage) string {
	var item struct {
		ID json.RawMessage `json:"id"`
	}
	if json.Unmarshal(raw, &item) != nil {
		return ""
	}
	switch id := strings.Trim(string(item.ID), `"`); id {
	case "null", "0":
		return ""
	default:
		return id
	}
}

// found returns the id of what a search found, and whether it found something;
// ok is false when the answer is none to a search.
func (a *mondayAnswer) found() (id string, found, ok bool) {
	var page struct {
		Items *[]json.RawMessage `json:"items"`
	}
	if !a.reply.ok() || a.err != nil || json.Unmarshal(a.data["items_page_by_column_values"], &page) != nil || page.Items == nil {
		return "", false, false
	}
	if len(*page.Items) == 0 {
		return "", false, true
	}
	return itemID((*page.Items)[0]), true, true
}

// cannotSearch reports whether the server answered, was well, and did not know
// what a search is.
func (a *mondayAnswer) cannotSearch() bool {
	switch {
	case !a.isMap || !a.reply.ok() && a.reply.status != 400:
		return false
	case a.err == nil:
		return true
	case isSchemaCode(a.err.code):
		return true
	}
	_, known := a.err.kind()
	return !known
}

// failure classifies the answer's error; nil when it holds none.
func (a *mondayAnswer) failure(now time.Time) *chatops.SendError {
	if a.err == nil {
		if a.reply.ok() {
			return nil
		}
		return mondayWait(statusFailure("monday", a.reply, "", now), 0)
	}
	f := statusFailure("monday", a.reply, a.err.code, now)
	if a.reply.ok() {
		f.Code = first(a.err.code, "error")
		f.Err = &redacted{text: "monday: " + first(a.err.code, "error without a code")}
	}
	if kind, known := a.err.kind(); known || a.reply.ok() {
		f.Kind = kind
	}
	return mondayWait(f, a.err.retryIn)
}

// mondayWait sets how long to wait: what the body says, or the header, or for a
// rate limit without either the minute in which budgets renew.
func mondayWait(f *chatops.SendError, fromBody time.Duration) *chatops.SendError {
	f.RetryAfter = max(f.RetryAfter, fromBody)
	if f.Kind == chatops.FailRateLimited && f.RetryAfter == 0 {
		f.RetryAfter = time.Minute
		if strings.Contains(fold(f.Code), "daily") {
			f.RetryAfter = time.Hour // until midnight UTC, or a larger plan
		}
	}
	return f
}
