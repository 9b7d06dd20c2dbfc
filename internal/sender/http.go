package sender

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"chatops/internal/chatops"
)

const (
	dialTimeout   = 3 * time.Second
	tlsTimeout    = 3 * time.Second
	headerTimeout = 10 * time.Second
	// idleTimeout is shorter than the keep-alive of common servers (Node: 5 s),
	// so that a kept connection is seldom closed under a new request, which
	// would make the attempt ambiguous.
	idleTimeout = 4 * time.Second
	maxReply    = 64 << 10
	maxPayload  = 1 << 20 // more than any receiver takes
)

// httpClient posts to one receiver. It follows no redirect, uses no proxy and
// never repeats a request by itself.
type httpClient struct {
	name   string // the integration, for error texts
	agent  string
	client *http.Client
}

// httpReply is what came back, with at most maxReply bytes of the body.
type httpReply struct {
	status int
	header http.Header
	body   []byte
	whole  bool // the body was read to its end
}

func (r *httpReply) ok() bool { return r.status >= 200 && r.status < 300 }

// newHTTPClient makes a client with a transport of its own. The control
// function, when set, may refuse an address after name resolution.
func newHTTPClient(name, version string, control func(network, address string, c syscall.RawConn) error) *httpClient {
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second, Control: control}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true) // one request per connection: the trace below is exact
	if version == "" {
		version = "dev"
	}
	return &httpClient{name: name, agent: "chatops/" + version, client: &http.Client{
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			TLSHandshakeTimeout:    tlsTimeout,
			ResponseHeaderTimeout:  headerTimeout,
			IdleConnTimeout:        idleTimeout,
			MaxIdleConnsPerHost:    8,
			MaxResponseHeaderBytes: maxReply,
			DisableCompression:     true, // a bounded reply stays bounded
			Protocols:              protocols,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// post sends a JSON body and returns the reply, whatever its status. Every error
// is a *chatops.SendError.
func (c *httpClient) post(ctx context.Context, address string, body []byte, header http.Header) (*httpReply, error) {
	progress := &progress{}
	req, err := http.NewRequestWithContext(progress.trace(ctx), http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, failure(chatops.FailMisconfigured, "address", "%s: address is not usable", c.name)
	}
	maps.Copy(req.Header, header)
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Accept", "application/json, text/plain;q=0.9, */*;q=0.1")
	req.Header.Set("User-Agent", c.agent)
	// net/http repeats a request with an Idempotency-Key by itself when a kept
	// connection fails, unless it cannot rewind the body. Attempts are ours to
	// count.
	req.GetBody = nil
	res, err := c.client.Do(req)
	if err != nil {
		return nil, networkFailure(ctx, c.name, progress.step(), err, progress.maybeSent())
	}
	defer func() { _ = res.Body.Close() }()
	reply := &httpReply{status: res.StatusCode, header: res.Header}
	reply.body, err = io.ReadAll(io.LimitReader(res.Body, maxReply+1))
	reply.whole = err == nil && len(reply.body) <= maxReply
	return reply, nil
}

// progress records how far a request got. The transport's background dials may
// outlive the request, hence the atomics.
type progress struct {
	at      atomic.Pointer[string]
	started atomic.Bool // a connection was there to write to
	failed  atomic.Bool // writing the request ended in an error
}

// maybeSent reports whether the receiver may have the whole request. Where the
// attempt ended before the writer could tell, it may.
func (p *progress) maybeSent() bool { return p.started.Load() && !p.failed.Load() }

func (p *progress) set(step string) { p.at.Store(&step) }

func (p *progress) step() string {
	if s := p.at.Load(); s != nil {
		return *s
	}
	return "connect"
}

func (p *progress) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart:          func(httptrace.DNSStartInfo) { p.set("look up host") },
		ConnectStart:      func(string, string) { p.set("connect") },
		TLSHandshakeStart: func() { p.set("tls handshake") },
		GotConn: func(httptrace.GotConnInfo) {
			p.set("send request")
			p.failed.Store(false)
			p.started.Store(true)
		},
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if info.Err != nil {
				p.failed.Store(true)
				return
			}
			p.set("await reply")
		},
	})
}

// checkEndpoint reports whether text is an absolute http or https URL. The error
// names the setting and not the value, which may be a secret.
func checkEndpoint(setting, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" ||
		strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return chatops.Errorf(chatops.CodeInvalid, "%s: must be a URL such as https://host/path", setting)
	}
	return nil
}

// errBlockedAddress is a connection refused by a guard of ours.
var errBlockedAddress = errors.New("address is blocked")
