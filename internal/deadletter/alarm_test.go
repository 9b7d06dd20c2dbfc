package deadletter

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
)

// fakeAlarms is what an alarm looks at.
type fakeAlarms struct {
	stats  chatops.QueueStats
	groups []chatops.AlertGroup
	alarm  chatops.QueueAlarm
	queued []chatops.NewAlert
	err    error
	faster bool // somebody else changes the alarm first
}

func (f *fakeAlarms) QueueStats(context.Context) (*chatops.QueueStats, error) { return &f.stats, f.err }

func (f *fakeAlarms) CountAlerts(context.Context, chatops.AlertFilter) (int64, error) {
	return 0, f.err
}

func (f *fakeAlarms) AlertGroups(context.Context, int, int) (*chatops.AlertGroups, error) {
	return &chatops.AlertGroups{Groups: f.groups}, f.err
}

func (f *fakeAlarms) QueueAlarm(context.Context) (*chatops.QueueAlarm, error) {
	a := f.alarm
	return &a, f.err
}

func (f *fakeAlarms) SaveQueueAlarm(_ context.Context, a *chatops.QueueAlarm, alerts []chatops.NewAlert) error {
	if f.faster {
		return chatops.QueueAlarmChanged()
	}
	a.Revision++
	f.alarm = *a
	f.queued = append(f.queued, alerts...)
	return nil
}

// watching is an alarm over a queue in which n alerts wait.
func watching(n int64) (a *Alarm, store *fakeAlarms, log *bytes.Buffer) {
	log = &bytes.Buffer{}
	store = &fakeAlarms{stats: chatops.QueueStats{Now: time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)}}
	store.wait(n)
	return &Alarm{
		Store: store, Limits: chatops.QueueLimits{Waiting: 100, Age: 15 * time.Minute, Growth: 20},
		Email: "ops@firma.example", Replica: "web-1", Log: slog.New(slog.NewTextHandler(log, nil)),
	}, store, log
}

func (f *fakeAlarms) wait(n int64) {
	f.stats.Counts = []chatops.AlertCount{{Status: chatops.AlertPending, Count: n}}
	f.stats.OldestWaiting = f.stats.Now.Add(-time.Minute)
}

func (f *fakeAlarms) mail(t *testing.T, i int) chatops.EmailPayload {
	t.Helper()
	var mail chatops.EmailPayload
	if err := json.Unmarshal(f.queued[i].Payload, &mail); err != nil {
		t.Fatal(err)
	}
	return mail
}

func TestAlarm_OneMailUntilItDoublesOrComesBack(t *testing.T) {
	t.Parallel()
	a, store, log := watching(100)
	for i, step := range []struct {
		waiting int64
		mails   int
		result  string
	}{
		{100, 0, "100 alerts waiting, oldest 1m"},
		{101, 1, "alarm raised"},
		{150, 1, "150 alerts waiting"},
		{202, 2, "alarm raised"},
		{0, 2, "alarm over"},
		{101, 3, "alarm raised"},
	} {
		store.wait(step.waiting)
		store.stats.Now = store.stats.Now.Add(time.Minute)
		store.stats.OldestWaiting = store.stats.Now.Add(-time.Minute)
		result, err := a.Watch(t.Context())
		if err != nil || !strings.Contains(result, step.result) || len(store.queued) != step.mails {
			t.Fatalf("step %d: %q, %v, %d mails; want %q and %d", i, result, err, len(store.queued), step.result, step.mails)
		}
	}
	keys := map[string]bool{}
	for _, m := range store.queued {
		keys[m.IdempotencyKey] = true
		if m.EventType != chatops.EventEscalation || m.Target != "mailto:ops@firma.example" || m.Validate() != nil {
			t.Errorf("the mail is %+v", m)
		}
	}
	if len(keys) != 3 || !strings.Contains(log.String(), "the queue needs somebody") || !strings.Contains(log.String(), "is over") {
		t.Errorf("%d keys, and the log says %s", len(keys), log)
	}
}

func TestAlarm_IsQueuedWithItsStateOrNotAtAll(t *testing.T) {
	t.Parallel()
	a, store, log := watching(500)
	store.faster = true
	if _, err := a.Watch(t.Context()); chatops.ErrorCode(err) != chatops.CodeConflict || len(store.queued) > 0 || log.Len() > 0 {
		t.Errorf("when somebody is faster: %v, %d mails, %s", err, len(store.queued), log)
	}
	store.faster, store.err = false, chatops.Errorf(chatops.CodeUnavailable, "database away")
	if _, err := a.Watch(t.Context()); chatops.ErrorCode(err) != chatops.CodeUnavailable || store.alarm.Raised() {
		t.Errorf("without the database: %v, %+v", err, store.alarm)
	}
}

func TestAlarm_WithoutAnAddressIsLogged(t *testing.T) {
	t.Parallel()
	a, store, log := watching(500)
	a.Email = ""
	if _, err := a.Watch(t.Context()); err != nil || len(store.queued) > 0 || !store.alarm.Raised() || !strings.Contains(log.String(), "told=false") {
		t.Errorf("%v, %d mails, %+v, %s", err, len(store.queued), store.alarm, log)
	}
}

func TestAlarmMail_HoldsNumbersCausesAndCommandsAndNothingElse(t *testing.T) {
	t.Parallel()
	a, store, _ := watching(152)
	store.groups = []chatops.AlertGroup{
		{Pending: 125, Target: "slack:alerts", Sample: "slack: HTTP 503: upstream down"},
		{Pending: 1000, More: true, Target: "mailto:jan@firma.example", Sample: "550 <jan@firma.example>\r\nno \x1b[31m such user"},
	}
	if _, err := a.Watch(t.Context()); err != nil {
		t.Fatal(err)
	}
	m := store.mail(t, 0)
	for _, want := range []string{
		"Waiting:      152 (alarm above 100)\n", "Oldest:       1m (alarm from 15m)\n", "Reported by:  web-1\n",
		"Causes:\n  125 to slack:alerts: slack: HTTP 503: upstream down\n", "  1000 or more to mailto: ",
		"  chatops doctor\n", "  chatops dlq groups\n", "  chatops dlq retry --status queued,pending --dry-run\n", "  chatops dlq ack --reason",
	} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("the mail lacks %q:\n%s", want, m.Text)
		}
	}
	if m.Subject != "[chatops] 152 alerts waiting, oldest 1m" {
		t.Errorf("its subject is %q", m.Subject)
	}
	if all := m.Subject + m.Text; strings.Contains(all, "jan@") || strings.ContainsAny(all, "\x1b\r") {
		t.Errorf("it holds what it must not: %q", all)
	}
}
