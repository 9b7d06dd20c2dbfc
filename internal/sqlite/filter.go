package sqlite

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"chatops/internal/chatops"
)

// condition is a part of a WHERE clause.
type condition struct {
	sql  string
	args []any
}

// conditions renders a filter without its statuses.
func conditions(f *chatops.AlertFilter) []condition {
	var list []condition
	add := func(sql string, args ...any) { list = append(list, condition{sql, args}) }
	if len(f.Types) > 0 {
		add("event_type in (select value from json_each(?))", jsonArray(f.Types))
	}
	if len(f.Targets) > 0 {
		add("target in (select value from json_each(?))", jsonArray(f.Targets))
	}
	if f.Error != "" {
		add("instr(chatops_fold(error_message), ?) > 0", strings.ToLower(chatops.CleanText(f.Error)))
	}
	if f.Fingerprint != "" {
		add("fingerprint = ?", text(f.Fingerprint))
	}
	if !f.Since.IsZero() {
		add("created_at >= ?", stamp(f.Since))
	}
	if !f.Until.IsZero() {
		add("created_at < ?", stamp(f.Until))
	}
	if f.MinAttempts > 0 {
		add("retry_count >= ?", f.MinAttempts)
	}
	if len(f.IDs) > 0 {
		add("id in (select value from json_each(?))", jsonArray(f.IDs))
	}
	if f.OperationID != "" {
		add("operation_id = ?", text(f.OperationID))
	}
	return list
}

// jsonArray renders a list as one parameter.
func jsonArray[T any](list []T) string {
	raw, err := json.Marshal(list)
	if err != nil {
		return "[]" // strings and numbers always marshal
	}
	return string(raw)
}

// trouble are the statuses of the partial indexes that begin with target, type
// or fingerprint. SQLite uses them only for queries that repeat this condition.
const trouble = " and status in ('pending', 'failed')"

func inTrouble(s chatops.AlertStatus) bool {
	return s == chatops.AlertPending || s == chatops.AlertFailed
}

// statusLiterals keeps the known ones of a list, once each, as literals, because
// a partial index is of no use to a parameter.
func statusLiterals(list []chatops.AlertStatus) []string {
	var out []string
	for _, s := range chatops.AlertStatuses() {
		if slices.Contains(list, s) {
			out = append(out, "'"+string(s)+"'")
		}
	}
	return out
}

// page is a query for alerts in the order of the list. It is made of branches,
// one per status (and target or type, where there are few), each of which reads
// its first rows from an index that has them in order.
type page struct {
	filter   chatops.AlertFilter
	statuses []chatops.AlertStatus // empty: all
	extra    []condition
	after    cursor
	limit    int
}

// cursor is a place in the list with created_at as it is stored, which an older
// writer may have written with fewer digits than ours. The zero cursor is the
// start.
type cursor struct {
	at string
	id int64
}

// fewBranches bounds the number of targets or types that get branches.
const fewBranches = 8

func (p *page) and(sql string, args ...any) { p.extra = append(p.extra, condition{sql, args}) }

// sql renders the query for whole alerts.
func (p *page) sql() (string, []any) {
	keys, args := p.keys()
	return "with page as (" + keys + ")\nselect " + qualified(alertColumns) +
		"\nfrom page join dead_letter_queue d on d.id = page.id order by page.created_at desc, page.id desc", args
}

// keys renders the query for id, created_at and whether the alert is in flight.
func (p *page) keys() (string, []any) {
	var branches []string
	var args []any
	first, rest := p.branches()
	for _, f := range first {
		for _, c := range p.after.split() {
			where, whereArgs := conjunction(append(append([]condition{f, c}, rest...), p.extra...))
			args = append(args, whereArgs...)
			branches = append(branches, fmt.Sprintf("select id, created_at, held from"+
				" (select id, created_at, lease_id is not null as held from dead_letter_queue%s"+
				" order by created_at desc, id desc limit %d)", where, p.limit))
		}
	}
	if len(branches) == 0 { // statuses that do not exist: an empty page
		branches = []string{"select 0 as id, '' as created_at, 0 where false"}
	}
	return strings.Join(branches, "\nunion all ") + fmt.Sprintf(" order by 2 desc, 1 desc limit %d", p.limit), args
}

// split renders what lies after the cursor as two conditions, because SQLite
// does not look up a row value that ends in the rowid: it would read all rows
// of one created_at again for every page of them.
func (c cursor) split() []condition {
	if c == (cursor{}) {
		return []condition{{}}
	}
	return []condition{
		{"created_at = ? and id < ?", []any{c.at, c.id}},
		{"created_at < ?", []any{c.at}},
	}
}

// conjunction renders conditions as a WHERE clause.
func conjunction(list []condition) (string, []any) {
	sql, args := conjoin(list)
	if sql == "" {
		return "", nil
	}
	return " where " + sql, args
}

// conjoin joins conditions by AND.
func conjoin(list []condition) (string, []any) {
	var clauses []string
	var args []any
	for _, c := range list {
		if c.sql != "" {
			clauses = append(clauses, c.sql)
			args = append(args, c.args...)
		}
	}
	return strings.Join(clauses, " and "), args
}

// inLiterals is the condition that a status is one of a list; of none, nothing
// fulfils it.
func inLiterals(list []chatops.AlertStatus) string {
	return "status in (" + strings.Join(statusLiterals(list), ", ") + ")"
}

// branches are the leading conditions of the branches and what all share.
func (p *page) branches() (first, rest []condition) {
	f := p.filter
	statuses := p.statuses
	if len(statuses) == 0 {
		if len(f.Targets)+len(f.Types) == 0 && f.Fingerprint == "" || len(f.IDs) > 0 {
			return []condition{{}}, conditions(&f)
		}
		statuses = chatops.AlertStatuses()
	}
	column, values := "", []string(nil)
	switch {
	case len(f.Targets) > 0 && len(f.Targets) <= fewBranches:
		column, values, f.Targets = "target", f.Targets, nil
	case len(f.Types) > 0 && len(f.Types) <= fewBranches:
		column, values, f.Types = "event_type", f.Types, nil
	}
	for _, s := range chatops.AlertStatuses() {
		if !slices.Contains(statuses, s) {
			continue
		}
		base := "status = '" + string(s) + "'"
		if inTrouble(s) {
			base += trouble
		}
		if column == "" {
			first = append(first, condition{sql: base})
			continue
		}
		for _, v := range distinct(values) {
			first = append(first, condition{base + " and " + column + " = ?", []any{text(v)}})
		}
	}
	return first, conditions(&f)
}

func distinct(list []string) []string {
	out := slices.Clone(list)
	slices.Sort(out)
	return slices.Compact(out)
}

// qualified puts the table's alias before each column.
func qualified(columns string) string {
	list := strings.Split(columns, ",")
	for i, c := range list {
		list[i] = "d." + strings.TrimSpace(c)
	}
	return strings.Join(list, ", ")
}

// countQuery counts what matches, with the given statuses (none: all): by the
// counters where they can tell, otherwise by the branches of a page. More are
// conditions besides the filter.
func countQuery(f chatops.AlertFilter, statuses []chatops.AlertStatus, more ...condition) (string, []any) {
	plain := f
	plain.Types = nil
	if len(conditions(&plain))+len(more) == 0 {
		where := conditions(&f)
		if len(statuses) > 0 {
			where = append(where, condition{sql: inLiterals(statuses)})
		}
		clause, args := conjunction(where)
		return "select coalesce(sum(n), 0) from dlq_count" + clause, args
	}
	p := page{filter: f, statuses: statuses}
	first, rest := p.branches()
	counts := []string{"select 0 as n"}
	var args []any
	for _, b := range first {
		where, whereArgs := conjunction(append(append([]condition{b}, rest...), more...))
		args = append(args, whereArgs...)
		counts = append(counts, "select count(*) from dead_letter_queue"+where)
	}
	return "select sum(n) from (" + strings.Join(counts, "\nunion all ") + ")", args
}
