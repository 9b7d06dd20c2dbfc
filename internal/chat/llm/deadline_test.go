package llm

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"chatops/internal/sendertest"
)

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

func countDials(dial dialFunc, n *atomic.Int32) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		n.Add(1)
		return dial(ctx, network, address)
	}
}

// endless repeats a piece of a stream as long as it is read.
func endless(piece string) sendertest.Behaviour {
	return sendertest.Behaviour{WriteFunc: func(w http.ResponseWriter, _ sendertest.Request, _ <-chan struct{}) {
		w.Header().Set("Content-Type", "text/event-stream")
		for {
			if _, err := io.WriteString(w, piece); err != nil {
				return
			}
		}
	}}
}

// pipes is a listener whose connections are in memory, so that a test's clock
// can be an invented one.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.IPAddr{} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// timed calls an endpoint in a bubble with an invented clock and returns how
// long the call took. The handler must end when the connection does.
func timed(t *testing.T, o Options, ctxFunc func(context.Context) (context.Context, context.CancelFunc), handler http.HandlerFunc) (took time.Duration, got *Completion, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		listener := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		server := &http.Server{Handler: handler, ErrorLog: quiet()}
		served := make(chan struct{})
		go func() {
			defer close(served)
			_ = server.Serve(listener)
		}()
		o.BaseURL = "http://llm.test/v1"
		c, newErr := New(o)
		if newErr != nil {
			t.Fatal(newErr)
		}
		c.http.Transport.(*http.Transport).DialContext = listener.dial
		ctx, cancel := ctxFunc(t.Context())
		start := time.Now()
		got, err = c.Complete(ctx, prompt)
		took = time.Since(start)
		cancel()
		c.Close()
		_ = server.Close()
		<-served
		synctest.Wait() // the bubble fails the test if a goroutine is left
	})
	return took, got, err
}

func noDeadline(ctx context.Context) (context.Context, context.CancelFunc) { return ctx, func() {} }

func within(d time.Duration) func(context.Context) (context.Context, context.CancelFunc) {
	return func(ctx context.Context) (context.Context, context.CancelFunc) { return context.WithTimeout(ctx, d) }
}

const event = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"

// events sends n events, one after each pause, and then holds the stream open
// or ends it.
func events(n int, pause time.Duration, last string, hold bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(w).Flush()
		send := func(s string) {
			_, _ = io.WriteString(w, s)
			_ = http.NewResponseController(w).Flush()
		}
		for range n {
			select {
			case <-time.After(pause):
			case <-r.Context().Done():
				return
			}
			send(event)
		}
		send(last)
		if hold {
			<-r.Context().Done()
		}
	}
}

// hang never answers. Only when the request was read does the server notice that
// the client is gone.
func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func TestComplete_KeepsItsDeadlines(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		opts    Options
		ctxFunc func(context.Context) (context.Context, context.CancelFunc)
		handler http.HandlerFunc
		kind    Kind
		after   time.Duration
	}{
		"hangs before headers":            {Options{}, noDeadline, hang, KindTimeout, 8 * time.Second},
		"hangs before headers, own limit": {Options{FirstTimeout: 2 * time.Second}, noDeadline, hang, KindTimeout, 2 * time.Second},
		"hangs after headers":             {Options{}, noDeadline, events(0, 0, "", true), KindTimeout, 5 * time.Second},
		"hangs mid-stream":                {Options{}, noDeadline, events(3, time.Second, "", true), KindTimeout, 8 * time.Second},
		"hangs mid-stream, own limit":     {Options{IdleTimeout: 1500 * time.Millisecond}, noDeadline, events(3, time.Second, "", true), KindTimeout, 4500 * time.Millisecond},
		"trickles":                        {Options{}, noDeadline, events(100, 4*time.Second, "", true), KindTimeout, 12 * time.Second},
		"trickles, own limit":             {Options{TotalTimeout: 30 * time.Second}, noDeadline, events(100, 4*time.Second, "", true), KindTimeout, 30 * time.Second},
		"hangs under a caller's deadline": {Options{}, within(3 * time.Second), hang, KindTimeout, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			took, _, err := timed(t, c.opts, c.ctxFunc, c.handler)
			_ = fails(t, err, c.kind)
			if took != c.after {
				t.Errorf("ended after %v, want %v", took, c.after)
			}
		})
	}
}

func TestComplete_TellsTheCallersDeadlineFromItsOwn(t *testing.T) {
	t.Parallel()
	if _, _, err := timed(t, Options{}, within(3*time.Second), hang); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the caller's: %v", err)
	}
	if _, _, err := timed(t, Options{}, within(time.Minute), hang); errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("its own: %v", err)
	}
}

func TestComplete_AllowsSlowAnswersThatKeepComing(t *testing.T) {
	t.Parallel()
	took, got, err := timed(t, Options{TotalTimeout: time.Minute}, noDeadline, events(10, 4*time.Second, "data: [DONE]\n\n", false))
	if err != nil || got.Text != "aaaaaaaaaa" || took != 40*time.Second {
		t.Errorf("%+v, %v after %v", got, err, took)
	}
}

func TestComplete_DoesNotWaitForTheEndOfAStreamThatIsDone(t *testing.T) {
	t.Parallel()
	took, got, err := timed(t, Options{}, noDeadline, events(1, time.Second, "data: [DONE]\n\n", true))
	if err != nil || got.Text != "a" || took != time.Second+drainTime {
		t.Errorf("%+v, %v after %v", got, err, took)
	}
}
