package ratelimit

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// Rule allows Count events in every window of a length.
type Rule struct {
	Count  int
	Window time.Duration // whole seconds
}

// Limit is one or more rules that hold together.
type Limit []Rule

// Bounds of what a limit may say: a limiter remembers as many moments for a
// key as its greatest count, for as long as its longest window.
const (
	MaxCount  = 100_000
	MaxWindow = 31 * 24 * time.Hour
	maxRules  = 8
)

// Example shows people what a limit looks like.
const Example = `limits such as "30 per minute" or "10/second", joined by ";"`

var rulePattern = regexp.MustCompile(`^(?i)(\d+)(?:\s+per\s+|\s*/\s*)(?:(\d+)\s*)?(second|minute|hour|day)s?$`)

var units = map[string]time.Duration{
	"second": time.Second, "minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour,
}

// Parse reads a limit: rules joined by ";" (or ","), each a count, "per" or "/",
// and second, minute, hour or day, with a number of them where it is not one, as
// in "5 per 10 minutes". An error is CodeInvalid and names the rule.
func Parse(text string) (Limit, error) {
	var limit Limit
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ';' || r == ',' }) {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		rule, ok := parseRule(part)
		if !ok {
			return nil, chatops.Errorf(chatops.CodeInvalid, "rate limit %q: must be %s, with at most %d in at most %d days",
				part, Example, MaxCount, int(MaxWindow/(24*time.Hour)))
		}
		limit = append(limit, rule)
	}
	if len(limit) == 0 || len(limit) > maxRules {
		return nil, chatops.Errorf(chatops.CodeInvalid, "rate limit %q: must be 1 to %d %s", text, maxRules, Example)
	}
	return limit, nil
}

func parseRule(text string) (Rule, bool) {
	found := rulePattern.FindStringSubmatch(text)
	if found == nil {
		return Rule{}, false
	}
	count, err := strconv.Atoi(found[1])
	many := 1
	if err == nil && found[2] != "" {
		many, err = strconv.Atoi(found[2])
	}
	unit := units[strings.ToLower(found[3])]
	if err != nil || count < 1 || count > MaxCount || many < 1 || many > int(MaxWindow/unit) {
		return Rule{}, false
	}
	return Rule{Count: count, Window: time.Duration(many) * unit}, true
}

// String writes the rule as Parse reads it, in its greatest unit.
func (r Rule) String() string {
	name, unit := "second", time.Second
	for _, u := range []string{"minute", "hour", "day"} {
		if r.Window%units[u] == 0 {
			name, unit = u, units[u]
		}
	}
	if many := r.Window / unit; many != 1 {
		return strconv.Itoa(r.Count) + " per " + strconv.Itoa(int(many)) + " " + name + "s"
	}
	return strconv.Itoa(r.Count) + " per " + name
}

// String writes the limit as Parse reads it.
func (l Limit) String() string {
	rules := make([]string, len(l))
	for i, r := range l {
		rules[i] = r.String()
	}
	return strings.Join(rules, ";")
}
