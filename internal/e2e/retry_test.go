package e2e

import (
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const retryRows = 300

// retryWorld has failed alerts and a receiver that is well but slow.
func retryWorld(w *world) *sink {
	sink := startSink(w.t, "")
	sink.slow(15 * time.Millisecond)
	w.env["WEBHOOKS"] = sink.setting()
	w.enqueueMany(retryRows, "k", "failed")
	return sink
}

func (k *sink) expectEachOnce(t *testing.T, rows int) {
	t.Helper()
	if keys, twice, total := k.counts(); keys != rows || twice != 0 || total != rows {
		t.Errorf("the sink got %d requests for %d keys, %d keys more than once; want %d, each once", total, keys, twice, rows)
	}
}

var resumeCommand = regexp.MustCompile(`chatops (dlq retry --operation op_\S+ --now)`)

// F18: Ctrl-C in the middle of a bulk retry. What is under way is recorded, and
// the operator is told how to go on.
func TestRetry_Interrupted_ExitsWith130AndTellsHowToGoOn(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		sink := retryWorld(w)
		sink.closeAfter(40)
		cli := w.start("dlq", "retry", "--all", "--yes", "--now", "-o", "json")
		sink.awaitArrived(41)
		cli.signal(syscall.SIGINT)
		sink.open()
		if code := cli.wait(); code != 130 {
			t.Errorf("exit code %d, want 130", code)
		}
		match := resumeCommand.FindStringSubmatch(cli.err.String())
		if match == nil {
			t.Fatalf("standard error does not tell how to go on:\n%s", cli.err)
		}
		keys, _, _ := sink.counts()
		if keys >= retryRows {
			t.Fatal("everything was delivered before the interrupt: the test shows nothing")
		}
		if n := w.number(`select count(*) from dead_letter_queue where status = 'delivered'`); n != keys {
			t.Errorf("%d rows are delivered and the sink has %d: an attempt was not recorded", n, keys)
		}
		w.expectNoLease(t)
		w.must(strings.Fields(match[1])...)
		sink.expectEachOnce(t, retryRows)
		if n := w.number(`select count(*) from operator_action where result like 'error:%' and finished_at is not null`); n != 1 {
			t.Errorf("%d operator actions end in an error, want the interrupted one", n)
		}
	})
}

// F18: SIGKILL half way, when the receiver has taken 40 alerts, which are
// recorded, and others are on their way. The operation goes on by its id; only
// what was on its way arrives again, with its key.
func TestRetry_Killed_IsResumedByItsOperation(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		sink := retryWorld(w)
		sink.closeAfter(40)
		cli := w.start("dlq", "retry", "--all", "--yes", "--now")
		sink.awaitArrived(41)
		w.await(40, `select count(*) from dead_letter_queue where status = 'delivered'`)
		cli.kill()
		sink.open()
		w.leasesRunOut()
		operation := w.text(`select id from dlq_operation`)
		w.must("dlq", "retry", "--operation", operation, "--now")
		keys, twice, total := sink.counts()
		const parallel = 4 // attempts at a webhook
		if keys != retryRows || twice > parallel || total > retryRows+parallel {
			t.Errorf("the sink got %d requests for %d keys, %d keys more than once", total, keys, twice)
		}
		t.Logf("%d of %d arrived twice", twice, retryRows)
		if n := w.number(`select count(*) from dead_letter_queue where status = 'delivered'`); n != retryRows {
			t.Errorf("%d rows are delivered, want %d", n, retryRows)
		}
	})
}

// F18: two operators type the same command, while the service runs too.
func TestRetry_ByTwoOperatorsAtOnce_DeliversNothingTwice(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		sink := retryWorld(w)
		w.serve()
		var operators sync.WaitGroup
		for range 2 {
			cli := w.start("dlq", "retry", "--all", "--yes", "--now", "-o", "json")
			operators.Go(func() {
				<-cli.done
				if code := cli.cmd.ProcessState.ExitCode(); code != 0 && code != 6 {
					t.Errorf("an operator's command ended with %d, want 0, or 6 when the other one was quicker", code)
				}
			})
		}
		operators.Wait()
		w.await(retryRows, `select count(*) from dead_letter_queue where status = 'delivered'`)
		sink.expectEachOnce(t, retryRows)
		w.awaitFor(patience, 0, `select count(*) from dlq_lease`)
	})
}

// A process died right after it stored a lead, and no other one runs: the
// operator's command sends what nobody has tried yet.
func TestRetry_OfAlertsThatNobodyTried_DeliversThemWithoutAServer(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, w *world) {
		w.enqueueLead("s1")
		w.retryAll(t, 3)
		if items, mails := len(w.monday.Items()), len(w.smtp.Mails()); items != 1 || mails != 1 {
			t.Errorf("%d items and %d mails, want one each", items, mails)
		}
		w.expectNoLease(t)
	})
}
