package operation_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"chatops/internal/chatops"
	"chatops/internal/operation"
)

// store keeps one operation with the domain's rules, and a receiver that tries
// what was released.
type store struct {
	mu        sync.Mutex
	op        chatops.Operation
	stepped   time.Time
	out       chatops.OperationOutcomes
	err       error // of every call
	announced int
	releases  []time.Time
	failEvery int64
	stuck     bool // nothing is tried
}

func newStore(total int64, pace *chatops.OperationPace) *store {
	return &store{op: chatops.Operation{
		ID: "op_1", Kind: chatops.OperationRetry, State: chatops.OperationRunning, CreatedAt: time.Now(), Matched: total, Pace: pace,
	}, out: chatops.OperationOutcomes{Lanes: []string{"webhook:crm"}}}
}

func (s *store) ClaimOperations(_ context.Context, c chatops.OperationClaim) ([]chatops.Operation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || !s.op.Claim(&c, s.stepped, time.Now()) {
		return nil, s.err
	}
	return []chatops.Operation{s.op}, nil
}

func (s *store) ReleaseOperation(_ context.Context, r chatops.OperationRelease) (*chatops.Operation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	if err := s.op.Admit(&r, time.Now()); err != nil {
		return nil, err
	}
	if s.op.State == chatops.OperationRunning && r.Limit > 0 {
		s.change(int64(r.Limit))
	}
	op := s.op
	return &op, nil
}

// change releases alerts, which are tried by the next look unless they are stuck.
func (s *store) change(limit int64) {
	n := min(limit, s.op.Left())
	for range n {
		s.releases = append(s.releases, time.Now())
	}
	s.op.Changed += n
	s.out.Released += n
	s.out.Waiting += n
	if n < limit {
		s.op.State, s.op.DoneAt = chatops.OperationDone, time.Now()
	}
}

func (s *store) OperationOutcomes(context.Context, string) (*chatops.OperationOutcomes, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.stuck && s.out.Waiting > 0 {
		s.out.Waiting--
		if s.failEvery > 0 && s.out.Tried()%s.failEvery == 0 {
			s.out.Failed++
		}
	}
	out := s.out
	out.Lanes = slices.Clone(s.out.Lanes)
	return &out, s.err
}

func (s *store) StepOperation(_ context.Context, _ string, limit int) (*chatops.Operation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.change(int64(limit))
	op := s.op
	return &op, s.err
}

func (s *store) Announce(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.announced++
	return s.err
}

// read looks at the operation, and write changes it.
func (s *store) read() chatops.Operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.op
}

func (s *store) write(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *store) order(t *testing.T, c chatops.OperationChange) {
	t.Helper()
	s.write(func() {
		if _, err := s.op.Change(&c, time.Now()); err != nil {
			t.Error(err)
		}
	})
}

// carry runs a carrier in bubble time and returns what ends it.
func carry(t *testing.T, o operation.Options) (stop func()) {
	t.Helper()
	if o.Holder == "" {
		o.Holder = "r1"
	}
	c, err := operation.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// after lets bubble time pass.
func after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestCarrier_ReleasesAtThePaceUntilItIsDone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(1000, &chatops.OperationPace{Rate: 50, Canary: 1, MaxFailures: 0.2})
		woken := 0
		reg := prometheus.NewRegistry()
		stop := carry(t, operation.Options{Store: s, WakeFunc: func() { woken++ }, Registerer: reg})
		after(2 * time.Second)
		if op := s.read(); op.Changed < 1 || op.Changed > 12 || op.Holder != "r1" {
			t.Errorf("after 2 s released %d, held by %q", op.Changed, op.Holder)
		}
		after(90 * time.Second)
		op := s.read()
		if op.State != chatops.OperationDone || op.Changed != 1000 {
			t.Errorf("it is %s with %d released", op.State, op.Changed)
		}
		stop()
		if s.announced == 0 || woken != s.announced {
			t.Errorf("woke this process %d times, the others %d", woken, s.announced)
		}
		for i := range s.releases[:950] { // at no time more than the rate
			if d := s.releases[i+50].Sub(s.releases[i]); i > 60 && d < 500*time.Millisecond {
				t.Fatalf("50 were released within %v, from %d on", d, i)
			}
		}
		got, err := reg.Gather()
		if err != nil || len(got) != 6 {
			t.Errorf("%d metrics, %v", len(got), err)
		}
	})
}

func TestCarrier_ObeysPauseRateAndCancelInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(100_000, &chatops.OperationPace{Rate: 200, MaxFailures: 0.2})
		defer carry(t, operation.Options{Store: s})()
		after(20 * time.Second)
		s.order(t, chatops.OperationChange{To: chatops.OperationPaused})
		paused := s.read().Changed
		after(time.Minute)
		if got := s.read().Changed; got != paused || paused < 100 {
			t.Errorf("released %d, then %d while it was paused", paused, got)
		}
		s.order(t, chatops.OperationChange{To: chatops.OperationRunning})
		after(30 * time.Second)
		slow := 2.0
		s.order(t, chatops.OperationChange{Rate: &slow})
		after(5 * time.Second)
		before := s.read().Changed
		after(30 * time.Second)
		if got := s.read().Changed - before; got < 50 || got > 70 {
			t.Errorf("%d in 30 s at 2 a second", got)
		}
		s.order(t, chatops.OperationChange{To: chatops.OperationCancelled})
		before = s.read().Changed
		after(time.Minute)
		if op := s.read(); op.Changed != before || op.State != chatops.OperationCancelled {
			t.Errorf("a cancelled operation went from %d to %d", before, op.Changed)
		}
	})
}

func TestCarrier_HaltsByItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(100_000, &chatops.OperationPace{Rate: 200, Canary: 1, MaxFailures: 0.2})
		s.failEvery = 3
		defer carry(t, operation.Options{Store: s})()
		after(time.Minute)
		op := s.read()
		if op.State != chatops.OperationHalted || op.Note == "" || op.Changed > 60 || op.ChangedBy != "r1" {
			t.Errorf("it is %s (%s) with %d released", op.State, op.Note, op.Changed)
		}
	})
}

func TestCarrier_WaitsBehindAnOpenBreakerAndASlowReceiver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(1000, &chatops.OperationPace{Rate: 10, MaxFailures: 0.2})
		var open []string
		defer carry(t, operation.Options{Store: s, OpenFunc: func() []string { s.mu.Lock(); defer s.mu.Unlock(); return open }})()
		after(10 * time.Second)
		s.write(func() { open = []string{"webhook:crm"} })
		after(time.Second)
		before := s.read()
		after(time.Minute)
		if op := s.read(); op.Changed != before.Changed || op.Run.Waits != "the circuit breaker of webhook:crm is open" || op.Holder != "r1" {
			t.Errorf("behind an open breaker: %d then %d, %q", before.Changed, op.Changed, op.Run.Waits)
		}
		s.write(func() { open, s.stuck = nil, true })
		after(time.Minute)
		if op := s.read(); op.Changed-before.Changed > 30 {
			t.Errorf("%d were released to a receiver that tries nothing", op.Changed-before.Changed)
		}
	})
}

func TestCarrier_ASecondTakesOverWhenTheFirstIsGone(t *testing.T) {
	t.Parallel()
	for _, gently := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			s := newStore(10_000, &chatops.OperationPace{Rate: 10, MaxFailures: 0.2})
			stopFirst := carry(t, operation.Options{Store: s})
			after(10 * time.Second)
			defer carry(t, operation.Options{Store: s, Holder: "r2"})()
			after(5 * time.Second)
			if op := s.read(); op.Holder != "r1" {
				t.Fatalf("held by %q while r1 lives", op.Holder)
			}
			most := 11 * time.Second // the lease
			if gently {
				stopFirst()
				most = 2 * time.Second
			} else { // frozen: its lease passes on, and what it does late is refused
				s.write(func() { s.op.LeaseUntil = time.Now() })
			}
			after(most)
			if op := s.read(); op.Holder != "r2" && gently {
				t.Errorf("held by %q after r1 has gone", op.Holder)
			}
			if !gently {
				stopFirst()
			}
			after(10 * time.Second)
			for i := 1; i < len(s.releases); i++ {
				if s.releases[i].Before(s.releases[i-1]) {
					t.Error("two carriers at once")
				}
			}
			if n, most := len(s.releases), int(time.Since(s.op.CreatedAt).Seconds()*10)+15; n > most {
				t.Errorf("%d released, want %d at most", n, most)
			}
		})
	}
}

func TestCarrier_FinishesWhatACommandLineHasLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(12_000, nil)
		defer carry(t, operation.Options{Store: s})()
		after(29 * time.Second)
		if op := s.read(); op.Changed != 0 {
			t.Fatalf("%d were changed while the command line may live", op.Changed)
		}
		after(5 * time.Second)
		if op := s.read(); op.State != chatops.OperationDone || op.Changed != 12_000 {
			t.Errorf("it is %s with %d changed", op.State, op.Changed)
		}
	})
}

func TestCarrier_OutlivesTroubleWithTheDatabase(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(100, &chatops.OperationPace{Rate: 10, MaxFailures: 0.2})
		s.err = errors.New("the database is away")
		defer carry(t, operation.Options{Store: s})()
		after(5 * time.Second)
		s.write(func() { s.err = nil })
		after(3 * time.Second)
		if s.read().Changed == 0 {
			t.Error("nothing is released after the database came back")
		}
		s.write(func() { s.err = errors.New("away again") })
		after(20 * time.Second)
		s.write(func() { s.err = nil })
		after(30 * time.Second)
		if op := s.read(); op.State != chatops.OperationDone {
			t.Errorf("it is %s with %d released", op.State, op.Changed)
		}
	})
}

func TestNew_NeedsAStoreAndAHolder(t *testing.T) {
	t.Parallel()
	if _, err := operation.New(operation.Options{}); chatops.ErrorCode(err) != chatops.CodeInvalid {
		t.Errorf("New without a store: %v", err)
	}
	reg := prometheus.NewRegistry()
	if _, err := operation.New(operation.Options{Store: newStore(1, nil), Holder: "r1", Registerer: reg}); err != nil {
		t.Error(err)
	}
	if _, err := operation.New(operation.Options{Store: newStore(1, nil), Holder: "r1", Registerer: reg}); err == nil {
		t.Error("metrics were registered twice")
	}
}
