package server

import "net/http"

// exchange is one request and the response to it: the ResponseWriter that
// handlers write to. It counts what was sent, and turns the plain-text 404 and
// 405 of ServeMux into problems.
type exchange struct {
	http.ResponseWriter
	id      string
	request *http.Request // as the mux sees it: Pattern is set once a route matched
	status  int           // 0 until the header is sent
	bytes   int64
	swallow bool // drop what the handler writes: the answer is complete
}

// Unwrap lets http.ResponseController reach the connection.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// WriteHeader sends the status, once.
func (x *exchange) WriteHeader(status int) {
	if x.status != 0 {
		return
	}
	if status < 200 { // informational: the real one follows
		x.ResponseWriter.WriteHeader(status)
		return
	}
	if x.request.Pattern == "" && (status == http.StatusNotFound || status == http.StatusMethodNotAllowed) {
		x.refuse(status)
		return
	}
	x.status = status
	x.ResponseWriter.WriteHeader(status)
}

// refuse answers for the mux, which found no route.
func (x *exchange) refuse(status int) {
	text := "no such page or endpoint"
	if status == http.StatusMethodNotAllowed {
		text = "method " + methodLabel(x.request.Method) + " is not allowed here"
	}
	newProblem(status, text, x.id).write(direct{x})
	x.swallow = true
}

// Write sends a part of the body.
func (x *exchange) Write(p []byte) (int, error) {
	if x.swallow {
		return len(p), nil
	}
	if x.status == 0 {
		x.WriteHeader(http.StatusOK)
	}
	n, err := x.ResponseWriter.Write(p)
	x.bytes += int64(n)
	return n, err
}

// direct writes past the checks of an exchange but keeps its count.
type direct struct{ *exchange }

func (d direct) WriteHeader(status int) {
	d.status = status
	d.ResponseWriter.WriteHeader(status)
}

func (d direct) Write(p []byte) (int, error) {
	n, err := d.ResponseWriter.Write(p)
	d.bytes += int64(n)
	return n, err
}
