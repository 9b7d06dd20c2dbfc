package migrations

import (
	"cmp"
	"encoding/json"
	"strings"

	"chatops/internal/chatops"
)

var (
	slackAddress = chatops.Pattern(`(?i)hooks\.slack(-gov)?\.com(\\*/[A-Za-z0-9_%.~+=&?-]*)+`)
	webAddress   = chatops.Pattern(`(?i)(https?://)(?:[^/ \t\r\n@"'<>]*@)?([^/ \t\r\n@"'<>\\]+)[^ \t\r\n"'<>]*`)
	hookPath     = chatops.Pattern(`(?i)/(services|workflows|triggers)/[^ \t\r\n"'<>)]+`)
	mailAddress  = chatops.Pattern(`[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+`)
	recipient    = chatops.Pattern(`[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,63}`)
	logical      = chatops.Pattern(`^(slack|monday|webhook):[A-Za-z0-9_.-]{1,64}$`)
	slackHost    = chatops.Pattern(`(?i)hooks\.slack(-gov)?\.com`)
	mondayHost   = chatops.Pattern(`(?i)[/.]monday\.com`)
	bareAddress  = chatops.Pattern(`^[^ \t\r\n/@]+@[^ \t\r\n/@]+$`)
)

// adoptHide takes the secret out of Slack webhook addresses.
func adoptHide(t string) string {
	return slackAddress().ReplaceAllLiteralString(t, "hooks.slack.com/[redacted]")
}

// adoptRedact takes paths of addresses and people's addresses out of an error
// text or a target.
func adoptRedact(t string) string {
	t = webAddress().ReplaceAllString(t, "$1$2/[redacted]")
	t = hookPath().ReplaceAllString(t, "/$1/[redacted]")
	return mailAddress().ReplaceAllLiteralString(t, "[address]")
}

const (
	slackTarget  = "slack:alerts"
	mondayTarget = "monday:leads"
	mailScheme   = "mailto:"
)

// adoptTarget returns the logical target of an alert; false: no integration of
// ours serves it.
func adoptTarget(event, target, payload string) (string, bool) {
	event, target = strings.ToLower(event), strings.Trim(target, blanks)
	switch {
	case logical().MatchString(target):
		return target, true
	case strings.Contains(event, "slack"), slackHost().MatchString(target):
		return slackTarget, true
	case strings.Contains(event, "monday"), mondayHost().MatchString(target):
		return mondayTarget, true
	case !strings.Contains(event, "mail") && !bareAddress().MatchString(target):
		return "", false
	}
	address := recipient().FindString(target)
	_, fields, _ := adoptObject(payload)
	for _, key := range []string{"to", "email", "recipient", "to_email", "recipient_email"} {
		if address == "" {
			text, _ := fields[key].(string)
			address = recipient().FindString(text)
		}
	}
	if address == "" || len(address) > 240 {
		return "", false
	}
	return mailScheme + address, true
}

// words returns the first of the fields that holds words.
func words(fields map[string]any, keys ...string) string {
	for _, key := range keys {
		if text, _ := fields[key].(string); strings.Trim(text, blanks) != "" {
			return text
		}
	}
	return ""
}

// adoptPayload returns a payload as the sender of the target accepts it. What is
// no JSON object becomes the field raw of one.
func adoptPayload(event, target, payload string) string {
	payload = adoptHide(payload)
	text, fields, ok := adoptObject(payload)
	if !ok {
		if value, valid := adoptJSON(payload); valid && depth(value) < maxDepth {
			return `{"raw": ` + value + `}`
		}
		return encode(map[string]any{"raw": payload})
	}
	changed := false
	fill := func(key, value string) {
		if value != "" {
			fields[key], changed = value, true
		}
	}
	switch {
	case target == slackTarget && !filled(fields):
		fill("text", words(fields, "message", "title", "alert", "body", "content"))
	case strings.HasPrefix(target, mailScheme):
		if words(fields, "text", "html") == "" {
			fill("text", words(fields, "body", "message", "content"))
		}
		if words(fields, "subject") == "" {
			fill("subject", cmp.Or(words(fields, "title"), event))
		}
	case target == mondayTarget && words(fields, "item_name") == "":
		fill("item_name", words(fields, "name", "title"))
	}
	if !changed {
		return text
	}
	return encode(fields)
}

// filled reports whether Slack would have something to show.
func filled(fields map[string]any) bool {
	for _, key := range []string{"text", "blocks", "attachments"} {
		switch v := fields[key].(type) {
		case nil:
		case string:
			if v != "" {
				return true
			}
		case []any:
			if len(v) > 0 {
				return true
			}
		case bool, json.Number, map[string]any:
			return true
		}
	}
	return false
}
