package sender

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"chatops/internal/chatops"
	"chatops/internal/sendertest"
)

// mailer is a sender that trusts the server's certificate.
func mailer(t *testing.T, server *sendertest.SMTP) *email {
	t.Helper()
	return only(t, Options{Email: EmailOptions{URL: server.URL(), From: "bot@firma.example", Roots: server.Roots()}}).(*email)
}

// oneDeadline is a connection on which only one of the deadlines applies that
// are set one after the other: on a busy machine another phase could be the one
// whose short time runs out.
type oneDeadline struct {
	net.Conn
	left int // deadlines to be set up to the one that applies
}

func (c *oneDeadline) SetDeadline(at time.Time) error {
	if c.left--; c.left != 0 {
		at = time.Time{}
	}
	return c.Conn.SetDeadline(at)
}

// hasty is a mailer whose phases end soon, of which only the given one counts.
func hasty(t *testing.T, server *sendertest.SMTP, phase int) *email {
	t.Helper()
	e := mailer(t, server)
	const soon = 50 * time.Millisecond
	e.times = smtpTimes{dial: time.Minute, tls: soon, command: soon, text: soon, dot: soon, quit: soon}
	dial := e.dialFunc
	e.dialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		return &oneDeadline{Conn: conn, left: phase}, err
	}
	return e
}

// F3: stalls and drops at every stage.
func TestEmail_EveryStageHasItsTimeAndItsMeaning(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		stage sendertest.Stage
		name  string
		phase int
		kind  chatops.FailureKind
	}{
		{sendertest.StageBanner, "banner", 1, chatops.FailTransient},
		{sendertest.StageEHLO, "EHLO", 2, chatops.FailTransient},
		{sendertest.StageAuth, "AUTH", 3, chatops.FailTransient},
		{sendertest.StageMail, "MAIL FROM", 4, chatops.FailTransient},
		{sendertest.StageRcpt, "RCPT TO", 5, chatops.FailTransient},
		{sendertest.StageData, "DATA", 6, chatops.FailTransient},
		{sendertest.StageDot, "final dot", 8, chatops.FailAmbiguous}, // after the text
	} {
		t.Run(string(tt.stage), func(t *testing.T) {
			t.Parallel()
			server := sendertest.StartSMTP(t, sendertest.SMTPOptions{Username: "u", Password: "p"})
			server.Set(sendertest.Fault{Stage: tt.stage, Hang: true})
			f := failed(t, hasty(t, server, tt.phase).Send(t.Context(), mailAlert(t, letter)), tt.kind)
			if f.Error() != "email: "+tt.name+": timeout" {
				t.Errorf("stalled: %q", f)
			}
			server.Set(sendertest.Fault{Stage: tt.stage, Drop: true})
			f = failed(t, mailer(t, server).Send(t.Context(), mailAlert(t, letter)), tt.kind)
			if !strings.HasPrefix(f.Error(), "email: "+tt.name+": connection") || !f.TripsBreaker() {
				t.Errorf("dropped: %q", f)
			}
			if n := len(server.Mails()); n != 0 {
				t.Errorf("%d mails arrived", n)
			}
		})
	}
}

func TestEmail_AMailThatWasTakenAndNotConfirmedIsAmbiguous(t *testing.T) {
	t.Parallel()
	server := sendertest.StartSMTP(t, sendertest.SMTPOptions{})
	e := mailer(t, server)
	server.Set(sendertest.Fault{Stage: sendertest.StageDot, Drop: true, Keep: true})
	fails(t, e.Send(t.Context(), mailAlert(t, letter)), chatops.FailAmbiguous)
	server.Set()
	if err := e.Send(t.Context(), mailAlert(t, letter)); err != nil {
		t.Fatal(err)
	}
	mails := server.Mails()
	if len(mails) != 2 || mails[0].MessageID() != mails[1].MessageID() {
		t.Errorf("%d mails; the second must be recognisable", len(mails))
	}
}

func TestEmail_ClassifiesReplies(t *testing.T) {
	t.Parallel()
	server := sendertest.StartSMTP(t, sendertest.SMTPOptions{Username: "u", Password: "p"})
	e := mailer(t, server)
	for _, tt := range []struct {
		stage sendertest.Stage
		reply string
		kind  chatops.FailureKind
		text  string
	}{
		{sendertest.StageBanner, "421 4.3.2 busy", chatops.FailTransient, "email: banner: SMTP 421 4.3.2"},
		{sendertest.StageBanner, "554 no service", chatops.FailMisconfigured, "email: banner: SMTP 554"},
		{sendertest.StageAuth, "454 4.7.0 later", chatops.FailTransient, "email: AUTH: SMTP 454 4.7.0"},
		{sendertest.StageAuth, "535 5.7.8 no", chatops.FailMisconfigured, "email: AUTH: SMTP 535 5.7.8"},
		{sendertest.StageAuth, "534 5.7.9 no", chatops.FailMisconfigured, "email: AUTH: SMTP 534 5.7.9"},
		{sendertest.StageMail, "530 5.7.0 log in", chatops.FailMisconfigured, "email: MAIL FROM: SMTP 530 5.7.0"},
		{sendertest.StageMail, "550 5.1.0 who", chatops.FailPermanent, "email: MAIL FROM: SMTP 550 5.1.0"},
		{sendertest.StageRcpt, "450 4.2.1 sales@firma.example greylisted", chatops.FailTransient, "email: RCPT TO: SMTP 450 4.2.1"},
		{sendertest.StageRcpt, "421 closing", chatops.FailTransient, "email: RCPT TO: SMTP 421"},
		{sendertest.StageRcpt, "550 5.1.1 <sales@firma.example> unknown", chatops.FailPermanent, "email: RCPT TO: SMTP 550 5.1.1"},
		{sendertest.StageData, "451 4.3.0 later", chatops.FailTransient, "email: DATA: SMTP 451 4.3.0"},
		{sendertest.StageData, "554 5.7.1 no", chatops.FailPermanent, "email: DATA: SMTP 554 5.7.1"},
		{sendertest.StageDot, "452 4.3.1 disk full", chatops.FailTransient, "email: final dot: SMTP 452 4.3.1"},
		{sendertest.StageDot, "554 5.7.1 spam", chatops.FailPermanent, "email: final dot: SMTP 554 5.7.1"},
		{sendertest.StageDot, "354 what", chatops.FailAmbiguous, "email: final dot: SMTP 354"},
		{sendertest.StageDot, "hello", chatops.FailAmbiguous, "email: final dot: reply is not SMTP"},
		{sendertest.StageMail, "hello", chatops.FailTransient, "email: MAIL FROM: reply is not SMTP"},
	} {
		server.Set(sendertest.Fault{Stage: tt.stage, Reply: tt.reply})
		f := failed(t, e.Send(t.Context(), mailAlert(t, letter)), tt.kind)
		if f.Error() != tt.text {
			t.Errorf("%s %q: %q, want %q", tt.stage, tt.reply, f, tt.text)
		}
	}
}

func TestEmail_AFarewellDoesNotUndoADelivery(t *testing.T) {
	t.Parallel()
	for _, fault := range []sendertest.Fault{
		{Stage: sendertest.StageQuit, Hang: true}, {Stage: sendertest.StageQuit, Drop: true}, {Stage: sendertest.StageQuit, Reply: "554 no"},
	} {
		server := sendertest.StartSMTP(t, sendertest.SMTPOptions{})
		server.Set(fault)
		if err := mailer(t, server).Send(t.Context(), mailAlert(t, letter)); err != nil {
			t.Errorf("%+v: %v", fault, err)
		}
	}
}

func TestEmail_CancellingEndsTheConversationAtOnce(t *testing.T) {
	t.Parallel()
	server := sendertest.StartSMTP(t, sendertest.SMTPOptions{})
	server.Set(sendertest.Fault{Stage: sendertest.StageRcpt, Hang: true})
	e := mailer(t, server)
	e.times.command = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		server.WaitCommands(t.Context(), 3) // EHLO, MAIL, RCPT
		cancel()
	}()
	start := time.Now()
	f := failed(t, e.Send(ctx, mailAlert(t, letter)), chatops.FailTransient)
	if passed := time.Since(start); passed > time.Minute {
		t.Errorf("the attempt went on for %v", passed)
	}
	if f.TripsBreaker() || !errors.Is(f, context.Canceled) || f.Error() != "email: RCPT TO: cancelled" {
		t.Errorf("got %q", f)
	}
}

func TestEmail_TLSModes(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]sendertest.SMTPOptions{
		"starttls":       {StartTLS: true, Username: "u", Password: "p"},
		"starttls login": {StartTLS: true, Username: "u", Password: "p", Mechs: "CRAM-MD5 LOGIN"},
		"implicit":       {Implicit: true, Username: "u", Password: "p"},
		"none":           {Username: "u", Password: "p"},
	} {
		server := sendertest.StartSMTP(t, options)
		e := mailer(t, server)
		if err := e.Send(t.Context(), mailAlert(t, letter)); err != nil || len(server.Mails()) != 1 {
			t.Errorf("%s: %v, %d mails", name, err, len(server.Mails()))
		}
		if !options.StartTLS && !options.Implicit {
			continue
		}
		e.roots = nil // the system does not know the certificate
		f := failed(t, e.Send(t.Context(), mailAlert(t, letter)), chatops.FailMisconfigured)
		if !strings.HasSuffix(f.Error(), "certificate is not trusted") {
			t.Errorf("%s: %q", name, f)
		}
	}
}

func TestEmail_NeverFallsBackToAnUnprotectedConversation(t *testing.T) {
	t.Parallel()
	server := sendertest.StartSMTP(t, sendertest.SMTPOptions{Username: "u", Password: "p"}) // offers no STARTTLS
	e := mailer(t, server)
	e.mode = tlsStart
	f := failed(t, e.Send(t.Context(), mailAlert(t, letter)), chatops.FailMisconfigured)
	if f.Error() != "email: STARTTLS: server offers no STARTTLS" {
		t.Errorf("got %q", f)
	}
	for _, line := range server.Commands() {
		if !strings.HasPrefix(line, "EHLO") {
			t.Errorf("went on with %q", line)
		}
	}
}

func TestEmail_SaysWhenItCannotLogIn(t *testing.T) {
	t.Parallel()
	server := sendertest.StartSMTP(t, sendertest.SMTPOptions{Username: "u", Password: "p", Mechs: "XOAUTH2"})
	f := failed(t, mailer(t, server).Send(t.Context(), mailAlert(t, letter)), chatops.FailMisconfigured)
	if f.Error() != "email: AUTH: server offers no AUTH PLAIN or LOGIN" {
		t.Errorf("got %q", f)
	}
}

// shortConn loses the connection when so many bytes have been written.
type shortConn struct {
	net.Conn
	left int
}

func (c *shortConn) Write(p []byte) (int, error) {
	if c.left -= len(p); c.left < 0 {
		return 0, syscall.ECONNRESET
	}
	return c.Conn.Write(p)
}

func TestEmail_ATextThatCannotBeWrittenIsTransient(t *testing.T) {
	t.Parallel()
	server := sendertest.StartSMTP(t, sendertest.SMTPOptions{})
	e := mailer(t, server)
	dial := e.dialFunc
	e.dialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		return &shortConn{Conn: conn, left: 100_000}, err
	}
	long := letter
	long.Text = strings.Repeat("long text ", 90_000)
	f := failed(t, e.Send(t.Context(), mailAlert(t, long)), chatops.FailTransient)
	if !strings.HasPrefix(f.Error(), "email: send text: ") && !strings.HasPrefix(f.Error(), "email: final dot: ") || len(server.Mails()) != 0 {
		t.Errorf("got %q", f)
	}
}

// deafConn loses the connection when the final dot is to be written.
type deafConn struct{ net.Conn }

func (c deafConn) Write(p []byte) (int, error) {
	if bytes.HasSuffix(p, []byte("\r\n.\r\n")) {
		return 0, syscall.EPIPE
	}
	return c.Conn.Write(p)
}

func TestEmail_AFinalDotThatCouldNotBeWrittenIsTransient(t *testing.T) {
	t.Parallel()
	server := sendertest.StartSMTP(t, sendertest.SMTPOptions{})
	e := mailer(t, server)
	e.times.dot = 50 * time.Millisecond // it waits for an answer all the same
	dial := e.dialFunc
	e.dialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		return deafConn{conn}, err
	}
	f := failed(t, e.Send(t.Context(), mailAlert(t, letter)), chatops.FailTransient)
	if !strings.HasPrefix(f.Error(), "email: final dot: ") || len(server.Mails()) != 0 {
		t.Errorf("got %q", f)
	}
}

func TestEmail_StopsListeningToAServerWithoutEnd(t *testing.T) {
	t.Parallel()
	for _, stage := range []sendertest.Stage{sendertest.StageBanner, sendertest.StageEHLO, sendertest.StageRcpt} {
		server := sendertest.StartSMTP(t, sendertest.SMTPOptions{})
		server.Set(sendertest.Fault{Stage: stage, Reply: "250-" + strings.Repeat("x", 2*maxConversation)})
		f := failed(t, mailer(t, server).Send(t.Context(), mailAlert(t, letter)), chatops.FailTransient)
		if !strings.HasSuffix(f.Error(), ": reply is too long") {
			t.Errorf("%s: %q", stage, f)
		}
	}
}

func TestEnhancedCode_TakesOnlyACode(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"5.1.1 unknown": "5.1.1", "4.7.0": "4.7.0", "": "", "unknown 5.1.1": "", "5.1": "", "9.1.1 x": "", "5.1.1x": "", "55.1.1": "", "5.1.-1": "", "3.1.1": "",
	} {
		if got := enhancedCode(text); got != want {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
	}
}

// inbox is the backend of an independent mail server.
type inbox struct {
	mu    sync.Mutex
	texts []string
}

func (b *inbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &inboxSession{inbox: b}, nil }

type inboxSession struct {
	inbox  *inbox
	authed bool
}

func (s *inboxSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *inboxSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if s.authed = username == "u" && password == "p"; !s.authed {
			return errors.New("wrong")
		}
		return nil
	}), nil
}

func (s *inboxSession) Mail(string, *smtp.MailOptions) error {
	if !s.authed {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (s *inboxSession) Rcpt(string, *smtp.RcptOptions) error { return nil }

func (s *inboxSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	s.inbox.mu.Lock()
	defer s.inbox.mu.Unlock()
	s.inbox.texts = append(s.inbox.texts, string(raw))
	return err
}

func (s *inboxSession) Reset()        {}
func (s *inboxSession) Logout() error { return nil }

func TestEmail_IsUnderstoodByAnIndependentServer(t *testing.T) {
	t.Parallel()
	certificates := sendertest.StartSMTP(t, sendertest.SMTPOptions{StartTLS: true})
	box := &inbox{}
	server := smtp.NewServer(box)
	server.Domain, server.TLSConfig = "mail.example", certificates.TLS()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-served; err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			t.Errorf("serve: %v", err)
		}
	})
	e := only(t, Options{Email: EmailOptions{
		URL: "smtp://u:p@" + l.Addr().String() + "?tls=starttls", From: "bot@firma.example", Roots: certificates.Roots(),
	}})
	if err := e.Send(t.Context(), mailAlert(t, letter)); err != nil {
		t.Fatal(err)
	}
	box.mu.Lock()
	defer box.mu.Unlock()
	if len(box.texts) != 1 {
		t.Fatalf("%d mails", len(box.texts))
	}
	got := sendertest.Mail{Data: []byte(box.texts[0])}
	if got.Header("Subject") != letter.Subject || strings.TrimRight(strings.ReplaceAll(got.Text(), "\r\n", "\n"), "\n") != letter.Text {
		t.Errorf("arrived as\n%s", box.texts[0])
	}
}
