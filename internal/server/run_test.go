package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

// running is a server behind a real listener.
type running struct {
	*fixture
	addr string
	stop context.CancelFunc // the first signal
	done chan error         // what Run returned
}

func start(tb testing.TB, change func(*Options)) *running {
	tb.Helper()
	ln := listen(tb)
	ctx, cancel := context.WithCancel(tb.Context())
	r := &running{fixture: newFixture(tb, change), addr: ln.Addr().String(), stop: cancel, done: make(chan error, 1)}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		r.done <- r.Run(ctx, ln)
	}()
	tb.Cleanup(func() {
		cancel()
		<-finished
	})
	return r
}

func listen(tb testing.TB) net.Listener {
	tb.Helper()
	ln, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = ln.Close() }) // most tests have closed it by then
	return ln
}

// open tries to connect.
func (r *running) open(tb testing.TB) (net.Conn, error) {
	tb.Helper()
	return (&net.Dialer{}).DialContext(context.WithoutCancel(tb.Context()), "tcp", r.addr)
}

// line is a connection on which the test speaks HTTP by hand.
type line struct {
	net.Conn

	reader *bufio.Reader
}

func (r *running) dial(tb testing.TB) *line {
	tb.Helper()
	conn, err := r.open(tb)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		tb.Fatal(err)
	}
	return &line{conn, bufio.NewReader(conn)}
}

// send writes raw bytes.
func (l *line) send(tb testing.TB, raw string) {
	tb.Helper()
	if _, err := io.WriteString(l, raw); err != nil {
		tb.Fatal(err)
	}
}

// talk sends raw bytes and reads one response.
func (l *line) talk(tb testing.TB, raw string) *answer {
	tb.Helper()
	l.send(tb, raw)
	resp, err := http.ReadResponse(l.reader, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return read(tb, resp)
}

func TestHeaders_OverTheLimitGive431(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	send := func(size int) int {
		const first = "GET /livez HTTP/1.1\r\nHost: x\r\n"
		filler := strings.Repeat("f", size-len(first)-len("X-Filler: \r\n\r\n"))
		return r.dial(t).talk(t, first+"X-Filler: "+filler+"\r\n\r\n").StatusCode
	}
	if got := send(16<<10 - 1); got != 200 {
		t.Errorf("header under 16 KiB: status %d", got)
	}
	if got := send(16<<10 + 4097); got != 431 {
		t.Errorf("header over 16 KiB: status %d", got)
	}
}

func TestSlowHeader_IsCutOff(t *testing.T) {
	t.Parallel()
	r := start(t, func(o *Options) { o.HeaderTimeout = 50 * time.Millisecond })
	conn := r.dial(t)
	conn.send(t, "GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ")
	rest, err := io.ReadAll(conn)
	if err != nil || bytes.Contains(rest, []byte("200 OK")) {
		t.Errorf("read %q, %v: want the connection closed", rest, err)
	}
}

func TestSlowBody_Gives408(t *testing.T) {
	t.Parallel()
	r := start(t, func(o *Options) { o.ReadTimeout = 100 * time.Millisecond })
	conn := r.dial(t)
	resp := conn.talk(t, "POST /api/chatbot/chat HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{\"mess")
	if got := resp.wantProblem(t, http.StatusRequestTimeout); !strings.Contains(got, "in time") {
		t.Errorf("error %q", got)
	}
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Errorf("the connection stays open, %d bytes more", n)
	}
}

func TestBrokenBody_Gives400(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	resp := r.dial(t).talk(t, "POST /api/chatbot/chat HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
	resp.wantProblem(t, http.StatusBadRequest)
}

func TestSlowAnswer_OutlivesTheReadTimeout(t *testing.T) {
	t.Parallel()
	const readTimeout = 50 * time.Millisecond
	r := start(t, func(o *Options) { o.ReadTimeout = readTimeout })
	r.chat.replyFunc = func(ctx context.Context, _ chatops.ChatRequest) (*chatops.ChatReply, error) {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(4 * readTimeout):
			return instantReply, nil
		}
	}
	resp := r.dial(t).talk(t, chatRequest)
	if resp.StatusCode != http.StatusOK {
		t.Errorf("status %d: %s", resp.StatusCode, resp.Body)
	}
}

const chatRequest = "POST /api/chatbot/chat HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"message\":\"a\"}"

func TestAmbiguousLength_NeverBecomesASecondRequest(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	conn := r.dial(t)
	conn.send(t, "POST /api/chatbot/chat HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+
		"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
	// A reset instead of an end is fine too: the rest was not read.
	all, _ := io.ReadAll(conn)
	if !bytes.HasPrefix(all, []byte("HTTP/1.1 400 ")) || bytes.Count(all, []byte("HTTP/1.1 ")) != 1 {
		t.Errorf("answer %q, want one refusal", all)
	}
	resp := r.dial(t).talk(t, "POST /api/chatbot/chat HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+
		"Content-Length: 15\r\nContent-Length: 16\r\n\r\n{\"message\":\"a\"}")
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("two lengths: status %d", resp.StatusCode)
	}
}

// blocked makes the chat wait until release is closed; entered gets a value for
// each request that has arrived.
func blocked(r *running) (entered chan struct{}, release chan struct{}) {
	entered, release = make(chan struct{}, 8), make(chan struct{})
	r.chat.replyFunc = func(ctx context.Context, _ chatops.ChatRequest) (*chatops.ChatReply, error) {
		entered <- struct{}{}
		select {
		case <-release:
			return instantReply, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return entered, release
}

// postAsync sends a chat request and delivers its status, or 0 when the
// connection broke.
func (r *running) postAsync(tb testing.TB) <-chan int {
	tb.Helper()
	status := make(chan int, 1)
	go func() {
		defer close(status) // a broken connection gives 0
		conn, err := r.open(tb)
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		if _, err := io.WriteString(conn, chatRequest); err != nil {
			return
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			return
		}
		defer func() { _ = resp.Body.Close() }()
		if _, err := io.Copy(io.Discard, resp.Body); err == nil {
			status <- resp.StatusCode
		}
	}()
	return status
}

func TestDrain_AnswersWhatIsInFlight(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	entered, release := blocked(r)
	status := r.postAsync(t)
	<-entered
	r.stop()
	for { // until the listener is closed
		conn, err := r.open(t)
		if err != nil {
			break
		}
		_ = conn.Close()
	}
	close(release)
	if got := <-status; got != 200 {
		t.Errorf("request in flight got %d", got)
	}
	if err := <-r.done; err != nil {
		t.Errorf("Run: %v", err)
	}
	r.done <- nil
}

func TestDrain_ReadyzTurnsFirst(t *testing.T) {
	t.Parallel()
	force := make(chan struct{})
	r := start(t, func(o *Options) { o.DrainDelay, o.Force = time.Hour, force })
	t.Cleanup(func() { close(force) }) // runs before the one that waits for Run
	conn := r.dial(t)
	readyz := func() (int, string) {
		a := conn.talk(t, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
		return a.StatusCode, a.Body
	}
	if status, body := readyz(); status != 200 || body != `{"status":"ready"}` {
		t.Errorf("before: %d %s", status, body)
	}
	r.stop()
	status, body := readyz()
	for status == 200 {
		status, body = readyz()
	}
	if status != 503 || !strings.Contains(body, "shutting down") {
		t.Errorf("while draining: %d %s", status, body)
	}
	if resp := r.dial(t).talk(t, chatRequest); resp.StatusCode != http.StatusOK { // still accepting
		t.Errorf("chat while draining: %d", resp.StatusCode)
	}
}

func TestDrain_TimeRunsOut(t *testing.T) {
	t.Parallel()
	r := start(t, func(o *Options) { o.DrainTimeout = 50 * time.Millisecond })
	entered, _ := blocked(r)
	status := r.postAsync(t)
	<-entered
	r.stop()
	err := <-r.done
	r.done <- nil
	if chatops.ErrorCode(err) != chatops.CodePartial || !strings.Contains(err.Error(), "1 requests cut off") {
		t.Errorf("Run: %v", err)
	}
	if got := <-status; got == 200 {
		t.Error("the request that was cut off got 200")
	}
}

func TestDrain_SecondSignalEndsItAtOnce(t *testing.T) {
	t.Parallel()
	for name, delay := range map[string]time.Duration{"while announcing": time.Hour, "while waiting": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			force := make(chan struct{})
			r := start(t, func(o *Options) { o.Force, o.DrainDelay, o.DrainTimeout = force, delay, time.Hour })
			entered, _ := blocked(r)
			status := r.postAsync(t)
			<-entered
			r.stop()
			close(force)
			err := <-r.done
			r.done <- nil
			if chatops.ErrorCode(err) != chatops.CodeInterrupted {
				t.Errorf("Run: %v", err)
			}
			if got := <-status; got == 200 {
				t.Error("the request that was cut off got 200")
			}
		})
	}
}

func TestRun_ReportsABrokenListener(t *testing.T) {
	t.Parallel()
	ln := listen(t)
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	err := newFixture(t, nil).Run(t.Context(), ln)
	if chatops.ErrorCode(err) != chatops.CodeUnavailable || !errors.Is(err, net.ErrClosed) {
		t.Errorf("Run: %v", err)
	}
}

func TestServerLog_HidesAddresses(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	l := serverLog{f.opts.Log}
	for _, line := range []string{
		"http: TLS handshake error from 203.0.113.9:4711: EOF\n",
		"http: TLS handshake error from [2001:db8::7%eth0]:4711: EOF\n",
	} {
		if n, err := l.Write([]byte(line)); n != len(line) || err != nil {
			t.Errorf("wrote %d, %v", n, err)
		}
	}
	if logs := f.logs.String(); strings.Contains(logs, "203.0") || strings.Contains(logs, "db8") || !strings.Contains(logs, "handshake error from client") {
		t.Errorf("logs: %s", logs)
	}
}
