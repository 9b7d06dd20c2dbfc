package deadletter

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"chatops/internal/breaker"
	"chatops/internal/chatops"
)

// Retry says how often and when a failed alert is tried again.
type Retry struct {
	// MaxRetries is how many attempts follow the first one; 0 means 5, a
	// negative number none.
	MaxRetries int
	// Delay is the upper bound of the first wait, doubled by every further
	// one; 0 means 5 min.
	Delay time.Duration
	// Cap bounds every wait; 0 means 4 h.
	Cap time.Duration
}

// Stats is what the engine's metrics need of a store; optional.
type Stats interface {
	QueueStats(ctx context.Context) (*chatops.QueueStats, error)
}

// Options configure an Engine. Only Queue is required.
type Options struct {
	Queue   chatops.Queue
	Senders []chatops.AlertSender // the configured integrations
	// Known lists the integrations that the program has, configured or not
	// ("webhook" stands for every webhook). Alerts to any other can never be
	// delivered and fail at once. Nil means slack, monday, email and webhook.
	Known []string
	// LeaveUnconfigured makes the engine ignore alerts to known integrations
	// that have no sender. Otherwise they are parked: pending, with the reason.
	LeaveUnconfigured bool
	// FreshOnly makes the engine deliver alerts that were never tried and
	// nothing else: retries and the sweep are left to other processes.
	FreshOnly bool
	// Breakers holds one breaker per integration; nil makes a set of its own.
	Breakers *breaker.Set
	Retry    Retry
	// EscalationEmail is told of alerts that failed for good; empty: nobody is.
	EscalationEmail string
	// EscalationBudget is how long an escalation itself is retried after it
	// was queued; 0 means 72 h.
	EscalationBudget time.Duration

	// Replica names this process in leases, attempts and escalations.
	Replica string
	// Lease is how long a claimed batch belongs to this process without a sign
	// of life; 0 means 60 s.
	Lease time.Duration
	// Workers is how many batches of a lane that is not serial may be in
	// flight; 0 means 2.
	Workers int
	// BatchMax bounds a batch; 0 means 500.
	BatchMax int
	// SweepEvery is how often the queue is swept and looked at without a
	// wake-up; 0 means 1 s.
	SweepEvery time.Duration
	// CleanupAge is the age at which Cleanup deletes finished alerts; 0: never.
	CleanupAge time.Duration
	// MisconfiguredPause is how long a lane rests in this process after its
	// receiver rejected our credentials or address; 0 means 30 s.
	MisconfiguredPause time.Duration
	// Grace is how long attempts in flight may go on when Run is asked to
	// stop; 0 means 10 s.
	Grace time.Duration

	Log        *slog.Logger          // nil: silent
	Registerer prometheus.Registerer // nil: no metrics
	Stats      Stats                 // nil: no counts among the metrics
	// NowFunc is the clock of attempts and of escalation hours; nil: time.Now.
	NowFunc func() time.Time
	// RandFunc returns a random number in [0, n); nil: math/rand/v2.
	RandFunc func(n int64) int64
}

func defaultTo[T comparable](p *T, def T) {
	var zero T
	if *p == zero {
		*p = def
	}
}

// complete checks the options and fills in the defaults.
func (o *Options) complete() error {
	if o.Queue == nil {
		return chatops.Errorf(chatops.CodeInvalid, "make delivery engine: no queue")
	}
	if o.Retry.Delay < 0 || o.Retry.Cap < 0 || o.Lease < 0 || o.SweepEvery < 0 || o.CleanupAge < 0 || o.Grace < 0 {
		return chatops.Errorf(chatops.CodeInvalid, "make delivery engine: a duration is negative")
	}
	defaultTo(&o.Retry.MaxRetries, 5)
	defaultTo(&o.Retry.Delay, 5*time.Minute)
	defaultTo(&o.Retry.Cap, 4*time.Hour)
	defaultTo(&o.EscalationBudget, 72*time.Hour)
	defaultTo(&o.Replica, "chatops")
	defaultTo(&o.Lease, time.Minute)
	defaultTo(&o.SweepEvery, time.Second)
	defaultTo(&o.MisconfiguredPause, 30*time.Second)
	defaultTo(&o.Grace, 10*time.Second)
	if o.Workers < 1 {
		o.Workers = 2
	}
	if o.BatchMax < 1 {
		o.BatchMax = 500
	}
	if o.Known == nil {
		o.Known = []string{"slack", "monday", "email", "webhook"}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.NowFunc == nil {
		o.NowFunc = time.Now
	}
	if o.RandFunc == nil {
		o.RandFunc = rand.Int64N
	}
	if o.Breakers == nil {
		o.Breakers = breaker.NewSet(breaker.Options{NowFunc: o.NowFunc})
	}
	return nil
}

// known reports whether the program has the integration.
func (o *Options) known(integration string) bool {
	scheme, _, _ := strings.Cut(integration, ":")
	return slices.Contains(o.Known, integration) || slices.Contains(o.Known, scheme)
}
