package breaker

import (
	"slices"
	"strings"
	"sync"

	"chatops/internal/chatops"
)

// Set holds the breakers of a process, one per integration, all with the same
// options. It is safe for concurrent use.
type Set struct {
	opts Options
	gate gate

	applying sync.Mutex // held by Apply

	mu       sync.RWMutex
	m        map[string]*Breaker
	orders   orders
	watchers map[int]func(Change)
	watched  int
}

// NewSet returns an empty set whose breakers will have the given options.
func NewSet(opts Options) *Set {
	opts.complete()
	s := &Set{opts: opts, m: make(map[string]*Breaker), watchers: make(map[int]func(Change))}
	s.orders.since = opts.NowFunc()
	s.opts.ChangeFunc = func(c Change) {
		if opts.ChangeFunc != nil {
			opts.ChangeFunc(c)
		}
		s.tell(c)
	}
	s.gate.init(&opts, s.tell)
	return s
}

// Get returns the breaker of an integration, made on first use.
func (s *Set) Get(name string) *Breaker {
	if b := s.Lookup(name); b != nil {
		return b
	}
	s.mu.Lock()
	b, ok := s.m[name]
	var order orderInForce
	if !ok {
		b = New(name, s.opts)
		b.gate = &s.gate
		s.m[name] = b
		order = s.orders.latest[name]
	}
	s.mu.Unlock()
	if order.mode == chatops.BreakerTripped {
		b.obey(order)
	}
	return b
}

// Lookup returns the breaker of an integration, or nil when there is none.
func (s *Set) Lookup(name string) *Breaker {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.m[name]
}

// Watch has a function told of every change of state, and of every probe that
// the fleet grants (a Change whose From and To are alike), until stop is called.
// It is called without a lock held and must not wait.
func (s *Set) Watch(f func(Change)) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watched++
	id := s.watched
	s.watchers[id] = f
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watchers, id)
	}
}

func (s *Set) tell(c Change) {
	s.mu.RLock()
	fs := make([]func(Change), 0, len(s.watchers))
	for _, f := range s.watchers {
		fs = append(fs, f)
	}
	s.mu.RUnlock()
	for _, f := range fs {
		f(c)
	}
}

// all returns the breakers in no particular order.
func (s *Set) all() []*Breaker {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]*Breaker, 0, len(s.m))
	for _, b := range s.m {
		all = append(all, b)
	}
	return all
}

// Snapshots returns every breaker as it stands now, ordered by name.
func (s *Set) Snapshots() []Snapshot {
	bs := s.all()
	all := make([]Snapshot, 0, len(bs))
	for _, b := range bs {
		all = append(all, b.Snapshot())
	}
	slices.SortFunc(all, func(a, b Snapshot) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Report returns every breaker for the heartbeat of this process, ordered by
// name.
func (s *Set) Report() []chatops.BreakerReport {
	snapshots := s.Snapshots()
	all := make([]chatops.BreakerReport, len(snapshots))
	for i := range snapshots {
		all[i] = snapshots[i].Report()
	}
	return all
}
