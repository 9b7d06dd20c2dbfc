package consent

import (
	"sync/atomic"

	"chatops/internal/chatops"
)

// Learned are marks that become known once the keys do: an installation without
// CONSENT_KEYS keeps its keys in the database, which must be open to be read.
type Learned struct{ marks atomic.Pointer[Marks] }

// Learn makes the marks of keys from now on; keys that cannot be used leave
// everything as it is.
func (l *Learned) Learn(keys []chatops.ConsentKey) {
	if m, err := NewMarks(keys); err == nil && len(keys) > 0 {
		l.marks.Store(m)
	}
}

// Of returns the marks of a normalised address, none while no key is known.
func (l *Learned) Of(emailKey string) []string {
	if m := l.marks.Load(); m != nil {
		return m.Of(emailKey)
	}
	return nil
}
