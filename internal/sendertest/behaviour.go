package sendertest

import "net/http"

// Behaviour is how an HTTP fake treats a request. The zero value answers 200 as
// the receiver would.
type Behaviour struct {
	Status int               // other than 0: answer this instead of doing the work
	Header map[string]string // added to the answer
	Body   string
	Repeat int  // send Body this many times more
	Hang   bool // never answer; ends when the client or the fake goes away
	Drop   bool // close the connection instead of answering
	Work   bool // do the work before Status, Hang or Drop take effect
	// WriteFunc, when set, writes the answer instead of all the others. It ends
	// when gone is closed: the client or the fake went away.
	WriteFunc func(w http.ResponseWriter, r Request, gone <-chan struct{})
}

// OK does the work and answers as the receiver does.
func OK() Behaviour { return Behaviour{} }

// Status answers with an HTTP status and body, without doing the work.
func Status(code int, body string) Behaviour { return Behaviour{Status: code, Body: body} }

// RateLimited answers 429 with a Retry-After header of the given text.
func RateLimited(retryAfter string) Behaviour {
	return Behaviour{
		Status: http.StatusTooManyRequests, Body: "rate_limited",
		Header: map[string]string{"Retry-After": retryAfter},
	}
}

// Hang reads the request and never answers.
func Hang() Behaviour { return Behaviour{Hang: true} }

// Drop reads the request and closes the connection.
func Drop() Behaviour { return Behaviour{Drop: true} }

// WorkThenDrop does the work and closes the connection before the reply: the
// item exists, the caller does not know it.
func WorkThenDrop() Behaviour { return Behaviour{Work: true, Drop: true} }

// Garbage answers 200 with bytes that are no reply of any receiver.
func Garbage() Behaviour { return Behaviour{Status: http.StatusOK, Body: "\x00<html>\xff{{"} }

// Huge answers 200 with an endless-looking JSON text of about 16 MiB.
func Huge() Behaviour {
	return Behaviour{Status: http.StatusOK, Body: `{"filler":"` + string(make([]byte, 1<<16)) + `",`, Repeat: 255}
}

// MondayErrors answers HTTP 200 with one entry in errors[], as Monday does. A
// retryIn of 0 leaves the waiting time out.
func MondayErrors(code string, retryIn int) Behaviour {
	extensions := map[string]any{"code": code, "status_code": http.StatusOK}
	if retryIn > 0 {
		extensions["retry_in_seconds"] = retryIn
	}
	return Behaviour{Status: http.StatusOK, Body: mustJSON(map[string]any{
		"errors": []any{map[string]any{"message": "refused for the test", "extensions": extensions}},
	})}
}
