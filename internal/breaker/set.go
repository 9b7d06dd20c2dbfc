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
	m    sync.Map // name -> *Breaker
}

// NewSet returns an empty set whose breakers will have the given options.
func NewSet(opts Options) *Set { return &Set{opts: opts} }

// Get returns the breaker of an integration, made on first use.
func (s *Set) Get(name string) *Breaker {
	if b, ok := s.m.Load(name); ok {
		return b.(*Breaker)
	}
	b, _ := s.m.LoadOrStore(name, New(name, s.opts))
	return b.(*Breaker)
}

// Lookup returns the breaker of an integration, or nil when there is none.
func (s *Set) Lookup(name string) *Breaker {
	if b, ok := s.m.Load(name); ok {
		return b.(*Breaker)
	}
	return nil
}

// Snapshots returns every breaker as it stands now, ordered by name.
func (s *Set) Snapshots() []Snapshot {
	var all []Snapshot
	s.m.Range(func(_, b any) bool {
		all = append(all, b.(*Breaker).Snapshot())
		return true
	})
	slices.SortFunc(all, func(a, b Snapshot) int { return strings.Compare(a.Name, b.Name) })
	return all
}
