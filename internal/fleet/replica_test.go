package fleet_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/fleet"
)

// store is a database with one row of each kind; every call takes a moment.
type store struct {
	mu       sync.Mutex
	controls chatops.Controls
	err      error // of every call
	watchErr error
	beats    []chatops.Instance
	removed  []string
	stale    int
	forgot   []time.Duration
	wakes    []func()
	hang     bool // calls end with their context only
}

func (s *store) call(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hang {
		s.mu.Unlock()
		<-ctx.Done()
		s.mu.Lock()
		return ctx.Err()
	}
	return s.err
}

func (s *store) Controls(ctx context.Context) (*chatops.Controls, error) {
	if err := s.call(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.controls
	return &c, nil
}

// WatchControls wakes once a second, as a poll does, and when order is called.
func (s *store) WatchControls(ctx context.Context, wake func()) error {
	s.mu.Lock()
	s.wakes = append(s.wakes, wake)
	err := s.watchErr
	s.mu.Unlock()
	if err != nil {
		return err
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			wake()
		}
	}
}

// order commits an order and tells whoever watches.
func (s *store) order(revision int64) {
	s.mu.Lock()
	s.controls.Revision = revision
	wakes := s.wakes
	s.mu.Unlock()
	for _, wake := range wakes {
		wake()
	}
}

func (s *store) Heartbeat(ctx context.Context, i *chatops.Instance) error {
	if err := s.call(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.beats = append(s.beats, *i)
	return nil
}

func (s *store) RemoveInstance(ctx context.Context, name string) error {
	if err := s.call(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.removed = append(s.removed, name)
	return nil
}

func (s *store) RemoveStaleInstances(ctx context.Context, age time.Duration) (int, error) {
	if err := s.call(ctx); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgot = append(s.forgot, age)
	return s.stale, nil
}

func (s *store) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *store) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.beats)
}

// running is a replica that runs in a bubble.
type running struct {
	*fleet.Replica

	store   *store
	log     *bytes.Buffer
	applied []int64
	stop    func()
}

func start(t *testing.T, s *store) *running {
	t.Helper()
	r := &running{store: s, log: &bytes.Buffer{}}
	replica, err := fleet.New(fleet.Options{
		Store: s, Name: "host:1", Version: "v1",
		ApplyFunc: func(c *chatops.Controls) { r.applied = append(r.applied, c.Revision) },
		ReportFunc: func() chatops.InstanceReport {
			return chatops.InstanceReport{Limiter: chatops.LimiterReport{Backend: "local"}}
		},
		Log: slog.New(slog.NewTextHandler(r.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Replica = replica
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- replica.Run(ctx) }()
	r.stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run ended with %v", err)
		}
	}
	synctest.Wait()
	return r
}

func wait(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestReplica_ReportsAtOnceThenRegularlyAndLeavesWhenItEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		r := start(t, s)
		if n := s.count(); n != 1 {
			t.Fatalf("%d heartbeats at the start, want 1", n)
		}
		wait(5 * chatops.HeartbeatEvery)
		if n := s.count(); n != 6 {
			t.Errorf("%d heartbeats after five intervals, want 6", n)
		}
		r.stop()
		if len(s.removed) != 1 || s.removed[0] != "host:1" {
			t.Errorf("removed %v", s.removed)
		}
		b := s.beats[0]
		if b.Name != "host:1" || b.Version != "v1" || b.StartedAt.IsZero() || b.Report.Limiter.Backend != "local" {
			t.Errorf("heartbeat %+v", b)
		}
	})
}

func TestReplica_ObeysAnOrderWhenItIsWokenAndSaysSoAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		r := start(t, s)
		defer func() { r.stop() }()
		wait(100 * time.Millisecond)
		s.order(7)
		synctest.Wait()
		if r.Revision() != 7 || r.applied[len(r.applied)-1] != 7 {
			t.Errorf("revision %d, applied %v", r.Revision(), r.applied)
		}
		if n := s.count(); n != 2 || s.beats[1].Revision != 7 {
			t.Errorf("%d heartbeats, want a second one with the revision", n)
		}
	})
}

func TestReplica_ObeysAnOrderThatNobodyAnnouncedWithinASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		r := start(t, s)
		defer func() { r.stop() }()
		s.set(func() { s.controls.Revision = 3 })
		wait(time.Second)
		if r.Revision() != 3 {
			t.Errorf("revision %d a second after the order, want 3", r.Revision())
		}
	})
}

func TestReplica_KeepsTheLastOrdersWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*store){
		"refusing": func(s *store) { s.err = errors.New("connection refused") },
		"hanging":  func(s *store) { s.hang = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &store{}
				r := start(t, s)
				s.order(2)
				synctest.Wait()
				s.set(func() { fail(s) })
				wait(time.Minute)
				if r.Revision() != 2 {
					t.Errorf("revision %d, want the last known", r.Revision())
				}
				s.set(func() { s.err, s.hang, s.controls.Revision = nil, false, 4 })
				wait(6 * time.Second)
				if r.Revision() != 4 || s.beats[len(s.beats)-1].Revision != 4 {
					t.Errorf("revision %d after the database is back, want 4", r.Revision())
				}
				r.stop()
				if warned, told := strings.Count(r.log.String(), "cannot be exchanged"), strings.Count(r.log.String(), "again"); warned != 2 || told != 2 {
					t.Errorf("logged %d times that it is away and %d times that it is back, want 2 and 2:\n%s", warned, told, r.log)
				}
			})
		})
	}
}

func TestReplica_GoesOnWatchingWhenAWatchEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &store{watchErr: errors.New("connection reset")}
		r := start(t, s)
		defer func() { r.stop() }()
		s.set(func() { s.watchErr = nil })
		wait(3 * time.Second)
		s.order(9)
		synctest.Wait()
		if r.Revision() != 9 {
			t.Errorf("revision %d, want 9", r.Revision())
		}
	})
}

func TestForget_DeletesReplicasThatAreLongGone(t *testing.T) {
	t.Parallel()
	s := &store{stale: 1}
	r, err := fleet.New(fleet.Options{Store: s, Name: "me"})
	if err != nil {
		t.Fatal(err)
	}
	if result, err := r.Forget(t.Context()); result != "1 replica" || err != nil {
		t.Errorf("forget: %q, %v", result, err)
	}
	if len(s.forgot) != 1 || s.forgot[0] != 15*time.Minute {
		t.Errorf("forgot %v", s.forgot)
	}
	s.err = chatops.Errorf(chatops.CodeUnavailable, "database does not answer")
	if _, err := r.Forget(t.Context()); !errors.Is(err, s.err) {
		t.Errorf("error %v, want %v", err, s.err)
	}
}

func TestReplica_EndsInTimeAlthoughTheDatabaseHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &store{}
		r := start(t, s)
		s.set(func() { s.hang = true })
		asked := time.Now()
		r.stop()
		if took := time.Since(asked); took > 3*time.Second {
			t.Errorf("took %s to end", took)
		}
	})
}

func TestNew_RefusesAReplicaWithoutStoreOrName(t *testing.T) {
	t.Parallel()
	for _, o := range []fleet.Options{{Name: "a"}, {Store: &store{}}} {
		if _, err := fleet.New(o); chatops.ErrorCode(err) != chatops.CodeInvalid {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
