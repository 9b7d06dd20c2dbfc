package server

import (
	"net/http"
	"net/netip"
)

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

	client netip.Addr // who asks, where there are limits
	// uncounted is the server of a request that counts towards a limit and was
	// not counted yet.
	uncounted *Server
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
	switch {
	case x.request.Pattern == "" && status == http.StatusNotFound:
		x.refuse(newProblem(status, "no such page or endpoint", x.id))
	case x.request.Pattern == "" && status == http.StatusMethodNotAllowed:
		x.refuse(newProblem(status, "method "+methodLabel(x.request.Method)+" is not allowed here", x.id))
	case x.counted():
		x.status = status
		x.ResponseWriter.WriteHeader(status)
	}
}

// refuse answers a request that no route takes.
func (x *exchange) refuse(p *Problem) {
	if x.counted() {
		x.answer(p)
	}
}

// counted counts a request to the API that no route has counted, and reports
// whether it is within its limit; otherwise it is answered.
func (x *exchange) counted() bool {
	return x.uncounted == nil || x.uncounted.admit(x.request.Context(), x, unroutedQuota)
}

// answer sends a problem as the whole answer.
func (x *exchange) answer(p *Problem) {
	p.write(direct{x})
	x.swallow = true
}

// Write sends a part of the body.
func (x *exchange) Write(p []byte) (int, error) {
	if x.swallow {
		return len(p), nil
	}
	if x.status == 0 {
		x.WriteHeader(http.StatusOK)
		if x.swallow {
			return len(p), nil
		}
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
