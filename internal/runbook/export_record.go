package runbook

import (
	"slices"
	"strings"

	"chatops/internal/chatops"
)

// consentRecord is the record of one consent, in the terms of ISO/IEC TS 27560.
// What the program does not know, such as the controller's postal address, is
// in the privacy notice and not repeated.
type consentRecord struct {
	SchemaVersion string          `json:"schema_version"`
	RecordID      string          `json:"record_id"`
	Principal     string          `json:"pii_principal_id"`
	Processing    []piiProcessing `json:"pii_processing"`
	Events        []consentEvent  `json:"event"`
	State         string          `json:"event_state"` // in force now: given, withdrawn
}

// piiProcessing is what the consent allows.
type piiProcessing struct {
	Purpose          string           `json:"purpose"`
	LawfulBasis      string           `json:"lawful_basis"`
	Information      []piiInformation `json:"pii_information"`
	CollectionMethod string           `json:"collection_method"`
	Jurisdiction     string           `json:"jurisdiction"`
	Recipients       []string         `json:"recipient_third_parties"`
	WithdrawalMethod string           `json:"withdrawal_method"`
	Rights           []string         `json:"privacy_rights"`
}

type piiInformation struct {
	Type string `json:"pii_type"`
}

// consentEvent is something that happened to the consent.
type consentEvent struct {
	Time     timestamp             `json:"event_time"`
	Type     string                `json:"event_type"`  // explicit: by an act of the person
	State    string                `json:"event_state"` // given, withdrawn
	EntityID int64                 `json:"entity_id"`   // the row of the audit log
	Action   chatops.ConsentAction `json:"action"`
	Notice   string                `json:"privacy_notice,omitempty"` // text and channel
}

// The two consents that are asked for.
const (
	purposeMarketing  = "marketing"
	purposeProcessing = "processing of personal data"
)

// privacyRights are the rights a person has whatever they consented to.
var privacyRights = []string{
	"withdrawal of consent (RODO art. 7)", "access (art. 15)", "rectification (art. 16)", "erasure (art. 17)",
	"restriction (art. 18)", "portability (art. 20)", "objection (art. 21)", "complaint to a supervisory authority (art. 77)",
}

// consentRecords makes a record of each consent.
func consentRecords(key string, p *chatops.Person, status *chatops.ConsentStatus) []consentRecord {
	var recipients []string
	seen := map[string]bool{}
	for _, a := range p.Alerts {
		name := chatops.ShownTarget(a.Target)
		if !seen[name] && name != "mailto:"+key { // a mail to the person is no third party
			seen[name] = true
			recipients = append(recipients, name)
		}
	}
	if recipients == nil {
		recipients = []string{}
	}
	record := func(id, purpose string, held bool, kinds ...string) consentRecord {
		r := consentRecord{
			SchemaVersion: exportSchema, RecordID: id, Principal: key, State: wordState(held), Events: []consentEvent{},
			Processing: []piiProcessing{{
				Purpose: purpose, LawfulBasis: "consent (RODO art. 6(1)(a))", CollectionMethod: "conversation with the chatbot",
				Jurisdiction: "PL", Recipients: recipients, WithdrawalMethod: "link in every mail, or POST /api/revoke-consent", Rights: privacyRights,
			}},
		}
		for _, kind := range kinds {
			r.Processing[0].Information = append(r.Processing[0].Information, piiInformation{kind})
		}
		for i := range p.Audit {
			a := &p.Audit[i]
			if state, ok := eventState(purpose, a); ok {
				r.Events = append(r.Events, consentEvent{timestamp(a.At), "explicit", state, a.ID, a.Action, a.Notes})
			}
		}
		return r
	}
	return []consentRecord{
		record("marketing", purposeMarketing, status.MarketingConsent, "email address", "name"),
		record("processing", purposeProcessing, status.RODOConsent, "email address", "name", "phone number", "conversation", "property"),
	}
}

func wordState(held bool) string {
	if held {
		return "given"
	}
	return "withdrawn"
}

// eventState is what a row of the audit log did to the consent to a purpose;
// false: nothing.
func eventState(purpose string, a *chatops.AuditEntry) (string, bool) {
	switch a.Action {
	case chatops.ActionUnsubscribe:
		return wordState(false), purpose == purposeMarketing
	case chatops.ActionRevoke, chatops.ActionErase:
		return wordState(false), true
	case chatops.ActionMarketingGiven:
		return wordState(true), purpose == purposeMarketing
	case chatops.ActionMarketingWithdraw:
		return wordState(false), purpose == purposeMarketing
	case chatops.ActionRODOGiven:
		return wordState(true), purpose == purposeProcessing
	case chatops.ActionRODOWithdraw:
		return wordState(false), purpose == purposeProcessing
	case chatops.ActionGrant:
		given := map[string]string{purposeMarketing: "marketing=true", purposeProcessing: "rodo=true"}[purpose]
		return wordState(true), slices.Contains(strings.Split(a.Notes, "; "), given)
	}
	return "", false
}

// rows adds the record to a CSV file.
func (r *consentRecord) rows(s *exportRows) {
	s.add("consent", 0, timestamp{}, r.Processing[0].Purpose, r.State, "lawful_basis", r.Processing[0].LawfulBasis)
	for _, e := range r.Events {
		s.add("consent", e.EntityID, e.Time, r.Processing[0].Purpose, e.State)
	}
}
