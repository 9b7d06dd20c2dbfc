package browsertest

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
)

func TestBrowser_ChecksNoticeWhatIsWrong(t *testing.T) {
	t.Parallel()
	browser := Start(t)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><html><title>a</title><body style="background:#fff">
			<p id="p" style="color:#ddd">faint</p><input><script>document.getElementById("p").id = "scripted"</script>`))
	}))
	defer web.Close()
	p := browser.NewPage(t, 400, 300)
	p.Open(web.URL)
	var scripted bool
	p.Eval(`document.getElementById("scripted") !== null`, &scripted)
	if scripted {
		t.Error("the page's script has run")
	}
	found, _ := p.Check()
	for _, want := range []string{"color-contrast", "html-has-lang", "label"} {
		if !slices.ContainsFunc(found, func(v Violation) bool { return v.ID == want }) {
			t.Errorf("%s is not noticed: %v", want, found)
		}
	}
}
