package chatops

import (
	"context"
	"errors"
	"time"
)

// AlertSender delivers alerts to one integration. Implementations are safe for
// concurrent use and honour the context's deadline.
type AlertSender interface {
	// Integration is the sender's name, which is also its breaker's and its
	// metric label: "slack", "monday", "email", "webhook:crm".
	Integration() string
	// Policy says how the lanes of the integration are driven.
	Policy() LanePolicy
	// Send makes one attempt. Nil means that the receiver has accepted the
	// alert. Every error is a *SendError.
	Send(ctx context.Context, alert *Alert) error
}

// ReceiptSender is an AlertSender whose receiver names what it makes of an alert.
type ReceiptSender interface {
	AlertSender
	// SendForReceipt is Send, and returns the receiver's name for what the alert
	// has made, now or in an earlier attempt; "" when it gave none.
	SendForReceipt(ctx context.Context, alert *Alert) (receipt string, err error)
}

// LanePolicy is how a lane is driven.
type LanePolicy struct {
	// Serial lanes are served by one replica at a time, one alert after the
	// other.
	Serial bool
	// Interval is the least time between two attempts on a serial lane.
	Interval time.Duration
	// Parallel is how many attempts a process makes at once on a lane that is
	// not serial; 0 means 8.
	Parallel int
	// Timeout bounds one attempt; 0 means 15 s.
	Timeout time.Duration
}

// FailureKind classifies a failed attempt.
type FailureKind string

// The kinds of failure. Transient, ambiguous and misconfigured attempts are
// retried with back-off; only the receiver's own trouble counts for its breaker.
const (
	// FailTransient: connection refused or reset, timeout, 5xx.
	FailTransient FailureKind = "transient"
	// FailPermanent: this alert will never be accepted; no retry.
	FailPermanent FailureKind = "permanent"
	// FailRateLimited: the receiver asked to wait until RetryAfter has passed.
	// The lane pauses and no retry is used up.
	FailRateLimited FailureKind = "rate_limited"
	// FailAmbiguous: the receiver may have executed the request (the reply was
	// lost). The repeated attempt must be recognisable by its idempotency key.
	FailAmbiguous FailureKind = "ambiguous"
	// FailCancelled: it must not be sent any more, because consent was withdrawn.
	FailCancelled FailureKind = "cancelled"
	// FailMisconfigured: the credentials or the address are wrong (401, 403,
	// 404, invalid_auth). Raises an alarm, does not open the breaker.
	FailMisconfigured FailureKind = "misconfigured"
)

// SendError is a failed attempt. Its text holds no secret and no personal data.
type SendError struct {
	Kind       FailureKind
	RetryAfter time.Duration // how long the receiver asked to wait; 0: it did not say
	HTTPStatus int           // 0 when there was no HTTP (or SMTP) reply
	// Once: the alert must not be repeated by itself, because the receiver may
	// have it and would not recognise it.
	Once bool
	// Ours: the trouble was on our side and says nothing about the integration.
	Ours bool
	Code string // the receiver's own short code, for grouping: "channel_is_archived", "ComplexityException"
	Err  error
}

// Error returns the redacted text.
func (e *SendError) Error() string {
	if e.Err == nil {
		return string(e.Kind)
	}
	return e.Err.Error()
}

// Unwrap returns the cause.
func (e *SendError) Unwrap() error { return e.Err }

// TripsBreaker reports whether the failure is the integration's own trouble:
// a connection error, timeout or 5xx. A 4xx, a rate limit, a wrong credential
// or our own trouble or cancellation is not.
func (e *SendError) TripsBreaker() bool {
	if e.Ours || errors.Is(e.Err, context.Canceled) {
		return false
	}
	return e.Kind == FailTransient || e.Kind == FailAmbiguous
}

// LaneState is a lane that has waiting alerts, as the queue sees it now.
type LaneState struct {
	Lane string
	// Fresh separates alerts never tried (queued) from those that wait for a
	// retry (pending). Fresh ones go first.
	Fresh bool
	// DueIn is how long until the earliest waiting alert is due; <= 0: now.
	DueIn time.Duration
	// BlockedFor is how long the lane may not be claimed: paused by a rate
	// limit, or serial and held by a live lease; <= 0: not blocked.
	BlockedFor time.Duration
}

// ClaimRequest asks for a batch of due alerts of one lane.
type ClaimRequest struct {
	Lane      string
	Fresh     bool
	Limit     int           // at most this many alerts
	Owner     string        // the replica's name
	Lease     time.Duration // how long the batch belongs to the owner
	Exclusive bool          // give nothing while another live lease holds the lane
}

// Batch is a set of alerts that belong to one owner until the lease ends.
type Batch struct {
	LeaseID int64 // the fence: 0 when the batch is empty
	Request ClaimRequest
	Alerts  []Alert
}

// OutcomeKind is what became of a claimed alert.
type OutcomeKind string

// The outcomes.
const (
	OutcomeDelivered OutcomeKind = "delivered"
	OutcomeRetry     OutcomeKind = "retry"  // -> pending, one retry used up unless it was the first attempt
	OutcomeFailed    OutcomeKind = "failed" // -> failed
	OutcomeHeld      OutcomeKind = "held"   // stays as it was, no retry used up; ErrorMessage kept unless Error is set
	// OutcomeParked -> pending with Error as the reason, no retry used up: the
	// alert's integration is not configured, its breaker is open, or the
	// receiver asked to wait.
	OutcomeParked OutcomeKind = "parked"
	// OutcomeCancelled -> cancelled: consent was withdrawn first, or an operator
	// wants no such mail.
	OutcomeCancelled OutcomeKind = "cancelled"
)

// Outcome is the result for one alert of a batch.
type Outcome struct {
	AlertID int64
	Kind    OutcomeKind
	// Delay is how long until the next attempt (retry, held and parked).
	Delay time.Duration
	// Error is the redacted text that becomes error_message; Fingerprint the
	// cause it belongs to.
	Error       string
	Fingerprint string
	// Attempt is stored in delivery_attempt; nil when none was made (held).
	Attempt *Attempt
	// Receipt is the receiver's name for what a delivered alert made, "" when
	// it gave none. That of a monday_item becomes the lead's monday_item_id
	// unless it has one; the lead is Alert.LeadSession's.
	Receipt string
}

// Attempt is one try to deliver an alert.
type Attempt struct {
	AlertID    int64
	StartedAt  time.Time
	Duration   time.Duration
	Outcome    string // "delivered" or a FailureKind
	HTTPStatus int
	Error      string // redacted
	Replica    string
}

// Record reports outcomes of a leased batch.
type Record struct {
	Batch    *Batch
	Outcomes []Outcome
	// Done gives the lease up; alerts of the batch without a recorded outcome
	// become claimable again at once. Otherwise the lease is extended by
	// Batch.Request.Lease from now.
	Done bool
	// PauseLane keeps the lane from being claimed by anybody for so long.
	PauseLane time.Duration
	// Enqueue holds alerts that the outcomes cause (escalations), stored in
	// the same transaction; a key that exists already is left alone.
	Enqueue []NewAlert
	// Next, when set with Done, claims the next batch in the same round trip.
	Next *ClaimRequest
}

// Queue is what the delivery engine needs of a store. Times are the database's,
// so replicas with wrong clocks agree.
type Queue interface {
	// Lanes reports each lane and class that has waiting alerts.
	Lanes(ctx context.Context) ([]LaneState, error)
	// Claim takes the next due alerts of a lane, in the order in which they
	// fell due. An empty batch means that nothing is due or the lane is blocked.
	Claim(ctx context.Context, req ClaimRequest) (*Batch, error)
	// Record stores outcomes if, and only if, the batch's lease still exists;
	// otherwise it changes nothing and gives CodeConflict. The returned batch
	// is nil unless Next was set.
	Record(ctx context.Context, rec Record) (*Batch, error)
	// Sweep frees leases that have run out and makes waiting alerts claimable
	// that were left behind: by a crash, a late commit or an UPDATE by hand.
	// It returns how many. Safe to call from every replica at any time.
	Sweep(ctx context.Context) (int, error)
	// Enqueue stores alerts in a transaction of their own and returns how many
	// were new.
	Enqueue(ctx context.Context, alerts []NewAlert) (int, error)
	// Cleanup deletes up to limit delivered, discarded and cancelled alerts
	// that were created more than age ago, with their attempts, and returns how
	// many. Call it again until it returns 0.
	Cleanup(ctx context.Context, age time.Duration, limit int) (int, error)
	// CleanupRemarks deletes what operators have said about causes that no alert
	// has any more, where nobody has said anything for longer than age and no mute
	// lasts, and the links between alerts that are both gone. It returns how many.
	// It may read every alert, without keeping others from writing.
	CleanupRemarks(ctx context.Context, age time.Duration) (int, error)
	// FailureDigest counts the failed alerts of a cause, for an escalation.
	FailureDigest(ctx context.Context, fingerprint string) (*FailureDigest, error)
	// CauseState says whether operators want to hear of a cause again.
	CauseState(ctx context.Context, fingerprint string) (*CauseState, error)
	// Watch calls wake whenever another process has, or may have, queued
	// alerts, until the context ends. It returns nil then.
	Watch(ctx context.Context, wake func()) error
	// Announce makes the other processes' Watch wake soon.
	Announce(ctx context.Context) error
}

// FailureDigest describes the failed alerts of one cause.
type FailureDigest struct {
	Fingerprint string
	Failed      int64
	First, Last time.Time // created_at of the oldest and newest
	EventType   string
	Target      string
	Sample      string // redacted error text
}
