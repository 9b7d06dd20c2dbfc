package breaker

import (
	"time"

	"chatops/internal/chatops"
)

// orders is what a set remembers of the orders of operators. It belongs to the
// set's lock.
type orders struct {
	seen     bool
	revision int64                   // of the newest orders that were obeyed
	latest   map[string]orderInForce // by integration
	since    time.Time               // when the set was made
}

type orderInForce struct {
	revision int64
	mode     chatops.BreakerMode
	until    time.Time // by the clock of this process; zero: without an end
	reason   string
}

// Apply obeys the orders of operators, each once. A trip ends when the
// database's clock says so, whatever the clock of this process shows. A set
// that is new obeys a trip that is in force, and ignores the other orders that
// were given before it was made. An order for an integration without a breaker
// waits for it. Calls that bring nothing new cost next to nothing.
func (s *Set) Apply(c *chatops.Controls) {
	s.applying.Lock()
	defer s.applying.Unlock()
	o := &s.orders
	if o.seen && o.revision == c.Revision {
		return
	}
	now := s.opts.NowFunc()
	known := make(map[string]orderInForce, len(c.Breakers))
	var news []string
	for i := range c.Breakers {
		order := &c.Breakers[i]
		in, ok := o.latest[order.Name]
		if !ok || in.revision != order.Revision {
			in = orderInForce{revision: order.Revision, mode: order.Mode, reason: order.Reason}
			if order.Mode == chatops.BreakerTripped && !order.Until.IsZero() {
				in.until = now.Add(order.Until.Sub(c.Now))
			}
			old := !o.seen && c.Now.Sub(order.CreatedAt) > now.Sub(o.since)
			if !old || order.Mode == chatops.BreakerTripped {
				news = append(news, order.Name)
			}
		}
		known[order.Name] = in
	}
	// An order that is gone, with a database that was restored, is in force no
	// more.
	for name, in := range o.latest {
		if _, ok := known[name]; !ok && in.mode == chatops.BreakerTripped {
			known[name] = orderInForce{mode: chatops.BreakerAuto}
			news = append(news, name)
		}
	}
	s.mu.Lock()
	o.seen, o.revision, o.latest = true, c.Revision, known
	s.mu.Unlock()
	for _, name := range news {
		if b := s.Lookup(name); b != nil {
			b.obey(known[name])
		}
	}
}

// obey carries out an order.
func (b *Breaker) obey(o orderInForce) {
	switch o.mode {
	case chatops.BreakerTripped:
		b.Trip(o.until, o.reason)
	case chatops.BreakerReset:
		b.Reset()
	case chatops.BreakerAuto:
		b.Auto()
	}
}
