package breaker_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"chatops/internal/breaker"
)

// span is a time within a simulated quarter of an hour.
type span struct{ from, to time.Duration }

func within(spans []span, at time.Duration) bool {
	return slices.ContainsFunc(spans, func(s span) bool { return s.from <= at && at < s.to })
}

// plan is what happens to a fleet in a simulation.
type plan struct {
	replicas int
	sick     int           // this replica reaches nobody; -1: none
	dies     int           // this one is killed at diesAt; -1: none
	diesAt   time.Duration // without giving anything back
	call     time.Duration // how long a call takes
	lag      time.Duration // of the database
	outages  []span        // of the integration
	gaps     []span        // of the database
}

const (
	simEnd  = 15 * time.Minute // the last fault
	simRest = 12 * time.Minute // in which everybody recovers
)

func drawSpans(t *rapid.T, name string, least int) []span {
	var spans []span
	for range rapid.IntRange(least, 3).Draw(t, name) {
		from := time.Duration(rapid.IntRange(0, int(simEnd/time.Second)-1).Draw(t, name+" from")) * time.Second
		length := time.Duration(rapid.IntRange(1, 300).Draw(t, name+" length")) * time.Second
		spans = append(spans, span{from, min(from+length, simEnd)})
	}
	return spans
}

func drawPlan(t *rapid.T) plan {
	p := plan{replicas: rapid.IntRange(1, 4).Draw(t, "replicas")}
	p.sick = rapid.IntRange(-1, p.replicas-1).Draw(t, "sick")
	p.dies = rapid.IntRange(-1, p.replicas-1).Draw(t, "dies")
	p.diesAt = time.Duration(rapid.IntRange(0, int(simEnd/time.Second)).Draw(t, "dies at")) * time.Second
	p.call = time.Duration(rapid.IntRange(1, 25_000).Draw(t, "call")) * time.Millisecond
	p.lag = time.Duration(rapid.IntRange(0, 1000).Draw(t, "lag")) * time.Millisecond
	p.outages = drawSpans(t, "outages", 1)
	p.gaps = drawSpans(t, "gaps", 0)
	return p
}

// probe is one that was made.
type probe struct {
	by         int
	start, end time.Duration
	ok         bool
	pause      time.Duration // after a failed one
}

// simulation is a plan being carried out.
type simulation struct {
	plan

	began time.Time
	fleet *fakeFleet
	sets  []*breaker.Set

	mu     sync.Mutex
	probes []probe
}

// link is a replica's way to the fleet, which is cut when it is killed.
type link struct {
	*fakeFleet

	sim *simulation
	who int
}

func (l link) dead() bool { return l.who == l.sim.dies && l.sim.now() >= l.sim.diesAt }

func (l link) ClaimProbe(ctx context.Context, name, holder string, hold time.Duration) (time.Duration, error) {
	if l.dead() || within(l.sim.gaps, l.sim.now()) {
		return 0, errDown
	}
	return l.fakeFleet.ClaimProbe(ctx, name, holder, hold)
}

func (l link) EndProbe(ctx context.Context, name, holder string, pause time.Duration) error {
	if l.dead() || within(l.sim.gaps, l.sim.now()) {
		return errDown
	}
	return l.fakeFleet.EndProbe(ctx, name, holder, pause)
}

func (s *simulation) now() time.Duration { return time.Since(s.began) }

// run carries the plan out and returns the fleet's probes.
func (s *simulation) run() {
	s.began = time.Now()
	s.fleet = newFleet()
	s.fleet.lag = s.lag
	ctx, cancel := context.WithTimeout(context.Background(), simEnd+simRest)
	defer cancel()
	var all sync.WaitGroup
	for i := range s.replicas {
		set := breaker.NewSet(breaker.Options{
			FailMax: 2, ResetTimeout: 20 * time.Second, MaxOpen: 3 * time.Minute, ProbeTimeout: 30 * time.Second,
			Fleet: link{s.fleet, s, i}, Holder: fmt.Sprint(i),
		})
		s.sets = append(s.sets, set)
		all.Go(func() { _ = set.Run(ctx) })
		all.Go(func() { s.use(ctx, i, set.Get("slack")) })
	}
	all.Wait()
}

// use makes calls, one after the other, for as long as the replica lives.
func (s *simulation) use(ctx context.Context, who int, b *breaker.Breaker) {
	for ctx.Err() == nil && (who != s.dies || s.now() < s.diesAt) {
		<-time.After(200 * time.Millisecond)
		trial := b.State() != breaker.Closed
		permit, ok := b.Allow()
		if !ok {
			continue
		}
		start := s.now()
		<-time.After(s.call)
		well := who != s.sick && !within(s.outages, s.now())
		end := s.now()
		if who == s.dies && end >= s.diesAt {
			permit.Cancel() // nobody is left to hear the answer
			return
		}
		if well {
			permit.Success()
		} else {
			permit.Failure()
		}
		if trial {
			s.mu.Lock()
			s.probes = append(s.probes, probe{who, start, end, well, b.Snapshot().OpenFor})
			s.mu.Unlock()
		}
	}
}

// faults compares what happened with what was promised.
func (s *simulation) faults() []string {
	var found []string
	for i, set := range s.sets {
		if i == s.dies || i == s.sick {
			continue
		}
		if b := set.Get("slack").Snapshot(); b.State != breaker.Closed {
			found = append(found, fmt.Sprintf("replica %d is %s long after the last fault: %+v", i, b.State, b))
		}
	}
	if len(s.gaps) > 0 {
		return found // without the database everybody is alone
	}
	slices.SortFunc(s.probes, func(a, b probe) int { return int(a.start - b.start) })
	for i := 1; i < len(s.probes); i++ {
		before, p := s.probes[i-1], s.probes[i]
		if p.start < before.end {
			found = append(found, fmt.Sprintf("two probes at once: %+v, %+v", before, p))
		}
		// A replica that was killed may have taken the news with it.
		told := before.by != s.dies || before.end+4*time.Second < s.diesAt
		if !before.ok && told && p.start < before.end+before.pause {
			found = append(found, fmt.Sprintf("a probe in the pause: %+v, %+v", before, p))
		}
	}
	return found
}

func TestFleet_KeepsItsPromisesWhateverHappens(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := &simulation{plan: drawPlan(rt)}
		synctest.Test(t, func(*testing.T) { s.run() })
		for _, f := range s.faults() {
			rt.Errorf("%s", f)
		}
	})
}
