package llm

import (
	"bytes"
	"context"
	"crypto/tls"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// Defaults of Options.
const (
	DefaultModel          = "gpt-4o-mini"
	DefaultTotalTimeout   = 12 * time.Second
	DefaultConnectTimeout = 3 * time.Second
	DefaultIdleTimeout    = 5 * time.Second
	DefaultMaxBody        = 1 << 20
	DefaultMaxText        = 2_000
)

const (
	// keepIdle is how long an unused connection is kept.
	keepIdle = time.Minute
	// maxErrorBody is how much of a refusal is read for its code.
	maxErrorBody = 16 << 10
)

// Options are the settings of a Client. Zero values mean the defaults.
type Options struct {
	// BaseURL is the address above /chat/completions, such as
	// https://api.openai.com/v1 or http://localhost:11434/v1.
	BaseURL string
	APIKey  string // sent as a bearer token; empty: none is sent
	Model   string
	// Version is that of this program, for the User-Agent header.
	Version string

	// TotalTimeout bounds a call from its start to its end.
	TotalTimeout time.Duration
	// ConnectTimeout bounds making a connection, and each of its two steps: TCP
	// and TLS.
	ConnectTimeout time.Duration
	// FirstTimeout is how long the endpoint may take until its first byte, which
	// is when a model thinks; 0 means two thirds of TotalTimeout, at least
	// IdleTimeout.
	FirstTimeout time.Duration
	// IdleTimeout is the longest silence after the first byte.
	IdleTimeout time.Duration
	MaxBody     int64 // bytes read of one answer
	MaxText     int   // characters of an answer's text; reading stops above
}

// Role says who speaks in a Message.
type Role string

// The roles of the protocol.
const (
	System    Role = "system"
	User      Role = "user"
	Assistant Role = "assistant"
)

// Message is one message of a prompt.
type Message struct {
	Role    Role   `json:"role"`
	Content string `json:"content"`
}

// Completion is what the model wrote.
type Completion struct {
	Text string
	// Complete is false when the text ends before the model was done: it was
	// longer than MaxText, or the endpoint stopped it.
	Complete bool
	TooLong  bool // the text was longer than MaxText and is cut there
}

// Client calls one endpoint. It is safe for concurrent use.
type Client struct {
	opts     Options
	endpoint string
	http     *http.Client
}

// New makes a client, or gives CodeInvalid for a setting that cannot work. It
// connects to nothing yet.
func New(o Options) (*Client, error) {
	endpoint, err := endpointOf(o.BaseURL)
	if err != nil {
		return nil, err
	}
	if strings.ContainsFunc(o.APIKey, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return nil, chatops.Errorf(chatops.CodeInvalid, "OPENAI_API_KEY: must hold no spaces and only ASCII characters")
	}
	setDefault(&o.Model, DefaultModel)
	setDefault(&o.Version, "dev")
	setDefault(&o.TotalTimeout, DefaultTotalTimeout)
	setDefault(&o.ConnectTimeout, DefaultConnectTimeout)
	setDefault(&o.IdleTimeout, DefaultIdleTimeout)
	setDefault(&o.FirstTimeout, max(o.IdleTimeout, o.TotalTimeout*2/3))
	setDefault(&o.MaxBody, DefaultMaxBody)
	setDefault(&o.MaxText, DefaultMaxText)
	dialer := &net.Dialer{Timeout: o.ConnectTimeout, KeepAlive: 15 * time.Second}
	return &Client{opts: o, endpoint: endpoint, http: &http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            dialer.DialContext,
			TLSHandshakeTimeout:    o.ConnectTimeout,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    8,
			IdleConnTimeout:        keepIdle,
			MaxResponseHeaderBytes: 64 << 10,
			DisableCompression:     true, // a bounded answer stays bounded
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// endpointOf returns the address of chat completions below a base address. The
// error does not show the address: it may hold a password.
func endpointOf(base string) (string, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.Fragment != "" {
		return "", chatops.Errorf(chatops.CodeInvalid, "OPENAI_BASE_URL: must be a URL such as https://api.openai.com/v1, without a user name or password")
	}
	if !strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), "/chat/completions") {
		u = u.JoinPath("chat", "completions")
	}
	return u.String(), nil
}

// Close releases kept connections. It may be called twice, and while calls run.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Complete sends a prompt and returns what the model wrote. Every error is an
// *Error.
func (c *Client) Complete(ctx context.Context, prompt []Message) (*Completion, error) {
	ctx, w := newWatch(ctx, &c.opts)
	defer w.end()
	body := encodeRequest(&c.opts, prompt)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, &Error{Kind: KindMisconfigured, Step: stepConnect, Cause: "address is not usable"}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "text/event-stream, application/json")
	req.Header.Set("User-Agent", "chatops/"+c.opts.Version)
	if c.opts.APIKey != "" {
		req.Header.Set("Authorization", "Bearer "+c.opts.APIKey)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, transportError(ctx, stepAwait, err)
	}
	defer func() { _ = res.Body.Close() }()
	w.heard()
	return c.read(ctx, w, res)
}

// read reads an answer whose headers have come.
func (c *Client) read(ctx context.Context, w *watch, res *http.Response) (*Completion, error) {
	if res.StatusCode != http.StatusOK {
		return nil, refusal(res, &watchedBody{w: w, r: res.Body, left: maxErrorBody})
	}
	body := &watchedBody{w: w, r: res.Body, left: c.opts.MaxBody}
	media, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	var text collector
	text.limit = c.opts.MaxText
	var err error
	switch {
	case media == "text/event-stream":
		err = readStream(body, &text)
		if err == nil && text.done {
			w.drain(body)
		}
	case media == "application/json" || strings.HasSuffix(media, "+json"):
		err = readDocument(body, &text)
	default:
		return nil, garbage("the content type is neither an event stream nor JSON")
	}
	if err != nil {
		if e, ok := err.(*Error); ok { //nolint:errorlint // made right below, never wrapped
			return nil, e
		}
		return nil, transportError(ctx, stepRead, err)
	}
	return text.completion(), nil
}
