package sender

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/sendertest"
)

// listen accepts connections and hands each to serve, which closes it.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				serve(conn)
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

func TestPost_ARequestThatCouldNotBeWrittenIsTransient(t *testing.T) {
	t.Parallel()
	// The receiver takes the first bytes and closes: the megabyte cannot have
	// arrived whole.
	url := listen(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 64))
		_ = c.(*net.TCPConn).SetLinger(0) // reset, so that writing fails
	})
	client := newHTTPClient("test", "", nil)
	_, err := client.post(t.Context(), url, make([]byte, 32<<20), nil)
	f := failed(t, err, chatops.FailTransient)
	if !strings.HasPrefix(f.Error(), "test: send request: ") {
		t.Errorf("got %q", f)
	}
}

func TestPost_AStalledWriteIsAmbiguousAtTheDeadline(t *testing.T) {
	t.Parallel()
	url := listen(t, func(net.Conn) { <-t.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	_, err := newHTTPClient("test", "", nil).post(ctx, url, []byte("{}"), nil)
	f := failed(t, err, chatops.FailAmbiguous)
	if f.Error() != "test: await reply: timeout" || !errors.Is(f, context.DeadlineExceeded) {
		t.Errorf("got %q", f)
	}
}

func TestPost_CancellingWhileWaitingIsAmbiguousAndNotTheReceiversFault(t *testing.T) {
	t.Parallel()
	fake := sendertest.StartHTTP(t, "")
	fake.Set(sendertest.Hang())
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		fake.Wait(t.Context(), 1)
		cancel()
	}()
	_, err := newHTTPClient("test", "", nil).post(ctx, fake.URL(), []byte("{}"), nil)
	if f := failed(t, err, chatops.FailAmbiguous); f.TripsBreaker() || !errors.Is(f, context.Canceled) {
		t.Errorf("got %v, trips %v", f, f.TripsBreaker())
	}
}

func TestPost_NeverRepeatsARequestByItself(t *testing.T) {
	t.Parallel()
	fake := sendertest.StartHTTP(t, "")
	client := newHTTPClient("test", "", nil)
	header := http.Header{"Idempotency-Key": {"k"}}
	if _, err := client.post(t.Context(), fake.URL(), []byte("{}"), header); err != nil {
		t.Fatal(err)
	}
	fake.Set(sendertest.Drop()) // on the kept connection
	_, err := client.post(t.Context(), fake.URL(), []byte("{}"), header)
	fails(t, err, chatops.FailAmbiguous)
	if n := len(fake.Requests()); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

func TestPost_ReadsABoundedReply(t *testing.T) {
	t.Parallel()
	fake := sendertest.StartHTTP(t, "")
	fake.Set(sendertest.Huge())
	reply, err := newHTTPClient("test", "", nil).post(t.Context(), fake.URL(), []byte("{}"), nil)
	if err != nil || reply.whole || len(reply.body) != maxReply+1 {
		t.Fatalf("%d bytes, whole %v, %v", len(reply.body), reply.whole, err)
	}
}

func TestPost_DoesNotTrustAnUnknownCertificate(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	server.StartTLS()
	defer server.Close()
	_, err := newHTTPClient("test", "", nil).post(t.Context(), server.URL, []byte("{}"), nil)
	f := failed(t, err, chatops.FailMisconfigured)
	if f.Error() != "test: tls handshake: certificate is not trusted" || f.TripsBreaker() {
		t.Errorf("got %q", f)
	}
}

func TestPost_SaysThatAReceiverDoesNotSpeakTLS(t *testing.T) {
	t.Parallel()
	fake := sendertest.StartHTTP(t, "")
	_, err := newHTTPClient("test", "", nil).post(t.Context(), "https://"+fake.Addr(), []byte("{}"), nil)
	if f := failed(t, err, chatops.FailTransient); strings.Contains(f.Error(), fake.Addr()) {
		t.Errorf("got %q", f)
	}
}

func TestPost_NamesAnUnknownHostWithoutShowingIt(t *testing.T) {
	t.Parallel()
	err := &net.DNSError{Err: "no such host", Name: "secret.invalid", IsNotFound: true}
	f := networkFailure(t.Context(), "test", "look up host", err, false)
	if f.Error() != "test: look up host: host name is unknown" || f.Kind != chatops.FailTransient {
		t.Errorf("got %v", f)
	}
}

func TestStatusKind_CoversEveryStatus(t *testing.T) {
	t.Parallel()
	want := map[int]chatops.FailureKind{
		401: chatops.FailMisconfigured, 403: chatops.FailMisconfigured, 404: chatops.FailMisconfigured,
		407: chatops.FailMisconfigured, 408: chatops.FailTransient, 421: chatops.FailTransient,
		423: chatops.FailTransient, 425: chatops.FailTransient, 429: chatops.FailRateLimited,
	}
	for status := 300; status < 600; status++ {
		kind, special := want[status]
		switch {
		case special:
		case status < 400:
			kind = chatops.FailMisconfigured
		case status < 500:
			kind = chatops.FailPermanent
		default:
			kind = chatops.FailTransient
		}
		if got := statusKind(status); got != kind {
			t.Errorf("%d is %s, want %s", status, got, kind)
		}
	}
}

func TestCheckEndpoint_NeverShowsTheAddress(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "hooks.slack.com/secret", "ftp://host/secret", "https:///secret", "http://[::1/secret", "https://host/ secret", "https://host/\nsecret"} {
		err := checkEndpoint("SETTING", bad)
		if chatops.ErrorCode(err) != chatops.CodeInvalid || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := checkEndpoint("SETTING", "https://hooks.slack.com/services/T/B/x?y=z"); err != nil {
		t.Error(err)
	}
}
