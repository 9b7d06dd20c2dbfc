package config

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"chatops/internal/chatops"
)

const retentionForm = "a number of months, or entries such as conversations=24,leads=36,audit=72,access=24, each from 1 to 1200"

// retentionTables are what RETENTION_MONTHS can name.
var retentionTables = []string{"conversations", "leads", "audit", "access"}

// maxRetention is the longest time, in months: a century.
const maxRetention = 1200

// parseRetention reads RETENTION_MONTHS. A number alone holds for conversations
// and leads; the record of consent has to prove what was done, and is named.
func parseRetention(text string) (map[string]int, bool) {
	months := map[string]int{}
	if text = strings.TrimSpace(text); text == "" {
		return months, true
	}
	if n, ok := parseMonths(text); ok {
		return map[string]int{"conversations": n, "leads": n}, true
	}
	pairs, ok := parsePairs(text)
	for _, p := range pairs {
		n, valid := parseMonths(p.Value)
		ok = ok && valid && slices.Contains(retentionTables, p.Name)
		months[p.Name] = n
	}
	return months, ok && len(pairs) > 0
}

func parseMonths(text string) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 1 && n <= maxRetention && isDigits(text)
}

func isRetention(text string) bool {
	_, ok := parseRetention(text)
	return ok
}

// Retention is what RETENTION_MONTHS says has been kept for long enough; the
// zero Retention when it says nothing.
func (c *Config) Retention(now time.Time) chatops.Retention {
	months, _ := parseRetention(c.RetentionMonths) // Load has refused what cannot be read
	before := func(table string) time.Time {
		if n, ok := months[table]; ok {
			return monthsBefore(now.UTC(), n)
		}
		return time.Time{}
	}
	return chatops.Retention{
		Conversations: before("conversations"), Leads: before("leads"), Audit: before("audit"), AccessLog: before("access"),
	}
}

// monthsBefore goes back by months to the same day, or to the last one of a
// month that is shorter.
func monthsBefore(t time.Time, months int) time.Time {
	first := time.Date(t.Year(), t.Month()-time.Month(months), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1)
}
