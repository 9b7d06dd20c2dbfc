package runbook

import (
	"slices"
	"time"

	"chatops/internal/chatops"
)

// The states of a breaker.
const (
	stateClosed   = "closed"
	stateHalfOpen = "half_open"
	stateOpen     = "open"
	stateForced   = "forced_open"
	stateUnknown  = "unknown" // no live replica reports it
)

// badness orders the states; the worst is shown.
var badness = []string{stateClosed, stateHalfOpen, stateOpen, stateForced}

// breakerView is a breaker in the whole fleet.
type breakerView struct {
	Name         string           `json:"name"`
	State        string           `json:"state"`
	FailCount    *int             `json:"fail_count"` // these three are null while no replica reports
	FailMax      *int             `json:"fail_max"`
	ResetTimeout *float64         `json:"reset_timeout_seconds"`
	OpenedAt     timestamp        `json:"opened_at"`
	RetryAt      timestamp        `json:"retry_at"`
	Reason       string           `json:"reason"`
	Order        *orderInForce    `json:"order"`
	Replicas     []breakerReplica `json:"replicas"`

	now time.Time
}

// orderInForce is the latest order for a breaker.
type orderInForce struct {
	Mode      chatops.BreakerMode `json:"mode"`
	Until     timestamp           `json:"until"`
	Reason    string              `json:"reason"`
	Actor     string              `json:"actor"`
	CreatedAt timestamp           `json:"created_at"`
}

// breakerReplica is a breaker in one replica. The state of a stale one is what
// it last said.
type breakerReplica struct {
	Instance    string    `json:"instance"`
	State       string    `json:"state"`
	FailCount   int       `json:"fail_count"`
	OpenedAt    timestamp `json:"opened_at"`
	RetryAt     timestamp `json:"retry_at"`
	Reason      string    `json:"reason"`
	HeartbeatAt timestamp `json:"heartbeat_at"`
	Stale       bool      `json:"stale"`

	age time.Duration
}

// viewBreaker puts together what the replicas and the orders say of a breaker.
func (f *fleet) viewBreaker(name string) breakerView {
	v := breakerView{Name: name, State: stateUnknown, Replicas: []breakerReplica{}, now: f.controls.Now}
	for i := range f.replicas {
		replica := &f.replicas[i]
		for _, b := range replica.Report.Breakers {
			if b.Name != name {
				continue
			}
			v.Replicas = append(v.Replicas, breakerReplica{
				Instance: replica.Name, State: b.State, FailCount: b.FailCount,
				OpenedAt: timestamp(b.OpenedAt), RetryAt: timestamp(b.RetryAt), Reason: b.Reason,
				HeartbeatAt: timestamp(replica.HeartbeatAt), Stale: replica.Stale(), age: replica.Age,
			})
			if !replica.Stale() {
				v.add(b)
			}
		}
	}
	if o := f.order(name); o != nil {
		v.Order = &orderInForce{Mode: o.Mode, Until: timestamp(o.Until), Reason: o.Reason, Actor: o.Actor, CreatedAt: timestamp(o.CreatedAt)}
		if o.Mode == chatops.BreakerTripped {
			v.State, v.OpenedAt, v.RetryAt, v.Reason = stateForced, timestamp(o.CreatedAt), timestamp(o.Until), o.Reason
		}
	}
	return v
}

// add takes the report of a live replica into the whole: the worst state, how
// long it has lasted, and the next probe of any replica.
func (v *breakerView) add(b chatops.BreakerReport) {
	v.FailCount, v.FailMax = greatest(v.FailCount, b.FailCount), greatest(v.FailMax, b.FailMax)
	v.ResetTimeout = greatest(v.ResetTimeout, b.ResetTimeoutSeconds)
	switch old, now := slices.Index(badness, v.State), slices.Index(badness, b.State); {
	case now > old:
		v.State, v.OpenedAt, v.RetryAt, v.Reason = b.State, timestamp(b.OpenedAt), timestamp(b.RetryAt), b.Reason
	case now == old:
		v.OpenedAt, v.RetryAt = earliest(v.OpenedAt, b.OpenedAt), earliest(v.RetryAt, b.RetryAt)
		if v.Reason == "" {
			v.Reason = b.Reason
		}
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
func earliest(a timestamp, b time.Time) timestamp {
	if t := time.Time(a); b.IsZero() || !t.IsZero() && t.Before(b) {
		return a
	}
	return timestamp(b)
}

// reporting is how many live replicas report the breaker, how many of those
// are in its state, and how many replicas are stale.
func (v *breakerView) reporting() (fresh, same, gone int) {
	for i := range v.Replicas {
		switch r := &v.Replicas[i]; {
		case r.Stale:
			gone++
		case r.State == v.State:
			same++
			fresh++
		default:
			fresh++
		}
	}
	return fresh, same, gone
}
