package chatops

import (
	"context"
	"time"
)

// FollowupStatus is the status of a follow-up, as followup_event.status has it.
type FollowupStatus string

// The statuses of a follow-up.
const (
	FollowupQueued    FollowupStatus = "queued"    // planned, its mail waits in the queue
	FollowupSending   FollowupStatus = "sending"   // a worker has begun the conversation with the mail server
	FollowupSent      FollowupStatus = "sent"      // the mail server has it
	FollowupUncertain FollowupStatus = "uncertain" // it may have been sent; never repeated by itself
	FollowupCancelled FollowupStatus = "cancelled" // consent was withdrawn, or the lead was contacted, first
	FollowupFailed    FollowupStatus = "failed"    // the mail server has refused it
)

// Followup is a row of followup_event.
type Followup struct {
	ID, ConversationID int64
	Number             int // 1, 2, 3 by FOLLOWUP_SCHEDULE
	Status             FollowupStatus
	SentAt             time.Time // when it was planned, and sent once it was
	AlertID            int64     // its mail in the queue; 0: none, an older program sent it
}

// DueFollowup is a follow-up that ought to be planned now.
type DueFollowup struct {
	ConversationID int64
	SessionID      string
	Email          string // as typed
	Name           string // "" when not known
	Language       string // pl or en
	Number         int
	DueAt          time.Time
}

// DueQuery finds due follow-ups in pages, by conversation.
type DueQuery struct {
	// Schedule is how long after the person's last message each is due.
	Schedule []time.Duration
	After    int64 // conversation id of the page before
	Limit    int
}

// FollowupPlan is a follow-up to plan.
type FollowupPlan struct {
	ConversationID int64
	Number         int
	Schedule       []time.Duration // checked again under lock
	Message        string          // appended to the conversation
	Mail           NewAlert        // queued in the same transaction
}

// FollowupDuplicate is a pair that followup_event holds more than once.
type FollowupDuplicate struct {
	ConversationID int64
	Number         int
	Count          int
	IDs            []int64
}

// FollowupStore plans follow-ups and guards their sending.
type FollowupStore interface {
	// DueFollowups returns a page of what is due: conversations with an address,
	// both consents, no suppression, no lead of the address already contacted,
	// converted or lost, silent for long enough, one for each person and number.
	DueFollowups(ctx context.Context, q DueQuery) ([]DueFollowup, error)
	// PlanFollowup stores the event, the message and the mail in one transaction,
	// unless the conversation is not due any more or the person has had this
	// number. It reports whether it planned it; the UNIQUE constraint decides
	// between several that try.
	PlanFollowup(ctx context.Context, p FollowupPlan) (planned bool, err error)
	// BeginFollowup marks the follow-up of an alert as being sent. CodeConflict:
	// it was begun before, so that a repeated attempt may be a second mail; it is
	// uncertain from then on.
	BeginFollowup(ctx context.Context, alertID int64) error
	// SendFollowup reads consent and suppression of the person again under a lock
	// that every withdrawal takes too, and calls data, which begins the mail's
	// DATA, while it holds the lock. CodeRefused: consent was withdrawn first, and
	// data was not called; the follow-up is cancelled.
	SendFollowup(ctx context.Context, alertID int64, data func() error) error
	// EndFollowup records what became of it.
	EndFollowup(ctx context.Context, alertID int64, status FollowupStatus) error
	// Followups returns the newest, or those of one conversation.
	Followups(ctx context.Context, conversationID int64, status FollowupStatus, limit int) ([]Followup, error)
	// FollowupDuplicates reports whether uq_conversation_followup is there and
	// calls fn with every duplicate in order, with bounded memory.
	FollowupDuplicates(ctx context.Context, fn func(FollowupDuplicate) error) (constraint bool, err error)
	// FixFollowupDuplicates archives all but the earliest of each pair, in
	// batches, and restores the constraint without blocking writers for long.
	FixFollowupDuplicates(ctx context.Context) (archived int64, err error)
}
