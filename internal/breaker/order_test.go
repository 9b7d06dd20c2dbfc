package breaker_test

import (
	"testing"
	"time"

	"chatops/internal/breaker"
	"chatops/internal/chatops"
)

// desk is where orders are given: it numbers them and sets their times by a
// clock of its own, as the database does.
type desk struct {
	c chatops.Controls
}

func newDesk(now time.Time) *desk { return &desk{c: chatops.Controls{Now: now}} }

func (d *desk) order(name string, mode chatops.BreakerMode, lasts time.Duration) *chatops.Controls {
	d.c.Revision++
	o := chatops.BreakerOrder{Name: name, Mode: mode, Reason: "r", Revision: d.c.Revision, CreatedAt: d.c.Now}
	if lasts > 0 {
		o.Until = d.c.Now.Add(lasts)
	}
	for i := range d.c.Breakers {
		if d.c.Breakers[i].Name == name {
			d.c.Breakers[i] = o
			return &d.c
		}
	}
	d.c.Breakers = append(d.c.Breakers, o)
	return &d.c
}

func newSet() (*breaker.Set, *clock) {
	c := newClock()
	return breaker.NewSet(breaker.Options{FailMax: 2, ResetTimeout: time.Minute, NowFunc: c.Now}), c
}

func TestApply_ObeysEachOrderOnce(t *testing.T) {
	t.Parallel()
	s, c := newSet()
	b := s.Get("slack")
	d := newDesk(c.Now())
	s.Apply(&d.c)
	openNow(t, b)
	s.Apply(d.order("slack", chatops.BreakerReset, 0))
	wantState(t, b, breaker.Closed)
	openNow(t, b)
	s.Apply(&d.c)
	s.Apply(d.order("email", chatops.BreakerReset, 0)) // somebody else's order
	wantState(t, b, breaker.Open)
	s.Apply(d.order("slack", chatops.BreakerReset, 0))
	wantState(t, b, breaker.Closed)
}

func TestApply_TripStaysWhateverHappensUntilAuto(t *testing.T) {
	t.Parallel()
	s, c := newSet()
	b := s.Get("slack")
	d := newDesk(c.Now())
	late := allow(t, b)
	s.Apply(d.order("slack", chatops.BreakerTripped, 0))
	for range 100 {
		late.Success()
		c.Advance(time.Hour)
		s.Apply(&d.c)
		reject(t, b)
	}
	if got := b.Snapshot(); got.State != breaker.ForcedOpen || got.Reason != "r" || !got.RetryAt.IsZero() {
		t.Fatalf("snapshot = %+v", got)
	}
	s.Apply(d.order("slack", chatops.BreakerAuto, 0))
	wantState(t, b, breaker.HalfOpen)
	allow(t, b).Success()
	wantState(t, b, breaker.Closed)
}

func TestApply_TripEndsByTheDatabasesClock(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{-48 * time.Hour, 0, 48 * time.Hour} {
		s, c := newSet()
		b := s.Get("slack")
		d := newDesk(c.Now().Add(skew))
		d.order("slack", chatops.BreakerTripped, 10*time.Minute)
		d.c.Now = d.c.Now.Add(4 * time.Minute) // it is heard of late
		s.Apply(&d.c)
		if got, want := b.Snapshot().RetryAt, c.Now().Add(6*time.Minute); !got.Equal(want) {
			t.Fatalf("skew %s: retry at %s, want %s", skew, got, want)
		}
		c.Advance(6*time.Minute - 1)
		reject(t, b)
		c.Advance(1)
		d.c.Breakers[0].Mode = chatops.BreakerAuto // so the store shows it then
		s.Apply(&d.c)
		wantState(t, b, breaker.HalfOpen)
	}
}

func TestApply_NewProcessObeysATripInForceAndIgnoresOldResets(t *testing.T) {
	t.Parallel()
	c := newClock()
	d := newDesk(c.Now())
	d.order("slack", chatops.BreakerTripped, time.Hour)
	d.order("email", chatops.BreakerReset, 0)
	d.order("llm", chatops.BreakerTripped, time.Minute)
	c.Advance(10 * time.Minute)
	d.c.Now = c.Now()
	s := breaker.NewSet(breaker.Options{FailMax: 1, NowFunc: c.Now})
	slack, email, llm := s.Get("slack"), s.Get("email"), s.Get("llm")
	allow(t, email).Failure() // before the orders are read for the first time
	c.Advance(2 * time.Second)
	d.c.Now = c.Now()
	s.Apply(&d.c)
	wantState(t, slack, breaker.ForcedOpen)
	wantState(t, email, breaker.Open)
	wantState(t, llm, breaker.Closed)
}

func TestApply_ObeysAResetGivenWhileTheDatabaseCouldNotBeReachedSinceTheStart(t *testing.T) {
	t.Parallel()
	s, c := newSet()
	b := s.Get("slack")
	d := newDesk(c.Now())
	openNow(t, b)
	c.Advance(time.Second)
	d.c.Now = c.Now()
	d.order("slack", chatops.BreakerReset, 0)
	c.Advance(30 * time.Second)
	d.c.Now = c.Now()
	s.Apply(&d.c)
	wantState(t, b, breaker.Closed)
}

func TestApply_KeepsATripForABreakerThatIsMadeLater(t *testing.T) {
	t.Parallel()
	s, c := newSet()
	d := newDesk(c.Now())
	s.Apply(d.order("webhook:crm", chatops.BreakerTripped, time.Hour))
	s.Apply(d.order("webhook:erp", chatops.BreakerTripped, time.Minute))
	if len(s.Report()) != 0 {
		t.Fatal("an order made a breaker")
	}
	c.Advance(2 * time.Minute)
	wantState(t, s.Get("webhook:crm"), breaker.ForcedOpen)
	wantState(t, s.Get("webhook:erp"), breaker.Closed)
}

func TestApply_ATripThatIsGoneIsInForceNoMore(t *testing.T) {
	t.Parallel()
	s, c := newSet()
	b := s.Get("slack")
	d := newDesk(c.Now())
	s.Apply(d.order("slack", chatops.BreakerTripped, 0))
	s.Apply(&chatops.Controls{Now: c.Now()}) // a database restored from before
	wantState(t, b, breaker.HalfOpen)
	s.Apply(d.order("slack", chatops.BreakerTripped, 0))
	wantState(t, b, breaker.ForcedOpen)
}

func TestApply_CostsNothingWhenNothingIsNew(t *testing.T) { //nolint:paralleltest // counts allocations
	s, c := newSet()
	d := newDesk(c.Now())
	d.order("slack", chatops.BreakerTripped, 0)
	s.Apply(&d.c)
	if n := testing.AllocsPerRun(1000, func() { s.Apply(&d.c) }); n != 0 {
		t.Fatalf("%v allocations per call, want 0", n)
	}
}

func TestReport_TellsOfEveryBreaker(t *testing.T) {
	t.Parallel()
	s, c := newSet()
	s.Get("slack")
	p := allow(t, s.Get("email"))
	p.Failure()
	allow(t, s.Get("email")).FailureBecause("HTTP 503")
	c.Advance(time.Minute)
	allow(t, s.Get("email")).FailureBecause("HTTP 503")
	got := s.Report()
	want := []chatops.BreakerReport{
		{
			Name: "email", State: "open", FailCount: 3, FailMax: 2, ResetTimeoutSeconds: 120,
			OpenedAt: c.Now(), RetryAt: c.Now().Add(2 * time.Minute), Reason: "HTTP 503",
		},
		{Name: "slack", State: "closed", FailMax: 2, ResetTimeoutSeconds: 60},
	}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Fatalf("report = %+v, want %+v", got, want)
	}
}

func TestWatch_TellsOfChangesUntilItIsStopped(t *testing.T) {
	t.Parallel()
	s, _ := newSet()
	var got []breaker.Change
	stop := s.Watch(func(c breaker.Change) { got = append(got, c) })
	openNow(t, s.Get("slack"))
	stop()
	s.Get("slack").Reset()
	if len(got) != 1 || got[0].Name != "slack" || got[0].To != breaker.Open || got[0].OpenFor != time.Minute || got[0].Reason == "" {
		t.Fatalf("changes = %+v", got)
	}
}
