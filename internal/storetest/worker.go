package storetest

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"chatops/internal/chatops"
)

const (
	crowdAlerts  = 2000
	crowdWorkers = 8
	crowdLane    = "webhook:crowd"
	// patienceRounds is how often a worker may find nothing before the rest of
	// the alerts counts as lost; each round moves the clock by an eighth of a lease.
	patienceRounds = 500
)

// crowd is many workers on one lane; accepted counts deliveries per alert.
type crowd struct {
	*env
	mu       sync.Mutex
	accepted map[int64]int
	done     atomic.Int64
	failed   atomic.Bool
}

// manyWorkers lets eight workers of two processes claim the same alerts; they
// forget batches as a crash would, and report others after their lease ended.
func manyWorkers(e *env) {
	for i := 0; i < crowdAlerts; i += 100 {
		list := make([]chatops.NewAlert, 100)
		for k := range list {
			list[k] = newAlert(crowdLane, fmt.Sprintf("crowd-%d", i+k))
		}
		_, err := e.store.Enqueue(e.ctx, list)
		e.must(err)
	}
	c := &crowd{env: e, accepted: map[int64]int{}}
	stores := []chatops.Store{e.store, e.open()}
	var wg sync.WaitGroup
	for i := range crowdWorkers {
		wg.Go(func() { c.work(stores[i%2], rand.New(rand.NewPCG(uint64(i), 42))) })
	}
	wg.Wait()
	if len(c.accepted) != crowdAlerts {
		e.t.Errorf("%d of %d alerts were delivered", len(c.accepted), crowdAlerts)
	}
	for id, n := range c.accepted {
		if n != 1 {
			e.t.Errorf("alert %d was delivered %d times", id, n)
		}
	}
	if n := e.count(`SELECT COUNT(*) FROM dead_letter_queue WHERE status = 'delivered'`); n != crowdAlerts {
		e.t.Errorf("%d of %d rows are delivered", n, crowdAlerts)
	}
	e.wantStats()
}

// work claims until every alert is delivered.
func (c *crowd) work(s chatops.Store, r *rand.Rand) {
	var late *chatops.Batch
	for idle := 0; c.done.Load() < crowdAlerts && !c.failed.Load(); idle++ {
		if idle == patienceRounds {
			c.broken(fmt.Errorf("no alert in %d rounds, although %d are not delivered", idle, crowdAlerts-c.done.Load()))
		}
		req := request(crowdLane, r.IntN(4) > 0, 1+r.IntN(60))
		b, err := s.Claim(c.ctx, req)
		if c.broken(err) {
			return
		}
		if len(b.Alerts) == 0 {
			c.clock.Advance(lease / 8)
			if _, err := s.Sweep(c.ctx); c.broken(err) {
				return
			}
			if late != nil {
				c.deliver(s, late, nil)
				late = nil
			}
			continue
		}
		idle = 0
		switch r.IntN(10) {
		case 0: // crash
		case 1: // stall: report much later
			late = b
		case 2: // give back
			c.report(s, chatops.Record{Batch: b, Done: true})
		case 3: // fail once
			c.report(s, chatops.Record{Batch: b, Outcomes: outcomes(chatops.OutcomeRetry, ids(b)...), Done: true})
		default:
			c.deliver(s, b, &req)
		}
	}
}

// deliver reports a batch as delivered, in two parts, and again its next one.
func (c *crowd) deliver(s chatops.Store, b *chatops.Batch, next *chatops.ClaimRequest) {
	half := len(b.Alerts) / 2
	all := outcomes(chatops.OutcomeDelivered, ids(b)...)
	if half > 0 {
		if _, ok := c.report(s, chatops.Record{Batch: b, Outcomes: all[:half]}); !ok {
			return
		}
	}
	following, ok := c.report(s, chatops.Record{Batch: b, Outcomes: all[half:], Done: true, Next: next})
	if ok && following != nil && len(following.Alerts) > 0 {
		c.report(s, chatops.Record{Batch: following, Outcomes: outcomes(chatops.OutcomeDelivered, ids(following)...), Done: true})
	}
}

// report records and counts what was accepted; a lost lease is no error.
func (c *crowd) report(s chatops.Store, rec chatops.Record) (*chatops.Batch, bool) {
	next, err := s.Record(c.ctx, rec)
	if chatops.ErrorCode(err) == chatops.CodeConflict || c.broken(err) {
		return nil, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range rec.Outcomes {
		if o.Kind == chatops.OutcomeDelivered {
			c.accepted[o.AlertID]++
			c.done.Add(1)
		}
	}
	return next, true
}

func (c *crowd) broken(err error) bool {
	if err == nil {
		return false
	}
	c.failed.Store(true)
	c.t.Errorf("at %v: %v", c.clock.Peek().Format(time.TimeOnly), err)
	return true
}
