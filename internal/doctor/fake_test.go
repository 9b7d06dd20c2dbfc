package doctor

import (
	"context"
	"time"

	"chatops/internal/chatops"
)

// noon is the time of every test.
var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// fakeStore is what a test lets the database say.
type fakeStore struct {
	facts      chatops.DatabaseFacts
	stats      chatops.QueueStats
	fresh      int64
	alarm      chatops.QueueAlarm
	groups     []chatops.AlertGroup
	controls   chatops.Controls
	replicas   []chatops.Instance
	jobs       []chatops.JobState
	duplicates []chatops.FollowupDuplicate
	unguarded  bool // uq_conversation_followup is missing
	uncertain  []chatops.Followup
	mails      map[int64]chatops.AlertStatus // of the uncertain ones
	texts      []chatops.ConsentText
	err        error // of every call when set
	hang       bool  // every call waits until its context ends
}

func (f *fakeStore) answer(ctx context.Context) error {
	if f.hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return f.err
}

func (f *fakeStore) Database(ctx context.Context) (*chatops.DatabaseFacts, error) {
	return &f.facts, f.answer(ctx)
}

func (f *fakeStore) QueueStats(ctx context.Context) (*chatops.QueueStats, error) {
	return &f.stats, f.answer(ctx)
}

func (f *fakeStore) CountAlerts(ctx context.Context, _ chatops.AlertFilter) (int64, error) {
	return f.fresh, f.answer(ctx)
}

func (f *fakeStore) QueueAlarm(ctx context.Context) (*chatops.QueueAlarm, error) {
	return &f.alarm, f.answer(ctx)
}

func (f *fakeStore) AlertGroups(ctx context.Context, _, _ int) (*chatops.AlertGroups, error) {
	return &chatops.AlertGroups{Groups: f.groups, Causes: len(f.groups)}, f.answer(ctx)
}

func (f *fakeStore) Controls(ctx context.Context) (*chatops.Controls, error) {
	return &f.controls, f.answer(ctx)
}

func (f *fakeStore) Instances(ctx context.Context) ([]chatops.Instance, error) {
	return f.replicas, f.answer(ctx)
}

func (f *fakeStore) Jobs(ctx context.Context) (*chatops.JobList, error) {
	return &chatops.JobList{Jobs: f.jobs, Now: noon}, f.answer(ctx)
}

func (f *fakeStore) FollowupDuplicates(ctx context.Context, fn func(chatops.FollowupDuplicate) error) (bool, error) {
	for _, d := range f.duplicates {
		if err := fn(d); err != nil {
			return false, err
		}
	}
	return !f.unguarded, f.answer(ctx)
}

func (f *fakeStore) Followups(ctx context.Context, _ int64, _ chatops.FollowupStatus, _ int) ([]chatops.Followup, error) {
	return f.uncertain, f.answer(ctx)
}

func (f *fakeStore) Alert(ctx context.Context, id int64) (*chatops.Alert, []chatops.Attempt, error) {
	status, ok := f.mails[id]
	if !ok {
		return nil, nil, chatops.Errorf(chatops.CodeNotFound, "alert %d: not found", id)
	}
	return &chatops.Alert{ID: id, Status: status}, nil, f.answer(ctx)
}

func (f *fakeStore) ConsentTexts(ctx context.Context) ([]chatops.ConsentText, error) {
	return f.texts, f.answer(ctx)
}

// body is a patient whose every part a test can make ill.
type body struct {
	*Patient
	store  *fakeStore
	schema chatops.MigrationStatus
	broken int // findings in the record of consent
	disk   Disk
}

// replica is one that does its part.
func replica(name string) chatops.Instance {
	return chatops.Instance{
		Name: name, Version: "1.2.3", Revision: 7, HeartbeatAt: noon.Add(-time.Second), Age: time.Second,
		Report: chatops.InstanceReport{
			Clock:    noon.Add(-time.Second),
			Breakers: []chatops.BreakerReport{{Name: "slack", State: "closed"}, {Name: "llm", State: "half_open"}},
			Limiter: chatops.LimiterReport{Enabled: true, Backend: "redis", Limits: []chatops.LimitReport{
				{Name: "chat", Value: "30 per minute", Source: "default", Allowed: 9, Denied: 1, TopDenied: []chatops.DeniedClient{{Client: "203.0.113.7", Count: 1}}},
			}},
			Jobs: []chatops.JobReport{{Name: "cache_cleanup", LastRun: noon, LastResult: "ok: 1"}},
		},
	}
}

// healthy is a production system in which nothing is wrong: one alert waits for
// its next attempt, a limit is overridden for an hour, and one client is refused.
func healthy() *body {
	b := &body{
		store: &fakeStore{
			facts: chatops.DatabaseFacts{Engine: "PostgreSQL", Version: "15.4", Bytes: 5 << 20, Now: noon},
			stats: chatops.QueueStats{
				Counts: []chatops.AlertCount{{EventType: "slack_alert", Status: chatops.AlertPending, Count: 1}, {EventType: "slack_alert", Status: chatops.AlertDelivered, Count: 4711}},
				Now:    noon, OldestWaiting: noon.Add(-time.Minute),
			},
			fresh:    1,
			controls: chatops.Controls{Now: noon, Revision: 7, Overrides: []chatops.LimitOverride{{Name: "chat", Value: "30 per minute", Actor: "ewa", CreatedAt: noon, Until: noon.Add(time.Hour)}}},
			replicas: []chatops.Instance{replica("web-1:1"), replica("web-2:2")},
			jobs:     []chatops.JobState{{Name: "dlq_cleanup", NextRun: noon.Add(time.Hour), LastResult: "ok: 3 deleted"}, {Name: "cache_cleanup", EachProcess: true}},
			texts:    chatops.BuiltInConsentTexts(),
		},
		schema: chatops.MigrationStatus{Current: 8, Latest: 8},
		disk:   Disk{Folder: "/data", Free: 50 << 30, Total: 100 << 30},
	}
	fine := func(context.Context) error { return nil }
	b.Patient = &Patient{
		Store: b.store, Probe: true, RedisFunc: fine,
		SchemaFunc:   func(context.Context) (*chatops.MigrationStatus, error) { return &b.schema, nil },
		ChainFunc:    func(context.Context) (int64, int, error) { return 1204, b.broken, nil },
		DiskFunc:     func() (*Disk, error) { return &b.disk, nil },
		Integrations: []Integration{{"slack", fine}, {"email", fine}},
		Settings:     Settings{ConsentKeys: true, Escalation: true, Mail: true, TrustedProxies: true},
		Limits:       chatops.QueueLimits{Waiting: 100, Age: 15 * time.Minute, Growth: 20},
		NowFunc:      func() time.Time { return noon },
	}
	return b
}
