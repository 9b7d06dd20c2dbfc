package server

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// newExchange wraps a recorder as ServeHTTP does; pattern is the route that
// matched.
func newExchange(t *testing.T, pattern string) (*exchange, *httptest.ResponseRecorder) {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/x", http.NoBody)
	r.Pattern = pattern
	return &exchange{ResponseWriter: w, id: "r-1", request: r}, w
}

func TestExchange_SendsTheFirstStatusOnly(t *testing.T) {
	t.Parallel()
	x, w := newExchange(t, "GET /x")
	x.WriteHeader(http.StatusNotFound)
	x.WriteHeader(http.StatusOK)
	if w.Code != http.StatusNotFound || x.status != http.StatusNotFound || w.Body.Len() != 0 {
		t.Errorf("sent %d, noted %d, body %q", w.Code, x.status, w.Body)
	}
}

func TestExchange_CountsAndImpliesOK(t *testing.T) {
	t.Parallel()
	x, w := newExchange(t, "GET /x")
	for _, part := range []string{"zażółć", "", "abc"} {
		if _, err := io.WriteString(x, part); err != nil {
			t.Fatal(err)
		}
	}
	if x.status != http.StatusOK || x.bytes != 13 || w.Body.String() != "zażółćabc" {
		t.Errorf("status %d, %d bytes, body %q", x.status, x.bytes, w.Body)
	}
}

func TestExchange_ReplacesWhatTheMuxSaysOfUnknownRoutes(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusNotFound, http.StatusMethodNotAllowed} {
		x, w := newExchange(t, "")
		x.Header().Set("Content-Type", "text/plain")
		x.WriteHeader(status)
		n, err := io.WriteString(x, "404 page not found\n")
		if n != 19 || err != nil {
			t.Errorf("the mux was told %d, %v", n, err)
		}
		a := read(t, w.Result())
		a.Header.Set("X-Request-ID", "r-1") // ServeHTTP sets it
		a.wantProblem(t, status)
		if x.status != status || x.bytes != int64(len(a.Body)) {
			t.Errorf("noted status %d and %d bytes of %d", x.status, x.bytes, len(a.Body))
		}
	}
}

func TestExchange_LetsOtherStatusesOfTheMuxThrough(t *testing.T) {
	t.Parallel()
	x, w := newExchange(t, "")
	http.Redirect(x, x.request, "/y", http.StatusTemporaryRedirect)
	if w.Code != http.StatusTemporaryRedirect || w.Header().Get("Location") != "/y" {
		t.Errorf("status %d to %q", w.Code, w.Header().Get("Location"))
	}
}

func TestExchange_PassesInformationOn(t *testing.T) {
	t.Parallel()
	x, _ := newExchange(t, "GET /x")
	x.WriteHeader(http.StatusEarlyHints)
	if x.status != 0 {
		t.Errorf("an informational status counts as the answer: %d", x.status)
	}
}

func TestExchange_ReachesTheConnection(t *testing.T) {
	t.Parallel()
	x, w := newExchange(t, "GET /x")
	if err := http.NewResponseController(x).Flush(); err != nil || !w.Flushed {
		t.Errorf("flush: %v", err)
	}
}

func TestRoute_IsThePatternWithoutItsMethod(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{"GET /x/{id}": "/x/{id}", "/x": "/x", "": unmatched} {
		x, _ := newExchange(t, pattern)
		if got := x.route(); got != want {
			t.Errorf("%q: %q", pattern, got)
		}
	}
}
