package dashboard

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"chatops/internal/chatops"
)

// noon is when the tests begin, by the clock of this machine and of the database.
var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// fakeSources answers what a test says. A nil field is a source that fails.
type fakeSources struct {
	queue  *chatops.QueueStats
	groups []chatops.AlertGroup
	causes int // where there are more than groups
	fleet  *chatops.Fleet
	jobs   *chatops.JobList
	alerts []chatops.Alert
	filter chatops.AlertFilter // of the last list
	err    error
	asked  int
}

func (f *fakeSources) QueueStats(context.Context) (*chatops.QueueStats, error) {
	f.asked++
	return f.queue, f.err
}

func (f *fakeSources) AlertGroups(context.Context, int, int) (*chatops.AlertGroups, error) {
	return &chatops.AlertGroups{Groups: f.groups, Causes: max(len(f.groups), f.causes)}, f.err
}

func (f *fakeSources) Alerts(_ context.Context, q chatops.AlertFilter, after chatops.AlertCursor, _ int) ([]chatops.Alert, *chatops.AlertCursor, error) {
	f.filter = q
	if after.ID == 0 && len(f.alerts) > 2 {
		return f.alerts[:2], &chatops.AlertCursor{ID: f.alerts[1].ID}, f.err
	}
	if after.ID != 0 {
		return f.alerts[2:], nil, f.err
	}
	return f.alerts, nil, f.err
}

func (f *fakeSources) Alert(_ context.Context, id int64) (*chatops.Alert, []chatops.Attempt, error) {
	for i := range f.alerts {
		if f.alerts[i].ID == id {
			return &f.alerts[i], []chatops.Attempt{{
				AlertID: id, StartedAt: noon.Add(-time.Minute), Duration: 120 * time.Millisecond, Outcome: "transient", HTTPStatus: 503, Error: "slack: HTTP 503", Replica: "ops-1:101",
			}}, f.err
		}
	}
	return nil, nil, chatops.Errorf(chatops.CodeNotFound, "alert %d: not found", id)
}

func (f *fakeSources) Controls(context.Context) (*chatops.Controls, error) {
	if f.err != nil {
		return nil, f.err
	}
	return f.fleet.Controls, nil
}

func (f *fakeSources) Instances(context.Context) ([]chatops.Instance, error) {
	return f.fleet.Replicas, f.err
}

func (f *fakeSources) Jobs(context.Context) (*chatops.JobList, error) { return f.jobs, f.err }

func count(eventType string, status chatops.AlertStatus, n int64) chatops.AlertCount {
	return chatops.AlertCount{EventType: eventType, Status: status, Count: n}
}

// healthy is a fleet of two replicas in which nothing is wrong.
func healthy() *fakeSources {
	report := func() chatops.InstanceReport {
		r := chatops.InstanceReport{Limiter: chatops.LimiterReport{Enabled: true, Backend: "redis", Limits: []chatops.LimitReport{
			{Name: "chat", Value: "30 per minute", Source: "default", Allowed: 41}, {Name: "api", Value: "200 per hour;50 per minute", Source: "default", Allowed: 7},
			{Name: "health", Value: "30 per minute", Source: "default"},
		}}}
		for _, name := range []string{"slack", "monday", "email", "llm"} {
			r.Breakers = append(r.Breakers, chatops.BreakerReport{Name: name, State: chatops.StateClosed, FailMax: 5, ResetTimeoutSeconds: 60})
		}
		r.Jobs = []chatops.JobReport{{Name: "cache_cleanup", LastRun: noon.Add(-3 * time.Minute), LastResult: "ok", NextRun: noon.Add(7 * time.Minute)}}
		return r
	}
	replica := func(name string) chatops.Instance {
		return chatops.Instance{Name: name, Version: "v1.2.3", StartedAt: noon.Add(-26 * time.Hour), Revision: 7, HeartbeatAt: noon.Add(-time.Second), Age: time.Second, Report: report()}
	}
	return &fakeSources{
		queue: &chatops.QueueStats{Now: noon, Counts: []chatops.AlertCount{
			count("monday_item", chatops.AlertDelivered, 812), count("slack_alert", chatops.AlertDelivered, 4301), count("slack_alert", chatops.AlertDiscarded, 3),
		}},
		groups: []chatops.AlertGroup{},
		fleet: &chatops.Fleet{
			Controls: &chatops.Controls{Now: noon, Revision: 7},
			Replicas: []chatops.Instance{replica("ops-1:101"), replica("ops-2:202")},
		},
		jobs: &chatops.JobList{Now: noon, Jobs: []chatops.JobState{
			{Name: "cache_cleanup", EachProcess: true},
			{Name: "dlq_cleanup", LastStarted: noon.Add(-9 * time.Hour), LastFinished: noon.Add(-9 * time.Hour), LastResult: "ok: 312 alerts deleted", NextRun: noon.Add(15 * time.Hour)},
			{Name: "followups", LastStarted: noon.Add(-4 * time.Minute), LastFinished: noon.Add(-4 * time.Minute), LastResult: "ok: 2 mails planned", NextRun: noon.Add(time.Minute)},
		}},
	}
}

// incident is the same fleet while Slack is down, a client hammers and an
// operator has raised a limit.
func incident() *fakeSources {
	f := healthy()
	f.queue.Counts = append(f.queue.Counts, count("slack_alert", chatops.AlertPending, 120), count("slack_alert", chatops.AlertQueued, 12), count("slack_alert", chatops.AlertFailed, 5), count("webhook_event", chatops.AlertFailed, 1))
	f.queue.OldestWaiting, f.queue.OldestFailed = noon.Add(-6*time.Minute), noon.Add(-2*time.Hour)
	f.groups = []chatops.AlertGroup{
		{Fingerprint: "85b54c5f5c4b", Pending: 120, Failed: 5, First: noon.Add(-2 * time.Hour), Last: noon.Add(-3 * time.Second), EventType: "slack_alert", Target: "slack:alerts", Sample: "slack: HTTP 503: upstream \x1b[31mdown"},
		{Fingerprint: "0077", Failed: 200, More: true, First: noon.Add(-90 * time.Minute), Last: noon.Add(-90 * time.Minute), EventType: "webhook_event", Target: "https://hook.example/secret/path", Sample: "webhook:crm: HTTP 404"},
		{Pending: 2, First: noon.Add(-5 * time.Minute), Last: noon.Add(-4 * time.Minute), EventType: "slack_alert", Target: "slack:alerts", Sample: "slack is not configured"},
	}
	for i := range f.fleet.Replicas {
		r := &f.fleet.Replicas[i].Report
		r.Breakers[0] = chatops.BreakerReport{
			Name: "slack", State: chatops.StateOpen, FailCount: 5, FailMax: 5, ResetTimeoutSeconds: 60, OpenedAt: noon.Add(-4 * time.Minute), RetryAt: noon.Add(time.Duration(18+i) * time.Second), Reason: "slack: HTTP 503",
		}
		r.Limiter.Limits[0] = chatops.LimitReport{Name: "chat", Value: "100 per minute", Source: "override", Allowed: 100, Denied: 135, TopDenied: []chatops.DeniedClient{{Client: "203.0.113.7", Count: 130}, {Client: "2001:db8::/64", Count: 5}}}
	}
	c := f.fleet.Controls
	c.Breakers = []chatops.BreakerOrder{{Name: "monday", Mode: chatops.BreakerTripped, Actor: "jan", Reason: "maintenance", CreatedAt: noon.Add(-time.Minute), Until: noon.Add(9 * time.Minute)}}
	c.Overrides = []chatops.LimitOverride{{Name: "chat", Value: "100 per minute", Actor: "ewa", Reason: "campaign", CreatedAt: noon.Add(-2 * time.Minute), Until: noon.Add(28 * time.Minute)}}
	c.Blocks = []chatops.ClientBlock{{Network: "198.51.100.0/24", Actor: "jan", Reason: "scraping"}}
	f.fleet.Replicas = append(f.fleet.Replicas, chatops.Instance{Name: "ops-3:303", Version: "v1.2.2", StartedAt: noon.Add(-time.Hour), Revision: 6, Age: 3 * time.Minute, Report: healthy().fleet.Replicas[0].Report})
	f.jobs.Jobs[2].NextRun = noon.Add(-10 * time.Minute)
	f.alerts = []chatops.Alert{
		{ID: 31, EventType: "slack_alert", Target: "slack:alerts", Status: chatops.AlertPending, RetryCount: 1, ErrorMessage: "slack: HTTP 503\x1b[2J", Fingerprint: "85b54c5f5c4b", CreatedAt: noon.Add(-3 * time.Second), NextAttemptAt: noon.Add(time.Minute), Payload: json.RawMessage(`{"text":"a lead"}`)},
		{ID: 30, EventType: "slack_alert", Target: "slack:alerts", Status: chatops.AlertFailed, RetryCount: 5, ErrorMessage: "slack: HTTP 503", Fingerprint: "85b54c5f5c4b", CreatedAt: noon.Add(-time.Minute)},
		{ID: 7, EventType: "monday_item", Target: "monday:leads", Status: chatops.AlertFailed, RetryCount: 3, ErrorMessage: "monday: invalid column", Fingerprint: "0077", CreatedAt: noon.Add(-2 * time.Hour)},
	}
	return f
}

// desk is a dashboard whose commands are carried out by the test.
type desk struct {
	*model

	t       testing.TB
	sources *fakeSources
	redis   error
	now     time.Time
	ran     [][]string // commands of the runbook
	outcome func(args []string) Outcome
	out     strings.Builder
}

// newDesk makes a dashboard of a size that has asked nothing yet.
func newDesk(tb testing.TB, sources *fakeSources, width, height int, change ...func(*Options)) *desk {
	tb.Helper()
	d := &desk{t: tb, sources: sources, now: noon}
	o := &Options{
		Store: sources, Database: "postgresql", Host: "db.example:5432/chatops", Environment: "production", MaxRetries: 5, Refresh: 2 * time.Second,
		In: strings.NewReader(""), Out: &d.out, NowFunc: func() time.Time { return d.now }, JitterFunc: func() float64 { return 0.5 },
		PingRedisFunc: func(context.Context) error { return d.redis },
		RunFunc: func(_ context.Context, args []string, tell func(string)) Outcome {
			d.ran = append(d.ran, args)
			tell("operation op_1")
			if d.outcome == nil {
				return Outcome{Out: []byte(`{"matched":1,"requeued":1}`)}
			}
			return d.outcome(args)
		},
	}
	for _, c := range change {
		c(o)
	}
	d.model = newModel(tb.Context(), o)
	d.tickFunc = func(time.Duration, func(time.Time) tea.Msg) tea.Cmd { return nil }
	d.send(tea.WindowSizeMsg{Width: width, Height: height})
	return d
}

// send gives a message to the model and carries out what it asks for, but no
// clocks.
func (d *desk) send(msg tea.Msg) {
	d.t.Helper()
	_, cmd := d.Update(msg)
	d.carry(cmd)
}

// carry carries out commands.
func (d *desk) carry(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case tea.BatchMsg:
		for _, one := range msg {
			d.carry(one)
		}
	case nil, tea.QuitMsg:
	default:
		d.send(msg)
	}
}

// poll asks every source once, at the present moment.
func (d *desk) poll() {
	d.t.Helper()
	d.Update(tickMsg(d.now))
	for _, f := range d.feeds {
		if cmd := d.model.poll(f); cmd != nil {
			_, _ = d.Update(cmd())
		}
	}
}

// wait lets time pass for the whole system.
func (d *desk) wait(by time.Duration) {
	d.now = d.now.Add(by)
	d.Update(tickMsg(d.now))
}

// press types keys: names of keys, or text.
func (d *desk) press(keys ...string) {
	d.t.Helper()
	named := map[string]tea.KeyType{
		"enter": tea.KeyEnter, "esc": tea.KeyEsc, "up": tea.KeyUp, "down": tea.KeyDown, "tab": tea.KeyTab, "space": tea.KeySpace, "backspace": tea.KeyBackspace,
		"pgdown": tea.KeyPgDown, "home": tea.KeyHome, "end": tea.KeyEnd, "ctrl+c": tea.KeyCtrlC, "left": tea.KeyLeft, "right": tea.KeyRight, "ctrl+u": tea.KeyCtrlU,
	}
	for _, key := range keys {
		if kind, ok := named[key]; ok {
			k := tea.KeyMsg{Type: kind}
			if kind == tea.KeySpace {
				k.Runes = []rune{' '}
			}
			d.send(k)
			continue
		}
		for _, r := range key {
			d.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}})
		}
	}
}

// shows fails the test unless the screen has every text.
func (d *desk) shows(texts ...string) {
	d.t.Helper()
	screen := d.View()
	for _, text := range texts {
		if !strings.Contains(screen, text) {
			d.t.Errorf("the screen does not show %q:\n%s", text, screen)
		}
	}
}

// hides fails the test when the screen has one of the texts.
func (d *desk) hides(texts ...string) {
	d.t.Helper()
	screen := d.View()
	for _, text := range texts {
		if strings.Contains(screen, text) {
			d.t.Errorf("the screen shows %q:\n%s", text, screen)
		}
	}
}

var _ io.Writer = (*strings.Builder)(nil)
