package runbook

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

// noon is the time of every test.
var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// fakeStore keeps alerts in memory, with the rules of chatops.AlertStore. What
// it does not implement panics.
type fakeStore struct {
	chatops.Store
	mu           sync.Mutex
	alerts       []chatops.Alert // newest first
	attempts     map[int64][]chatops.Attempt
	ops          map[string]*chatops.Operation
	frozen       map[string][]int64
	actions      []chatops.OperatorAction
	announced    int
	asked        []chatops.AlertFilter // by Alerts
	closed       bool
	err          error // returned by every call when set
	beginErr     error
	previewErr   error
	stepFunc     func()                      // called at each step
	watchFunc    func(op *chatops.Operation) // called at each look at the outcomes, under the lock
	announceFunc func()                      // called at each wake-up
	progress     *chatops.OperationProgress
	inFlight     map[int64]bool                       // what operations skip
	became       map[string]chatops.OperationProgress // by operation, before progress
	fleet        fakeFleet
	people       fakePeople
	planned      fakeFollowups
	schedule     fakeSchedule
	alarm        chatops.QueueAlarm
	causes       fakeCauses
	replaced     map[int64]int64 // by what
	importFunc   func() error    // called after each batch
}

func (f *fakeStore) Close() error { f.closed = true; return nil }

func (f *fakeStore) Announce(context.Context) error {
	f.announced++
	if f.announceFunc != nil {
		f.announceFunc()
	}
	return f.err
}

func (f *fakeStore) matches(a *chatops.Alert, q chatops.AlertFilter) bool {
	return (len(q.Statuses) == 0 || slices.Contains(q.Statuses, a.Status)) &&
		(len(q.Types) == 0 || slices.Contains(q.Types, a.EventType)) &&
		(len(q.Targets) == 0 || slices.Contains(q.Targets, a.Target)) &&
		(len(q.IDs) == 0 || slices.Contains(q.IDs, a.ID)) &&
		strings.Contains(strings.ToLower(a.ErrorMessage), strings.ToLower(q.Error)) &&
		(q.Fingerprint == "" || a.Fingerprint == q.Fingerprint) &&
		(q.Since.IsZero() || !a.CreatedAt.Before(q.Since)) && (q.Until.IsZero() || a.CreatedAt.Before(q.Until)) &&
		a.RetryCount >= q.MinAttempts && (q.OperationID == "" || a.OperationID == q.OperationID)
}

func (f *fakeStore) Alerts(_ context.Context, q chatops.AlertFilter, after chatops.AlertCursor, limit int) ([]chatops.Alert, *chatops.AlertCursor, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, q)
	var list []chatops.Alert
	for i := range f.alerts {
		a := f.alerts[i]
		before := after.ID == 0 || a.CreatedAt.Before(after.CreatedAt) || a.CreatedAt.Equal(after.CreatedAt) && a.ID < after.ID
		if !before || !f.matches(&a, q) {
			continue
		}
		if len(list) == limit {
			last := list[limit-1]
			return list, &chatops.AlertCursor{CreatedAt: last.CreatedAt, ID: last.ID}, f.err
		}
		list = append(list, a)
	}
	return list, nil, f.err
}

func (f *fakeStore) Alert(_ context.Context, id int64) (*chatops.Alert, []chatops.Attempt, error) {
	for i := range f.alerts {
		if f.alerts[i].ID == id {
			return &f.alerts[i], f.attempts[id], f.err
		}
	}
	return nil, nil, chatops.Errorf(chatops.CodeNotFound, "alert %d", id)
}

func (f *fakeStore) CountAlerts(_ context.Context, q chatops.AlertFilter) (int64, error) {
	list, _, err := f.Alerts(context.Background(), q, chatops.AlertCursor{}, len(f.alerts)+1)
	return int64(len(list)), err
}

func (f *fakeStore) QueueStats(context.Context) (*chatops.QueueStats, error) {
	s := &chatops.QueueStats{Now: noon}
	for i := range f.alerts {
		a := &f.alerts[i]
		at := slices.IndexFunc(s.Counts, func(c chatops.AlertCount) bool { return c.EventType == a.EventType && c.Status == a.Status })
		if at < 0 {
			s.Counts = append(s.Counts, chatops.AlertCount{EventType: a.EventType, Status: a.Status})
			at = len(s.Counts) - 1
		}
		s.Counts[at].Count++
		switch a.Status {
		case chatops.AlertQueued, chatops.AlertPending:
			s.OldestWaiting = a.CreatedAt
		case chatops.AlertFailed:
			s.OldestFailed = a.CreatedAt
		case chatops.AlertDelivered, chatops.AlertDiscarded, chatops.AlertCancelled:
		}
	}
	return s, f.err
}

func (f *fakeStore) CreateOperation(_ context.Context, op *chatops.Operation) error {
	if f.err != nil {
		return f.err
	}
	op.ID, op.State = fmt.Sprintf("op_%d", len(f.ops)+1), chatops.OperationRunning
	for i := range f.alerts {
		if f.matches(&f.alerts[i], op.Filter) {
			f.frozen[op.ID] = append(f.frozen[op.ID], f.alerts[i].ID)
		}
	}
	op.Matched = int64(len(f.frozen[op.ID]))
	stored := *op
	f.ops[op.ID] = &stored
	return nil
}

func (f *fakeStore) StepOperation(ctx context.Context, id string, limit int) (*chatops.Operation, error) {
	if f.stepFunc != nil {
		f.stepFunc()
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	op := f.ops[id]
	if op.State != chatops.OperationRunning {
		stands := *op
		return &stands, nil
	}
	batch := f.frozen[id]
	if len(batch) > limit {
		batch = batch[:limit]
	}
	f.frozen[id] = f.frozen[id][len(batch):]
	for _, alertID := range batch {
		a, _, _ := f.Alert(ctx, alertID)
		if f.inFlight[alertID] {
			op.Skipped++
			continue
		}
		op.Changed++
		if op.Kind == chatops.OperationDiscard {
			a.Status = chatops.AlertDiscarded
			continue
		}
		a.Status, a.RetryCount, a.OperationID = chatops.AlertPending, 0, id
	}
	if len(f.frozen[id]) == 0 {
		op.DoneAt, op.State = noon, chatops.OperationDone
	}
	stands := *op
	return &stands, nil
}

func (f *fakeStore) Operation(_ context.Context, id string) (*chatops.Operation, error) {
	op, ok := f.ops[id]
	if !ok {
		return nil, chatops.Errorf(chatops.CodeNotFound, "operation")
	}
	stands := *op
	return &stands, f.err
}

func (f *fakeStore) OperationProgress(_ context.Context, id string) (*chatops.OperationProgress, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p, ok := f.became[id]; ok {
		return &p, f.err
	}
	if f.progress != nil {
		p := *f.progress
		return &p, f.err
	}
	return &chatops.OperationProgress{Waiting: f.ops[id].Changed}, f.err
}

func (f *fakeStore) setProgress(p chatops.OperationProgress) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.progress = &p
}

func (f *fakeStore) BeginAction(_ context.Context, a *chatops.OperatorAction) error {
	if f.beginErr != nil {
		return f.beginErr
	}
	a.ID = int64(len(f.actions) + 1)
	f.actions = append(f.actions, *a)
	return nil
}

func (f *fakeStore) FinishAction(ctx context.Context, id int64, result string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	f.actions[id-1].Result = result
	return nil
}

func (f *fakeStore) Actions(_ context.Context, q chatops.ActionFilter, before int64, limit int) ([]chatops.OperatorAction, bool, error) {
	var list []chatops.OperatorAction
	for _, a := range slices.Backward(f.actions) {
		if (before == 0 || a.ID < before) && (q.Actor == "" || a.Actor == q.Actor) && strings.Contains(a.Command, q.Command) &&
			!a.At.Before(q.Since) && (q.Until.IsZero() || a.At.Before(q.Until)) {
			list = append(list, a)
		}
	}
	return list[:min(limit, len(list))], len(list) > limit, f.err
}

// newFakeStore holds one alert in each of the given statuses, the first one
// newest and with the highest id.
func newFakeStore(statuses ...chatops.AlertStatus) *fakeStore {
	f := &fakeStore{attempts: map[int64][]chatops.Attempt{}, ops: map[string]*chatops.Operation{}, frozen: map[string][]int64{}}
	for i, status := range statuses {
		f.alerts = append(f.alerts, chatops.Alert{
			ID: int64(len(statuses) - i), EventType: chatops.EventSlackAlert, Target: "slack:alerts", Status: status,
			Payload: []byte(`{"text":"hello"}`), CreatedAt: noon.Add(-time.Duration(i) * time.Hour),
		})
	}
	return f
}

// console is a command line with a fake store behind it.
type console struct {
	*Env
	t        testing.TB
	out, err bytes.Buffer
	vars     map[string]string
	files    map[string]string
	store    *fakeStore
	migrator *fakeMigrator
	opened   int
}

const dbPassword = "pw-canary-1"

// newConsole makes a console without a terminal.
func newConsole(tb testing.TB, store *fakeStore) *console {
	tb.Helper()
	c := &console{
		t: tb, store: store,
		vars:  map[string]string{"HOME": "/home/op", "DATABASE_URL": "postgres://app:" + dbPassword + "@db.example:5432/chatops"},
		files: map[string]string{},
	}
	c.Env = &Env{
		In: strings.NewReader(""), Out: &c.out, Err: &c.err, Actor: "ewa", Host: "ops-1",
		NowFunc:       func() time.Time { return noon },
		LookupEnvFunc: func(name string) (string, bool) { v, ok := c.vars[name]; return v, ok },
		ReadFileFunc: func(path string) ([]byte, error) {
			if text, ok := c.files[path]; ok {
				return []byte(text), nil
			}
			return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
		},
		OpenStoreFunc: func(context.Context, *config.Config, *slog.Logger) (chatops.Store, error) {
			c.opened++
			return c.store, nil
		},
		OpenMigratorFunc: func(context.Context, *config.Config, *slog.Logger) (chatops.Migrator, error) {
			c.opened++
			return c.migrator, nil
		},
	}
	return c
}

// terminal makes all three streams terminals and types the input.
func (c *console) terminal(input string) *console {
	c.InTTY, c.OutTTY, c.ErrTTY, c.Width = true, true, true, 100
	c.vars["TERM"] = "dumb" // no bar in the transcript
	c.In = strings.NewReader(input)
	return c
}

// profile chooses a profile of a settings file with the given keys.
func (c *console) profile(keys string) *console {
	c.files["/home/op/.config/chatops/config.toml"] = "[profiles.prod]\n" + keys
	c.vars["CHATOPS_PROFILE"] = "prod"
	return c
}

// run runs a command line, words separated by spaces, and returns its code.
func (c *console) run(line string) int {
	c.out.Reset()
	c.err.Reset()
	return Run(context.Background(), c.Env, strings.Fields(line))
}

// must runs a command line that has to end with a code.
func (c *console) must(code int, line string) {
	c.t.Helper()
	if got := c.run(line); got != code {
		c.t.Fatalf("chatops %s: exit %d, want %d\nstdout: %s\nstderr: %s", line, got, code, &c.out, &c.err)
	}
	if all := c.out.String() + c.err.String(); strings.Contains(all, dbPassword) {
		c.t.Fatalf("chatops %s shows the password: %s", line, all)
	}
}

// says checks that standard error holds every text.
func (c *console) says(texts ...string) {
	c.t.Helper()
	for _, text := range texts {
		if !strings.Contains(c.err.String(), text) {
			c.t.Errorf("standard error lacks %q:\n%s", text, &c.err)
		}
	}
}

// prints checks the whole standard output.
func (c *console) prints(want string) {
	c.t.Helper()
	if got := c.out.String(); got != want {
		c.t.Errorf("standard output is\n%s\nwant\n%s", got, want)
	}
}

// fakeMigrator is a schema of two migrations.
type fakeMigrator struct {
	current int64
	err     error
	older   *chatops.Adoption // what Up would take over
	done    *chatops.Adoption // what it has taken over
}

var fakeMigrations = []chatops.Migration{{Version: 1, Name: "core"}, {Version: 2, Name: "delivery"}}

func (m *fakeMigrator) Status(context.Context) (*chatops.MigrationStatus, error) {
	s := &chatops.MigrationStatus{Current: m.current, Latest: 2}
	if m.older != nil {
		for _, t := range m.older.Tables {
			s.Older = append(s.Older, t.From)
		}
	}
	for _, one := range fakeMigrations {
		if one.Version > m.current {
			s.Pending = append(s.Pending, one)
			continue
		}
		one.AppliedAt = noon
		s.Applied = append(s.Applied, one)
	}
	return s, m.err
}

func (m *fakeMigrator) Up(ctx context.Context) ([]chatops.Migration, error) {
	s, err := m.Status(ctx)
	m.current = 2
	m.done, m.older = m.older, nil
	return s.Pending, err
}

func (m *fakeMigrator) PreviewAdoption(context.Context) (*chatops.Adoption, error) {
	return m.older, m.err
}

func (m *fakeMigrator) Adopted() *chatops.Adoption { return m.done }

func (m *fakeMigrator) Down(context.Context) (*chatops.Migration, error) {
	if m.current == 0 {
		return nil, m.err
	}
	m.current--
	return &fakeMigrations[m.current], m.err
}

func (m *fakeMigrator) SQL(version int64, up bool) (string, error) {
	return fmt.Sprintf("-- %d up=%t\ncreate table t%d ();", version, up, version), nil
}

func (m *fakeMigrator) Close() error { return nil }
