package server

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"chatops/internal/chatops"
)

// TestDrain_UnderLoadLosesNoAnswer reconciles what clients were told with what
// was stored: whoever was answered is stored, and nothing is stored for a
// visitor whose connection broke in the drain.
func TestDrain_UnderLoadLosesNoAnswer(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	var stored, answered, other atomic.Int64
	halfway := make(chan struct{})
	r.chat.replyFunc = func(context.Context, chatops.ChatRequest) (*chatops.ChatReply, error) {
		if stored.Add(1) == 200 {
			close(halfway)
		}
		return instantReply, nil
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				status, open := r.once(t)
				switch {
				case status == http.StatusOK:
					answered.Add(1)
				case status != 0:
					other.Add(1)
				}
				if !open {
					return
				}
			}
		})
	}
	<-halfway
	r.stop()
	wg.Wait()
	if err := <-r.done; err != nil {
		t.Errorf("Run: %v", err)
	}
	r.done <- nil
	if answered.Load() != stored.Load() || other.Load() != 0 {
		t.Errorf("%d stored, %d answered with 200, %d with something else", stored.Load(), answered.Load(), other.Load())
	}
}

// once makes one request on a connection of its own; open is false when the
// server no longer accepts.
func (r *running) once(tb testing.TB) (status int, open bool) {
	tb.Helper()
	conn, err := r.open(tb)
	if err != nil {
		return 0, false
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, chatRequest); err != nil {
		return 0, true
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, true // accepted by the kernel, closed by the drain before it was read
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0, true
	}
	return resp.StatusCode, true
}

// starvedListener cannot accept at first, as when file descriptors run out.
type starvedListener struct {
	net.Listener

	failures atomic.Int64
}

func (l *starvedListener) Accept() (net.Conn, error) {
	if l.failures.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

func TestRun_SurvivesALackOfFileDescriptors(t *testing.T) {
	t.Parallel()
	ln := &starvedListener{Listener: listen(t)}
	ln.failures.Store(3)
	f := newFixture(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx, ln) }()
	r := &running{fixture: f, addr: ln.Addr().String()}
	if a := r.dial(t).talk(t, "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); a.StatusCode != http.StatusOK {
		t.Errorf("status %d", a.StatusCode)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
	if !strings.Contains(f.logs.String(), "too many open files") {
		t.Errorf("the log does not say why: %s", f.logs)
	}
}

// closedPipe is where a log goes whose reader has died.
type closedPipe struct{}

func (closedPipe) Write([]byte) (int, error) { return 0, syscall.EPIPE }

func TestRequests_AreAnsweredWithoutALog(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(closedPipe{}, nil)) })
	if a := f.post(t, `{"message":"a"}`); a.StatusCode != http.StatusOK {
		t.Errorf("status %d", a.StatusCode)
	}
	f.chat.replyFunc = func(context.Context, chatops.ChatRequest) (*chatops.ChatReply, error) { return nil, errors.New("x") }
	f.post(t, `{"message":"a"}`).wantProblem(t, http.StatusInternalServerError)
}

func TestVisitorWhoLeaves_CancelsTheRequest(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	entered, left := make(chan struct{}), make(chan error, 1)
	r.chat.replyFunc = func(ctx context.Context, _ chatops.ChatRequest) (*chatops.ChatReply, error) {
		close(entered)
		<-ctx.Done()
		left <- ctx.Err()
		return nil, ctx.Err()
	}
	conn := r.dial(t)
	conn.send(t, chatRequest)
	<-entered
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("the handler's context: %v", err)
	}
}

func TestConnection_IsReusedAfterARefusal(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	conn := r.dial(t)
	for _, step := range []struct {
		raw    string
		status int
	}{
		{"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", 404},
		{"POST /api/chatbot/chat HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nabc", 415},
		{"POST /api/chatbot/chat HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", 400},
		{"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 405},
		{chatRequest, 200},
		{chatRequest, 200},
	} {
		if a := conn.talk(t, step.raw); a.StatusCode != step.status {
			t.Errorf("%.30q: status %d, want %d", step.raw, a.StatusCode, step.status)
		}
	}
}

func TestOversizedBody_IsRefusedBeforeItIsSent(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	conn := r.dial(t)
	// The body never comes: the length alone is enough.
	a := conn.talk(t, "POST /api/chatbot/chat HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+
		"Expect: 100-continue\r\nContent-Length: 1048577\r\n\r\n")
	a.wantProblem(t, http.StatusRequestEntityTooLarge)
}

func TestProbes_AreLoggedForDebuggingOnly(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for _, path := range []string{"/livez", "/readyz", "/metrics"} {
		f.get(t, path)
	}
	if logs := f.logs.String(); logs != "" {
		t.Errorf("logs: %s", logs)
	}
}
