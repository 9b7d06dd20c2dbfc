package server

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"html/template"
	"net/http"
	"sync"
	"time"

	"golang.org/x/text/language"

	"chatops/internal/chatops"
)

//go:embed web
var web embed.FS

// asset is a file or page that is the same for everybody, held in memory.
type asset struct {
	body  []byte
	media string
	etag  string
}

func newAsset(body []byte, media string) *asset {
	sum := sha256.Sum256(body)
	return &asset{body: body, media: media, etag: `"` + hex.EncodeToString(sum[:8]) + `"`}
}

// version is a short name of the content, for addresses that may be cached for
// ever.
func (a *asset) version() string { return a.etag[1 : len(a.etag)-1] }

// serve sends the asset, or 304 to a client that has it. It answers HEAD too.
func (a *asset) serve(w http.ResponseWriter, r *http.Request, cache string) {
	h := w.Header()
	h.Set("Content-Type", a.media)
	h.Set("ETag", a.etag)
	h.Set("Cache-Control", cache)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.body))
}

const (
	cacheForever = "public, max-age=31536000, immutable"
	cacheAsk     = "no-cache" // may be kept, must be asked for each time
)

// mustRead returns an embedded file. A missing one is a defect of the build.
func mustRead(name string) []byte {
	body, err := web.ReadFile("web/" + name)
	if err != nil {
		panic(err)
	}
	return body
}

// addStatic serves an embedded file under /static and returns its version.
func (s *Server) addStatic(name, media string) string {
	a := newAsset(mustRead(name), media)
	s.mux.HandleFunc("GET /static/"+name, func(w http.ResponseWriter, r *http.Request) {
		cache := cacheAsk
		if r.URL.Query().Get("v") == a.version() {
			cache = cacheForever
		}
		a.serve(w, r, cache)
	})
	return a.version()
}

// chatView is the chat page as its template sees it.
type chatView struct {
	Lang            string
	T, V            map[string]string // texts of the language; versions of what the page loads
	Marketing, RODO chatops.ConsentText
	Withdraw        bool // there is a page where consent can be withdrawn
}

// addPages serves the chat page, made once for each language and wording of the
// consents.
func (s *Server) addPages() {
	versions := map[string]string{
		"css":  s.addStatic("chat.css", "text/css; charset=utf-8"),
		"js":   s.addStatic("chat.js", "text/javascript; charset=utf-8"),
		"icon": s.addStatic("icon.svg", "image/svg+xml"),
	}
	texts, page := pageTexts(), readPage("chat.html")
	var made sync.Map // by language and numbers: as many as there are versions
	s.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["Content-Security-Policy"] = pageCSP
		h.Set("Vary", "Accept-Language")
		lang := pageLanguage(r)
		h.Set("Content-Language", lang)
		view := chatView{
			Lang: lang, T: texts[lang], V: versions, Withdraw: s.opts.Consent != nil,
			Marketing: s.wordings.current(r.Context(), chatops.KindMarketing, lang),
			RODO:      s.wordings.current(r.Context(), chatops.KindRODO, lang),
		}
		key := [3]any{lang, view.Marketing.ID, view.RODO.ID}
		a, ok := made.Load(key)
		if !ok {
			a, _ = made.LoadOrStore(key, render(page, view))
		}
		a.(*asset).serve(w, r, cacheAsk) //nolint:forcetypeassert // nothing else is stored
	})
}

// pageTexts returns the words of the chat page by language.
func pageTexts() map[string]map[string]string {
	var texts map[string]map[string]string
	if err := json.Unmarshal(mustRead("texts.json"), &texts); err != nil {
		panic(err)
	}
	return texts
}

// readPage reads a page's template. Every name that it uses must exist.
func readPage(name string) *template.Template {
	return template.Must(template.New(name).Option("missingkey=error").Parse(string(mustRead(name))))
}

// render fills a page's template.
func render(t *template.Template, data any) *asset {
	var out bytes.Buffer
	if err := t.Execute(&out, data); err != nil {
		panic(err)
	}
	return newAsset(out.Bytes(), "text/html; charset=utf-8")
}

var polishOrEnglish = language.NewMatcher([]language.Tag{language.English, language.Polish})

// pageLanguage is what ?lang= says, else what the browser prefers. A browser
// that prefers neither language gets English, one that says nothing Polish.
func pageLanguage(r *http.Request) string {
	switch lang := r.URL.Query().Get("lang"); lang {
	case "pl", "en":
		return lang
	}
	accept := r.Header.Get("Accept-Language")
	if accept == "" {
		return "pl"
	}
	tags, _, err := language.ParseAcceptLanguage(accept)
	if err != nil {
		return "pl"
	}
	if _, i, _ := polishOrEnglish.Match(tags...); i == 1 {
		return "pl"
	}
	return "en"
}
