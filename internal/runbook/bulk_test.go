package runbook

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"chatops/internal/chatops"
)

func fourAlerts() *fakeStore {
	return newFakeStore(chatops.AlertFailed, chatops.AlertPending, chatops.AlertDelivered, chatops.AlertQueued)
}

func TestDLQRetry_NeedsExactlyOneWayOfChoosing(t *testing.T) {
	t.Parallel()
	tests := []struct{ line, says string }{
		{"dlq retry", "nothing chosen: give alert ids, filters or --all"},
		{"dlq retry 1 --all", "give alert ids or filters, not both"},
		{"dlq retry 1 --type slack_alert", "give alert ids or filters, not both"},
		{"dlq retry --operation op_1 --all", "give no ids and no filters"},
		{"dlq retry --operation op_1 7", "give no ids and no filters"},
		{"dlq retry --status delivered", "retry changes only queued, pending, failed alerts"},
		{"dlq retry --all --limit 5000", "--limit 5000"},
		{"dlq retry seven", `alert id "seven"`},
		{"dlq discard --status delivered --reason x", "discard changes only queued, pending, failed alerts"},
	}
	for _, tt := range tests {
		c := newConsole(t, fourAlerts())
		c.must(exitUsage, tt.line)
		c.says(tt.says)
		if c.opened != 0 || len(c.store.actions) != 0 {
			t.Errorf("%s opened the store", tt.line)
		}
	}
}

func TestDLQDiscard_WithoutAReason_IsRemindedAndNotRefused(t *testing.T) {
	t.Parallel()
	c := newConsole(t, fourAlerts())
	c.must(exitOK, "dlq discard 1 --yes")
	c.says("without --reason the record will not tell why")
	if len(c.store.actions) != 1 {
		t.Errorf("actions are %+v", c.store.actions)
	}
}

func TestDLQRetry_DryRunCountsAndChangesNothing(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"dlq retry --all --dry-run -o jsonl":                                     `{"operation_id":null,"matched":3,"requeued":0,"skipped":0,"dry_run":true}`,
		"dlq retry --all --status pending,failed --dry-run -o jsonl":             `{"operation_id":null,"matched":2,"requeued":0,"skipped":0,"dry_run":true}`,
		"dlq retry --status all --dry-run -o jsonl":                              `{"operation_id":null,"matched":3,"requeued":0,"skipped":0,"dry_run":true}`,
		"dlq retry --status failed --dry-run -o jsonl":                           `{"operation_id":null,"matched":1,"requeued":0,"skipped":0,"dry_run":true}`,
		"dlq retry 4 2 --dry-run -o jsonl":                                       `{"operation_id":null,"matched":2,"requeued":0,"skipped":1,"dry_run":true}`,
		"dlq retry --all --status pending,failed --limit 1 --dry-run -o jsonl":   `{"operation_id":null,"matched":1,"requeued":0,"skipped":0,"dry_run":true}`,
		"dlq retry --type nothing --dry-run -o jsonl":                            `{"operation_id":null,"matched":0,"requeued":0,"skipped":0,"dry_run":true}`,
		"dlq discard --status all --dry-run -o jsonl":                            `{"operation_id":null,"matched":3,"discarded":0,"skipped":0,"dry_run":true}`,
		"dlq retry --all --status pending,failed --now --dry-run --yes -o jsonl": `{"operation_id":null,"matched":2,"requeued":0,"skipped":0,"dry_run":true}`,
	} {
		c := newConsole(t, fourAlerts())
		c.must(exitOK, line)
		if got, _, told := strings.Cut(strings.TrimSpace(c.out.String()), `,"preview":`); got+map[bool]string{true: "}"}[told] != want {
			t.Errorf("%s prints %s, want %s", line, got, want)
		}
		if len(c.store.ops)+len(c.store.actions)+c.store.announced != 0 || c.store.alerts[0].Status != chatops.AlertFailed {
			t.Errorf("%s changed something", line)
		}
	}
}

func TestDLQRetry_RequeuesAnnouncesAndWritesDown(t *testing.T) {
	t.Parallel()
	c := newConsole(t, fourAlerts())
	c.must(exitOK, "dlq retry --target slack:alerts --yes --reason outage --database-url postgres://app:"+dbPassword+"@db.example/chatops -o jsonl")
	c.prints(`{"operation_id":"op_1","matched":2,"requeued":2,"skipped":0,"dry_run":false}` + "\n")
	c.says("environment  default", "database     db.example/chatops", "change       retry 2 alerts (status pending, failed; target slack:alerts)")
	if c.store.announced == 0 || c.store.alerts[0].Status != chatops.AlertPending {
		t.Error("the alerts were not requeued and announced")
	}
	a := c.store.actions[0]
	if a.Actor != "ewa" || a.Host != "ops-1" || a.Reason != "outage" || !a.At.Equal(noon) ||
		a.Command != "chatops dlq retry --target slack:alerts --yes --reason outage --database-url [redacted] -o jsonl" ||
		a.Filter != `{"statuses":["pending","failed"],"targets":["slack:alerts"]}` ||
		a.Result != "ok: operation op_1: requeued 2, skipped 0 of 2" {
		t.Errorf("the action is %+v", a)
	}
}

func TestDLQRetry_ByIDSkipsWhatCannotBeRetried(t *testing.T) {
	t.Parallel()
	c := newConsole(t, fourAlerts())
	c.must(exitOK, "dlq retry 4 2 4 1 --yes -o jsonl")
	c.prints(`{"operation_id":"op_1","matched":3,"requeued":2,"skipped":1,"dry_run":false}` + "\n")
	c.says("alert 2 is delivered: skipped, retry changes only queued, pending, failed alerts")
}

func TestDLQRetry_OnlyUnretriableIDsChangeNothing(t *testing.T) {
	t.Parallel()
	c := newConsole(t, fourAlerts())
	c.must(exitOK, "dlq retry 2 --yes -o jsonl")
	c.prints(`{"operation_id":null,"matched":1,"requeued":0,"skipped":1,"dry_run":false}` + "\n")
	if len(c.store.ops) != 0 || c.store.alerts[0].Status != chatops.AlertFailed {
		t.Error("an empty choice of ids changed other alerts")
	}
}

func TestDLQRetry_UnknownIDsAreNamedAndNothingChanges(t *testing.T) {
	t.Parallel()
	c := newConsole(t, fourAlerts())
	c.must(exitNotFound, "dlq retry 4 77 88 --yes")
	c.says("alert 77, 88: not found; nothing was changed")
	if len(c.store.ops)+len(c.store.actions) != 0 {
		t.Error("something was changed")
	}
}

func TestDLQRetry_LimitTakesTheNewest(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore(chatops.AlertFailed, chatops.AlertFailed, chatops.AlertFailed))
	c.must(exitOK, "dlq retry --limit 2 --yes -o jsonl")
	c.prints(`{"operation_id":"op_1","matched":2,"requeued":2,"skipped":0,"dry_run":false}` + "\n")
	if c.store.alerts[2].Status != chatops.AlertFailed {
		t.Error("the oldest alert was taken")
	}
}

func TestDLQRetry_NothingMatchesIsDone(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore(chatops.AlertDelivered))
	c.must(exitOK, "dlq retry --all --status pending,failed -o jsonl")
	c.says("no alerts match: nothing to retry")
	if len(c.store.actions) != 0 {
		t.Error("nothing was changed and an action was written")
	}
}

func TestDLQDiscard_KeepsTheReason(t *testing.T) {
	t.Parallel()
	c := newConsole(t, fourAlerts())
	c.must(exitOK, "dlq discard --status queued --yes --reason spam -o jsonl")
	c.prints(`{"operation_id":"op_1","matched":1,"discarded":1,"skipped":0,"dry_run":false}` + "\n")
	if c.store.alerts[3].Status != chatops.AlertDiscarded || c.store.ops["op_1"].Reason != "spam" || c.store.actions[0].Reason != "spam" {
		t.Errorf("alert %+v, operation %+v", c.store.alerts[3], c.store.ops["op_1"])
	}
}

func TestDLQRetry_IsNotMadeWhenItCannotBeWrittenDown(t *testing.T) {
	t.Parallel()
	c := newConsole(t, fourAlerts())
	c.store.beginErr = chatops.Errorf(chatops.CodeUnavailable, "insert refused")
	c.must(exitUnavailable, "dlq retry --all --status pending,failed --yes")
	if len(c.store.ops) != 0 || c.store.alerts[0].Status != chatops.AlertFailed {
		t.Error("the change was made without its record")
	}
}

func TestDLQRetry_InterruptSaysHowToGoOn(t *testing.T) {
	t.Parallel()
	c := newConsole(t, fourAlerts())
	ctx, cancel := context.WithCancel(context.Background())
	c.store.stepFunc = cancel
	code := Run(ctx, c.Env, strings.Fields("dlq retry --all --status pending,failed --yes -o jsonl"))
	if code != exitInterrupted {
		t.Fatalf("exit %d, want %d: %s", code, exitInterrupted, &c.err)
	}
	c.says("chatops: interrupted: operation op_1: requeued 0, skipped 0 of 2", "go on with: chatops dlq retry --operation op_1 --now")
	c.prints(`{"operation_id":"op_1","matched":2,"requeued":0,"skipped":0,"dry_run":false}` + "\n")
	if got := c.store.actions[0].Result; !strings.HasPrefix(got, "error: interrupted: operation op_1") {
		t.Errorf("the record ends with %q", got)
	}

	c.store.stepFunc = nil
	c.must(exitOK, "dlq retry --operation op_1 --yes -o jsonl")
	c.prints(`{"operation_id":"op_1","matched":2,"requeued":2,"skipped":0,"dry_run":false}` + "\n")
	c.says("retry 2 alerts left of operation op_1")
	c.must(exitOK, "dlq retry --operation op_1 --yes")
	c.says("operation op_1 is done")
}

func TestDLQRetry_ResumeChecksTheOperation(t *testing.T) {
	t.Parallel()
	c := newConsole(t, fourAlerts())
	c.must(exitNotFound, "dlq retry --operation op_9 --yes")
	c.says(`operation "op_9": not found`)
	c.must(exitOK, "dlq discard --all --yes --reason x")
	c.must(exitUsage, "dlq retry --operation op_1 --yes")
	c.says("operation op_1 is a discard", "chatops dlq discard --operation op_1")
}

func TestBulkResult_TableNamesEveryCount(t *testing.T) {
	t.Parallel()
	c := newConsole(t, fourAlerts())
	c.must(exitOK, "dlq retry --all --status pending,failed --yes")
	c.prints("field\tvalue\noperation\top_1\nmatched\t2\nrequeued\t2\nskipped\t0\ndry_run\tfalse\n")
	var v map[string]any
	c.must(exitOK, "dlq retry --all --status pending,failed --yes -o json")
	if err := json.Unmarshal(c.out.Bytes(), &v); err != nil || len(v) != 5 {
		t.Errorf("JSON is %v, %v", v, err)
	}
}
