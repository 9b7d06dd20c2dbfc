package runbook

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

// delivering gives the console an engine that tells these outcomes, one after
// the other, every second, and then waits for its end.
func (c *console) delivering(outcomes ...chatops.OperationProgress) *bool {
	ended := false
	c.DeliverFunc = func(ctx context.Context, _ *config.Config, _ *slog.Logger, _ chatops.Store) error {
		defer func() { ended = true }()
		for _, p := range outcomes {
			select {
			case <-time.After(time.Second):
				c.store.setProgress(p)
			case <-ctx.Done():
				return nil
			}
		}
		<-ctx.Done()
		return nil
	}
	return &ended
}

func TestDLQRetryNow_WaitsForEveryOutcome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConsole(t, fourAlerts())
		ended := c.delivering(chatops.OperationProgress{Delivered: 1, Waiting: 1}, chatops.OperationProgress{Delivered: 2})
		start := time.Now()
		c.must(exitOK, "dlq retry --all --status pending,failed --yes --now -o jsonl")
		c.prints(`{"operation_id":"op_1","matched":2,"requeued":2,"skipped":0,"dry_run":false,"delivered":2,"failed":0,"pending":0}` + "\n")
		c.says("delivered 2, failed 0, pending 0")
		if took := time.Since(start); took < 2*time.Second || took > 3*time.Second || !*ended {
			t.Errorf("it took %s, engine ended: %t", took, *ended)
		}
		if got := c.store.actions[0].Result; got != "ok: operation op_1: requeued 2, skipped 0 of 2; delivered 2, failed 0, pending 0" {
			t.Errorf("the record ends with %q", got)
		}
	})
}

func TestDLQRetryNow_SomeNotDeliveredIsPartlyDone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConsole(t, fourAlerts())
		c.delivering(chatops.OperationProgress{Delivered: 1, Pending: 1})
		c.must(exitPartial, "dlq retry --all --status pending,failed --yes --now -o jsonl")
		c.prints(`{"operation_id":"op_1","matched":2,"requeued":2,"skipped":0,"dry_run":false,"delivered":1,"failed":0,"pending":1}` + "\n")
		c.says("not every alert was delivered: delivered 1, failed 0, pending 1", "chatops dlq list")
	})
}

func TestDLQRetryNow_TimeoutBoundsTheWait(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]time.Duration{"--timeout 10s": 10 * time.Second, "--timeout 1m": time.Minute, "": stallTimeout} {
		synctest.Test(t, func(t *testing.T) {
			c := newConsole(t, fourAlerts())
			ended := c.delivering()
			start := time.Now()
			c.must(exitPartial, "dlq retry --all --status pending,failed --yes --now "+line)
			c.says("pending 2", "2 not tried: paused, behind an open breaker", "wait on with: chatops dlq retry --operation op_1 --now")
			if took := time.Since(start); took != want || !*ended {
				t.Errorf("it took %s, want %s; engine ended: %t", took, want, *ended)
			}
		})
	}
}

func TestDLQRetryNow_GoesOnAsLongAsSomethingMoves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConsole(t, fourAlerts())
		var outcomes []chatops.OperationProgress
		for n := range int64(5) { // each stands for most of the stall's time
			outcomes = append(outcomes, slices.Repeat([]chatops.OperationProgress{{Delivered: n, Waiting: 5 - n}}, 30)...)
		}
		c.delivering(append(outcomes, chatops.OperationProgress{Delivered: 5})...)
		start := time.Now()
		c.must(exitOK, "dlq retry --all --status pending,failed --yes --now")
		if took := time.Since(start); took < 150*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

func TestDLQRetryNow_InterruptStopsTheEngineAndSaysHowToGoOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConsole(t, fourAlerts())
		ended := c.delivering(chatops.OperationProgress{Delivered: 1, Waiting: 1})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		code := Run(ctx, c.Env, strings.Fields("dlq retry --all --status pending,failed --yes --now -o jsonl"))
		if code != exitInterrupted || !*ended {
			t.Fatalf("exit %d, engine ended %t: %s", code, *ended, &c.err)
		}
		c.says("interrupted: operation op_1: requeued 2, skipped 0 of 2; delivered 1, failed 0, pending 1", "chatops dlq retry --operation op_1 --now")

		c.delivering(chatops.OperationProgress{Delivered: 2})
		c.must(exitOK, "dlq retry --operation op_1 --now --yes -o jsonl")
		c.prints(`{"operation_id":"op_1","matched":2,"requeued":2,"skipped":0,"dry_run":false,"delivered":2,"failed":0,"pending":0}` + "\n")
	})
}

func TestDLQRetryNow_EngineThatFailsEndsTheWait(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		code int
		says string
	}{
		{chatops.Errorf(chatops.CodeUnavailable, "database db.example:5432/chatops: gone"), exitUnavailable, "gone"},
		{nil, exitFailed, "the delivery engine stopped early"},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := newConsole(t, fourAlerts())
			c.DeliverFunc = func(context.Context, *config.Config, *slog.Logger, chatops.Store) error { return tt.err }
			c.must(tt.code, "dlq retry --all --status pending,failed --yes --now")
			c.says(tt.says)
		})
	}
}

func TestDLQRetryNow_ShowsProgressLinesWithoutATerminal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConsole(t, fourAlerts())
		c.NowFunc = time.Now
		outcomes := slices.Repeat([]chatops.OperationProgress{{Delivered: 1, Waiting: 1}}, 25)
		c.delivering(append(outcomes, chatops.OperationProgress{Delivered: 2})...)
		c.must(exitOK, "dlq retry --all --status pending,failed --yes --now")
		if n := strings.Count(c.err.String(), "tried 1 of 2"); n != 2 {
			t.Errorf("%d progress lines in 26 s, want 2: %s", n, &c.err)
		}
	})
}

func TestDLQRetryNow_ShowsABarOnATerminal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConsole(t, fourAlerts()).terminal("y\n")
		c.vars["TERM"] = "xterm"
		c.delivering(chatops.OperationProgress{Delivered: 1, Waiting: 1}, chatops.OperationProgress{Delivered: 2})
		c.must(exitOK, "dlq retry --all --status pending,failed --now")
		c.says("tried", "█", "delivered 2, failed 0, pending 0")
		if strings.Contains(c.out.String(), "█") {
			t.Error("the bar is on standard output")
		}
	})
}
