package server

import (
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"chatops/internal/chatops"
)

// Options is what a server is made of. Chat and Health.PingFunc are required.
// What is nil among Health.DoctorFunc, Leads, CreateLeadFunc, Consent, Knowledge
// and MigrateFunc leaves its endpoints out.
type Options struct {
	Chat    ChatService
	Health  Health
	Version Version

	Leads LeadStore
	// CreateLeadFunc stores a lead that a form sends, with its score, its alerts
	// and what was said about consent. once is nil for a request without Idempotency-Key; otherwise the
	// errors of chatops.OnceStore may come back, and replayed says that the lead
	// is that of an earlier request.
	CreateLeadFunc func(ctx context.Context, l *chatops.Lead, once *chatops.OnceKey, consent chatops.ChatConsent) (stored *chatops.Lead, replayed bool, err error)
	Consent        chatops.ConsentStore
	// Tokens are the signed links of mails. Nil: no token is worth anything.
	Tokens Tokens
	// EnqueueFunc queues the mail that asks to confirm consent, and GrantFunc
	// gives it. Where one is nil, or PublicURL empty, consent can be withdrawn on
	// the pages and not given.
	EnqueueFunc func(ctx context.Context, alerts []chatops.NewAlert) (int, error)
	GrantFunc   func(ctx context.Context, g chatops.ConsentGrant) (changed int, err error)
	// Texts are the wordings that the pages ask people to agree to. Nil: the
	// built-in ones, without a number.
	Texts ConsentTexts
	// ImpliedConsent is the marketing consent of a conversation that begins with
	// a consent to processing (CONSENT_MODE=implied).
	ImpliedConsent bool
	Knowledge      Knowledge

	// Limits holds clients to the limits chat, api, health, consent and leads, and
	// refuses those who are blocked, under /api/. Nil: nobody is limited.
	Limits Limits

	// AdminKeys open what holds personal data; empty ones are ignored, and with
	// none it is closed.
	AdminKeys []string
	// MigrateFunc brings the database up to date. It is served where
	// MigrationSecret is set.
	MigrateFunc     func(context.Context) (*MigrationReport, error)
	MigrationSecret string
	// TrustedProxies are the networks whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	Environment    string       // what /api/status calls the environment; "": "development"
	Log            *slog.Logger // nil: slog.DiscardHandler
	// CORSOrigins are the origins ("https://firma.example") whose pages may call
	// the API, compared exactly. None: only our own pages.
	CORSOrigins []string
	// PublicURL is where visitors reach the server. With https the responses
	// carry Strict-Transport-Security, for then a proxy ends TLS.
	PublicURL string
	// Metrics receives the server's metrics and is what /metrics shows. Nil: a
	// registry of its own.
	Metrics *prometheus.Registry
	Now     func() time.Time // nil: time.Now

	// DrainDelay is how long /readyz answers 503 before the listener closes, so
	// that load balancers look elsewhere first. 0: it closes at once.
	DrainDelay time.Duration
	// DrainTimeout is how long requests in flight may take once the listener is
	// closed; 0: 30 s.
	DrainTimeout time.Duration
	// Force, when closed, ends a drain at once: the second signal.
	Force <-chan struct{}

	// HeaderTimeout bounds the arrival of a request's header (0: 5 s),
	// ReadTimeout of header and body (0: 15 s), WriteTimeout the whole exchange
	// (0: 60 s), IdleTimeout the wait for a connection's next request (0: 75 s).
	HeaderTimeout, ReadTimeout, WriteTimeout, IdleTimeout time.Duration
}

// Version is what the build says of itself.
type Version struct {
	Version string
	Commit  string
}

func (o *Options) setDefaults() {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = prometheus.NewRegistry()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Version.Version == "" {
		o.Version.Version = "dev"
	}
	if o.Environment == "" {
		o.Environment = "development"
	}
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&o.DrainTimeout, 30 * time.Second},
		{&o.HeaderTimeout, 5 * time.Second},
		{&o.ReadTimeout, 15 * time.Second},
		{&o.WriteTimeout, 60 * time.Second},
		{&o.IdleTimeout, 75 * time.Second},
	} {
		if *d.value <= 0 {
			*d.value = d.standard
		}
	}
}

func (o *Options) secure() bool { return strings.HasPrefix(strings.ToLower(o.PublicURL), "https://") }
