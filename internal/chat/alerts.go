package chat

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode"

	"chatops/internal/chatops"
)

// Where the alerts of a lead go.
const (
	targetSlack   = "slack:alerts"
	targetMonday  = "monday:leads"
	mailtoPrefix  = "mailto:"
	webhookPrefix = "webhook:"
	eventLead     = "lead.created"
)

// maxKeySession is the longest session id, in bytes, that stands in an
// idempotency key as it is; a longer one is named by its hash.
const maxKeySession = 100

// leadAlerts makes the alerts that announce a new lead.
func (s *Service) leadAlerts(lead *chatops.Lead, f *chatops.Facts, now time.Time) ([]chatops.NewAlert, error) {
	key := "lead:" + keySession(lead.SessionID) + ":"
	var out []chatops.NewAlert
	add := func(event, target, suffix string, payload any) error {
		b, err := json.Marshal(payload)
		if err != nil {
			return chatops.WrapError(chatops.CodeInternal, err, "alert of a lead cannot be written")
		}
		out = append(out, chatops.NewAlert{EventType: event, Target: target, Payload: b, IdempotencyKey: key + suffix})
		return nil
	}
	fields := leadFields(lead, f)
	if lead.LeadScore >= s.opts.SlackLeadScore {
		if err := add(chatops.EventSlackAlert, targetSlack, "slack", chatops.SlackPayload{Text: slackText(lead, f)}); err != nil {
			return nil, err
		}
	}
	monday := chatops.MondayPayload{ItemName: oneLine(lead.Name), ExternalID: strings.TrimSuffix(key, ":"), Fields: fields}
	if err := add(chatops.EventMondayItem, targetMonday, "monday", monday); err != nil {
		return nil, err
	}
	if s.opts.AdminEmail != "" {
		if err := add(chatops.EventEmailAlert, mailtoPrefix+s.opts.AdminEmail, "email", leadEmail(lead, f)); err != nil {
			return nil, err
		}
	}
	for _, name := range s.opts.Webhooks {
		data := make(map[string]any, len(fields))
		for k, v := range fields {
			data[k] = v
		}
		hook := chatops.WebhookPayload{Type: eventLead, Timestamp: now.UTC().Format(time.RFC3339), Data: data}
		if err := add(chatops.EventWebhook, webhookPrefix+name, webhookPrefix+name, hook); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func keySession(id string) string {
	if len(id) <= maxKeySession {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}

// leadFields are the lead's facts by the names of chatops.MondayPayload; what is
// unknown is left out.
func leadFields(lead *chatops.Lead, f *chatops.Facts) map[string]string {
	m := map[string]string{
		"name": oneLine(f.Name), "email": f.Email, "phone": f.Phone, "city": oneLine(f.City), "package": oneLine(f.Package),
		"lead_score": strconv.Itoa(lead.LeadScore), "session_id": lead.SessionID,
	}
	if f.SquareMeters > 0 {
		m["square_meters"] = strconv.Itoa(f.SquareMeters)
	}
	if f.Budget > 0 {
		m["budget"] = strconv.Itoa(f.Budget)
	}
	for k, v := range m {
		if v == "" {
			delete(m, k)
		}
	}
	return m
}

// labelled lists the facts for people of the sales team, in Polish.
func labelled(lead *chatops.Lead, f *chatops.Facts) [][2]string {
	out := [][2]string{{"Imię i nazwisko", oneLine(f.Name)}, {"Telefon", f.Phone}, {"E-mail", f.Email}, {"Pakiet", oneLine(f.Package)}}
	if f.SquareMeters > 0 {
		out = append(out, [2]string{"Metraż", strconv.Itoa(f.SquareMeters) + " m²"})
	}
	out = append(out, [2]string{"Miasto", oneLine(f.City)})
	if f.Budget > 0 {
		out = append(out, [2]string{"Budżet", formatMoney(Polish, f.Budget)})
	}
	return append(out, [2]string{"Ocena", strconv.Itoa(lead.LeadScore) + "/100"})
}

// slackEscaper escapes the three characters that Slack's mrkdwn gives a meaning
// to; no mention or link can be smuggled in then.
var slackEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func slackText(lead *chatops.Lead, f *chatops.Facts) string {
	var b strings.Builder
	b.WriteString("*Nowy lead z czatu*")
	for _, l := range labelled(lead, f) {
		if l[1] != "" {
			b.WriteString("\n• " + l[0] + ": " + slackEscaper.Replace(l[1]))
		}
	}
	return b.String()
}

func leadEmail(lead *chatops.Lead, f *chatops.Facts) chatops.EmailPayload {
	var b strings.Builder
	b.WriteString("Nowy lead z czatu:\n\n")
	for _, l := range labelled(lead, f) {
		if l[1] != "" {
			b.WriteString(l[0] + ": " + l[1] + "\n")
		}
	}
	b.WriteString("\nRozmowa: " + lead.SessionID + "\n")
	subject := "Nowy lead: " + oneLine(f.Name)
	if f.City != "" {
		subject += ", " + oneLine(f.City)
	}
	return chatops.EmailPayload{Subject: subject + " (" + strconv.Itoa(lead.LeadScore) + "/100)", Text: b.String()}
}

// oneLine takes control characters out of a value, so that it cannot begin a
// header or a line of its own.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
}
