package e2e

import (
	"fmt"
	"testing"
	"time"
)

// F5: eight replicas share one queue.
func TestFleet_OfEightProcesses_DeliversEachOfTenThousandAlertsOnce(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		sink := startSink(t, "")
		w.env["WEBHOOKS"] = sink.setting()
		w.replicas(8)
		rows := 10_000
		if raceEnabled || w.engine == sqlite {
			rows = 2_000 // eight processes on one file, which nobody runs, take turns
		}
		begin := time.Now()
		w.enqueueMany(rows, "k", "queued")
		w.awaitFor(3*patience, rows, `select count(*) from dead_letter_queue where status = 'delivered'`)
		t.Logf("%d alerts in %v", rows, time.Since(begin).Round(time.Millisecond))
		keys, twice, total := sink.counts()
		if keys != rows || twice != 0 || total != rows {
			t.Errorf("the sink got %d requests for %d keys, %d keys more than once; want %d, each once", total, keys, twice, rows)
		}
		if n := w.number(`select count(*) from delivery_attempt`); n != rows {
			t.Errorf("%d attempts recorded, want %d", n, rows)
		}
		w.awaitFor(patience, 0, `select count(*) from dlq_lease`)
	})
}

// F6: a frozen worker wakes up after its lease. Somebody else has delivered by
// then, and what the late one has to say changes nothing.
func TestFleet_FrozenPastItsLease_HasItsLateOutcomeRejected(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		sink := startSink(t, "")
		w.env["WEBHOOKS"] = sink.setting()
		sink.close()
		first := w.serve()
		id := w.enqueue("webhook_event", "webhook:crm", webhookPayload, "lead:s1:webhook:crm")
		sink.awaitArrived(1)
		first.freeze()
		w.leasesRunOut()
		release := sink.openForLater()
		second := w.serve()
		w.await(1, `select count(*) from dead_letter_queue where status = 'delivered'`)
		if second.err.await("alerts made claimable again", patience, second.done) == "" {
			t.Error("the second process does not tell that it took over")
		}
		before := w.snapshot(id)
		release()
		sink.awaitAnswered(2)
		first.thaw()
		first.awaitLog("lease lost, another process takes over")
		if after := w.snapshot(id); after != before {
			t.Errorf("the late outcome changed the row\nfrom %s\nto   %s", before, after)
		}
		if n := sink.of("lead:s1:webhook:crm"); n != 2 {
			t.Errorf("%d requests with the alert's key, want 2", n)
		}
		first.term()
		if code := first.wait(); code != 0 {
			t.Errorf("the thawed process ended with %d, want 0", code)
		}
	})
}

// snapshot is everything about an alert that a late outcome could change.
func (w *world) snapshot(id int) string {
	w.t.Helper()
	return fmt.Sprint(
		w.text(`select status from dead_letter_queue where id = ?`, id), " ",
		w.text(`select delivered_at from dead_letter_queue where id = ?`, id), " ",
		w.text(`select last_attempt_at from dead_letter_queue where id = ?`, id), " ",
		w.text(`select retry_count from dead_letter_queue where id = ?`, id), " ",
		w.text(`select error_message from dead_letter_queue where id = ?`, id), " ",
		w.text(`select count(*) from delivery_attempt where alert_id = ?`, id),
	)
}
