package chatops

// ChatRequest is one message of a visitor, as the HTTP API hands it to the chat
// service. The text is valid UTF-8, trimmed, not blank and holds no NUL.
type ChatRequest struct {
	Message string // 1 to MaxMessageLength characters
	// SessionID identifies the conversation; empty starts a new one. It is at
	// most MaxSessionIDLength printable characters without spaces.
	SessionID string
	Consent   ChatConsent
	// Once is the request's Idempotency-Key; nil when it has none.
	Once *OnceKey
}

// Bounds of what a visitor may send, in characters.
const (
	MaxMessageLength   = 4000
	MaxSessionIDLength = 100
)

// ChatConsent is what the visitor says about consent with a message. Nil leaves
// the stored consent as it is.
type ChatConsent struct {
	Marketing *bool
	RODO      *bool
	// The numbers of the texts that were shown; 0: the current ones in Locale.
	MarketingText, RODOText int64
	Locale                  string // "": the language of the conversation
	Origin                  ConsentOrigin
}

// ChatReply is the answer to a ChatRequest. The JSON names are those of the chat
// API.
type ChatReply struct {
	Response       string   `json:"response" doc:"The answer, plain text"`
	SessionID      string   `json:"session_id" doc:"Send it with the next message to go on with the conversation"`
	ConversationID int64    `json:"conversation_id" doc:"Number of the conversation"`
	Context        Facts    `json:"context" doc:"What the visitor has told so far"`
	LeadScore      int      `json:"lead_score" minimum:"0" maximum:"100" doc:"How promising the visitor is, 0 to 100"`
	NextBestAction string   `json:"next_best_action" doc:"What the bot aims for next"`
	Sources        []string `json:"sources" nullable:"false" doc:"Names of the knowledge base entries that were used"`
	Language       string   `json:"language" doc:"Language of the answer: pl or en"`
	Alerts         []string `json:"alerts" nullable:"false" doc:"Notes for the visitor that are not part of the answer"`
	// Replayed: the answer of an earlier request with the same Idempotency-Key.
	Replayed bool `json:"-"`
}
