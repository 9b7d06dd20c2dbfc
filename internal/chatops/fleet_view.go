package chatops

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// Fleet is what is known of every replica at one moment: what operators have
// ordered, and what the replicas report.
type Fleet struct {
	Controls *Controls  `json:"controls"`
	Replicas []Instance `json:"replicas"`
}

// The states of a breaker.
const (
	StateClosed   = "closed"
	StateHalfOpen = "half_open"
	StateOpen     = "open"
	StateForced   = "forced_open"
	StateUnknown  = "unknown" // no live replica reports it
)

// badness orders the states; the worst is that of the fleet.
var badness = []string{StateClosed, StateHalfOpen, StateOpen, StateForced}

// Live are the replicas that report.
func Live(replicas []Instance) []Instance {
	return slices.DeleteFunc(slices.Clone(replicas), func(i Instance) bool { return i.Stale() })
}

// Order is the latest order for a breaker, nil when none was ever given.
func (f *Fleet) Order(name string) *BreakerOrder {
	return find(f.Controls.Breakers, func(o *BreakerOrder) bool { return o.Name == name })
}

// Override is the override of a limit that is in force, or nil.
func (f *Fleet) Override(name string) *LimitOverride {
	return find(f.Controls.Overrides, func(o *LimitOverride) bool { return o.Name == name })
}

func find[T any](list []T, is func(*T) bool) *T {
	for i := range list {
		if is(&list[i]) {
			return &list[i]
		}
	}
	return nil
}

// UsualBreakers are the names of those that exist whether or not a replica runs.
func UsualBreakers() []string { return []string{"slack", "monday", "email", "llm"} }

// UsualLimits are the names of those that exist whether or not a replica runs.
func UsualLimits() []string { return []string{"chat", "api", "health", "consent", "leads"} }

// BreakerNames are the names of all breakers that are known: of the usual
// integrations, others that the caller knows, and what replicas and orders name.
func (f *Fleet) BreakerNames(others ...string) []string {
	for i := range f.Replicas {
		for _, b := range f.Replicas[i].Report.Breakers {
			others = append(others, b.Name)
		}
	}
	for i := range f.Controls.Breakers {
		others = append(others, f.Controls.Breakers[i].Name)
	}
	return withOthers(UsualBreakers(), others)
}

// LimitNames are the names of all limits: the usual ones, and what replicas and
// overrides name.
func (f *Fleet) LimitNames() []string {
	var others []string
	for i := range f.Replicas {
		for _, l := range f.Replicas[i].Report.Limiter.Limits {
			others = append(others, l.Name)
		}
	}
	for i := range f.Controls.Overrides {
		others = append(others, f.Controls.Overrides[i].Name)
	}
	return withOthers(UsualLimits(), others)
}

// withOthers are the usual names and then the others, sorted and each once.
func withOthers(names, others []string) []string {
	for _, name := range slices.Sorted(slices.Values(others)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// FleetBreaker is a breaker in the whole fleet: the worst state that a live
// replica reports, how long it has lasted, and the next probe of any replica.
type FleetBreaker struct {
	Name         string
	State        string
	FailCount    *int // these three are nil while no replica reports
	FailMax      *int
	ResetTimeout *float64
	OpenedAt     time.Time
	RetryAt      time.Time
	Reason       string
	Order        *BreakerOrder // the latest, nil when none was given
	Replicas     []ReplicaBreaker
}

// ReplicaBreaker is a breaker in one replica. The state of a stale one is what
// it last said.
type ReplicaBreaker struct {
	Instance *Instance
	BreakerReport
}

// Breaker puts together what the replicas and the orders say of a breaker.
func (f *Fleet) Breaker(name string) FleetBreaker {
	b := FleetBreaker{Name: name, State: StateUnknown}
	for i := range f.Replicas {
		replica := &f.Replicas[i]
		for _, r := range replica.Report.Breakers {
			if r.Name != name {
				continue
			}
			b.Replicas = append(b.Replicas, ReplicaBreaker{replica, r})
			if !replica.Stale() {
				b.add(&r)
			}
		}
	}
	if b.Order = f.Order(name); b.Order != nil && b.Order.Mode == BreakerTripped {
		b.State, b.OpenedAt, b.RetryAt, b.Reason = StateForced, b.Order.CreatedAt, b.Order.Until, b.Order.Reason
	}
	return b
}

// add takes the report of a live replica into the whole.
func (b *FleetBreaker) add(r *BreakerReport) {
	b.FailCount, b.FailMax = greatest(b.FailCount, r.FailCount), greatest(b.FailMax, r.FailMax)
	b.ResetTimeout = greatest(b.ResetTimeout, r.ResetTimeoutSeconds)
	switch old, now := slices.Index(badness, b.State), slices.Index(badness, r.State); {
	case now > old:
		b.State, b.OpenedAt, b.RetryAt, b.Reason = r.State, r.OpenedAt, r.RetryAt, r.Reason
	case now == old:
		b.OpenedAt, b.RetryAt = earliest(b.OpenedAt, r.OpenedAt), earliest(b.RetryAt, r.RetryAt)
		b.Reason = cmp.Or(b.Reason, r.Reason)
	}
}

// greatest is the greater of a number, where there is one, and another.
func greatest[N int | float64](a *N, b N) *N {
	if a != nil {
		b = max(*a, b)
	}
	return &b
}

// earliest is the earlier of two moments, of which the zero time is none.
func earliest(a, b time.Time) time.Time {
	if b.IsZero() || !a.IsZero() && a.Before(b) {
		return a
	}
	return b
}

// Reporting is how many live replicas report the breaker, how many of those are
// in its state, and how many replicas are stale.
func (b *FleetBreaker) Reporting() (fresh, same, gone int) {
	for i := range b.Replicas {
		switch r := &b.Replicas[i]; {
		case r.Instance.Stale():
			gone++
		case r.State == b.State:
			same++
			fresh++
		default:
			fresh++
		}
	}
	return fresh, same, gone
}

// FleetLimit is a rate limit in the whole fleet, over the last minute.
type FleetLimit struct {
	Name string
	// Value and Source are what most live replicas report; of an override that
	// no replica has heard of, or where none runs, the override itself. Both are
	// "" where nobody tells.
	Value, Source   string
	Override        *LimitOverride // in force, or nil
	Allowed, Denied int64          // over all live replicas
	TopDenied       []DeniedClient
	Replicas        []ReplicaLimit
}

// ReplicaLimit is a limit in one replica.
type ReplicaLimit struct {
	Instance *Instance
	LimitReport
}

// topDenied is how many clients are named for a limit.
const topDenied = 10

// Limit puts together what the replicas and the orders say of a limit.
func (f *Fleet) Limit(name string) FleetLimit {
	l := FleetLimit{Name: name}
	denied := map[string]int64{}
	for i := range f.Replicas {
		replica := &f.Replicas[i]
		for _, r := range replica.Report.Limiter.Limits {
			if r.Name != name {
				continue
			}
			l.Replicas = append(l.Replicas, ReplicaLimit{replica, r})
			if replica.Stale() {
				continue
			}
			l.Allowed += r.Allowed
			l.Denied += r.Denied
			for _, d := range r.TopDenied {
				denied[d.Client] += d.Count
			}
		}
	}
	l.TopDenied = mostDenied(denied)
	l.settle()
	if l.Override = f.Override(name); l.Override != nil && l.Source == "" {
		l.Value, l.Source = l.Override.Value, "override"
	}
	return l
}

// settle finds the value that most live replicas report.
func (l *FleetLimit) settle() {
	type kind struct{ value, source string }
	votes := map[kind]int{}
	best := kind{}
	for i := range l.Replicas {
		r := &l.Replicas[i]
		if r.Instance.Stale() {
			continue
		}
		k := kind{r.Value, r.Source}
		votes[k]++
		if votes[k] > votes[best] {
			best = k
		}
	}
	l.Value, l.Source = best.value, best.source
}

// Agreeing is how many live replicas report the limit, and how many of them its
// value.
func (l *FleetLimit) Agreeing() (fresh, same int) {
	for i := range l.Replicas {
		r := &l.Replicas[i]
		if r.Instance.Stale() {
			continue
		}
		fresh++
		if l.Source != "" && r.Value == l.Value {
			same++
		}
	}
	return fresh, same
}

// mostDenied are the clients that were refused most, over all replicas.
func mostDenied(counts map[string]int64) []DeniedClient {
	list := make([]DeniedClient, 0, len(counts))
	for _, client := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, DeniedClient{client, counts[client]})
	}
	slices.SortStableFunc(list, func(a, b DeniedClient) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Client, b.Client))
	})
	return list[:min(len(list), topDenied)]
}
