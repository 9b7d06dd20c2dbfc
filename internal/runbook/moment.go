package runbook

import (
	"regexp"
	"strconv"
	"time"

	"chatops/internal/chatops"
)

// durationPart is a number and its unit: "90m", "1.5h", "7d", "2w".
var durationPart = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d|w)`)

var durationUnits = map[string]time.Duration{
	"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour,
	"d": 24 * time.Hour, "w": 7 * 24 * time.Hour,
}

// maxDuration bounds what "ago" may mean: 100 years.
const maxDuration = 100 * 365 * 24 * time.Hour

// parseDuration reads durations such as 90m, 24h, 7d, 2w and 1d12h. It is false
// for anything else, and for what is not positive or over 100 years.
func parseDuration(text string) (time.Duration, bool) {
	var total float64
	for rest := text; rest != ""; {
		part := durationPart.FindStringSubmatch(rest)
		if part == nil {
			return 0, false
		}
		n, err := strconv.ParseFloat(part[1], 64)
		if err != nil {
			return 0, false
		}
		total += n * float64(durationUnits[part[2]])
		rest = rest[len(part[0]):]
	}
	if !(total >= 1 && total <= float64(maxDuration)) {
		return 0, false
	}
	return time.Duration(total), true
}

// momentForms are the accepted layouts of a moment, besides durations. A moment
// without a zone is in UTC, as everything the program shows.
var momentForms = []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly}

// parseMoment reads the value of a flag such as --since: a duration before now,
// an RFC 3339 time, or a date. Empty text is the zero time.
func parseMoment(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, ok := parseDuration(text); ok {
		return now.Add(-d).UTC(), nil
	}
	for _, form := range momentForms {
		if t, err := time.Parse(form, text); err == nil && t.Year() > 0 {
			return t.UTC(), nil
		}
	}
	return time.Time{}, chatops.Errorf(chatops.CodeUsage,
		"--%s %q: must be a duration (90m, 24h, 7d), a date (2026-03-01) or an RFC 3339 time (2026-03-01T08:00:00Z)", flag, text)
}

// parseSpan reads --since and --until.
func parseSpan(since, until string, now time.Time) (from, to time.Time, err error) {
	if from, err = parseMoment("since", since, now); err != nil {
		return from, to, err
	}
	if to, err = parseMoment("until", until, now); err != nil {
		return from, to, err
	}
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		err = chatops.Errorf(chatops.CodeUsage, "--since %s is not before --until %s", since, until)
	}
	return from, to, err
}
