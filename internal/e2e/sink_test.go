package e2e

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"chatops/internal/testserver"
)

// sink is a webhook receiver that counts what it accepts by idempotency key,
// and can hold requests back.
type sink struct {
	t      *testing.T
	server *httptest.Server

	mu       sync.Mutex
	accepted map[string]int
	order    []string
	arrived  int
	answered int
	gate     chan struct{} // requests wait for it before they are accepted; nil: they do not
	free     int           // so many requests pass the gate though it is closed
	delay    time.Duration // each answer takes so long
}

// startSink starts a sink, at the given address if it is not empty.
func startSink(t *testing.T, address string) *sink {
	t.Helper()
	k := &sink{t: t, accepted: make(map[string]int)}
	k.server = httptest.NewUnstartedServer(k)
	if address != "" {
		ln, err := testserver.Listen(address)
		if err != nil {
			t.Fatal(err)
		}
		_ = k.server.Listener.Close()
		k.server.Listener = ln
	}
	k.server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateIdle { // the answer has been written
			k.mu.Lock()
			k.answered++
			k.mu.Unlock()
		}
	}
	k.server.Start()
	t.Cleanup(func() {
		k.open()
		k.server.CloseClientConnections()
		k.server.Close()
	})
	return k
}

// setting is the sink as WEBHOOKS wants it.
func (k *sink) setting() string { return "crm=" + k.server.URL + "/hook#allow_private" }

func (k *sink) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return
	}
	k.mu.Lock()
	k.arrived++
	gate, delay := k.gate, k.delay
	if k.arrived <= k.free {
		gate = nil
	}
	k.mu.Unlock()
	if gate != nil {
		<-gate
	}
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		<-timer.C
	}
	key := r.Header.Get("Idempotency-Key")
	k.mu.Lock()
	k.accepted[key]++
	k.order = append(k.order, key)
	k.mu.Unlock()
	rw.WriteHeader(http.StatusOK)
}

// close holds back every request from now on.
func (k *sink) close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.gate == nil {
		k.gate = make(chan struct{})
	}
}

// closeAfter holds back every request after the first n.
func (k *sink) closeAfter(n int) {
	k.close()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.free = n
}

// open lets the requests go that are held back, and later ones through.
func (k *sink) open() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.gate != nil {
		close(k.gate)
		k.gate = nil
	}
}

// openFor lets later requests through and returns what lets the held ones go.
func (k *sink) openForLater() (release func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	gate := k.gate
	k.gate = nil
	return sync.OnceFunc(func() { close(gate) })
}

func (k *sink) slow(d time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.delay = d
}

// counts returns how many keys were accepted, how many of them more than once,
// and how many requests in all.
func (k *sink) counts() (keys, twice, total int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, n := range k.accepted {
		total += n
		if n > 1 {
			twice++
		}
	}
	return len(k.accepted), twice, total
}

func (k *sink) of(key string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.accepted[key]
}

// awaitArrived waits until n requests have arrived, accepted or held back.
func (k *sink) awaitArrived(n int) {
	k.t.Helper()
	k.awaitCount("arrived", n, func() int { return k.arrived })
}

// awaitAnswered waits until the answers of n requests have been written.
func (k *sink) awaitAnswered(n int) {
	k.t.Helper()
	k.awaitCount("answered", n, func() int { return k.answered })
}

func (k *sink) awaitCount(what string, n int, countFunc func() int) {
	k.t.Helper()
	got := 0
	err := testserver.Poll(patience, func(context.Context) error {
		k.mu.Lock()
		defer k.mu.Unlock()
		if got = countFunc(); got < n {
			return errNotYet
		}
		return nil
	})
	if err != nil {
		k.t.Fatalf("%d requests %s at the sink, want %d", got, what, n)
	}
}
