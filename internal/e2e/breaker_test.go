package e2e

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"chatops/internal/testserver"
)

// shaky is a webhook receiver that fails or answers slowly when it is told to,
// and remembers when each request came.
type shaky struct {
	t      *testing.T
	server *httptest.Server

	mu    sync.Mutex
	fails bool
	delay time.Duration
	busy  int
	most  int // requests at once
	at    []time.Time
	keys  []string // accepted, in their order
}

func startShaky(t *testing.T) *shaky {
	t.Helper()
	k := &shaky{t: t, fails: true}
	k.server = httptest.NewServer(k)
	t.Cleanup(func() {
		k.server.CloseClientConnections()
		k.server.Close()
	})
	return k
}

func (k *shaky) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	k.busy++
	k.most = max(k.most, k.busy)
	k.at = append(k.at, time.Now())
	fails, delay := k.fails, k.delay
	k.mu.Unlock()
	timer := time.NewTimer(delay)
	defer timer.Stop()
	<-timer.C
	k.mu.Lock()
	defer k.mu.Unlock()
	k.busy--
	if fails {
		rw.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	k.keys = append(k.keys, r.Header.Get("Idempotency-Key"))
}

// becomes changes how the receiver answers, and forgets what came before.
func (k *shaky) becomes(fails bool, delay time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fails, k.delay, k.most, k.at = fails, delay, k.busy, nil
}

// requests returns when requests came, and how many there were at once.
func (k *shaky) requests() (at []time.Time, most int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.at), k.most
}

func (k *shaky) accepted() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.keys)
}

// awaitRequests waits for the n-th request and its answer.
func (k *shaky) awaitRequests(n int) {
	k.t.Helper()
	k.await(func() bool { return len(k.at) >= n && k.busy == 0 })
}

// await waits until something is so; the receiver's lock is held meanwhile.
func (k *shaky) await(isSo func() bool) {
	k.t.Helper()
	err := testserver.Poll(patience, func(context.Context) error {
		k.mu.Lock()
		defer k.mu.Unlock()
		if !isSo() {
			return errNotYet
		}
		return nil
	})
	if err != nil {
		k.t.Fatalf("the receiver got %d requests and accepted %d: %v", len(k.at), len(k.keys), err)
	}
}

// metric returns a metric of the service, -1 when it has none of that name.
func (s *server) metric(name string) float64 {
	s.t.Helper()
	_, text := s.get("/metrics")
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				s.t.Fatalf("%s: %v", line, err)
			}
			return v
		}
	}
	return -1
}

// awaitMetric waits until a metric is what it should be.
func (s *server) awaitMetric(name string, isSo func(float64) bool) {
	s.t.Helper()
	var got float64
	err := testserver.Poll(patience, func(context.Context) error {
		if got = s.metric(name); !isSo(got) {
			return errNotYet
		}
		return nil
	})
	if err != nil {
		s.t.Fatalf("%s is %v: %v", name, got, err)
	}
}

const crmBreaker = `chatops_breaker_state{integration="webhook:crm"}`

func closed(v float64) bool { return v == 0 }
func opened(v float64) bool { return v > 0 }

// F16: two replicas find their receiver in trouble. Each opens its own breaker;
// between them they make one probe at a time, after waits that grow. A receiver
// that answers, but slowly, is left alone as well.
func TestBreaker_OfTwoProcesses_ProbesOneAtATimeAndEverMoreSeldom(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		k := startShaky(t)
		w.env["WEBHOOKS"] = "crm=" + k.server.URL + "/hook#allow_private"
		w.env["CB_FAIL_MAX"], w.env["CB_RESET_TIMEOUT"], w.env["CB_MAX_OPEN_SECONDS"] = "2", "1", "5"
		w.env["CB_SLOW_SECONDS"] = "1"
		a, b := w.serve(), w.serve()
		w.enqueueMany(500, "k", "queued")
		a.awaitMetric(crmBreaker, opened)
		b.awaitMetric(crmBreaker, opened)
		k.awaitRequests(4)
		k.becomes(true, 100*time.Millisecond)

		k.awaitRequests(5)
		at, most := k.requests()
		longest := time.Duration(0)
		for i := 1; i < 5; i++ {
			gap := at[i].Sub(at[i-1])
			longest = max(longest, gap)
			// A failed probe has the next one wait for two seconds or more.
			if gap < 1900*time.Millisecond {
				t.Errorf("probe %d came %s after the one before", i, gap)
			}
		}
		// Of five failed probes one replica made three, so it waited longer.
		if longest < 3900*time.Millisecond || most > 1 {
			t.Errorf("the longest wait was %s, %d probes at once; probes at %v", longest, most, at)
		}

		k.becomes(false, 1100*time.Millisecond)
		k.awaitRequests(1)
		if x, y := a.metric(crmBreaker), b.metric(crmBreaker); !opened(x) || !opened(y) {
			t.Errorf("breakers are at %v and %v after a slow answer, want open", x, y)
		}
		k.becomes(false, 0)
		a.awaitMetric(crmBreaker, closed)
		b.awaitMetric(crmBreaker, closed)
		slow := `chatops_breaker_failures_total{integration="webhook:crm",kind="slow"}`
		if n := a.metric(slow) + b.metric(slow); n < 1 {
			t.Errorf("%v slow answers were counted", n)
		}
		w.awaitFor(patience, 0, `select count(*) from dead_letter_queue where last_attempt_at is null`)
		keys := k.accepted()
		if all := len(keys); len(slices.Compact(slices.Sorted(slices.Values(keys)))) != all {
			t.Errorf("of %d alerts some arrived twice", all)
		}
	})
}

// F17: the receiver comes back to a long queue. It gets a stream that begins
// with a few requests a second, and what is new does not wait for what is old.
func TestBreaker_OutageEndsWithALongQueue_DrainsSlowlyAtFirstAndFreshAlertsGoFirst(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		k := startShaky(t)
		w.env["WEBHOOKS"] = "crm=" + k.server.URL + "/hook#allow_private"
		w.env["CB_FAIL_MAX"], w.env["CB_RESET_TIMEOUT"], w.env["CB_MAX_OPEN_SECONDS"] = "2", "3", "3"
		s := w.serve()
		rows := 3_000
		w.enqueueMany(rows, "old", "queued")
		s.awaitMetric(crmBreaker, opened)
		w.await(0, `select count(*) from dead_letter_queue where status = 'queued'`)
		k.becomes(false, 0)

		k.await(func() bool { return len(k.keys) > 5 })
		w.enqueue("webhook_event", "webhook:crm", webhookPayload, "fresh")
		k.await(func() bool { return slices.Contains(k.keys, "fresh") })
		before := len(k.accepted())
		w.awaitFor(2*patience, 0, `select count(*) from dead_letter_queue where last_attempt_at is null`)
		if before > rows/2 {
			t.Errorf("the fresh alert arrived after %d old ones of %d", before, rows)
		}
		at, _ := k.requests()
		for second, most := 1, 10; second <= 9; second, most = second+1, 2*most+10 {
			n, _ := slices.BinarySearchFunc(at, at[0].Add(time.Duration(second)*time.Second), time.Time.Compare)
			// The probe, the fresh alert and what is in flight come on top.
			if n > most+10 {
				t.Errorf("%d requests in the first %d s, want %d at most", n, second, most)
			}
		}
		keys := k.accepted()
		if all := len(keys); len(slices.Compact(slices.Sorted(slices.Values(keys)))) != all {
			t.Errorf("of %d alerts some arrived twice", all)
		}
	})
}
