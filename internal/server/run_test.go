package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

func newRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }

// newChunked is a POST of unknown length.
func newChunked(t testing.TB, body string) *http.Request {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/api/chatbot/chat", io.MultiReader(strings.NewReader(body)))
	r.ContentLength = -1
	r.Header.Set("Content-Type", "application/json")
	return r
}

// running is a server behind a real listener.
type running struct {
	*fixture
	addr string
	stop context.CancelFunc // the first signal
	done chan error         // what Run returned
}

func start(t testing.TB, change func(*Options)) *running {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{fixture: newFixture(t, change), addr: ln.Addr().String(), stop: cancel, done: make(chan error, 1)}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		r.done <- r.Run(ctx, ln)
	}()
	t.Cleanup(func() {
		cancel()
		<-finished
	})
	return r
}

// dial opens a connection on which the test speaks HTTP by hand.
func (r *running) dial(t testing.TB) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// talk sends raw bytes and reads one response.
func (r *running) talk(t testing.TB, request string) (*http.Response, net.Conn) {
	t.Helper()
	conn := r.dial(t)
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return resp, conn
}

func TestHeaders_OverTheLimitGive431(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	send := func(size int) int {
		const line = "GET /livez HTTP/1.1\r\nHost: x\r\n"
		resp, _ := r.talk(t, line+"X-Filler: "+strings.Repeat("f", size-len(line)-len("X-Filler: \r\n\r\n"))+"\r\n\r\n")
		defer resp.Body.Close()
		return resp.StatusCode
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
	if _, err := io.WriteString(conn, "GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: "); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(conn)
	if err != nil || bytes.Contains(rest, []byte("200 OK")) {
		t.Errorf("read %q, %v: want the connection closed", rest, err)
	}
}

func TestSlowBody_Gives408(t *testing.T) {
	t.Parallel()
	r := start(t, func(o *Options) { o.ReadTimeout = 100 * time.Millisecond })
	resp, conn := r.talk(t, "POST /api/chatbot/chat HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{\"mess")
	if got := wantProblem(t, resp, 408); !strings.Contains(got, "in time") {
		t.Errorf("error %q", got)
	}
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Errorf("the connection stays open, %d bytes more", n)
	}
}

func TestBrokenBody_Gives400(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	resp, _ := r.talk(t, "POST /api/chatbot/chat HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
	wantProblem(t, resp, 400)
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
	resp, _ := r.talk(t, chatRequest)
	if resp.StatusCode != 200 {
		t.Errorf("status %d: %s", resp.StatusCode, readAll(t, resp))
	}
}

const chatRequest = "POST /api/chatbot/chat HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"message\":\"a\"}"

func TestAmbiguousLength_NeverBecomesASecondRequest(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	conn := r.dial(t)
	if _, err := io.WriteString(conn, "POST /api/chatbot/chat HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+
		"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /livez HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	// A reset instead of an end is fine too: the rest was not read.
	all, _ := io.ReadAll(conn)
	if !bytes.HasPrefix(all, []byte("HTTP/1.1 400 ")) || bytes.Count(all, []byte("HTTP/1.1 ")) != 1 {
		t.Errorf("answer %q, want one refusal", all)
	}
	resp, _ := r.talk(t, "POST /api/chatbot/chat HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+
		"Content-Length: 15\r\nContent-Length: 16\r\n\r\n{\"message\":\"a\"}")
	if resp.StatusCode != 400 {
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
func (r *running) postAsync() <-chan int {
	status := make(chan int, 1)
	go func() {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Post("http://"+r.addr+"/api/chatbot/chat", "application/json", strings.NewReader(`{"message":"a"}`))
		if err != nil {
			status <- 0
			return
		}
		defer resp.Body.Close()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			status <- 0
			return
		}
		status <- resp.StatusCode
	}()
	return status
}

func TestDrain_AnswersWhatIsInFlight(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	entered, release := blocked(r)
	status := r.postAsync()
	<-entered
	r.stop()
	for !r.draining.Load() { // set before the listener closes
		if _, err := net.Dial("tcp", r.addr); err != nil {
			break
		}
	}
	for {
		conn, err := net.Dial("tcp", r.addr)
		if err != nil {
			break // no longer accepting
		}
		conn.Close()
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
	reader := bufio.NewReader(conn)
	readyz := func() (int, string) {
		fmt.Fprint(conn, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
		resp, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, readAll(t, resp)
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
	if resp, _ := r.talk(t, chatRequest); resp.StatusCode != 200 { // still accepting
		t.Errorf("chat while draining: %d", resp.StatusCode)
	}
}

func TestDrain_TimeRunsOut(t *testing.T) {
	t.Parallel()
	r := start(t, func(o *Options) { o.DrainTimeout = 50 * time.Millisecond })
	entered, _ := blocked(r)
	status := r.postAsync()
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
			status := r.postAsync()
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
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	err = newFixture(t, nil).Run(context.Background(), ln)
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
