package deadletter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"chatops/internal/breaker"
	"chatops/internal/chatops"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeSender does what its function says and remembers what it was given.
type fakeSender struct {
	name     string
	policy   chatops.LanePolicy
	sendFunc func(ctx context.Context, a *chatops.Alert) error

	mu   sync.Mutex
	sent []chatops.Alert
	at   []time.Time
	busy int
	most int // attempts at once
}

var _ chatops.AlertSender = (*fakeSender)(nil)

func (s *fakeSender) Integration() string        { return s.name }
func (s *fakeSender) Policy() chatops.LanePolicy { return s.policy }

func (s *fakeSender) Send(ctx context.Context, a *chatops.Alert) error {
	s.mu.Lock()
	s.sent = append(s.sent, *a)
	s.at = append(s.at, time.Now())
	s.busy++
	s.most = max(s.most, s.busy)
	f := s.sendFunc
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.busy--
		s.mu.Unlock()
	}()
	if f == nil {
		return nil
	}
	return f(ctx, a)
}

// naming is a fakeSender whose receiver names what it makes.
type naming struct{ *fakeSender }

func (s naming) SendForReceipt(ctx context.Context, a *chatops.Alert) (string, error) {
	if err := s.Send(ctx, a); err != nil {
		return "of a failed attempt", err
	}
	return fmt.Sprintf("item-%d", a.ID), nil
}

func (s *fakeSender) do(f func(ctx context.Context, a *chatops.Alert) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sendFunc = f
}

func (s *fakeSender) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sent)
}

func (s *fakeSender) alerts() []chatops.Alert {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]chatops.Alert(nil), s.sent...)
}

func (s *fakeSender) atOnce() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.most
}

func (s *fakeSender) times() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]time.Time(nil), s.at...)
}

func fail(kind chatops.FailureKind, text string) func(context.Context, *chatops.Alert) error {
	return func(context.Context, *chatops.Alert) error {
		return &chatops.SendError{Kind: kind, Err: errors.New(text)}
	}
}

func refuse(e chatops.SendError) func(context.Context, *chatops.Alert) error {
	return func(context.Context, *chatops.Alert) error { return &e }
}

// rig is an engine over a fake queue, inside a synctest bubble.
type rig struct {
	*testing.T

	q    *fakeQueue
	e    *Engine
	logs *logBuffer
	stop func()
}

// logBuffer keeps what was logged.
type logBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// bubble runs a test under a clock that moves only when everybody waits.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// start runs an engine until the test ends or stop is called.
func start(t *testing.T, q *fakeQueue, opts Options, senders ...chatops.AlertSender) *rig {
	t.Helper()
	r := &rig{T: t, q: q, logs: &logBuffer{}}
	opts.Queue, opts.Senders = q, senders
	if opts.Breakers == nil {
		opts.Breakers = breaker.NewSet(breaker.Options{})
	}
	opts.Log = slog.New(slog.NewTextHandler(r.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	defaultTo(&opts.Replica, "replica-1")
	e, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	r.e = e
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v, want nil", err)
		}
	})
	t.Cleanup(r.stop)
	synctest.Wait()
	return r
}

// pass lets time go by.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// settle waits until the engine is idle.
func (r *rig) settle() {
	r.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	if err := r.e.WaitIdle(ctx); err != nil {
		r.Fatalf("the engine does not come to rest: %v", err)
	}
}

func (r *rig) wantStatus(id int64, want chatops.AlertStatus) chatops.Alert {
	r.Helper()
	a := r.q.row(id)
	if a.Status != want {
		r.Fatalf("alert %d is %s (%s), want %s", id, a.Status, a.ErrorMessage, want)
	}
	return a
}

func (r *rig) wantCount(status chatops.AlertStatus, want int) {
	r.Helper()
	if got := r.q.count(status); got != want {
		r.Fatalf("%d alerts are %s, want %d", got, status, want)
	}
}

// half makes every random wait half of its ceiling.
func half(n int64) int64 { return n / 2 }
