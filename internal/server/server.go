package server

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Server is the HTTP handler of the whole program. Make it with New; it serves
// requests at once, and Run puts it behind a listener.
type Server struct {
	opts      Options
	mux       *http.ServeMux
	api       huma.API
	metrics   *metrics
	cors      cors
	secure    bool // visitors come over https
	started   time.Time
	pinged    *verdict[error]
	examined  *verdict[*deepHealth]
	diagnosed *verdict[*Examination] // nil without DoctorFunc
	draining  atomic.Bool
	inFlight  atomic.Int64

	consentPages  *consentPages
	wordings      *wordings
	adminKeys     keyring
	migrationKeys keyring
	migrating     sync.Mutex // held while a migration runs
	migratedFunc  func()     // called when one was done; may be nil
}

// New makes a server. It panics when the routes contradict each other, which
// only a change of this package can cause; it starts nothing.
func New(opts Options) *Server {
	opts.setDefaults()
	s := newServer(opts)
	s.pinged = newVerdict(opts.Now, pingMaxAge, s.ping)
	s.examined = newVerdict(opts.Now, deepMaxAge, s.examine)
	s.api = newAPI(s)
	s.addChat()
	s.addLeads()
	if opts.Consent != nil {
		s.addConsent()
		s.addConsentPages()
	}
	if opts.Knowledge != nil {
		s.addKnowledge()
	}
	s.addHealth()
	if opts.Health.DoctorFunc != nil {
		s.addDoctor()
	}
	s.addStatus()
	if opts.MigrateFunc != nil && opts.MigrationSecret != "" {
		s.addMigration()
	}
	s.addProbes()
	s.addPages()
	s.addDocs()
	return s
}

// newServer makes a server without routes. The options have their defaults.
func newServer(opts Options) *Server {
	return &Server{
		opts:          opts,
		mux:           http.NewServeMux(),
		metrics:       newMetrics(opts.Metrics),
		cors:          newCORS(opts.CORSOrigins),
		secure:        opts.secure(),
		started:       opts.Now(),
		adminKeys:     newKeyring(opts.AdminKeys...),
		migrationKeys: newKeyring(opts.MigrationSecret),
		wordings:      &wordings{store: opts.Texts, nowFunc: opts.Now},
	}
}

func (s *Server) addProbes() {
	s.mux.HandleFunc("GET /livez", alive)
	s.mux.HandleFunc("GET /readyz", s.ready)
	s.mux.Handle("GET /metrics", promhttp.HandlerFor(s.opts.Metrics, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError,
	}))
}

func alive(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, `{"status":"alive"}`)
}

// ready answers whether this process should be given requests.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if s.draining.Load() {
		writeJSON(w, http.StatusServiceUnavailable, `{"status":"not_ready","reason":"shutting down"}`)
		return
	}
	if err := s.pinged.get(r.Context()); err != nil {
		writeJSON(w, http.StatusServiceUnavailable, `{"status":"not_ready","reason":"database unreachable"}`)
		return
	}
	writeJSON(w, http.StatusOK, `{"status":"ready"}`)
}

// writeJSON sends a fixed JSON text.
func writeJSON(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h["Content-Type"] = jsonType
	if status == http.StatusServiceUnavailable {
		h["Retry-After"] = retryAfter
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // the client is gone: nobody is left to tell
}

var jsonType = []string{"application/json"}
