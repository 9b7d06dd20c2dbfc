package migrations_test

import (
	"strconv"
	"strings"
)

// verdict is the last word of somebody in the audit log.
type verdict struct{ marketingNo, marketingYes, rodoNo, rodoYes string }

func (v *verdict) hear(action, at string) {
	later := func(slot *string) { *slot = max(*slot, at) }
	switch action {
	case "unsubscribe":
		later(&v.marketingNo)
	case "revoke_consent":
		later(&v.marketingNo)
		later(&v.rodoNo)
	case "subscribe":
		later(&v.marketingYes)
	case "rodo_consent_given":
		later(&v.rodoYes)
	}
}

func (v *verdict) noMarketing() bool { return v.marketingNo != "" && v.marketingNo >= v.marketingYes }
func (v *verdict) noRODO() bool      { return v.rodoNo != "" && v.rodoNo >= v.rodoYes }

func (m *mixture) modelAudit(out model, moved, movedLeads address) {
	verdicts := map[string]*verdict{}
	hear := func(who, action, at string) {
		if verdicts[who] == nil {
			verdicts[who] = &verdict{}
		}
		verdicts[who].hear(action, orElse(at, "9999"))
	}
	if m.audit != nil {
		for _, row := range m.audit.rows {
			o := out["consent_audit_log"][row.tag]
			email := row.means["email"]
			conversation, lead := row.means["conversation_id"], row.means["lead_id"]
			if c := moved[conversation]; c != nil && conversation != "" {
				conversation = strconv.Itoa(c.id)
				email = orElse(email, c.values["email"])
			} else if !isNumber(conversation) {
				o.changed = o.changed || conversation != ""
				conversation = ""
			}
			if l := movedLeads[lead]; l != nil && lead != "" {
				lead = strconv.Itoa(l.id)
				email = orElse(email, l.values["email"])
			} else if !isNumber(lead) {
				o.changed = o.changed || lead != ""
				lead = ""
			}
			// A reference by a word is not readable as a number, though it is found.
			for _, column := range []string{"conversation_id", "lead_id"} {
				if word := row.means[column]; word != "" && !isNumber(word) {
					o.changed = true
				}
			}
			o.values = map[string]string{
				"conversation_id": conversation, "lead_id": lead, "email": email, "action": row.means["action"],
				"timestamp": orElse(row.means["timestamp"], "?now"),
			}
			for _, who := range []string{"e:" + strings.ToLower(email), "c:" + conversation, "l:" + lead} {
				if len(who) > 2 {
					hear(who, row.means["action"], row.means["timestamp"])
				}
			}
		}
	}
	for letter, table := range map[string]string{"c:": "chat_conversations", "l:": "leads"} {
		for _, o := range out[table] {
			for _, who := range []string{letter + strconv.Itoa(o.id), "e:" + strings.ToLower(o.values["email"])} {
				v := verdicts[who]
				if v == nil || who == "e:" {
					continue
				}
				if v.noMarketing() {
					o.values["marketing_consent"] = "0"
				}
				if v.noRODO() {
					o.values["rodo_consent"] = "0"
				}
			}
		}
	}
	out["suppression"] = map[int]*outcome{}
	for who, v := range verdicts {
		if address, ok := strings.CutPrefix(who, "e:"); ok && (v.noMarketing() || v.noRODO()) {
			scope := map[bool]string{true: "all", false: "marketing"}[v.noRODO()]
			out["suppression"][len(out["suppression"])] = &outcome{values: map[string]string{"email_key": address, "scope": scope}}
		}
	}
}

func isNumber(text string) bool {
	_, err := strconv.Atoi(text)
	return err == nil
}

func (m *mixture) modelAlerts(out model) {
	if m.alerts == nil {
		return
	}
	for _, row := range m.alerts.rows {
		o := out["dead_letter_queue"][row.tag]
		event, old := row.means["event_type"], row.means["target"]
		target := ""
		switch {
		case event == "slack_alert" || old == secretURL:
			target = "slack:alerts"
		case old == "jan@x.pl":
			target = "mailto:jan@x.pl"
		}
		if event == "email" && target == "" {
			target = "" // an e-mail without an address
		}
		payload, changed := strings.CutPrefix(row.means["payload"], "!")
		o.changed = o.changed || changed || target == "" || target == "slack:alerts" && old != secretURL
		status, trouble := row.means["status"], ""
		switch status {
		case "?":
			status, trouble = "failed", "adopted with the unknown status strange"
			o.changed = true
		case "", "pending":
			if status = "pending"; target == "" {
				status, trouble = "failed", "adopted: no integration serves "+event
			}
		}
		last := max(row.means["last_attempt_at"], row.means["last_retry_at"])
		created := orElse(orElse(row.means["created_at"], last), "?now")
		delivered := row.means["delivered_at"]
		if status == "delivered" {
			delivered = orElse(delivered, orElse(last, created))
		}
		text := trouble
		if said := row.means["error_message"]; said != "" && text != "" {
			text += "; " + said
		} else {
			text += said
		}
		o.values = map[string]string{
			"event_type": event, "target": orElse(target, "older:"+event), "payload": payload, "status": status,
			"retry_count": orElse(row.means["retry_count"], "0"), "created_at": created, "last_attempt_at": last,
			"delivered_at": delivered, "error_message": text, "next_attempt_at": "?now",
		}
	}
}
