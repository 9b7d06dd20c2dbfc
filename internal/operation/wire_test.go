package operation_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"chatops/internal/chatops"
	"chatops/internal/operation"
)

// journal is a log that a test reads while it is written.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

// count is how many lines say something.
func (j *journal) count(what string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Count(j.b.String(), what)
}

func (j *journal) log() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

// gauges are the carrier's metrics by name.
func gauges(t *testing.T, reg *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		m := f.GetMetric()[0]
		got[strings.TrimPrefix(f.GetName(), "chatops_operation_")] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
	}
	return got
}

func TestCarrier_TellsTroubleOnceUntilItIsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, j := newStore(100, &chatops.OperationPace{Rate: 1, MaxFailures: 0.2}), &journal{}
		s.err = errors.New("connect to db.example: connection refused")
		defer carry(t, operation.Options{Store: s, Log: j.log()})()
		after(time.Minute)
		if n := j.count("operations are not carried at present"); n != 1 {
			t.Errorf("a minute of trouble is told %d times", n)
		}
		s.write(func() { s.err = nil })
		after(3 * time.Second)
		if n := j.count("operations are carried again"); n != 1 {
			t.Errorf("its end is told %d times", n)
		}
		s.write(func() { s.err = errors.New("away again") })
		after(5 * time.Second)
		if n := j.count("operations are not carried at present"); n != 2 {
			t.Errorf("two troubles are told %d times", n)
		}
	})
}

func TestCarrier_WithoutWork_DoesNothing(t *testing.T) {
	t.Parallel()
	for _, state := range []chatops.OperationState{chatops.OperationDone, chatops.OperationPaused, chatops.OperationHalted, chatops.OperationCancelled} {
		synctest.Test(t, func(t *testing.T) {
			s := newStore(100, &chatops.OperationPace{Rate: 50, MaxFailures: 0.2})
			s.op.State = state
			opened := 0
			defer carry(t, operation.Options{
				Store: s, WakeFunc: func() { t.Errorf("somebody was woken for an operation that is %s", state) },
				OpenFunc: func() []string { opened++; return nil },
			})()
			after(time.Minute)
			if op := s.read(); op.Changed != 0 || op.State != state || op.Holder != "" {
				t.Errorf("of an operation that is %s %d were released, and it is %s, held by %q", state, op.Changed, op.State, op.Holder)
			}
			if opened > 0 {
				t.Errorf("the breakers were looked at %d times for nothing", opened)
			}
		})
	}
}

func TestCarrier_WithOneThatIsWanted_LeavesTheOthers(t *testing.T) {
	t.Parallel()
	for only, carried := range map[string]bool{"op_1": true, "": true, "op_2": false} {
		synctest.Test(t, func(t *testing.T) {
			s := newStore(20, &chatops.OperationPace{Rate: 10, MaxFailures: 0.2})
			defer carry(t, operation.Options{Store: s, Only: only})()
			after(time.Minute)
			if done := s.read().State == chatops.OperationDone; done != carried {
				t.Errorf("wanted is %q, and op_1 is %s", only, s.read().State)
			}
		})
	}
}

func TestCarrier_ShowsWhatItCarries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, reg := newStore(1000, &chatops.OperationPace{Rate: 10, MaxFailures: 0.2}), prometheus.NewRegistry()
		var open []string
		stop := carry(t, operation.Options{Store: s, Registerer: reg, OpenFunc: func() []string { s.mu.Lock(); defer s.mu.Unlock(); return open }})
		if got := gauges(t, reg); got["carried"] != 0 || got["left"] != 0 || got["rate"] != 0 {
			t.Errorf("at first it shows %v", got)
		}
		after(60 * time.Second)
		op, got := s.read(), gauges(t, reg)
		if got["carried"] != 1 || got["deferred"] != 0 || got["rate"] != 10 || got["left"] != float64(op.Left()) || got["released_total"] != float64(op.Changed) {
			t.Errorf("while %d are left of %d it shows %v", op.Left(), op.Matched, got)
		}
		s.write(func() { open = []string{"webhook:crm"} })
		after(5 * time.Second)
		if got := gauges(t, reg); got["carried"] != 1 || got["deferred"] != 1 {
			t.Errorf("behind an open breaker it shows %v", got)
		}
		stop()
		if got := gauges(t, reg); got["carried"] != 0 || got["left"] != 0 || got["deferred"] != 0 || got["halts_total"] != 0 {
			t.Errorf("at the end it shows %v", got)
		}
		if op := s.read(); op.State != chatops.OperationRunning || time.Until(op.LeaseUntil) > 0 {
			t.Errorf("after the end it is %s, leased until %s", op.State, op.LeaseUntil)
		}
	})
}

func TestCarrier_CountsAHaltAndWhyItHalted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, reg, j := newStore(1000, &chatops.OperationPace{Rate: 50, Canary: 1, MaxFailures: 0.2}), prometheus.NewRegistry(), &journal{}
		s.failEvery = 1
		defer carry(t, operation.Options{Store: s, Registerer: reg, Log: j.log()})()
		after(time.Minute)
		op := s.read()
		if op.State != chatops.OperationHalted || op.Changed != 1 {
			t.Errorf("with a canary that fails it is %s with %d released", op.State, op.Changed)
		}
		if got := gauges(t, reg); got["halts_total"] != 1 || got["carried"] != 0 {
			t.Errorf("after a halt it shows %v", got)
		}
		if n := j.count("operation halted by itself"); n != 1 {
			t.Errorf("the halt is told %d times", n)
		}
	})
}

// Whatever is ordered and however often the database fails: nothing is released
// twice, nothing beyond what was matched, and nothing after a cancellation.
func TestCarrier_UnderAnyOrders_ReleasesEachOnceAtMost(t *testing.T) {
	t.Parallel()
	outer := t
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(1, 400).Draw(t, "alerts")
		rate := rapid.SampledFrom([]float64{0, 1, 20, 500}).Draw(t, "rate")
		var steps []int
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			steps = append(steps, rapid.IntRange(0, 4).Draw(t, "step"))
		}
		synctest.Test(outer, func(st *testing.T) {
			s := newStore(total, &chatops.OperationPace{Rate: rate, Canary: 1, MaxFailures: 1})
			stop := carry(st, operation.Options{Store: s})
			for _, step := range steps {
				s.write(func() {
					switch step {
					case 0:
						s.err = errors.New("away")
					case 1:
						s.err = nil
					case 2:
						_, _ = s.op.Change(&chatops.OperationChange{To: chatops.OperationPaused}, time.Now())
					case 3:
						_, _ = s.op.Change(&chatops.OperationChange{To: chatops.OperationRunning}, time.Now())
					case 4:
						s.stuck = !s.stuck
					}
				})
				after(7 * time.Second)
				if op := s.read(); op.Changed != int64(len(s.releases)) || op.Changed > total {
					st.Errorf("%d of %d are released, and counted %d", len(s.releases), total, op.Changed)
				}
			}
			s.write(func() {
				s.err = nil
				_, _ = s.op.Change(&chatops.OperationChange{To: chatops.OperationCancelled}, time.Now())
			})
			before := s.read().Changed
			after(20 * time.Second)
			if op := s.read(); op.Changed != before {
				st.Errorf("after its end it went from %d to %d, and is %s", before, op.Changed, op.State)
			}
			stop()
		})
		if outer.Failed() {
			t.FailNow()
		}
	})
}

func TestNew_OfHalfOptions_SaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]operation.Options{
		"nothing":  {},
		"a store":  {Store: newStore(1, nil)},
		"a holder": {Holder: "r1"},
	} {
		c, err := operation.New(o)
		if c != nil || chatops.ErrorCode(err) != chatops.CodeInvalid || err.Error() != "make carrier of operations: no store or no holder" {
			t.Errorf("with %s alone: %v", name, err)
		}
	}
	reg := prometheus.NewRegistry()
	for i, want := range []string{"", "make carrier of operations: register metrics"} {
		_, err := operation.New(operation.Options{Store: newStore(1, nil), Holder: "r1", Registerer: reg})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("carrier %d of a registry: %v, want %q", i+1, err, want)
		}
	}
}
