package config

import (
	"strconv"
	"strings"
	"time"
)

// Bounds of FOLLOWUP_SCHEDULE.
const (
	delaysExample = "1 to 9 growing delays from 1m to 90d, such as 24h 72h 168h, or off"
	maxDelays     = 9
	maxDelay      = 90 * day
	day           = 24 * time.Hour
)

// FollowupSchedule is FOLLOWUP_SCHEDULE as delays; none where it is off.
func (c *Config) FollowupSchedule() []time.Duration {
	delays, _ := parseDelays(c.FollowupTimes) // Load has refused the others
	return delays
}

func isDelays(text string) bool {
	_, ok := parseDelays(text)
	return ok
}

// parseDelays reads delays separated by spaces or commas, each longer than the
// one before.
func parseDelays(text string) ([]time.Duration, bool) {
	if strings.TrimSpace(text) == "off" {
		return nil, true
	}
	var delays []time.Duration
	last := time.Minute - 1
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' }) {
		d, ok := parseDelay(word)
		if !ok || d <= last || d > maxDelay || len(delays) == maxDelays {
			return nil, false
		}
		delays, last = append(delays, d), d
	}
	return delays, len(delays) > 0
}

// parseDelay reads a duration, of which days may be written too.
func parseDelay(word string) (time.Duration, bool) {
	if days, ok := strings.CutSuffix(word, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 8)
		return time.Duration(n) * day, err == nil
	}
	d, err := time.ParseDuration(word)
	return d, err == nil
}
