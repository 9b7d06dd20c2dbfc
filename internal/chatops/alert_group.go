package chatops

import (
	"cmp"
	"slices"
	"time"
)

// AlertGroup is the pending and failed alerts of one cause.
type AlertGroup struct {
	Fingerprint string `json:"fingerprint"` // "": alerts whose cause is not known
	// Pending and Failed are exact unless More is set: then at least one of them
	// stopped at the bound that the caller gave.
	Pending int64     `json:"pending"`
	Failed  int64     `json:"failed"`
	More    bool      `json:"more,omitempty"`
	First   time.Time `json:"first,omitzero"` // created_at of the oldest
	Last    time.Time `json:"last,omitzero"`  // and of the newest
	// EventType, Target and Sample are those of the newest failed alert, or of
	// the newest pending one where none has failed.
	EventType string `json:"event_type"`
	Target    string `json:"target,omitempty"`
	Sample    string `json:"sample,omitempty"` // redacted error text
}

// Total is the number of the group's alerts.
func (g *AlertGroup) Total() int64 { return g.Pending + g.Failed }

// AlertGroups are the largest causes, as far as they were looked for.
type AlertGroups struct {
	Groups []AlertGroup `json:"groups"`         // the largest first
	Causes int          `json:"causes"`         // how many there are
	More   bool         `json:"more,omitempty"` // there are more, which may be larger
}

// CausesLookedAt is how many causes a store looks at to find the largest so many.
func CausesLookedAt(limit int) int { return 4 * limit }

// BoundGroups finishes what a store has read: the number of causes that it has
// looked at, one more at most than it may, and groups whose statuses were counted
// up to one past the bound, at most one more of them than the limit, and an empty
// one where no alert is without a cause. The largest come first, and of equal ones
// the newest.
func BoundGroups(groups []AlertGroup, causes, limit, countTo int) *AlertGroups {
	explained := slices.IndexFunc(groups, func(g AlertGroup) bool { return g.Fingerprint == "" && g.Total() > 0 }) < 0
	groups = slices.DeleteFunc(groups, func(g AlertGroup) bool { return g.Total() == 0 })
	bound := int64(countTo)
	for i := range groups {
		g := &groups[i]
		if g.Pending > bound || g.Failed > bound {
			g.Pending, g.Failed, g.More = min(g.Pending, bound), min(g.Failed, bound), true
		}
	}
	slices.SortStableFunc(groups, func(a, b AlertGroup) int {
		return cmp.Or(cmp.Compare(b.Total(), a.Total()), b.Last.Compare(a.Last), cmp.Compare(a.Fingerprint, b.Fingerprint))
	})
	most := CausesLookedAt(limit)
	bounded := &AlertGroups{Causes: min(causes, most), More: causes > most, Groups: groups[:min(len(groups), max(limit, 0))]}
	if !explained { // no cause is one more
		bounded.Causes++
	}
	return bounded
}
