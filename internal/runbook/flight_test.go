package runbook

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

// flying makes the newest alert one whose delivery is under way elsewhere, and
// which comes back after a second as the status says.
func (c *console) flying(status chatops.AlertStatus) {
	s := c.store
	s.inFlight = map[int64]bool{s.alerts[0].ID: true}
	s.became = map[string]chatops.OperationProgress{"op_1": {Delivered: 1}, "op_2": {Delivered: 1}}
	c.DeliverFunc = func(ctx context.Context, _ *config.Config, _ *slog.Logger, _ chatops.Store) error {
		select {
		case <-time.After(time.Second):
			s.mu.Lock()
			s.alerts[0].Status, s.alerts[0].LastAttemptAt = status, noon.Add(time.Minute)
			delete(s.inFlight, s.alerts[0].ID)
			s.mu.Unlock()
		case <-ctx.Done():
			return nil
		}
		<-ctx.Done()
		return nil
	}
}

func TestDLQRetryNow_WhatWasInFlightAndCameBackUndelivered_IsSentAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConsole(t, newFakeStore(chatops.AlertPending, chatops.AlertFailed))
		c.flying(chatops.AlertPending)
		c.must(exitOK, "dlq retry --all --yes --now -o jsonl")
		c.prints(`{"operation_id":"op_1","matched":2,"requeued":2,"skipped":0,"dry_run":false,"delivered":2,"failed":0,"pending":0}` + "\n")
		c.says("waiting for 1 alert in flight", "delivered 2, failed 0, pending 0")
		if len(c.store.ops) != 2 {
			t.Errorf("%d operations, want one more for what came back", len(c.store.ops))
		}
	})
}

func TestDLQRetryNow_WhatWasInFlightAndIsDelivered_IsLeftAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConsole(t, newFakeStore(chatops.AlertPending, chatops.AlertFailed))
		c.flying(chatops.AlertDelivered)
		c.must(exitOK, "dlq retry --all --yes --now -o jsonl")
		c.prints(`{"operation_id":"op_1","matched":2,"requeued":1,"skipped":1,"dry_run":false,"delivered":1,"failed":0,"pending":0}` + "\n")
	})
}

func TestDLQRetryNow_WhatStaysInFlight_IsPartlyDone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConsole(t, newFakeStore(chatops.AlertPending))
		c.flying(chatops.AlertPending)
		c.store.became["op_1"] = chatops.OperationProgress{}
		c.delivering()
		start := time.Now()
		c.must(exitPartial, "dlq retry --all --yes --now")
		c.says("still in flight 1")
		if took := time.Since(start); took != stallTimeout {
			t.Errorf("it took %s, want %s", took, stallTimeout)
		}
	})
}

func TestDLQRetryNow_WhatAnotherOperationTook_IsThatOnesConcern(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newConsole(t, newFakeStore(chatops.AlertPending))
		c.flying(chatops.AlertPending)
		c.store.ops["op_9"] = &chatops.Operation{ID: "op_9"}
		c.store.alerts[0].OperationID = "op_9"
		c.must(exitOK, "dlq retry --all --yes --now -o jsonl")
		c.prints(`{"operation_id":"op_2","matched":1,"requeued":0,"skipped":1,"dry_run":false}` + "\n")
	})
}
