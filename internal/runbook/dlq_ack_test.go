package runbook

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"chatops/internal/chatops"
)

// QueueAlarm returns the alarm of the test.
func (f *fakeStore) QueueAlarm(context.Context) (*chatops.QueueAlarm, error) {
	a := f.alarm
	return &a, f.failure()
}

// SaveQueueAlarm keeps the alarm unless somebody was faster.
func (f *fakeStore) SaveQueueAlarm(_ context.Context, a *chatops.QueueAlarm, _ []chatops.NewAlert) error {
	if f.alarm.Revision != a.Revision {
		return chatops.QueueAlarmChanged()
	}
	a.Revision++
	f.alarm = *a
	return nil
}

func TestDLQAck_WithoutAnAlarmDoesNothing(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore(chatops.AlertPending))
	c.must(exitOK, "dlq ack")
	c.says("no alarm is raised: 1 alerts waiting")
	if len(c.store.actions) > 0 || c.store.alarm.Revision > 0 {
		t.Error("something was done")
	}
}

func TestDLQAck_SaysWhoKnowsAndIsOnRecord(t *testing.T) {
	t.Parallel()
	c := newConsole(t, newFakeStore(chatops.AlertPending, chatops.AlertQueued))
	c.store.alarm = chatops.QueueAlarm{RaisedAt: noon.Add(-time.Hour), Waiting: 1, Told: 1}
	c.must(exitOK, "dlq ack --dry-run --reason ticket")
	c.must(exitRefused, "dlq ack --reason ticket")
	if c.store.alarm.Acknowledged() {
		t.Fatal("a dry run or a refusal acknowledges")
	}
	c.must(exitOK, "dlq ack --reason ticket --yes -o json")
	var v map[string]any
	if err := json.Unmarshal(c.out.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"raised": true, "raised_at": "2026-03-10T11:00:00Z", "waiting": 2.0, "told": 1.0, "acknowledged_by": "ewa", "reason": "ticket", "dry_run": false,
	} {
		if v[key] != want {
			t.Errorf("%s is %v, want %v", key, v[key], want)
		}
	}
	a := c.store.alarm
	if a.AckBy != "ewa" || a.AckReason != "ticket" || a.Waiting != 2 || a.Oldest != time.Hour || len(c.store.actions) != 1 {
		t.Errorf("the alarm is %+v, on record are %v", a, c.store.actions)
	}
	c.must(exitOK, "dlq ack --yes")
	c.says("note: ewa has acknowledged it already")
}
