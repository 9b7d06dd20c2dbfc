package chatops

import (
	"context"
	"time"
)

// Facts is what a visitor has told about themselves and their flat. A zero
// field is unknown. The JSON names are those of chat_conversations.context_data
// and of the chat API's context object.
type Facts struct {
	Name         string `json:"name,omitempty"`
	Email        string `json:"email,omitempty"` // lower case
	Phone        string `json:"phone,omitempty"` // E.164
	City         string `json:"city,omitempty"`  // nominative
	SquareMeters int    `json:"square_meters,omitempty"`
	Budget       int    `json:"budget,omitempty"` // whole PLN
	Package      string `json:"package,omitempty"`
	// BookingIntent and Language are kept with the facts for the next turn; a
	// reply's context leaves them out.
	BookingIntent bool   `json:"booking_intent_detected,omitempty" hidden:"true"`
	Language      string `json:"language,omitempty" hidden:"true"`
}

// Conversation is one visitor's session with the chatbot.
type Conversation struct {
	ID                   int64
	SessionID            string
	Email                string // copy of Facts.Email, in a column of its own for look-ups
	Facts                Facts
	StartedAt            time.Time
	EndedAt              time.Time // zero while open
	AwaitingConfirmation bool      // the bot has shown the data and asked whether they are right
	FollowupCount        int
	LastFollowupAt       time.Time
	LastUserMessageAt    time.Time
	MarketingConsent     bool
	RODOConsent          bool
	NeedsHumanReview     bool
	LeadID               int64 // 0 while no lead of this session is stored
	Version              int64 // 0: not stored yet; every stored turn adds 1
}

// Sender is who wrote a message.
type Sender string

// The two sides of a conversation.
const (
	SenderUser Sender = "user"
	SenderBot  Sender = "bot"
)

// Message is one line of a conversation.
type Message struct {
	ID         int64
	Text       string
	Sender     Sender
	At         time.Time
	IsFollowup bool
}

// Turn is everything one exchange changes, stored as one transaction.
type Turn struct {
	// Conversation is the state after the turn, with the Version that was
	// loaded before it. Version 0 makes the store create the conversation.
	Conversation Conversation
	UserMessage  string
	BotMessage   string
	// Lead, when set, is stored as the session's only lead: created, or
	// updated where the session has one already.
	Lead *Lead
	// Alerts are queued when Lead is created by this turn, and only then.
	Alerts []NewAlert
	// Said is what the visitor said about consent with the message. What is news
	// (ConsentSaid.News) is put on record in the same transaction.
	Said []ConsentSaid
	// Once, when set, keeps the reply for repeated requests in the same
	// transaction. CodeConflict when the key is not held any more.
	Once *OnceReply
}

// TurnResult is what the store decided.
type TurnResult struct {
	ConversationID int64
	Version        int64
	LeadID         int64 // 0 when the turn carried no lead
	LeadCreated    bool  // false also when the lead existed before
	AlertsQueued   int
}

// ConversationStore keeps conversations, their messages and leads.
type ConversationStore interface {
	// Conversation loads a session's conversation. A session that is not
	// stored yet gives CodeNotFound. One round trip.
	Conversation(ctx context.Context, sessionID string) (*Conversation, error)
	// SaveTurn stores a turn whole or not at all. One round trip. CodeConflict
	// when the conversation changed since it was loaded (nothing is stored:
	// load again and repeat), CodeUnavailable when the database cannot be
	// reached or the commit's outcome is unknown.
	SaveTurn(ctx context.Context, turn *Turn) (*TurnResult, error)
	// Messages returns up to limit messages of a session, oldest first; the
	// newest ones when there are more. An unknown session has none.
	Messages(ctx context.Context, sessionID string, limit int) ([]Message, error)
	// LeadBySession returns the session's lead, or CodeNotFound.
	LeadBySession(ctx context.Context, sessionID string) (*Lead, error)
}
