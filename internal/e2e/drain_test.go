package e2e

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"chatops/internal/testserver"
)

// F23: SIGTERM under load. Every 200 is stored, attempts in flight are recorded,
// leases are given back, and the exit code is 0.
func TestDrain_UnderLoad_LosesNothingAndExitsWithZero(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		sink := startSink(t, "")
		sink.slow(200 * time.Millisecond)
		sink.close()
		w.env["WEBHOOKS"] = sink.setting()
		s := w.serve()
		l := s.chatter(8)
		l.awaitAnswers(http.StatusOK, 100)
		w.enqueueMany(200, "k", "queued")
		sink.awaitArrived(4)
		s.term()
		s.awaitDeaf()
		sink.open() // attempts in flight end after everything was told to stop
		if code := s.wait(); code != 0 {
			t.Errorf("exit code %d, want 0", code)
		}
		l.stop()
		l.reconcile(t, w)
		for status := range l.statuses {
			if status != http.StatusOK && status != http.StatusServiceUnavailable {
				t.Errorf("%d answers with %d", l.statuses[status], status)
			}
		}
		w.expectNoLease(t)
		keys, twice, _ := sink.counts()
		delivered := w.number(`select count(*) from dead_letter_queue where status = 'delivered'`)
		if keys != delivered || twice != 0 || keys == 200 {
			t.Errorf("the sink has %d alerts, %d of them twice, and %d rows are delivered; want the same, and some left", keys, twice, delivered)
		}
		// The successor delivers the rest, and nothing again.
		sink.slow(0)
		w.serve()
		w.await(200, `select count(*) from dead_letter_queue where status = 'delivered' and idempotency_key like 'k-%'`)
		sink.expectEachOnce(t, 200)
	})
}

// awaitDeaf waits until the service accepts no more connections.
func (s *server) awaitDeaf() {
	s.t.Helper()
	err := testserver.Poll(patience, func(ctx context.Context) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimPrefix(s.base, "http://"))
		if err != nil {
			return nil //nolint:nilerr // refused is what it waits for
		}
		_ = conn.Close()
		return errNotYet
	})
	if err != nil {
		s.t.Fatalf("the service still accepts connections: %v", err)
	}
}

// F23: whoever asks twice does not want to wait.
func TestDrain_SecondSignal_EndsAtOnce(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		sink := startSink(t, "")
		w.env["WEBHOOKS"] = sink.setting()
		sink.close()
		s := w.serve()
		w.enqueue("webhook_event", "webhook:crm", webhookPayload, "lead:s1:webhook:crm")
		sink.awaitArrived(1)
		s.term()
		s.awaitLog(`"msg":"draining"`)
		s.term()
		if code := s.wait(); code != -1 { // a drain that takes its time ends with 0
			t.Errorf("exit code %d after the second signal, want the end by that signal", code)
		}
	})
}
