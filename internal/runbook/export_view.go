package runbook

import (
	"strconv"
	"time"

	"chatops/internal/chatops"
)

// exportSchema names the standard whose terms the consent records use.
const exportSchema = "ISO/IEC TS 27560:2023"

// export is everything that is stored about a person.
type export struct {
	SchemaVersion string          `json:"schema_version"`
	ExportedAt    timestamp       `json:"exported_at"`
	Principal     string          `json:"pii_principal_id"`
	Records       []consentRecord `json:"consent_records"`
	Data          exportData      `json:"data"`
}

// exportData is the data itself.
type exportData struct {
	Suppression   *exportSuppression   `json:"suppression"` // null: none
	Conversations []exportConversation `json:"conversations"`
	Leads         []exportLead         `json:"leads"`
	Audit         []exportAudit        `json:"audit"`
	Followups     []exportFollowup     `json:"followups"`
	Alerts        []exportAlert        `json:"alerts"`
}

type exportSuppression struct {
	Scope     string    `json:"scope"`
	Source    string    `json:"source"`
	CreatedAt timestamp `json:"created_at"`
}

type exportConversation struct {
	ID               int64           `json:"id"`
	SessionID        string          `json:"session_id"`
	Email            string          `json:"email"`
	StartedAt        timestamp       `json:"started_at"`
	MarketingConsent bool            `json:"marketing_consent"`
	RODOConsent      bool            `json:"rodo_consent"`
	Context          document        `json:"context"`
	Messages         []exportMessage `json:"messages"`
}

type exportMessage struct {
	At       timestamp `json:"at"`
	Sender   string    `json:"sender"`
	Text     string    `json:"text"`
	Followup bool      `json:"followup"`
}

type exportLead struct {
	ID                int64              `json:"id"`
	SessionID         string             `json:"session_id"`
	Name              string             `json:"name"`
	Email             string             `json:"email"`
	Phone             string             `json:"phone"`
	InterestedPackage string             `json:"interested_package"`
	PropertySize      string             `json:"property_size"`
	PropertyType      string             `json:"property_type"`
	Location          string             `json:"location"`
	Message           string             `json:"message"`
	Source            string             `json:"source"`
	Status            chatops.LeadStatus `json:"status"`
	Notes             string             `json:"notes"`
	MondayItemID      string             `json:"monday_item_id"`
	LeadScore         int                `json:"lead_score"`
	DataConfirmed     bool               `json:"data_confirmed"`
	MarketingConsent  bool               `json:"marketing_consent"`
	RODOConsent       bool               `json:"rodo_consent"`
	CreatedAt         timestamp          `json:"created_at"`
	UpdatedAt         timestamp          `json:"updated_at"`
}

type exportAudit struct {
	ID        int64                 `json:"id"`
	At        timestamp             `json:"at"`
	Action    chatops.ConsentAction `json:"action"`
	Email     string                `json:"email"`
	IPAddress string                `json:"ip_address"`
	UserAgent string                `json:"user_agent"`
	Reason    string                `json:"reason"`
	Notes     string                `json:"notes"`
}

type exportFollowup struct {
	ID             int64                  `json:"id"`
	ConversationID int64                  `json:"conversation_id"`
	Number         int                    `json:"number"`
	Status         chatops.FollowupStatus `json:"status"`
	At             timestamp              `json:"at"`
}

type exportAlert struct {
	ID          int64     `json:"id"`
	EventType   string    `json:"event_type"`
	Recipient   string    `json:"recipient"`
	Status      string    `json:"status"`
	CreatedAt   timestamp `json:"created_at"`
	DeliveredAt timestamp `json:"delivered_at"`
}

// newExport makes the export of a person.
func newExport(key string, p *chatops.Person, status *chatops.ConsentStatus, at time.Time) *export {
	x := &export{
		SchemaVersion: exportSchema, ExportedAt: timestamp(at.UTC().Truncate(time.Second)), Principal: key,
		Records: consentRecords(key, p, status),
		Data: exportData{
			Conversations: make([]exportConversation, len(p.Conversations)), Leads: make([]exportLead, len(p.Leads)),
			Audit: make([]exportAudit, len(p.Audit)), Followups: make([]exportFollowup, len(p.Followups)),
			Alerts: make([]exportAlert, len(p.Alerts)),
		},
	}
	if s := p.Suppression; s != nil {
		x.Data.Suppression = &exportSuppression{s.Scope, s.Source, timestamp(s.CreatedAt)}
	}
	for i := range p.Conversations {
		x.Data.Conversations[i] = viewConversation(&p.Conversations[i])
	}
	for i := range p.Leads {
		x.Data.Leads[i] = viewLead(&p.Leads[i])
	}
	for i := range p.Audit {
		a := &p.Audit[i]
		x.Data.Audit[i] = exportAudit{a.ID, timestamp(a.At), a.Action, a.Email, a.IPAddress, a.UserAgent, a.Reason, a.Notes}
	}
	for i, f := range p.Followups {
		x.Data.Followups[i] = exportFollowup{f.ID, f.ConversationID, f.Number, f.Status, timestamp(f.SentAt)}
	}
	for i, a := range p.Alerts {
		x.Data.Alerts[i] = exportAlert{a.ID, a.EventType, chatops.ShownTarget(a.Target), a.Status, timestamp(a.CreatedAt), timestamp(a.DeliveredAt)}
	}
	return x
}

func viewConversation(c *chatops.PersonConversation) exportConversation {
	v := exportConversation{
		ID: c.ID, SessionID: c.SessionID, Email: c.Email, StartedAt: timestamp(c.StartedAt),
		MarketingConsent: c.MarketingConsent, RODOConsent: c.RODOConsent, Context: document(c.Context),
		Messages: make([]exportMessage, len(c.Messages)),
	}
	for i, m := range c.Messages {
		v.Messages[i] = exportMessage{timestamp(m.At), m.Sender, m.Text, m.Followup}
	}
	return v
}

func viewLead(l *chatops.Lead) exportLead {
	return exportLead{
		ID: l.ID, SessionID: l.SessionID, Name: l.Name, Email: l.Email, Phone: l.Phone,
		InterestedPackage: l.InterestedPackage, PropertySize: l.PropertySize, PropertyType: l.PropertyType,
		Location: l.Location, Message: l.Message, Source: l.Source, Status: l.Status, Notes: l.Notes,
		MondayItemID: l.MondayItemID, LeadScore: l.LeadScore, DataConfirmed: l.DataConfirmed,
		MarketingConsent: l.MarketingConsent, RODOConsent: l.RODOConsent,
		CreatedAt: timestamp(l.CreatedAt), UpdatedAt: timestamp(l.UpdatedAt),
	}
}

// sections are the rows of the CSV file: one datum in a row.
func (x *export) sections(bool) []section {
	s := &exportRows{section{columns: []column{{name: "record"}, {name: "id"}, {name: "at"}, {name: "field"}, {name: "value"}}}}
	s.add("person", 0, timestamp{}, "email", x.Principal, "exported_at", x.ExportedAt.String())
	for i := range x.Records {
		x.Records[i].rows(s)
	}
	if p := x.Data.Suppression; p != nil {
		s.add("suppression", 0, p.CreatedAt, "scope", p.Scope, "source", p.Source)
	}
	for i := range x.Data.Conversations {
		c := &x.Data.Conversations[i]
		s.add("conversation", c.ID, c.StartedAt, "session_id", c.SessionID, "email", c.Email,
			"marketing_consent", strconv.FormatBool(c.MarketingConsent), "rodo_consent", strconv.FormatBool(c.RODOConsent), "context", string(c.Context))
		for _, m := range c.Messages {
			s.add("message", c.ID, m.At, m.Sender, m.Text)
		}
	}
	for i := range x.Data.Leads {
		x.Data.Leads[i].rows(s)
	}
	for i := range x.Data.Audit {
		a := &x.Data.Audit[i]
		s.add("audit", a.ID, a.At, "action", string(a.Action), "email", a.Email, "ip_address", a.IPAddress,
			"user_agent", a.UserAgent, "reason", a.Reason, "notes", a.Notes)
	}
	for _, f := range x.Data.Followups {
		s.add("followup", f.ID, f.At, "number", strconv.Itoa(f.Number), "status", string(f.Status))
	}
	for _, a := range x.Data.Alerts {
		s.add("alert", a.ID, a.CreatedAt, "event_type", a.EventType, "recipient", a.Recipient, "status", a.Status, "delivered_at", a.DeliveredAt.String())
	}
	return []section{s.section}
}

func (l *exportLead) rows(s *exportRows) {
	s.add("lead", l.ID, l.CreatedAt, "session_id", l.SessionID, "name", l.Name, "email", l.Email, "phone", l.Phone,
		"interested_package", l.InterestedPackage, "property_size", l.PropertySize, "property_type", l.PropertyType,
		"location", l.Location, "message", l.Message, "source", l.Source, "status", string(l.Status), "notes", l.Notes,
		"monday_item_id", l.MondayItemID, "lead_score", strconv.Itoa(l.LeadScore), "data_confirmed", strconv.FormatBool(l.DataConfirmed),
		"marketing_consent", strconv.FormatBool(l.MarketingConsent), "rodo_consent", strconv.FormatBool(l.RODOConsent),
		"updated_at", l.UpdatedAt.String())
}

// exportRows collects rows.
type exportRows struct{ section }

// add adds a row for each field that has a value.
func (s *exportRows) add(record string, id int64, at timestamp, pairs ...string) {
	number := ""
	if id != 0 {
		number = strconv.FormatInt(id, 10)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			s.rows = append(s.rows, []string{record, number, at.String(), pairs[i], pairs[i+1]})
		}
	}
}
