package e2e

import (
	"net/http"
	"testing"
	"time"
)

// F23: SIGTERM under load. Every 200 is stored, attempts in flight are recorded,
// leases are given back, and the exit code is 0.
func TestDrain_UnderLoad_LosesNothingAndExitsWithZero(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		sink := startSink(t, "")
		sink.slow(200 * time.Millisecond)
		w.env["WEBHOOKS"] = sink.setting()
		w.enqueueMany(200, "k", "queued")
		s := w.serve()
		l := s.chatter(8)
		l.awaitAnswers(http.StatusOK, 100)
		sink.awaitArrived(5)
		begin := time.Now()
		s.term()
		if code := s.wait(); code != 0 {
			t.Errorf("exit code %d, want 0", code)
		}
		if took := time.Since(begin); took > 30*time.Second {
			t.Errorf("draining took %v", took)
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
		begin := time.Now()
		s.term()
		s.wait()
		if took := time.Since(begin); took > 3*time.Second {
			t.Errorf("the process went on for %v after the second signal", took)
		}
	})
}
