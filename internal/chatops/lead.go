package chatops

import "time"

// LeadStatus is how far the sales team has got with a lead.
type LeadStatus string

// The states of a lead.
const (
	LeadNew       LeadStatus = "new"
	LeadContacted LeadStatus = "contacted"
	LeadQualified LeadStatus = "qualified"
	LeadConverted LeadStatus = "converted"
	LeadLost      LeadStatus = "lost"
)

// Lead is a visitor who confirmed their contact data. A session has at most one.
type Lead struct {
	ID                int64
	SessionID         string
	Name              string
	Email             string
	Phone             string
	InterestedPackage string
	PropertySize      string // square metres as text, as the older schema has it: "85"
	PropertyType      string
	Location          string
	Message           string
	Source            string // "chatbot" when made by a conversation
	Status            LeadStatus
	Notes             string
	MondayItemID      string
	LeadScore         int // 0-100
	DataConfirmed     bool
	MarketingConsent  bool
	RODOConsent       bool
	CreatedAt         time.Time
	UpdatedAt         time.Time
}
