package chatops

import (
	"encoding/json"
	"strings"
	"time"
)

// AlertStatus is the state of a row of dead_letter_queue.
type AlertStatus string

// The states of an alert. Queued and pending alerts are waiting: the delivery
// engine will try them. The others are final until an operator acts.
const (
	AlertQueued    AlertStatus = "queued"    // not tried yet
	AlertPending   AlertStatus = "pending"   // tried at least once, will be tried again
	AlertDelivered AlertStatus = "delivered" // accepted by the receiver
	AlertFailed    AlertStatus = "failed"    // retries used up, or a permanent error
	AlertDiscarded AlertStatus = "discarded" // an operator decided not to send it
	AlertCancelled AlertStatus = "cancelled" // consent was withdrawn before it was sent
)

// AlertStatuses lists every status in the order in which screens show them.
func AlertStatuses() []AlertStatus {
	return []AlertStatus{AlertQueued, AlertPending, AlertFailed, AlertDelivered, AlertDiscarded, AlertCancelled}
}

// Event types of the alerts that this program makes. Older writers may queue
// rows of other types; they are delivered by their target.
const (
	EventSlackAlert = "slack_alert"
	EventMondayItem = "monday_item"
	// EventMondayDelete deletes the item of somebody who was erased.
	EventMondayDelete = "monday_delete"
	EventEmailAlert   = "email_alert"
	EventWebhook      = "webhook_event"
	EventEscalation   = "escalation"
	EventFollowup     = "followup_email"
	EventConsentMail  = "consent_mail"
	maxEventType      = 50
	maxTarget         = 255
	maxIdempotencyID  = 255
)

// TargetFollowups is the target of every follow-up mail; the address is in the
// payload.
const TargetFollowups = "email:followups"

// NewAlert is an alert to be queued.
type NewAlert struct {
	EventType string // at most 50 characters
	// Target is a logical name such as "slack:alerts", "monday:leads",
	// "mailto:sales@firma.example" or "webhook:crm"; never a URL with a secret.
	Target  string
	Payload json.RawMessage
	// IdempotencyKey is stable for the fact that caused the alert: a second
	// alert with the same key is not queued. Receivers are given the key too.
	IdempotencyKey string
	Delay          time.Duration // wait this long before the first attempt
}

// Validate reports the first field that a queue cannot store, as CodeInvalid.
func (a *NewAlert) Validate() error {
	switch {
	case a.EventType == "" || len(a.EventType) > maxEventType:
		return Errorf(CodeInvalid, "event type %q: must have 1 to %d characters", a.EventType, maxEventType)
	case a.Target == "" || len(a.Target) > maxTarget:
		return Errorf(CodeInvalid, "alert target of %d characters: must have 1 to %d", len(a.Target), maxTarget)
	case len(a.IdempotencyKey) > maxIdempotencyID:
		return Errorf(CodeInvalid, "idempotency key of %d characters: at most %d", len(a.IdempotencyKey), maxIdempotencyID)
	case !json.Valid(a.Payload):
		return Errorf(CodeInvalid, "alert payload is not valid JSON")
	}
	return nil
}

// Alert is a row of dead_letter_queue.
type Alert struct {
	ID             int64
	EventType      string
	Target         string
	Payload        json.RawMessage
	Status         AlertStatus
	RetryCount     int // retries done after the first attempt
	ErrorMessage   string
	Fingerprint    string
	IdempotencyKey string
	OperationID    string
	CreatedAt      time.Time
	NextAttemptAt  time.Time // meaningful while waiting
	LastAttemptAt  time.Time // zero: never tried; set too when an owner died who may have tried it
	DeliveredAt    time.Time // zero: not delivered
}

// Lane returns the alert's lane.
func (a *Alert) Lane() string { return Lane(a.Target) }

// LeadSession is the session of the lead that the alert announces, as its
// idempotency key "lead:<session>:<receiver>" has it, and "" for other alerts.
func (a *Alert) LeadSession() string {
	rest, ok := strings.CutPrefix(a.IdempotencyKey, "lead:")
	if !ok {
		return ""
	}
	end := strings.LastIndexByte(rest, ':')
	if a.EventType == EventWebhook {
		end = strings.LastIndex(rest, ":webhook:")
	}
	return rest[:max(end, 0)]
}

// Lane names the receiver that alerts to a target share: what is paused by a
// 429, serialised, or held while a breaker is open. All mailto targets share
// the mail server, so they share the lane "mailto"; any other target is its own
// lane. The stores compute the same value in a generated column.
func Lane(target string) string {
	if strings.HasPrefix(target, "mailto:") {
		return "mailto"
	}
	return target
}

// Integration names the sender that serves a lane: the part before the colon,
// and for webhooks the whole lane, because every webhook has its own breaker.
func Integration(lane string) string {
	scheme, _, _ := strings.Cut(lane, ":")
	switch scheme {
	case "mailto":
		return "email"
	case "webhook":
		return lane
	}
	return scheme
}

// ShownTarget is a target as people may see it. Ours are logical names and stay
// as they are; an older writer's may be a webhook's address, whose path is a
// secret: of that only the scheme and the host are shown.
func ShownTarget(target string) string {
	scheme, rest, ok := strings.Cut(target, "://")
	if !ok {
		return target
	}
	host := rest
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		host = rest[:end]
	}
	host = host[strings.LastIndexByte(host, '@')+1:] // a password may hold an @ too
	return scheme + "://" + host + "/…"
}
