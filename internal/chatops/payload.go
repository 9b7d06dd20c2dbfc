package chatops

import "encoding/json"

// The payloads of the alerts that this program queues. They are stored as JSON
// in dead_letter_queue.payload; a sender also accepts what the older system
// stored (a Slack payload is Slack's own message object).

// SlackPayload is the message of an incoming webhook: mrkdwn text, escaped by
// its author.
type SlackPayload struct {
	Text string `json:"text"`
}

// MondayPayload is an item to be created on a board.
type MondayPayload struct {
	ItemName string `json:"item_name"`
	// ExternalID identifies the item across repeated attempts; it is searched
	// before an ambiguous create is repeated.
	ExternalID string `json:"external_id"`
	// Fields are the lead's facts by our own names (name, email, phone, city,
	// square_meters, budget, package, lead_score, session_id); the sender maps
	// them to columns.
	Fields map[string]string `json:"fields"`
}

// TargetMondayLeads is the board of leads.
const TargetMondayLeads = "monday:leads"

// MondayDeletion is the alert that deletes an item of somebody who was erased.
func MondayDeletion(itemID string) (NewAlert, error) {
	payload, err := json.Marshal(MondayDeletePayload{ItemID: itemID})
	return NewAlert{
		EventType: EventMondayDelete, Target: TargetMondayLeads, Payload: payload,
		IdempotencyKey: EventMondayDelete + ":" + itemID,
	}, err
}

// MondayDeletePayload is an item to be deleted from its board.
type MondayDeletePayload struct {
	ItemID string `json:"item_id"`
}

// EmailPayload is a mail; the recipient is the alert's mailto target or, for
// targets such as "email:consent" that name nobody, To.
type EmailPayload struct {
	To      string `json:"to,omitempty"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
	HTML    string `json:"html,omitempty"`
	// Unsubscribe is the link that ends such mails, with one click (RFC 8058).
	Unsubscribe string `json:"unsubscribe,omitempty"`
}

// EscalationPayload names the cause whose alerts failed. The mail's text is
// written when it is sent, so that it holds the count of that moment.
type EscalationPayload struct {
	Fingerprint string `json:"fingerprint"`
	Integration string `json:"integration"`
	Sample      string `json:"sample"` // redacted error text
}

// WebhookPayload is the event posted to a generic webhook, in the envelope of
// the Standard Webhooks specification.
type WebhookPayload struct {
	Type      string         `json:"type"`
	Timestamp string         `json:"timestamp"` // RFC 3339, UTC
	Data      map[string]any `json:"data"`
}
