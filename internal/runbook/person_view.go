package runbook

import (
	"strconv"
	"strings"

	"chatops/internal/chatops"
)

// personView is the result of `consent lookup`.
type personView struct {
	Email            string             `json:"email"`
	IsUnsubscribed   bool               `json:"is_unsubscribed"`
	MarketingConsent bool               `json:"marketing_consent"`
	RODOConsent      bool               `json:"rodo_consent"`
	Suppressed       bool               `json:"suppressed"`
	Conversations    []conversationView `json:"conversations"`
	Leads            []leadView         `json:"leads"`
	Audit            []auditView        `json:"audit"`
}

// conversationView is a conversation without its text.
type conversationView struct {
	ID               int64     `json:"id"`
	SessionID        string    `json:"session_id"`
	StartedAt        timestamp `json:"started_at"`
	Messages         int       `json:"messages"`
	MarketingConsent bool      `json:"marketing_consent"`
	RODOConsent      bool      `json:"rodo_consent"`
}

// leadView is a lead as far as it is needed to recognise it.
type leadView struct {
	ID               int64              `json:"id"`
	Name             string             `json:"name"`
	Phone            string             `json:"phone"`
	Status           chatops.LeadStatus `json:"status"`
	MarketingConsent bool               `json:"marketing_consent"`
	RODOConsent      bool               `json:"rodo_consent"`
	CreatedAt        timestamp          `json:"created_at"`
}

// auditView is what happened to the person's consent.
type auditView struct {
	Action    chatops.ConsentAction `json:"action"`
	Timestamp timestamp             `json:"timestamp"`
	IPAddress string                `json:"ip_address"`
	Reason    string                `json:"reason"`
}

// veil masks personal data, or shows it.
type veil bool

// over masks a text with a mask, unless everything is shown.
func (v veil) over(mask func(string) string, text string) string {
	if v {
		return text
	}
	return mask(text)
}

func viewPerson(s subject, p *chatops.Person, status *chatops.ConsentStatus, reveal bool) *personView {
	show := veil(reveal)
	view := &personView{
		Email:          show.over(maskEmail, s.key),
		IsUnsubscribed: status.IsUnsubscribed, MarketingConsent: status.MarketingConsent, RODOConsent: status.RODOConsent,
		Suppressed:    p.Suppression != nil,
		Conversations: make([]conversationView, len(p.Conversations)),
		Leads:         make([]leadView, len(p.Leads)),
		Audit:         make([]auditView, len(p.Audit)),
	}
	for i := range p.Conversations {
		c := &p.Conversations[i]
		view.Conversations[i] = conversationView{
			ID: c.ID, SessionID: show.over(maskSession, c.SessionID), StartedAt: timestamp(c.StartedAt),
			Messages: len(c.Messages), MarketingConsent: c.MarketingConsent, RODOConsent: c.RODOConsent,
		}
	}
	for i := range p.Leads {
		l := &p.Leads[i]
		view.Leads[i] = leadView{
			ID: l.ID, Name: show.over(maskName, l.Name), Phone: show.over(maskPhone, l.Phone), Status: l.Status,
			MarketingConsent: l.MarketingConsent, RODOConsent: l.RODOConsent, CreatedAt: timestamp(l.CreatedAt),
		}
	}
	for i := range p.Audit {
		a := &p.Audit[i]
		view.Audit[i] = auditView{
			Action: a.Action, Timestamp: timestamp(a.At),
			IPAddress: show.over(maskIP, a.IPAddress), Reason: show.over(maskText, a.Reason),
		}
	}
	return view
}

// maskSession keeps so little of a session's id that it opens nothing.
func maskSession(id string) string {
	const kept = 4
	if r := []rune(id); len(r) > 2*kept {
		return string(r[:kept]) + hidden
	}
	return maskText(id)
}

func (p *personView) sections(bool) []section {
	list := []section{fields(
		"email", p.Email, "is_unsubscribed", strconv.FormatBool(p.IsUnsubscribed),
		"marketing_consent", strconv.FormatBool(p.MarketingConsent), "rodo_consent", strconv.FormatBool(p.RODOConsent),
		"suppressed", strconv.FormatBool(p.Suppressed),
		"conversations", strconv.Itoa(len(p.Conversations)), "leads", strconv.Itoa(len(p.Leads)), "audit rows", strconv.Itoa(len(p.Audit)),
	)}
	conversations := section{title: "conversations", columns: []column{
		{name: "id", right: true, whole: true}, {name: "session", flex: true}, {name: "started"}, {name: "messages", right: true}, {name: "consent"},
	}}
	for _, c := range p.Conversations {
		conversations.rows = append(conversations.rows, []string{
			strconv.FormatInt(c.ID, 10), c.SessionID, c.StartedAt.short(), strconv.Itoa(c.Messages), wordConsent(c.MarketingConsent, c.RODOConsent),
		})
	}
	leads := section{title: "leads", columns: []column{
		{name: "id", right: true, whole: true}, {name: "name", flex: true}, {name: "phone"}, {name: "status"}, {name: "created"}, {name: "consent"},
	}}
	for _, l := range p.Leads {
		leads.rows = append(leads.rows, []string{
			strconv.FormatInt(l.ID, 10), l.Name, l.Phone, string(l.Status), l.CreatedAt.short(), wordConsent(l.MarketingConsent, l.RODOConsent),
		})
	}
	audit := section{title: "audit", columns: []column{{name: "at"}, {name: "action"}, {name: "address"}, {name: "reason", flex: true}}}
	for _, a := range p.Audit {
		audit.rows = append(audit.rows, []string{a.Timestamp.short(), string(a.Action), a.IPAddress, a.Reason})
	}
	for _, s := range []section{conversations, leads, audit} {
		if len(s.rows) > 0 {
			list = append(list, s)
		}
	}
	return list
}

// wordConsent names the consents that are held.
func wordConsent(marketing, rodo bool) string {
	var held []string
	if marketing {
		held = append(held, "marketing")
	}
	if rodo {
		held = append(held, "rodo")
	}
	if held == nil {
		return "none"
	}
	return strings.Join(held, ", ")
}
