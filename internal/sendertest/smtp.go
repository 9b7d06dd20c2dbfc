package sendertest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"chatops/internal/testserver"
)

// Stage is a point of an SMTP conversation.
type Stage string

// The stages, in the order in which a conversation meets them.
const (
	StageBanner   Stage = "banner"
	StageEHLO     Stage = "EHLO"
	StageStartTLS Stage = "STARTTLS"
	StageAuth     Stage = "AUTH"
	StageMail     Stage = "MAIL"
	StageRcpt     Stage = "RCPT"
	StageData     Stage = "DATA" // the DATA command, before the text
	StageDot      Stage = "dot"  // after the final dot
	StageQuit     Stage = "QUIT"
)

// Fault is what a mail server does wrong at a stage. Exactly one of Reply, Hang,
// Drop and Hold is set.
type Fault struct {
	Stage Stage
	Reply string          // a whole reply line, such as "451 4.3.0 try later"
	Hang  bool            // say nothing until the client goes away
	Drop  bool            // close the connection
	Hold  <-chan struct{} // say nothing until it is closed, then go on as usual
	Keep  bool            // at StageDot: accept the mail all the same, the reply is lost
}

// SMTPOptions configures the fake mail server.
type SMTPOptions struct {
	Addr     string // host:port; empty picks a free port of 127.0.0.1
	Username string // set: a client must log in, by PLAIN or LOGIN
	Password string
	Mechs    string // the mechanisms to offer; empty means "PLAIN LOGIN"
	StartTLS bool   // offer STARTTLS
	Implicit bool   // speak TLS from the first byte
}

// SMTP is a scripted mail server. It speaks RFC 5321 to one client per
// connection and keeps every mail it has accepted.
type SMTP struct {
	tb      testing.TB
	options SMTPOptions
	tls     *tls.Config
	pool    *x509.CertPool

	mu       sync.Mutex
	listener net.Listener
	conns    map[net.Conn]bool
	faults   []Fault
	mails    []Mail
	commands []string
	changed  chan struct{}
	sessions sync.WaitGroup
}

// StartSMTP starts a mail server that accepts everything. It stops when the
// test ends.
func StartSMTP(tb testing.TB, options SMTPOptions) *SMTP {
	tb.Helper()
	if options.Addr == "" {
		options.Addr = "127.0.0.1:0"
	}
	if options.Mechs == "" {
		options.Mechs = "PLAIN LOGIN"
	}
	s := &SMTP{tb: tb, options: options, conns: map[net.Conn]bool{}, changed: make(chan struct{})}
	if options.StartTLS || options.Implicit {
		s.tls, s.pool = certificate()
	}
	s.Start()
	tb.Cleanup(s.Stop)
	return s
}

// certificate borrows the self-signed certificate of httptest, valid for
// 127.0.0.1, ::1 and example.com.
func certificate() (*tls.Config, *x509.CertPool) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	return &tls.Config{Certificates: server.TLS.Certificates, MinVersion: tls.VersionTLS12}, pool
}

// Start listens again after Stop, on the same address.
func (s *SMTP) Start() {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		return
	}
	listener, err := testserver.Listen(s.options.Addr)
	if err != nil {
		s.tb.Fatalf("start SMTP fake on %s: %v", s.options.Addr, err)
	}
	s.options.Addr = listener.Addr().String()
	s.listener = listener
	s.sessions.Add(1)
	go s.accept(listener)
}

// Stop closes the port and every connection and waits for the sessions to end;
// accepted mails stay. A second call does nothing.
func (s *SMTP) Stop() {
	s.mu.Lock()
	if s.listener != nil {
		_ = s.listener.Close()
		s.listener = nil
	}
	for conn := range s.conns {
		_ = conn.Close()
	}
	s.mu.Unlock()
	s.sessions.Wait()
}

func (s *SMTP) accept(listener net.Listener) {
	defer s.sessions.Done()
	for {
		conn, err := listener.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				s.tb.Errorf("SMTP fake: %v", err)
			}
			return
		}
		if !s.track(conn) {
			_ = conn.Close()
			return
		}
		go func() {
			defer s.sessions.Done()
			defer s.forget(conn)
			newSession(s, conn).run()
		}()
	}
}

func (s *SMTP) track(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return false
	}
	s.conns[conn] = true
	s.sessions.Add(1)
	return true
}

func (s *SMTP) forget(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, conn)
	_ = conn.Close()
}

// Addr returns host:port.
func (s *SMTP) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.options.Addr
}

// URL returns the server as SMTP_URL wants it, with the log-in and the TLS mode.
func (s *SMTP) URL() string {
	u := url.URL{Scheme: "smtp", Host: s.Addr(), RawQuery: "tls=none"}
	if s.options.Username != "" {
		u.User = url.UserPassword(s.options.Username, s.options.Password)
	}
	switch {
	case s.options.Implicit:
		u.RawQuery = "tls=implicit"
	case s.options.StartTLS:
		u.RawQuery = "tls=starttls"
	}
	return u.String()
}

// Roots returns the certificate to trust, nil without TLS.
func (s *SMTP) Roots() *x509.CertPool { return s.pool }

// TLS returns the server's side of TLS for another server, nil without TLS.
func (s *SMTP) TLS() *tls.Config { return s.tls }

// Set replaces the faults, from the next stage on. Without arguments the server
// is well.
func (s *SMTP) Set(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = faults
}

// Mails returns a copy of the accepted mails, oldest first.
func (s *SMTP) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mails...)
}

// Commands returns the command lines received on all connections, without the
// arguments of AUTH.
func (s *SMTP) Commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.commands...)
}

// Wait returns the mails as soon as there are n of them, or those accepted when
// the context ends.
func (s *SMTP) Wait(ctx context.Context, n int) []Mail {
	return wait(ctx, n, s.Mails, s.news)
}

// WaitCommands is Wait for command lines.
func (s *SMTP) WaitCommands(ctx context.Context, n int) []string {
	return wait(ctx, n, s.Commands, s.news)
}

func (s *SMTP) news() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// wait polls have whenever news is closed. The channel is taken before looking,
// so nothing that arrives in between is missed.
func wait[T any](ctx context.Context, n int, haveFunc func() []T, newsFunc func() <-chan struct{}) []T {
	for {
		news := newsFunc()
		if have := haveFunc(); len(have) >= n {
			return have
		}
		select {
		case <-ctx.Done():
			return haveFunc()
		case <-news:
		}
	}
}

func (s *SMTP) fault(stage Stage) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if f.Stage == stage {
			return f, true
		}
	}
	return Fault{}, false
}

func (s *SMTP) noteCommand(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commands = append(s.commands, line)
	s.announce()
}

func (s *SMTP) noteMail(m Mail) {
	m.At = time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, m)
	s.announce()
}

func (s *SMTP) announce() {
	close(s.changed)
	s.changed = make(chan struct{})
}
