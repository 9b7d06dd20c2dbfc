package server

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// maxBody is the largest request body, in bytes.
const maxBody = 1 << 20

// keepBuffer is the largest buffer that is kept for the next request.
const keepBuffer = 64 << 10

var bodyPool sync.Pool

// gate lets a request through once its whole body has arrived, and only when it
// calls itself plain JSON of at most 1 MiB. A handler behind it reads from
// memory and never waits for the client.
func gate(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if p := checkMedia(r); p != nil {
			p.write(w)
			return
		}
		buf, ok := bodyPool.Get().(*bytes.Buffer)
		if !ok {
			buf = new(bytes.Buffer)
		}
		buf.Reset()
		defer func() {
			if buf.Cap() <= keepBuffer {
				bodyPool.Put(buf)
			}
		}()
		if p := readBody(buf, w, r); p != nil {
			p.write(w)
			return
		}
		if buf.Len() == 0 {
			buf.WriteByte(' ') // huma would refuse an empty body in words of its own
		}
		r.Body = io.NopCloser(bytes.NewReader(buf.Bytes()))
		next(w, r)
	}
}

// checkMedia refuses bodies that are not plain JSON. A missing Content-Type is
// refused too: with it a foreign page's form could post without a preflight.
func checkMedia(r *http.Request) *Problem {
	if p := checkEncoding(r); p != nil {
		return p
	}
	if r.Header.Get("Content-Type") != "application/json" { // nearly always exactly this
		media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		charset := params["charset"]
		if err != nil || media != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8") {
			return newProblem(http.StatusUnsupportedMediaType, "Content-Type must be application/json", requestID(r.Context()))
		}
	}
	return checkLength(r)
}

// checkEncoding refuses compressed bodies.
func checkEncoding(r *http.Request) *Problem {
	if enc := r.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return newProblem(http.StatusUnsupportedMediaType, "compressed request bodies are not accepted", requestID(r.Context()))
	}
	return nil
}

// checkLength refuses a body that says that it is too large, before it is read.
func checkLength(r *http.Request) *Problem {
	if r.ContentLength > maxBody {
		return bodyTooLarge(r)
	}
	return nil
}

func bodyTooLarge(r *http.Request) *Problem {
	return newProblem(http.StatusRequestEntityTooLarge, "request body is larger than 1 MiB", requestID(r.Context()))
}

// readBody reads the whole body into buf. The server's read deadline covers it;
// it is lifted afterwards, for net/http would otherwise take it for the client's
// departure and cancel a request that is still being answered.
func readBody(buf *bytes.Buffer, w http.ResponseWriter, r *http.Request) *Problem {
	_, err := buf.ReadFrom(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		// Not every ResponseWriter has a connection; then there is no deadline.
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
		return nil
	}
	id := requestID(r.Context())
	w.Header()["Connection"] = closing // what is left of the body is not worth reading
	var tooLarge *http.MaxBytesError
	var timeout net.Error
	switch {
	case errors.As(err, &tooLarge):
		return bodyTooLarge(r)
	case errors.As(err, &timeout) && timeout.Timeout():
		return newProblem(http.StatusRequestTimeout, "request body did not arrive in time", id)
	}
	return newProblem(http.StatusBadRequest, "request body did not arrive whole", id)
}
