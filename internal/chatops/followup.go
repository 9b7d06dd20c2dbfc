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
	SilentSince    time.Time // the person's last message
	DueAt          time.Time
}

// DueCursor is a place among the due follow-ups: after this conversation. The
// zero cursor is the start.
type DueCursor struct {
	SilentSince    time.Time
	ConversationID int64
}

// Cursor is the place after the follow-up.
func (d *DueFollowup) Cursor() DueCursor { return DueCursor{d.SilentSince, d.ConversationID} }

// DueQuery finds due follow-ups in pages, the longest silent people first.
type DueQuery struct {
	// Schedule is how long after the person's last message each is due.
	Schedule []time.Duration
	After    DueCursor // the last follow-up of the page before
	Limit    int
}

// FollowupPlan is a follow-up to plan.
type FollowupPlan struct {
	ConversationID int64
	Number         int
	Schedule       []time.Duration // checked again under lock
	Email          string          // as the conversation has it; the mail goes there
	Message        string          // appended to the conversation
	Mail           NewAlert        // queued in the same transaction; its payload is an EmailPayload
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
	// DueFollowups returns a page of what NextFollowup says is due, of
	// conversations with an address, both consents, no suppression, no lead of the
	// address or session that was contacted, converted or lost, and no newer
	// conversation of the address. A page shorter than the limit is the last.
	DueFollowups(ctx context.Context, q DueQuery) ([]DueFollowup, error)
	// PlanFollowup stores the event, the message and the mail in one transaction,
	// unless the follow-up is not due any more, the conversation has another
	// address, or the person has had this number. It reports whether it planned
	// it; UNIQUE constraints decide between several that try.
	PlanFollowup(ctx context.Context, p *FollowupPlan) (planned bool, err error)
	// BeginFollowup marks the follow-up of an alert as being sent and returns a
	// fence for the calls that follow. Fence 0: it was sent before, and nothing is
	// left to do. CodeConflict: it was begun before and nobody knows how that
	// ended, so it is uncertain now and must not be sent. CodeRefused: it was
	// cancelled, or its conversation is gone.
	BeginFollowup(ctx context.Context, alertID int64) (fence int64, err error)
	// SendFollowup reads consent and suppression of the person again under a lock
	// that every withdrawal takes too, and calls data, which begins the mail's
	// DATA, while it holds the lock; then it returns what data did. data is called
	// at most once. CodeRefused: consent was withdrawn, or the lead contacted,
	// first; the follow-up is cancelled. CodeConflict: the fence is not valid any
	// more. With any error but that of data, data was not called.
	SendFollowup(ctx context.Context, alertID, fence int64, data func() error) error
	// EndFollowup records what became of a follow-up that was begun: sent,
	// uncertain, failed, or queued when its DATA did not begin or was refused for
	// now. CodeConflict: the fence is not valid any more, and nothing is changed.
	EndFollowup(ctx context.Context, alertID, fence int64, status FollowupStatus) error
	// Followups returns the newest, at most limit; zero values select all.
	Followups(ctx context.Context, conversationID int64, status FollowupStatus, limit int) ([]Followup, error)
	// FollowupDuplicates reports whether the rule of uq_conversation_followup is
	// enforced and calls fn with every duplicate in order, with bounded memory.
	FollowupDuplicates(ctx context.Context, fn func(FollowupDuplicate) error) (constraint bool, err error)
	// FixFollowupDuplicates archives all but the earliest of each pair, in
	// batches, and restores the constraint without blocking writers for long.
	FixFollowupDuplicates(ctx context.Context) (archived int64, err error)
}
