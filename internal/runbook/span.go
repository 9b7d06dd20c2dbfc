package runbook

import (
	"time"

	"chatops/internal/chatops"
)

// ago words a moment of the past to the second, "" when it never was.
func ago(at, now time.Time) string {
	if at.IsZero() {
		return ""
	}
	return age(now.Sub(at))
}

// age words how long ago something was.
func age(d time.Duration) string { return chatops.Span(d.Truncate(time.Second)) + " ago" }

// ahead words a moment to come, "" when there is none.
func ahead(at, now time.Time) string {
	switch {
	case at.IsZero():
		return ""
	case !at.After(now):
		return "now"
	}
	return "in " + chatops.Span(at.Sub(now))
}

// parseFor reads --for: how long an order holds; "" is without an end, 0.
func parseFor(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, ok := parseDuration(text)
	if !ok || d < time.Second {
		return 0, chatops.Errorf(chatops.CodeUsage, "--for %q: must be a duration such as 90s, 10m, 2h or 7d", text)
	}
	return d, nil
}
