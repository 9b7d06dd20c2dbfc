package server

import (
	"bytes"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
)

// readForm reads what a browser or a mail program posts: a form in either
// encoding. Without a type there must be no body.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, *Problem) {
	id := requestID(r.Context())
	for _, check := range []func(*http.Request) *Problem{checkEncoding, checkLength} {
		if p := check(r); p != nil {
			return nil, p
		}
	}
	var body bytes.Buffer
	if p := readBody(&body, w, r); p != nil {
		return nil, p
	}
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	var form url.Values
	switch {
	case body.Len() == 0:
		return nil, nil
	case err == nil && media == "application/x-www-form-urlencoded":
		form, err = url.ParseQuery(body.String())
	case err == nil && media == "multipart/form-data" && params["boundary"] != "":
		form, err = readMultipart(&body, params["boundary"])
	default:
		return nil, newProblem(http.StatusUnsupportedMediaType, "Content-Type must be that of a form", id)
	}
	if err != nil {
		return nil, newProblem(http.StatusBadRequest, "the form cannot be read", id)
	}
	return form, nil
}

// readMultipart reads a form from memory; the body is bounded, so no part of it
// goes to a disk.
func readMultipart(body *bytes.Buffer, boundary string) (url.Values, error) {
	form, err := multipart.NewReader(body, boundary).ReadForm(maxBody)
	if err != nil {
		return nil, err
	}
	return form.Value, form.RemoveAll()
}
