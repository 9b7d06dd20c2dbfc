package runbook

import (
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

	whole chatops.FleetLimit
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

// viewLimit is a limit as it is shown.
func (f *fleet) viewLimit(name string) limitView {
	l := f.Limit(name)
	v := limitView{
		Name: name, Allowed: l.Allowed, Denied: l.Denied,
		TopDenied: make([]deniedClient, len(l.TopDenied)), Replicas: make([]limitReplica, len(l.Replicas)), whole: l,
	}
	for i, d := range l.TopDenied {
		v.TopDenied[i] = deniedClient(d)
	}
	for i := range l.Replicas {
		r := &l.Replicas[i]
		v.Replicas[i] = limitReplica{
			Instance: r.Instance.Name, Value: r.Value, Source: r.Source, Allowed: r.Allowed, Denied: r.Denied, Stale: r.Instance.Stale(),
		}
	}
	if l.Source != "" {
		v.Value, v.Source = &l.Value, &l.Source
	}
	if o := l.Override; o != nil {
		v.Override = &limitOverride{Value: o.Value, Until: timestamp(o.Until), Reason: o.Reason, Actor: o.Actor, CreatedAt: timestamp(o.CreatedAt)}
	}
	return v
}

// agreeing is how many live replicas report the limit, and how many of them its
// value.
func (v *limitView) agreeing() (fresh, same int) { return v.whole.Agreeing() }

// viewBlock is a block as it is shown.
func viewBlock(b *chatops.ClientBlock) blockView {
	return blockView{Network: b.Network, Until: timestamp(b.Until), Reason: b.Reason, Actor: b.Actor, CreatedAt: timestamp(b.CreatedAt)}
}
