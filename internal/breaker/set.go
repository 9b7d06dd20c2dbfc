package breaker

import (
	"slices"
	"strings"
	"sync"
)

// Set holds the breakers of a process, one per integration, all with the same
// options. It is safe for concurrent use.
type Set struct {
	opts Options

	mu sync.RWMutex
	m  map[string]*Breaker
}

// NewSet returns an empty set whose breakers will have the given options.
func NewSet(opts Options) *Set { return &Set{opts: opts, m: make(map[string]*Breaker)} }

// Get returns the breaker of an integration, made on first use.
func (s *Set) Get(name string) *Breaker {
	if b := s.Lookup(name); b != nil {
		return b
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.m[name]
	if !ok {
		b = New(name, s.opts)
		s.m[name] = b
	}
	return b
}

// Lookup returns the breaker of an integration, or nil when there is none.
func (s *Set) Lookup(name string) *Breaker {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.m[name]
}

// Snapshots returns every breaker as it stands now, ordered by name.
func (s *Set) Snapshots() []Snapshot {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]Snapshot, 0, len(s.m))
	for _, b := range s.m {
		all = append(all, b.Snapshot())
	}
	slices.SortFunc(all, func(a, b Snapshot) int { return strings.Compare(a.Name, b.Name) })
	return all
}
