package runbook

import (
	"time"

	"chatops/internal/chatops"
)

// The states of a breaker.
const (
	stateClosed   = chatops.StateClosed
	stateHalfOpen = chatops.StateHalfOpen
	stateOpen     = chatops.StateOpen
	stateForced   = chatops.StateForced
	stateUnknown  = chatops.StateUnknown
)

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

	now   time.Time
	whole chatops.FleetBreaker
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

// viewBreaker is a breaker as it is shown.
func (f *fleet) viewBreaker(name string) breakerView {
	b := f.Breaker(name)
	v := breakerView{
		Name: name, State: b.State, FailCount: b.FailCount, FailMax: b.FailMax, ResetTimeout: b.ResetTimeout,
		OpenedAt: timestamp(b.OpenedAt), RetryAt: timestamp(b.RetryAt), Reason: b.Reason,
		Replicas: make([]breakerReplica, len(b.Replicas)), now: f.Controls.Now, whole: b,
	}
	for i := range b.Replicas {
		r := &b.Replicas[i]
		v.Replicas[i] = breakerReplica{
			Instance: r.Instance.Name, State: r.State, FailCount: r.FailCount,
			OpenedAt: timestamp(r.OpenedAt), RetryAt: timestamp(r.RetryAt), Reason: r.Reason,
			HeartbeatAt: timestamp(r.Instance.HeartbeatAt), Stale: r.Instance.Stale(), age: r.Instance.Age,
		}
	}
	if o := b.Order; o != nil {
		v.Order = &orderInForce{Mode: o.Mode, Until: timestamp(o.Until), Reason: o.Reason, Actor: o.Actor, CreatedAt: timestamp(o.CreatedAt)}
	}
	return v
}

// reporting is how many live replicas report the breaker, how many of those are
// in its state, and how many replicas are stale.
func (v *breakerView) reporting() (fresh, same, gone int) { return v.whole.Reporting() }
