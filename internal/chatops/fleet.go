package chatops

import (
	"context"
	"time"
)

// BreakerMode is what an operator wants of an integration's circuit breaker, in
// every replica.
type BreakerMode string

// The modes.
const (
	// BreakerAuto: every replica judges by itself. A breaker that was tripped
	// admits a probe next.
	BreakerAuto BreakerMode = "auto"
	// BreakerReset: closed once, with its failures forgotten, when the order
	// arrives; its own judgement from then on.
	BreakerReset BreakerMode = "reset"
	// BreakerTripped: open, whatever the integration answers, until another
	// order or Until.
	BreakerTripped BreakerMode = "tripped"
)

// BreakerOrder is the latest order for one integration.
type BreakerOrder struct {
	Name string      `json:"name"` // of the integration
	Mode BreakerMode `json:"mode"`
	// For is how long a tripped breaker stays open, counted by the database's
	// clock; 0: without an end. It is read by OrderBreaker only.
	For    time.Duration `json:"for,omitempty"`
	Reason string        `json:"reason,omitempty"`
	Actor  string        `json:"actor,omitempty"`

	// Set by the store.
	Until     time.Time `json:"until,omitzero"` // zero: without an end
	CreatedAt time.Time `json:"created_at,omitzero"`
	Revision  int64     `json:"revision"`
}

// LimitOverride replaces the configured value of a rate limit in every replica.
type LimitOverride struct {
	Name   string        `json:"name"`            // of the limit: "chat"
	Value  string        `json:"value,omitempty"` // as the limit grammar writes it: "100 per minute"
	For    time.Duration `json:"for,omitempty"`   // as in BreakerOrder
	Reason string        `json:"reason,omitempty"`
	Actor  string        `json:"actor,omitempty"`

	// Set by the store.
	Until     time.Time `json:"until,omitzero"` // zero: without an end
	CreatedAt time.Time `json:"created_at,omitzero"`
	Revision  int64     `json:"revision"`
}

// ClientBlock refuses every limited request of a network.
type ClientBlock struct {
	Network string        `json:"network"`       // in canonical form with its length: "203.0.113.7/32"
	For     time.Duration `json:"for,omitempty"` // as in BreakerOrder
	Reason  string        `json:"reason,omitempty"`
	Actor   string        `json:"actor,omitempty"`

	// Set by the store.
	Until     time.Time `json:"until,omitzero"` // zero: without an end
	CreatedAt time.Time `json:"created_at,omitzero"`
	Revision  int64     `json:"revision"`
}

// Controls is everything that operators have ordered and that is in force.
type Controls struct {
	// Breakers holds the latest order of each integration, ordered by name. A
	// trip that has expired is BreakerAuto.
	Breakers  []BreakerOrder  `json:"breakers"`
	Overrides []LimitOverride `json:"overrides"` // ordered by name; expired ones are left out
	Blocks    []ClientBlock   `json:"blocks"`    // ordered by network; expired ones are left out
	// Revision grows by one with every order, whatever it is about, in the order
	// in which they were committed: whoever has seen it has seen all orders up
	// to it.
	Revision int64     `json:"revision"`
	Now      time.Time `json:"now,omitzero"` // the database's clock
}

// ControlStore keeps the orders of operators to every replica.
type ControlStore interface {
	// OrderBreaker stores an order in place of the integration's former one and
	// sets its Until, CreatedAt and Revision. It ends the pause between two
	// probes (InstanceStore). CodeInvalid for an unknown mode,
	// an empty name or a negative For.
	OrderBreaker(ctx context.Context, o *BreakerOrder) error
	// SetLimitOverride stores an override in place of the limit's former one.
	// CodeInvalid for an empty name or value or a negative For.
	SetLimitOverride(ctx context.Context, o *LimitOverride) error
	// UnsetLimitOverride removes the override of a limit and returns the new
	// revision, or CodeNotFound when none is in force.
	UnsetLimitOverride(ctx context.Context, name string) (revision int64, err error)
	// BlockClient stores a block in place of the network's former one.
	// CodeInvalid for an empty network or a negative For.
	BlockClient(ctx context.Context, b *ClientBlock) error
	// UnblockClient removes the block of exactly this network and returns the
	// new revision, or CodeNotFound when none is in force.
	UnblockClient(ctx context.Context, network string) (revision int64, err error)
	// Controls returns what is in force, in one round trip.
	Controls(ctx context.Context) (*Controls, error)
	// WatchControls calls wake soon after an order was committed, by any
	// process, and once a second besides, until the context ends. It returns
	// nil then.
	WatchControls(ctx context.Context, wake func()) error
}

// Instance is the heartbeat of a serving process.
type Instance struct {
	Name      string    `json:"name"`              // the replica's: host and process id
	Version   string    `json:"version,omitempty"` // of its binary
	StartedAt time.Time `json:"started_at,omitzero"`
	// Revision is that of the newest orders it obeys (Controls.Revision).
	Revision int64          `json:"revision"`
	Report   InstanceReport `json:"report"`

	// Set by the store, by the database's clock.
	HeartbeatAt time.Time     `json:"heartbeat_at,omitzero"`
	Age         time.Duration `json:"age,omitempty"` // since the heartbeat
}

// StaleAfter is the age at which the last heartbeat of a replica says nothing
// about it any more, and HeartbeatEvery how often it is renewed.
const (
	HeartbeatEvery = 2 * time.Second
	StaleAfter     = 3 * HeartbeatEvery
)

// Stale reports whether the replica has stopped reporting.
func (i *Instance) Stale() bool { return i.Age > StaleAfter }

// InstanceReport is what a replica says of itself. It holds client addresses
// (Limiter.Limits.TopDenied), which is why rows of replicas that are gone are
// deleted.
type InstanceReport struct {
	Breakers []BreakerReport `json:"breakers"`
	Limiter  LimiterReport   `json:"limiter"`
	Jobs     []JobReport     `json:"jobs"`
	// Clock is that of the replica's host as it reported; zero from an older one.
	Clock time.Time `json:"clock,omitzero"`
}

// BreakerReport is the breaker of one integration in one replica.
type BreakerReport struct {
	Name                string    `json:"name"`
	State               string    `json:"state"` // closed, open, half_open, forced_open
	FailCount           int       `json:"fail_count"`
	FailMax             int       `json:"fail_max"`
	ResetTimeoutSeconds float64   `json:"reset_timeout_seconds"` // of the present opening, which grows while the integration flaps
	OpenedAt            time.Time `json:"opened_at,omitzero"`
	RetryAt             time.Time `json:"retry_at,omitzero"` // zero: closed, or tripped without an end
	Reason              string    `json:"reason,omitempty"`  // why it is not closed; redacted
}

// LimiterReport is the rate limiter of one replica.
type LimiterReport struct {
	Enabled bool          `json:"enabled"`
	Backend string        `json:"backend"` // "redis", or "local" when this replica counts by itself
	Limits  []LimitReport `json:"limits"`
	// Blocked is how many requests of blocked clients were refused in the last
	// minute.
	Blocked int64 `json:"blocked"`
}

// LimitReport is one limit in one replica, over the last minute.
type LimitReport struct {
	Name      string         `json:"name"`
	Value     string         `json:"value"`  // in force
	Source    string         `json:"source"` // "default", "config" or "override"
	Allowed   int64          `json:"allowed"`
	Denied    int64          `json:"denied"`
	TopDenied []DeniedClient `json:"top_denied"` // most denied first, ten at most
}

// DeniedClient is a client that was refused.
type DeniedClient struct {
	Client string `json:"client"` // an IPv4 address or an IPv6 /64
	Count  int64  `json:"count"`
}

// JobReport is a job of one replica.
type JobReport struct {
	Name       string    `json:"name"`
	LastRun    time.Time `json:"last_run,omitzero"` // zero: it has not run yet
	LastResult string    `json:"last_result,omitempty"`
	NextRun    time.Time `json:"next_run,omitzero"`
	Holder     string    `json:"holder,omitempty"` // of a job of the fleet: the instance that runs it now
	Paused     bool      `json:"paused,omitempty"`
}

// InstanceStore keeps the heartbeats of replicas and hands out the probes of
// breakers, of which the whole fleet makes one at a time.
type InstanceStore interface {
	// Heartbeat stores an instance in place of its former heartbeat.
	Heartbeat(ctx context.Context, i *Instance) error
	// Instances returns every instance, ordered by name.
	Instances(ctx context.Context) ([]Instance, error)
	// RemoveInstance forgets an instance that ends; one that is unknown is no
	// error.
	RemoveInstance(ctx context.Context, name string) error
	// RemoveStaleInstances forgets those whose heartbeat is older than age, and
	// returns how many.
	RemoveStaleInstances(ctx context.Context, age time.Duration) (int, error)

	// ClaimProbe asks for the next probe of an integration. 0: the holder may
	// make it, and nobody else for as long as hold. Otherwise: ask again after
	// so long. A holder that asks again while it holds the probe gets it again.
	ClaimProbe(ctx context.Context, integration, holder string, hold time.Duration) (wait time.Duration, err error)
	// EndProbe gives a probe back that the holder still holds: the next one may
	// be claimed, by anybody, after the pause. It does nothing when another one
	// holds the probe by now.
	EndProbe(ctx context.Context, integration, holder string, pause time.Duration) error
}
