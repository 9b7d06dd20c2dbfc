package chatops

import (
	"context"
	"slices"
	"time"
)

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

// LeadStatuses lists every state in the order in which a lead passes them.
func LeadStatuses() []LeadStatus {
	return []LeadStatus{LeadNew, LeadContacted, LeadQualified, LeadConverted, LeadLost}
}

// Valid reports whether the state exists.
func (s LeadStatus) Valid() bool { return slices.Contains(LeadStatuses(), s) }

// LeadSource is where a lead came from when nobody said it.
const LeadSource = "chatbot"

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

// LeadSort is the column that a list of leads is sorted by.
type LeadSort string

// What leads can be sorted by. Ties are broken by id, in the same direction.
const (
	SortLeadCreated LeadSort = "created_at" // also when empty
	SortLeadUpdated LeadSort = "updated_at"
	SortLeadName    LeadSort = "name"
	SortLeadEmail   LeadSort = "email"
	SortLeadStatus  LeadSort = "status"
	SortLeadScore   LeadSort = "lead_score"
)

// LeadSorts lists what leads can be sorted by.
func LeadSorts() []LeadSort {
	return []LeadSort{SortLeadCreated, SortLeadUpdated, SortLeadName, SortLeadEmail, SortLeadStatus, SortLeadScore}
}

// LeadFilter selects leads. A zero field selects all. Texts are compared as
// they are: nothing in them is a pattern.
type LeadFilter struct {
	Status    LeadStatus
	Package   string    // equal to interested_package, whatever the case of ASCII letters
	Since     time.Time // created at or after
	Until     time.Time // created before
	Sort      LeadSort
	Ascending bool // else the greatest first; missing values come last either way
}

// LeadChange is what an edit changes of a lead; nil leaves a field as it is.
// An empty text clears the field.
type LeadChange struct {
	Name, Email, Phone, Message *string
	Notes                       *string
	InterestedPackage           *string
	PropertySize, PropertyType  *string
	Location                    *string
	Status                      *LeadStatus
}

// LeadStore keeps leads for the sales team's clients.
type LeadStore interface {
	// CreateLead stores a lead that no conversation made (it has no session, or
	// one of its own), queues its alerts and, where once is set, keeps the reply
	// for repeated requests, in one transaction. ID, CreatedAt and UpdatedAt of l
	// are ignored; the stored lead is returned. What was said about consent is put
	// on record in the same transaction; the lead needs a session then. A lead of
	// a suppressed address never has marketing consent, and where all processing
	// was revoked it has RODO consent only if that was said. CodeConflict when the
	// session has a lead, or the key is not held any more.
	CreateLead(ctx context.Context, l *Lead, alerts []NewAlert, once *OnceReply, said ...ConsentSaid) (*Lead, error)
	// Lead returns a lead, or CodeNotFound.
	Lead(ctx context.Context, id int64) (*Lead, error)
	// UpdateLead changes a lead and returns it before and after the change, or
	// CodeNotFound.
	UpdateLead(ctx context.Context, id int64, change LeadChange) (before, after *Lead, err error)
	// SetLeadStatus sets the state of several leads in one transaction. missing
	// are the ids that do not exist, in the order given; the others are changed.
	SetLeadStatus(ctx context.Context, ids []int64, status LeadStatus) (changed int, missing []int64, err error)
	// Leads returns one page of the leads that match, and how many match.
	Leads(ctx context.Context, f LeadFilter, offset, limit int) (page []Lead, total int64, err error)
	// EachLead calls visit for every lead that matches, in order, without
	// holding them all in memory. It ends with the error of visit, if any.
	EachLead(ctx context.Context, f LeadFilter, visit func(*Lead) error) error
}
