package runbook

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

func pacedConsole(t *testing.T) *console {
	t.Helper()
	c := newConsole(t, newFakeStore(chatops.AlertFailed, chatops.AlertFailed, chatops.AlertPending, chatops.AlertQueued))
	c.store.fleet.replicas = []chatops.Instance{{Name: "host:1"}}
	return c
}

func TestDLQRetry_WithAPaceIsFrozenAndLeftToTheReplicas(t *testing.T) {
	t.Parallel()
	c := pacedConsole(t)
	c.must(exitRefused, "dlq retry --all --rate 50 --canary 1")
	c.says("retry 3 alerts (status pending, failed), at most 50 a second after a canary of 1; halts when more than 20 % fail; takes about")
	c.must(exitOK, "dlq retry --all --rate 50/s --canary 1 --max-failures 30% --yes --reason back -o jsonl")
	c.says("operation    op_1", "the replicas carry it; watch it with: chatops dlq operations show op_1 --watch")
	c.prints(`{"operation_id":"op_1","matched":3,"requeued":0,"skipped":0,"dry_run":false}` + "\n")
	op := c.store.ops["op_1"]
	if op.Pace == nil || *op.Pace != (chatops.OperationPace{Rate: 50, Canary: 1, MaxFailures: 0.3}) || op.Changed != 0 {
		t.Errorf("stored operation is %+v", *op)
	}
	if got := c.store.actions[0].Result; got != "ok: operation op_1: 3 matched, left to the replicas" {
		t.Errorf("the record ends with %q", got)
	}
	c.store.fleet.replicas = nil
	c.must(exitOK, "dlq retry 4 --canary 1 --yes")
	c.says("no replica is running: nobody carries the operation", "chatops dlq retry --operation op_2 --now")
	c.must(exitOK, "dlq retry --all --rate max --yes --dry-run -o jsonl")
	if len(c.store.ops) != 2 {
		t.Error("a dry run made an operation")
	}
}

func TestDLQRetry_ReadsThePaceStrictly(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"--all --rate 0":                      `--rate "0": must be alerts a second`,
		"--all --rate fast":                   `--rate "fast"`,
		"--all --canary 0":                    "--canary 0: must be 1 to 1000",
		"--all --canary -1":                   "--canary -1: must be 1 to 1000",
		"--all --canary 5000":                 "--canary 5000: must be 1 to 1000",
		"--all --max-failures 20":             "give --rate or --canary too",
		"--all --rate 5 --max-failures 200":   `--max-failures "200"`,
		"--operation op_1 --rate 5":           "goes on with the pace that it has",
		"--all --rate 5 --status queued":      "--status queued: retry changes only pending, failed alerts",
		"--operation op_1 --max-failures 10":  "chatops dlq operations rate",
		"--all --rate 5 --status failed --zz": "unknown flag",
	} {
		c := pacedConsole(t)
		c.must(exitUsage, "dlq retry --yes "+line)
		c.says(want)
	}
	c := pacedConsole(t)
	for _, flag := range []string{"--rate 5", "--canary 1", "--max-failures 20", "--now"} {
		c.must(exitUsage, "dlq discard --all --yes "+flag)
	}
}

// release is what replicas do: one alert at each look.
func release(op *chatops.Operation) {
	if op.State != chatops.OperationRunning {
		return
	}
	if op.Run.Rate = 5; op.Changed < op.Matched {
		op.Changed++
		return
	}
	op.State, op.DoneAt = chatops.OperationDone, noon
}

func TestDLQRetry_WithAPaceAndNowWatchesUntilTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := pacedConsole(t)
		c.store.watchFunc = release
		c.store.setProgress(chatops.OperationProgress{Delivered: 3})
		c.must(exitOK, "dlq retry --all --rate 5 --yes --now -o jsonl")
		c.says("running: released 0 of 3, delivered 1, failed 0, waiting 0, up to 5/s, about 1s left", "done: released 3 of 3", "delivered 3, failed 0, pending 0")
		c.prints(`{"operation_id":"op_1","matched":3,"requeued":3,"skipped":0,"dry_run":false,"delivered":3,"failed":0,"pending":0}` + "\n")
	})
}

func TestDLQRetry_WithAPaceAndNowTellsHowItEnded(t *testing.T) {
	t.Parallel()
	for state, want := range map[chatops.OperationState][]string{
		chatops.OperationHalted:    {"operation op_1 has halted: 9 of 10 failed; released 1 of 3", "chatops dlq operations failures op_1"},
		chatops.OperationCancelled: {"operation op_1 was cancelled by ola (9 of 10 failed)"},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := pacedConsole(t)
			c.store.setProgress(chatops.OperationProgress{Failed: 1})
			c.store.watchFunc = func(op *chatops.Operation) {
				op.State, op.Note, op.ChangedBy, op.Changed = state, "9 of 10 failed", "ola", 1
			}
			c.must(exitPartial, "dlq retry --all --rate 5 --yes --now")
			c.says(want...)
		})
	}
}

func TestDLQRetry_InterruptedWatchLeavesItRunning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := pacedConsole(t)
		ctx, cancel := context.WithCancel(t.Context())
		c.store.watchFunc = func(*chatops.Operation) { cancel() }
		if code := Run(ctx, c.Env, strings.Fields("dlq retry --all --rate 5 --yes --now")); code != exitInterrupted {
			t.Fatalf("exit %d: %s", code, &c.err)
		}
		c.says("interrupted: operation op_1: running, released 0 of 3", "the replicas go on with it; watch it with: chatops dlq operations show op_1 --watch")
		if op := c.store.ops["op_1"]; op.State != chatops.OperationRunning {
			t.Errorf("the operation is %s", op.State)
		}
	})
}

func TestDLQRetry_WithoutAReplicaNowCarriesItHere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := pacedConsole(t)
		c.store.fleet.replicas = nil
		carried := ""
		c.CarryFunc = func(ctx context.Context, _ *config.Config, _ *slog.Logger, _ chatops.Store, id string) error {
			carried = id
			<-ctx.Done()
			return ctx.Err()
		}
		c.store.watchFunc = release
		c.store.setProgress(chatops.OperationProgress{Delivered: 3})
		c.must(exitOK, "dlq retry --all --rate 5 --yes --now")
		c.says("no replica is running: this process carries the operation")
		if carried != "op_1" {
			t.Errorf("carried %q", carried)
		}
		c.must(exitOK, "dlq retry --operation op_1 --yes --now")

		ctx, cancel := context.WithCancel(t.Context())
		c.store.watchFunc = func(*chatops.Operation) { cancel() }
		if code := Run(ctx, c.Env, strings.Fields("dlq retry --all --rate 5 --yes --now")); code != exitInterrupted {
			t.Errorf("exit %d", code)
		}
		c.says("nobody carries it now; go on with: chatops dlq retry --operation op_2 --now")
	})
}
