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

	level    int       // doublings of the next opening's time, plus one; 0: it starts over
	closedAt time.Time // zero: never
}

const (
	modelFailMax = 3
	modelReset   = 60 * time.Second
	modelMaxOpen = 5 * time.Minute
	modelSlow    = 10 * time.Second
	modelProbe   = 20 * time.Second
)

// openFor is how long an opening at the present level lasts.
func (m *model) openFor() time.Duration {
	d := modelReset
	for range m.level - 1 {
		d *= 2
	}
	return min(d, modelMaxOpen)
}

// leaveClosed starts over when the integration was well for as long as it had
// been left alone.
func (m *model) leaveClosed(now time.Time) {
	if m.level > 0 && (m.closedAt.IsZero() || now.Sub(m.closedAt) >= m.openFor()) {
		m.level = 0
	}
}

func (m *model) open(now time.Time, fails int) {
	if m.state == breaker.Closed {
		m.leaveClosed(now)
	}
	m.level++
	m.set(breaker.Open, fails, now.Add(m.openFor()))
}

func (m *model) close(now time.Time) {
	m.set(breaker.Closed, 0, time.Time{})
	m.closedAt = now
}

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
			m.open(now, m.fails)
		}
	case closed:
	case answer == "success":
		m.close(now)
	case answer == "failure":
		m.open(now, m.fails+1)
	default:
		m.set(breaker.HalfOpen, m.fails, now)
	}
}

func TestBreaker_BehavesAsItsModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		b := breaker.New("x", breaker.Options{
			FailMax: modelFailMax, ResetTimeout: modelReset, MaxOpen: modelMaxOpen, SlowCall: modelSlow,
			ProbeTimeout: modelProbe, NowFunc: c.Now,
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
					h.p.SuccessIn(time.Duration(rapid.IntRange(0, int(modelSlow)-1).Draw(t, "took")))
				case "failure":
					switch rapid.IntRange(0, 2).Draw(t, "kind") {
					case 0:
						h.p.Failure()
					case 1:
						h.p.FailureBecause("503")
					default:
						h.p.SuccessIn(modelSlow)
					}
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
				c.Advance(time.Duration(rapid.IntRange(1, 200).Draw(t, "seconds")) * time.Second)
			},
			"trip": func(t *rapid.T) {
				until := time.Time{}
				if s := rapid.IntRange(-5, 90).Draw(t, "seconds"); s != 0 {
					until = c.Now().Add(time.Duration(s) * time.Second)
				}
				b.Trip(until, "")
				if until.IsZero() || until.After(c.Now()) {
					if m.state == breaker.Closed {
						m.leaveClosed(c.Now())
					}
					m.set(breaker.ForcedOpen, m.fails, until)
				}
			},
			"reset": func(*rapid.T) {
				b.Reset()
				m.close(c.Now())
				m.level = 0
			},
			"auto": func(*rapid.T) {
				b.Auto()
				if m.state == breaker.ForcedOpen {
					m.set(breaker.HalfOpen, m.fails, c.Now())
				}
			},
			"": func(t *rapid.T) { m.compare(t, b, c.Now()) },
		})
	})
}

// compare checks what the breaker shows against the model.
func (m *model) compare(t *rapid.T, b *breaker.Breaker, now time.Time) {
	s := b.Snapshot()
	if want := m.shown(now); s.State != want || b.State() != want {
		t.Fatalf("state = %s, want %s", s.State, want)
	}
	if s.FailCount != m.fails || !s.RetryAt.Equal(m.retryAt) {
		t.Fatalf("fail count %d, retry at %s; want %d, %s", s.FailCount, s.RetryAt, m.fails, m.retryAt)
	}
	if m.state == breaker.Open && s.OpenFor != m.openFor() {
		t.Fatalf("open for %s, want %s", s.OpenFor, m.openFor())
	}
	if want := m.state != breaker.Closed && m.due(now); s.Ready != want {
		t.Fatalf("ready = %v, want %v", s.Ready, want)
	}
	if (s.State == breaker.Closed) != (s.Reason == "") {
		t.Fatalf("state %s for the reason %q", s.State, s.Reason)
	}
	if (s.State == breaker.Closed) != s.OpenedAt.IsZero() {
		t.Fatalf("state %s with opened at %s", s.State, s.OpenedAt)
	}
}
