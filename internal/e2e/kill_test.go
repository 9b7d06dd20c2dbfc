package e2e

import (
	"context"
	"database/sql"
	"net"
	"strings"
	"testing"

	"chatops/internal/sendertest"
	"chatops/internal/testserver"
)

// F1: SIGKILL after the claim, before the receiver has seen anything. The
// receivers' ports listen, but nobody accepts there.
func TestKill_AfterClaimBeforeSending_DeliversOnceFromAnotherProcess(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		w.slack.Stop()
		w.smtp.Stop()
		deaf := []net.Listener{listen(t, w.slack.Addr()), listen(t, w.smtp.Addr()), listen(t, receiverAddress())}
		hook := deaf[2].Addr().String()
		w.env["WEBHOOKS"] = "crm=http://" + hook + "/hook#allow_private"
		first := w.serve()
		w.enqueue("slack_alert", "slack:alerts", slackPayload, "lead:s1:slack")
		w.enqueue("email_alert", "mailto:sales@firma.example", emailPayload, "lead:s1:email")
		w.enqueue("webhook_event", "webhook:crm", webhookPayload, "lead:s1:webhook:crm")
		w.await(3, `select count(*) from dlq_lease`)
		first.kill()
		w.leasesRunOut()
		for _, ln := range deaf {
			_ = ln.Close()
		}
		w.slack.Start()
		w.smtp.Start()
		sink := startSink(t, hook)
		if n := w.number(`select count(*) from delivery_attempt`); n != 0 {
			t.Fatalf("%d attempts were recorded before the kill, want none", n)
		}

		second := w.serve()
		second.awaitLog("alerts made claimable again")
		w.await(3, `select count(*) from dead_letter_queue where status = 'delivered'`)
		keys, twice, total := sink.counts()
		if got := len(w.slack.Texts()); got != 1 || len(w.smtp.Mails()) != 1 || keys != 1 || twice != 0 || total != 1 {
			t.Errorf("Slack %d, mails %d, webhook %d, want one of each", got, len(w.smtp.Mails()), total)
		}
		for _, a := range w.alerts() {
			if a.attempts != 1 || a.retries != 0 {
				t.Errorf("alert %+v, want one attempt and no retry used up", a)
			}
		}
		w.expectNoLease(t)
	})
}

func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	ln, err := testserver.Listen(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return ln
}

// F2, for alerts: SIGKILL after the receiver has said yes and before our
// commit, which a lock of the test's holds up. The alert may arrive once more,
// and the receiver can tell.
func TestKill_AfterTheReceiverSaidYes_RepeatsAtMostOnceWithTheSameKey(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		sink := startSink(t, "")
		w.env["WEBHOOKS"] = sink.setting()
		sink.close()
		first := w.serve()
		w.enqueue("webhook_event", "webhook:crm", webhookPayload, "lead:s1:webhook:crm")
		sink.awaitArrived(1)
		unlock := w.blockCommits(t)
		sink.open()
		sink.awaitAnswered(1) // the receiver's 200 is on its way and cannot be recorded
		first.kill()
		unlock()
		w.leasesRunOut()

		w.serve()
		w.await(1, `select count(*) from dead_letter_queue where status = 'delivered'`)
		keys, _, total := sink.counts()
		if keys != 1 || total > 2 || sink.of("lead:s1:webhook:crm") != total {
			t.Errorf("%d requests with %d keys, want one or two with the alert's key", total, keys)
		}
		w.expectNoLease(t)
	})
}

// F2 for mail: the repeated mail has the first one's Message-ID.
func TestKill_AfterTheMailServerSaidYes_RepeatsWithTheSameMessageID(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		w.smtp.Set(sendertest.Fault{Stage: sendertest.StageQuit, Hang: true}) // 250 was said, the attempt has not ended
		first := w.serve()
		w.enqueue("email_alert", "mailto:sales@firma.example", emailPayload, "lead:s1:email")
		if len(w.smtp.Wait(t.Context(), 1)) != 1 {
			t.Fatal("no mail arrived")
		}
		first.kill()
		w.leasesRunOut()
		w.smtp.Set()
		if n := w.number(`select count(*) from dead_letter_queue where status = 'delivered'`); n != 0 {
			t.Skip("the outcome was recorded before the kill: nothing is left to repeat")
		}
		w.serve()
		w.await(1, `select count(*) from dead_letter_queue where status = 'delivered'`)
		mails := w.smtp.Mails()
		if len(mails) != 2 || mails[0].MessageID() == "" || mails[0].MessageID() != mails[1].MessageID() {
			t.Errorf("%d mails, want two with one Message-ID", len(mails))
		}
	})
}

// F2 for Monday: the item exists, the process that made it died. Whoever takes
// over looks for it before it makes another.
func TestKill_AfterMondayCreatedTheItem_FindsItInsteadOfMakingAnother(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		w.env["MONDAY_EXTERNAL_ID_COLUMN"] = "text_ext"
		w.monday.Set(sendertest.Behaviour{Work: true, Hang: true})
		first := w.serve()
		w.enqueue("monday_item", "monday:leads", mondayPayload, "lead:s1:monday")
		w.monday.Wait(t.Context(), 1)
		first.kill()
		w.leasesRunOut()
		w.monday.Set(sendertest.OK())
		w.serve()
		w.await(1, `select count(*) from dead_letter_queue where status = 'delivered'`)
		items := w.monday.Items()
		if len(items) != 1 || items[0].Columns["text_ext"] != "lead:s1" {
			t.Errorf("the board holds %+v, want one item with the external id lead:s1", items)
		}
	})
}

// blockCommits takes a lock that keeps every other process from recording an
// outcome, until the returned function is called.
func (w *world) blockCommits(t *testing.T) (unlock func()) {
	t.Helper()
	ctx := context.Background()
	conn, err := w.db.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	statements := []string{"begin", "lock table delivery_attempt, dead_letter_queue in exclusive mode"}
	if w.engine == sqlite {
		statements = []string{"begin immediate"}
	}
	for _, s := range statements {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	done := false
	unlock = func() {
		if done {
			return
		}
		done = true
		if _, err := conn.ExecContext(ctx, "rollback"); err != nil && !strings.Contains(err.Error(), sql.ErrConnDone.Error()) {
			t.Errorf("rollback: %v", err)
		}
		_ = conn.Close()
	}
	t.Cleanup(unlock)
	return unlock
}
