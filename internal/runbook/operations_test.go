package runbook

import (
	"encoding/json"
	"strings"
	"testing"

	"chatops/internal/chatops"
)

func operationConsole(t *testing.T) *console {
	t.Helper()
	c := newConsole(t, newFakeStore(chatops.AlertFailed, chatops.AlertPending, chatops.AlertPending))
	c.store.fleet.replicas = []chatops.Instance{{Name: "host:1"}}
	c.store.paced("op_1", chatops.OperationDone, 50)
	c.store.paced("op_2", chatops.OperationRunning, 50)
	halted := c.store.paced("op_3", chatops.OperationHalted, 0)
	halted.Note = "9 of the last 10 attempts failed, more than 20 %"
	c.store.setProgress(chatops.OperationProgress{Delivered: 6, Failed: 1, Pending: 1, Waiting: 2})
	return c
}

func TestOperationsList_ShowsWhatIsLiveAndWithAllTheRest(t *testing.T) {
	t.Parallel()
	c := operationConsole(t)
	c.must(exitOK, "dlq operations list")
	c.prints("operation\tkind\tstate\tmatched\treleased\tskipped\tleft\trate\teta\tactor\twhy\n" +
		"op_3\tretry\thalted\t100\t10\t0\t90\t5 of no limit\t\tola\t9 of the last 10 attempts failed, more than 20 %\n" +
		"op_2\tretry\trunning\t100\t10\t0\t90\t5 of 50/s\t8s\tola\tCRM is back\n")
	c.must(exitOK, "dlq operations list --all --limit 10 -o jsonl")
	if n := strings.Count(c.out.String(), "\n"); n != 3 {
		t.Errorf("--all shows %d operations", n)
	}
	c.must(exitUsage, "dlq operations list --limit 0")
	for _, format := range []string{"wide", "yaml", "csv", "markdown", "json"} {
		c.must(exitOK, "dlq operations list -o "+format)
		if !strings.Contains(c.out.String(), "op_3") {
			t.Errorf("-o %s lacks an operation:\n%s", format, &c.out)
		}
	}
}

func TestOperationsShow_TellsEveryCount(t *testing.T) {
	t.Parallel()
	c := operationConsole(t)
	c.must(exitOK, "dlq operations show op_2 -o json")
	var v struct {
		Delivered int64   `json:"delivered"`
		Failed    int64   `json:"failed"`
		Pending   int64   `json:"pending"`
		Waiting   int64   `json:"waiting"`
		Left      int64   `json:"left"`
		Rate      float64 `json:"rate"`
		ETA       float64 `json:"eta_seconds"`
	}
	if err := json.Unmarshal(c.out.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	if v.Delivered != 6 || v.Failed != 1 || v.Pending != 1 || v.Waiting != 2 || v.Left != 90 || v.Rate != 50 || v.ETA <= 0 {
		t.Errorf("shown as %s", &c.out)
	}
	c.must(exitOK, "dlq operations show op_3")
	for _, want := range []string{"state\thalted\n", "why\t9 of the last 10", "delivered\t6\n", "left\t90\n", "max_failures\t20 %\n", "reason\tCRM is back\n", "filter\ttarget slack:alerts\n"} {
		if !strings.Contains(c.out.String(), want) {
			t.Errorf("lacks %q:\n%s", want, &c.out)
		}
	}
	c.must(exitNotFound, "dlq operations show op_9")
	c.says(`operation "op_9": not found`, "chatops dlq operations list")
	c.must(exitUsage, "dlq operations show")
	c.must(exitUsage, "dlq operations show op_1 op_2")
}

func TestOperationsShow_WatchEndsWithTheOperation(t *testing.T) {
	t.Parallel()
	c := operationConsole(t)
	c.store.setProgress(chatops.OperationProgress{Delivered: 10})
	c.must(exitOK, "dlq operations show op_1 --watch -o jsonl")
	if n := strings.Count(c.out.String(), "\n"); n != 1 {
		t.Errorf("an operation that is done was shown %d times", n)
	}
}

func TestOperations_SaysWhenNobodyCarriesThem(t *testing.T) {
	t.Parallel()
	c := operationConsole(t)
	c.store.fleet.replicas = nil
	c.must(exitOK, "dlq operations show op_2")
	c.says("no replica is running: nobody carries the operation", "chatops dlq retry --operation op_2 --now")
	c.must(exitOK, "dlq operations resume op_3 --yes")
	c.says("nobody carries the operation")
}

func TestOperationsChange_IsAskedRecordedAndRefused(t *testing.T) {
	t.Parallel()
	c := operationConsole(t)
	c.must(exitRefused, "dlq operations pause op_2")
	c.says("change       pause operation op_2 (retry: 10 of 100 released, 90 left)", "not confirmed")
	c.must(exitOK, "dlq operations pause op_2 --yes --reason break -o jsonl")
	if op := c.store.ops["op_2"]; op.State != chatops.OperationPaused || op.ChangedBy != "ewa" || op.Note != "break" {
		t.Errorf("paused operation is %+v", *op)
	}
	if a := c.store.actions[0]; a.Result != "ok: paused op_2" || a.Filter != `{"operations":["op_2"]}` || a.Reason != "break" {
		t.Errorf("the record is %+v", a)
	}
	c.must(exitOK, "dlq operations pause op_2 --yes")
	c.says("operation op_2 is paused already")
	c.must(exitOK, "dlq operations resume op_2 op_3 --yes")
	c.says("note: op_3 halted by itself: 9 of the last 10", "it begins again with its canary")
	c.must(exitOK, "dlq operations cancel op_2 --yes")
	c.must(exitRefused, "dlq operations resume op_2 --yes")
	c.says("operation op_2 is cancelled: it cannot be resumed", "chatops dlq operations show op_2")
	c.must(exitRefused, "dlq operations pause op_1 --yes")
	c.must(exitNotFound, "dlq operations pause op_3 op_9 --yes")
	if c.store.ops["op_3"].State != chatops.OperationRunning {
		t.Error("an unknown operation did not keep the others from being changed")
	}
	c.must(exitUsage, "dlq operations cancel")
	if n := len(c.store.actions); n != 3 {
		t.Errorf("%d actions are on record, want one for each change", n)
	}
}

func TestOperationsChange_DryRunAndReadOnlyChangeNothing(t *testing.T) {
	t.Parallel()
	c := operationConsole(t)
	c.must(exitOK, "dlq operations cancel op_2 --dry-run -o json")
	if !strings.Contains(c.out.String(), `"state": "cancelled"`) || !strings.Contains(c.out.String(), `"dry_run": true`) {
		t.Errorf("a dry run shows %s", &c.out)
	}
	c.profile("read_only = true\n")
	c.must(exitRefused, "dlq operations cancel op_2 --yes")
	if c.store.ops["op_2"].State != chatops.OperationRunning || len(c.store.actions) != 0 {
		t.Error("something was changed or recorded")
	}
}

func TestOperationsRate_ChangesThePace(t *testing.T) {
	t.Parallel()
	c := operationConsole(t)
	c.must(exitOK, "dlq operations rate op_2 120/m --max-failures 50% --yes")
	if p := c.store.ops["op_2"].Pace; p.Rate != 2 || p.MaxFailures != 0.5 {
		t.Errorf("the pace is %+v", *p)
	}
	c.says("change       set the rate to 120/m of operation op_2 (retry: 10 of 100 released, 90 left)")
	c.must(exitOK, "dlq operations list -o jsonl")
	if !strings.Contains(c.out.String(), `"rate":2,"current_rate":2,`) {
		t.Errorf("a lower rate does not hold at once: %s", &c.out)
	}
	c.must(exitOK, "dlq operations rate op_2 2 --yes")
	c.says("has that pace already")
	c.must(exitOK, "dlq operations rate op_2 max --yes")
	if p := c.store.ops["op_2"].Pace; p.Rate != 0 {
		t.Errorf("the pace is %+v", *p)
	}
	c.must(exitRefused, "dlq operations rate op_1 5 --yes")
	c.says("it has no pace any more")
	c.must(exitUsage, "dlq operations rate op_2")
	for _, bad := range []string{"0", "-1", "x", "5/h", "1e3", "30000", "NaN", "0.001"} {
		c.must(exitUsage, "dlq operations rate --yes -- op_2 "+bad)
		c.says("must be alerts a second such as 50")
	}
	c.must(exitUsage, "dlq operations rate op_2 5 --max-failures 101")
}

func TestOperationsFailures_ListsWhatFailedAndNothingElse(t *testing.T) {
	t.Parallel()
	c := operationConsole(t)
	for i := range c.store.alerts {
		c.store.alerts[i].OperationID = "op_2"
	}
	c.store.alerts[0].ErrorMessage = "crm answered 422"
	c.store.alerts[1].LastAttemptAt = noon // tried since
	c.must(exitOK, "dlq operations failures op_2 -o json")
	var page struct {
		Items []struct {
			ID    int64  `json:"id"`
			Error string `json:"error_message"`
		} `json:"items"`
		NextCursor *string `json:"next_cursor"`
	}
	if err := json.Unmarshal(c.out.Bytes(), &page); err != nil {
		t.Fatal(err)
	}
	if len(page.Items) != 2 || page.Items[0].ID != 3 || page.Items[1].ID != 2 || page.Items[0].Error != "crm answered 422" {
		t.Errorf("failures are %s", &c.out)
	}
	c.must(exitOK, "dlq operations failures op_2 --limit 1 -o json")
	if err := json.Unmarshal(c.out.Bytes(), &page); err != nil || len(page.Items) != 1 || page.NextCursor == nil {
		t.Fatalf("a page of one is %s", &c.out)
	}
	c.must(exitOK, "dlq operations failures op_2 -o jsonl --after "+*page.NextCursor)
	if n := strings.Count(c.out.String(), "\n"); n != 1 {
		t.Errorf("the next page holds %d", n)
	}
	c.must(exitNotFound, "dlq operations failures op_9")
	c.must(exitUsage, "dlq operations failures op_2 --limit 5000")
}

func TestDLQRetry_StopsWhenItIsPausedAndWhenItIsCancelled(t *testing.T) {
	t.Parallel()
	for state, want := range map[chatops.OperationState]string{
		chatops.OperationPaused:    "operation op_1 was paused by ola (break): requeued 0 of 2",
		chatops.OperationCancelled: "operation op_1 was cancelled by ola (break): requeued 0 of 2, the rest stays as it was",
	} {
		c := newConsole(t, fourAlerts())
		c.store.stepFunc = func() {
			if _, err := c.store.ChangeOperation(t.Context(), chatops.OperationChange{ID: "op_1", To: state, Actor: "ola", Reason: "break"}); err != nil {
				t.Error(err)
			}
		}
		c.must(exitPartial, "dlq retry --all --status pending,failed --yes")
		c.says(want)
		c.must(exitRefused, "dlq retry --operation op_1 --yes")
		c.says("operation op_1 is " + string(state))
	}
}
