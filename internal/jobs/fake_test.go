package jobs

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"chatops/internal/chatops"
)

// table is scheduled_job, with the rules of the stores and a clock that may be
// put forward and back.
type table struct {
	mu    sync.Mutex
	jobs  map[string]chatops.JobState
	shift time.Duration // of the clock
	err   error         // of every call
	// failFunc, when set, fails calls by name.
	failFunc func(call string) error
	ended    []ended
}

// ended is a run whose result was stored.
type ended struct {
	instance string
	slot     time.Time
	result   string
}

func newTable() *table { return &table{jobs: map[string]chatops.JobState{}} }

func (b *table) now() time.Time { return time.Now().UTC().Add(b.shift) }

func (b *table) set(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
}

// change is one transaction on a job.
func (b *table) change(call, name string, f func(j *chatops.JobState) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failFunc != nil {
		if err := b.failFunc(call); err != nil {
			return err
		}
	}
	if b.err != nil {
		return b.err
	}
	j, ok := b.jobs[name]
	if !ok {
		return chatops.UnknownJobError(name)
	}
	if err := f(&j); err != nil {
		return err
	}
	b.jobs[name] = j
	return nil
}

func (b *table) ClaimJob(_ context.Context, c chatops.JobClaim) (run *chatops.JobRun, err error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	err = b.change("claim", c.Name, func(j *chatops.JobState) error {
		run, _ = j.Claim(&c, b.now())
		return nil
	})
	if chatops.ErrorCode(err) == chatops.CodeNotFound {
		b.set(func() { b.jobs[c.Name] = chatops.NewJobState(&c, b.now()) })
		err = nil
	}
	return run, err
}

func (b *table) ExtendJob(_ context.Context, r *chatops.JobRun, lease time.Duration) error {
	return b.change("extend", r.Name, func(j *chatops.JobState) error {
		if !j.Extend(r, lease, b.now()) {
			return chatops.TakenOverError(r)
		}
		return nil
	})
}

func (b *table) FinishJob(_ context.Context, r *chatops.JobRun, result string) error {
	return b.change("finish", r.Name, func(j *chatops.JobState) error {
		if !j.Finish(r, result, b.now()) {
			return chatops.TakenOverError(r)
		}
		b.ended = append(b.ended, ended{r.Instance, r.Slot, result})
		return nil
	})
}

func (b *table) Jobs(context.Context) (*chatops.JobList, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return nil, b.err
	}
	list := &chatops.JobList{Now: b.now()}
	for _, name := range slices.Sorted(maps.Keys(b.jobs)) {
		list.Jobs = append(list.Jobs, b.jobs[name])
	}
	return list, nil
}

func (b *table) RequestJob(_ context.Context, name string) error {
	return b.change("request", name, func(j *chatops.JobState) error {
		j.Requested = b.now()
		return nil
	})
}

func (b *table) PauseJob(_ context.Context, name string, paused bool, actor, reason string) error {
	return b.change("pause", name, func(j *chatops.JobState) error {
		j.Pause(paused, actor, reason)
		return nil
	})
}

var _ chatops.JobStore = (*table)(nil)

// job is what the store says of the job that the tests have.
func (b *table) job() chatops.JobState {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.jobs["tidy"]
}

// results are the runs that have ended.
func (b *table) results() []ended {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.ended)
}

// work is a job that takes a while and notes who did it.
type work struct {
	mu     sync.Mutex
	takes  time.Duration
	err    error
	panics any
	runs   int
	now    int // running at this moment
	most   int // at the same time
	cut    int // whose context ended first
}

func (w *work) runFunc(ctx context.Context) (string, error) {
	w.mu.Lock()
	w.runs++
	w.now++
	w.most = max(w.most, w.now)
	n, takes, err, panics := w.runs, w.takes, w.err, w.panics
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.now--
	}()
	if f, ok := panics.(func()); ok {
		f()
	} else if panics != nil {
		panic(panics)
	}
	if takes > 0 && !chatops.Sleep(ctx, takes) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.cut++
		return "", ctx.Err()
	}
	return fmt.Sprintf("run %d", n), err
}

func (w *work) set(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

func (w *work) count() int      { return w.get(&w.runs) }
func (w *work) cutOff() int     { return w.get(&w.cut) }
func (w *work) mostAtOnce() int { return w.get(&w.most) }

func (w *work) get(p *int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return *p
}

// logBuffer is a log that may be read while it is written.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// replica is a running scheduler.
type replica struct {
	*Scheduler
	logs *logBuffer
	stop func()
}

// start runs a scheduler with the job "tidy" until stop or the test's end.
func start(t *testing.T, b *table, name string, job Job, change ...func(*Options)) *replica {
	t.Helper()
	if job.Name == "" {
		job.Name = "tidy"
	}
	logs := &logBuffer{}
	o := Options{
		Store: b, Instance: name, Jobs: []Job{job}, Fleet: true,
		Log: slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, f := range change {
		f(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	t.Cleanup(stop)
	return &replica{Scheduler: s, logs: logs, stop: stop}
}

// bubble runs a test in its own time, which begins at a full hour.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// pass lets time pass.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}
