package breaker_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/breaker"
)

// model is the breaker's rule written down as plainly as possible.
type model struct {
	state   breaker.State
	fails   int
	retryAt time.Time // zero: never by itself
	probe   int       // id of the permit that is the probe; 0: none
	probeTo time.Time
	era     int // raised by every change after which older permits are void
}

const (
	modelFailMax = 3
	modelReset   = 60 * time.Second
	modelProbe   = 20 * time.Second
)

type heldPermit struct {
	id, era int
	p       breaker.Permit
}

func (m *model) due(now time.Time) bool {
	if m.probe != 0 {
		return !now.Before(m.probeTo)
	}
	return !m.retryAt.IsZero() && !now.Before(m.retryAt)
}

func (m *model) shown(now time.Time) breaker.State {
	if m.state != breaker.Closed && m.due(now) {
		return breaker.HalfOpen
	}
	return m.state
}

func (m *model) allow(now time.Time, id int) bool {
	if m.state == breaker.Closed {
		return true
	}
	if !m.due(now) {
		return false
	}
	m.state, m.probe, m.probeTo = breaker.HalfOpen, id, now.Add(modelProbe)
	m.era++
	return true
}

func (m *model) set(s breaker.State, fails int, retryAt time.Time) {
	m.state, m.fails, m.retryAt, m.probe = s, fails, retryAt, 0
	m.era++
}

func (m *model) answer(now time.Time, h heldPermit, answer string) {
	if h.era != m.era {
		return
	}
	closed := m.state == breaker.Closed
	switch {
	case closed && answer == "success":
		m.fails = 0
	case closed && answer == "failure":
		if m.fails++; m.fails == modelFailMax {
			m.set(breaker.Open, m.fails, now.Add(modelReset))
		}
	case closed:
	case answer == "success":
		m.set(breaker.Closed, 0, time.Time{})
	case answer == "failure":
		m.set(breaker.Open, m.fails+1, now.Add(modelReset))
	default:
		m.set(breaker.HalfOpen, m.fails, now)
	}
}

func TestBreaker_BehavesAsItsModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		b := breaker.New("x", breaker.Options{
			FailMax: modelFailMax, ResetTimeout: modelReset, ProbeTimeout: modelProbe, NowFunc: c.Now,
		})
		m := &model{state: breaker.Closed}
		var out []heldPermit
		id := 0
		answer := func(name string) func(*rapid.T) {
			return func(t *rapid.T) {
				if len(out) == 0 {
					t.Skip("no permit is out")
				}
				i := rapid.IntRange(0, len(out)-1).Draw(t, "permit")
				h := out[i]
				out = append(out[:i], out[i+1:]...)
				switch name {
				case "success":
					h.p.Success()
				case "failure":
					h.p.Failure()
				default:
					h.p.Cancel()
				}
				m.answer(c.Now(), h, name)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"allow": func(t *rapid.T) {
				id++
				p, ok := b.Allow()
				if want := m.allow(c.Now(), id); ok != want {
					t.Fatalf("allow = %v, want %v in state %s", ok, want, m.state)
				}
				if ok {
					out = append(out, heldPermit{id: id, era: m.era, p: p})
				}
			},
			"success": answer("success"),
			"failure": answer("failure"),
			"cancel":  answer("cancel"),
			"advance": func(t *rapid.T) {
				c.Advance(time.Duration(rapid.IntRange(1, 70).Draw(t, "seconds")) * time.Second)
			},
			"trip": func(t *rapid.T) {
				until := time.Time{}
				if s := rapid.IntRange(-5, 90).Draw(t, "seconds"); s != 0 {
					until = c.Now().Add(time.Duration(s) * time.Second)
				}
				b.Trip(until)
				if until.IsZero() || until.After(c.Now()) {
					m.set(breaker.ForcedOpen, m.fails, until)
				}
			},
			"reset": func(*rapid.T) {
				b.Reset()
				m.set(breaker.Closed, 0, time.Time{})
			},
			"auto": func(*rapid.T) {
				b.Auto()
				if m.state == breaker.ForcedOpen {
					m.set(breaker.HalfOpen, m.fails, c.Now())
				}
			},
			"": func(t *rapid.T) {
				s := b.Snapshot()
				if want := m.shown(c.Now()); s.State != want || b.State() != want {
					t.Fatalf("state = %s, want %s", s.State, want)
				}
				if s.FailCount != m.fails || !s.RetryAt.Equal(m.retryAt) {
					t.Fatalf("fail count %d, retry at %s; want %d, %s", s.FailCount, s.RetryAt, m.fails, m.retryAt)
				}
				if (s.State == breaker.Closed) != s.OpenedAt.IsZero() {
					t.Fatalf("state %s with opened at %s", s.State, s.OpenedAt)
				}
			},
		})
	})
}
