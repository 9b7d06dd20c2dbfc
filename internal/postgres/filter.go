package postgres

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"chatops/internal/chatops"
)

// maxBranches bounds the scans that a list is merged from.
const maxBranches = 48

// selection is a filter as SQL. It is written as one ordered index scan for each
// status and value of the most selective field, because a scan with a fixed
// status and value yields its rows in the order of the list, and a merge of a
// few such scans needs no sort however many rows match.
type selection struct {
	branches []string // conditions on d, one per scan
	args     []any
}

// param adds a parameter and returns its place, cast to a type.
func (s *selection) param(v any, cast string) string {
	s.args = append(s.args, v)
	return "$" + strconv.Itoa(len(s.args)) + "::" + cast
}

// selectAlerts writes a filter, further restricted to the allowed statuses and
// by the conditions that more adds.
func selectAlerts(f chatops.AlertFilter, allowed []chatops.AlertStatus, more func(s *selection) []string) *selection {
	s := &selection{}
	statuses := wantedStatuses(f, allowed)
	if len(statuses) == 0 {
		return s // nothing can match
	}
	if len(f.IDs) > 0 {
		// Few rows, found by their primary key.
		conditions := append(s.common(f, ""), "d.id = any ("+s.param(f.IDs, "bigint[]")+")", inStatuses(statuses))
		s.add(more, conditions)
		return s
	}
	column, values := leadingField(f, len(statuses))
	common := s.common(f, column)
	if more != nil {
		common = append(common, more(s)...)
	}
	for _, status := range statuses {
		branch := append([]string{inStatuses([]chatops.AlertStatus{status})}, common...)
		if column == "" {
			s.branches = append(s.branches, strings.Join(branch, " and "))
		}
		for _, v := range values {
			one := append(slices.Clone(branch), "d."+column+" = "+s.param(v, "text"))
			s.branches = append(s.branches, strings.Join(one, " and "))
		}
	}
	return s
}

func (s *selection) add(more func(s *selection) []string, conditions []string) {
	if more != nil {
		conditions = append(conditions, more(s)...)
	}
	s.branches = append(s.branches, strings.Join(conditions, " and "))
}

// wantedStatuses are the filter's statuses among the allowed ones; a filter
// without statuses wants all of these. Unknown statuses select nothing.
func wantedStatuses(f chatops.AlertFilter, allowed []chatops.AlertStatus) []chatops.AlertStatus {
	if len(f.Statuses) == 0 {
		return allowed
	}
	var wanted []chatops.AlertStatus
	for _, status := range allowed {
		if slices.Contains(f.Statuses, status) {
			wanted = append(wanted, status)
		}
	}
	return wanted
}

// inStatuses is a condition with literals, which the planner can match with
// partial indexes. The statuses are ours, not the caller's text.
func inStatuses(statuses []chatops.AlertStatus) string {
	if len(statuses) == 0 {
		return "false"
	}
	quoted := make([]string, 0, len(statuses))
	for _, status := range statuses {
		quoted = append(quoted, "'"+string(status)+"'")
	}
	return "d.status in (" + strings.Join(quoted, ", ") + ")"
}

// leadingField chooses the field that has an index for its values, or none.
func leadingField(f chatops.AlertFilter, statuses int) (string, []string) {
	fields := []struct {
		column string
		values []string
	}{
		{"fingerprint", nonEmpty(f.Fingerprint)},
		{"operation_id", nonEmpty(f.OperationID)},
		{"target", f.Targets},
		{"event_type", f.Types},
	}
	for _, field := range fields {
		values := slices.Compact(slices.Sorted(slices.Values(field.values)))
		if n := len(values); n > 0 && n*statuses <= maxBranches {
			return field.column, values
		}
	}
	return "", nil
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// common writes the conditions that every scan has; the field that the scans
// are split by is left out.
func (s *selection) common(f chatops.AlertFilter, without string) []string {
	var c []string
	equal := func(column string, values []string) {
		if len(values) > 0 && column != without {
			c = append(c, fmt.Sprintf("d.%s = any (%s)", column, s.param(cleanAll(values), "text[]")))
		}
	}
	equal("event_type", f.Types)
	equal("target", f.Targets)
	equal("fingerprint", nonEmpty(f.Fingerprint))
	equal("operation_id", nonEmpty(f.OperationID))
	if f.Error != "" {
		c = append(c, "d.error_message ilike "+s.param("%"+escapeLike(chatops.CleanText(f.Error))+"%", "text"))
	}
	if !f.Since.IsZero() {
		c = append(c, "d.created_at >= "+s.param(f.Since.UTC(), "timestamptz"))
	}
	if !f.Until.IsZero() {
		c = append(c, "d.created_at < "+s.param(f.Until.UTC(), "timestamptz"))
	}
	if f.MinAttempts > 0 {
		c = append(c, "d.retry_count >= "+s.param(f.MinAttempts, "integer"))
	}
	return c
}

func cleanAll(values []string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = chatops.CleanText(v)
	}
	return out
}

// escapeLike makes a text match literally in a LIKE pattern.
func escapeLike(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}

// list writes a query for the first rows of the selection in an order, such as
// "created_at desc, id desc", merging the scans.
func (s *selection) list(columns, order string, limit int) string {
	n := s.param(limit, "bigint")
	ordered := "d." + strings.ReplaceAll(order, ", ", ", d.")
	scans := make([]string, 0, len(s.branches))
	for _, b := range s.branches {
		scans = append(scans, "(select "+columns+" from dead_letter_queue d where "+b+
			" order by "+ordered+" limit "+n+")")
	}
	if len(scans) == 0 {
		scans = []string{"(select " + columns + " from dead_letter_queue d where false)"}
	}
	return "select " + columns + " from (\n" + strings.Join(scans, "\nunion all\n") + ") d order by " + ordered + " limit " + n
}

// count writes a query for the number of rows of the selection.
func (s *selection) count() string {
	if len(s.branches) == 0 {
		return "select 0::bigint"
	}
	counts := make([]string, 0, len(s.branches))
	for _, b := range s.branches {
		counts = append(counts, "(select count(*) from dead_letter_queue d where "+b+")")
	}
	return "select " + strings.Join(counts, " + ")
}
