package runbook

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// limitView is a rate limit in the whole fleet, over the last minute.
type limitView struct {
	Name string `json:"name"`
	// Value and source are what most live replicas report; of an override that
	// no replica has heard of, or where none runs, the override itself.
	Value     *string        `json:"value"`
	Source    *string        `json:"source"`
	Override  *limitOverride `json:"override"`
	Allowed   int64          `json:"allowed_per_minute"`
	Denied    int64          `json:"denied_per_minute"`
	TopDenied []deniedClient `json:"top_denied"`
	Replicas  []limitReplica `json:"replicas"`
}

type limitOverride struct {
	Value     string    `json:"value"`
	Until     timestamp `json:"until"`
	Reason    string    `json:"reason"`
	Actor     string    `json:"actor"`
	CreatedAt timestamp `json:"created_at"`
}

type deniedClient struct {
	Client string `json:"client"`
	Count  int64  `json:"count"`
}

// limitReplica is a limit in one replica.
type limitReplica struct {
	Instance string `json:"instance"`
	Value    string `json:"value"`
	Source   string `json:"source"`
	Allowed  int64  `json:"allowed_per_minute"`
	Denied   int64  `json:"denied_per_minute"`
	Stale    bool   `json:"stale"`
}

type blockView struct {
	Network   string    `json:"network"`
	Until     timestamp `json:"until"`
	Reason    string    `json:"reason"`
	Actor     string    `json:"actor"`
	CreatedAt timestamp `json:"created_at"`
}

// limiterReplica is the limiter of one replica.
type limiterReplica struct {
	Instance    string    `json:"instance"`
	Backend     string    `json:"backend"`
	Enabled     bool      `json:"enabled"`
	Blocked     int64     `json:"blocked_per_minute"`
	HeartbeatAt timestamp `json:"heartbeat_at"`
	Stale       bool      `json:"stale"`

	age time.Duration
}

// topDenied is how many clients are shown for a limit.
const topDenied = 10

// limits are the names of all limits: the usual ones, and what replicas and
// overrides name.
func (f *fleet) limits() []string {
	var others []string
	for i := range f.replicas {
		for _, l := range f.replicas[i].Report.Limiter.Limits {
			others = append(others, l.Name)
		}
	}
	for i := range f.controls.Overrides {
		others = append(others, f.controls.Overrides[i].Name)
	}
	slices.Sort(others)
	names := slices.Clone(limitNames)
	for _, name := range others {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// viewLimit puts together what the replicas and the orders say of a limit.
func (f *fleet) viewLimit(name string) limitView {
	v := limitView{Name: name, Replicas: []limitReplica{}}
	denied := map[string]int64{}
	for i := range f.replicas {
		replica := &f.replicas[i]
		for _, l := range replica.Report.Limiter.Limits {
			if l.Name != name {
				continue
			}
			v.Replicas = append(v.Replicas, limitReplica{
				Instance: replica.Name, Value: l.Value, Source: l.Source, Allowed: l.Allowed, Denied: l.Denied, Stale: replica.Stale(),
			})
			if replica.Stale() {
				continue
			}
			v.Allowed += l.Allowed
			v.Denied += l.Denied
			for _, d := range l.TopDenied {
				denied[d.Client] += d.Count
			}
		}
	}
	v.TopDenied = mostDenied(denied)
	v.settle()
	if o := f.override(name); o != nil {
		v.Override = &limitOverride{Value: o.Value, Until: timestamp(o.Until), Reason: o.Reason, Actor: o.Actor, CreatedAt: timestamp(o.CreatedAt)}
		if source := "override"; v.Value == nil {
			v.Value, v.Source = &o.Value, &source
		}
	}
	return v
}

// settle finds the value that most live replicas report.
func (v *limitView) settle() {
	type kind struct{ value, source string }
	votes := map[kind]int{}
	best := kind{}
	for _, r := range v.Replicas {
		if r.Stale {
			continue
		}
		k := kind{r.Value, r.Source}
		votes[k]++
		if votes[k] > votes[best] {
			best = k
		}
	}
	if len(votes) > 0 {
		v.Value, v.Source = &best.value, &best.source
	}
}

// agreeing is how many live replicas report the limit, and how many of them its
// value.
func (v *limitView) agreeing() (fresh, same int) {
	for _, r := range v.Replicas {
		if r.Stale {
			continue
		}
		fresh++
		if v.Value != nil && r.Value == *v.Value {
			same++
		}
	}
	return fresh, same
}

// mostDenied are the clients that were refused most, over all replicas.
func mostDenied(counts map[string]int64) []deniedClient {
	list := make([]deniedClient, 0, len(counts))
	for client, n := range counts {
		list = append(list, deniedClient{client, n})
	}
	slices.SortFunc(list, func(a, b deniedClient) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Client, b.Client))
	})
	return list[:min(len(list), topDenied)]
}

// viewBlock is a block as it is shown.
func viewBlock(b *chatops.ClientBlock) blockView {
	return blockView{Network: b.Network, Until: timestamp(b.Until), Reason: b.Reason, Actor: b.Actor, CreatedAt: timestamp(b.CreatedAt)}
}
