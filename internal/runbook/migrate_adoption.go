package runbook

import (
	"fmt"
	"strconv"
	"strings"

	"chatops/internal/chatops"
)

// adoptionSections show what was taken over of an older application's database,
// or would be: every row of every table, why rows are not as they were, and what
// is different about the database.
func adoptionSections(a *chatops.Adoption) []section {
	if a == nil {
		return nil
	}
	right := func(name string) column { return column{name: name, right: true} }
	tables := section{title: "rows of the older application", columns: []column{
		{name: "table", whole: true}, {name: "from"}, right("before"), right("kept"), right("archived"), right("changed"), right("after"),
	}}
	reasons := section{title: "archived and changed rows (their originals are in adoption_archive)", columns: []column{
		{name: "table", whole: true}, {name: "from"}, right("rows"), {name: "reason", flex: true},
	}}
	for _, t := range a.Tables {
		tables.rows = append(tables.rows, append([]string{t.Table, t.From}, counts(t.RowsBefore, t.Kept, t.Archived, t.Changed, t.RowsAfter)...))
		for _, r := range t.Reasons {
			reasons.rows = append(reasons.rows, []string{t.Table, t.From, strconv.FormatInt(r.Count, 10), r.Reason})
		}
	}
	findings := section{title: "findings and the rules that apply", columns: []column{
		{name: "table", whole: true}, {name: "finding"}, right("count"), {name: "rule", flex: true},
	}}
	for _, f := range a.Findings {
		findings.rows = append(findings.rows, []string{f.Table, f.Kind, strconv.FormatInt(f.Count, 10), f.Rule})
	}
	list := []section{tables}
	for _, s := range []section{reasons, findings} {
		if len(s.rows) > 0 {
			list = append(list, s)
		}
	}
	return list
}

func counts(list ...int64) []string {
	words := make([]string, len(list))
	for i, n := range list {
		words[i] = strconv.FormatInt(n, 10)
	}
	return words
}

// describeAdoption sums an adoption up in one line; "" when there was none.
func describeAdoption(a *chatops.Adoption) string {
	if a == nil {
		return ""
	}
	var before, kept, archived int64
	for _, t := range a.Tables {
		before, kept, archived = before+t.RowsBefore, kept+t.Kept, archived+t.Archived
	}
	return fmt.Sprintf("took over %d rows of %d tables: %d kept, %d archived", before, len(a.Tables), kept, archived)
}

// describeOlder names the tables that are about to be taken over; "" when there
// are none.
func describeOlder(tables []string) string {
	if len(tables) == 0 {
		return ""
	}
	return "take over the older application's tables " + strings.Join(tables, ", ")
}

// joined joins what there is to say with semicolons.
func joined(parts ...string) string {
	var said []string
	for _, p := range parts {
		if p != "" {
			said = append(said, p)
		}
	}
	return strings.Join(said, "; ")
}
