package runbook

import (
	"strconv"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// span words a length of time for people, in its two greatest units: 0.3s, 42s,
// 4m 12s, 3h 5m, 2d 4h.
func span(d time.Duration) string {
	d = max(d, 0)
	if d < time.Second && d > 0 {
		return strconv.FormatFloat(max(d.Seconds(), 0.1), 'f', 1, 64) + "s"
	}
	const day = 24 * time.Hour
	units := []struct {
		length time.Duration
		name   string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}}
	var words []string
	for i, u := range units {
		n := d / u.length
		if n == 0 {
			continue
		}
		words = append(words, strconv.Itoa(int(n))+u.name)
		if rest := d % u.length; i+1 < len(units) && rest >= units[i+1].length {
			words = append(words, strconv.Itoa(int(rest/units[i+1].length))+units[i+1].name)
		}
		break
	}
	if len(words) == 0 {
		return "0s"
	}
	return strings.Join(words, " ")
}

// ago words a moment of the past, "" when it never was.
func ago(at, now time.Time) string {
	if at.IsZero() {
		return ""
	}
	return span(now.Sub(at)) + " ago"
}

// ahead words a moment to come, "" when there is none.
func ahead(at, now time.Time) string {
	switch {
	case at.IsZero():
		return ""
	case !at.After(now):
		return "now"
	}
	return "in " + span(at.Sub(now))
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
