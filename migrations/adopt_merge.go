package migrations

import (
	"database/sql"
	"slices"
	"strings"
)

// followupNames are the names that the table of follow-ups may have.
var followupNames = []string{"followup_event", "followup_events"}

// olderNames are the tables that an older application may have left, in the
// order of specs.
func olderNames() []string {
	var names []string
	for _, s := range specs {
		if s == &followupSpec {
			names = append(names, followupNames...)
			continue
		}
		names = append(names, s.table)
	}
	return names
}

// mergedColumns is the shape of a table that holds the rows of two.
func mergedColumns(a, b *older) *older {
	both := &older{
		spec: a.spec, name: a.name, source: "o." + sourceColumn, names: slices.Concat(a.names, b.names), fold: a.fold,
		columns: slices.Clone(a.columns), findings: slices.Concat(a.findings, b.findings),
	}
	for _, c := range b.columns {
		if _, ok := a.column(c.name); !ok {
			both.columns = append(both.columns, c)
		}
	}
	return both
}

// mergedRows selects the rows of two tables, each value followed by a cast.
func mergedRows(both, a, b *older, cast string) string {
	var parts []string
	for _, o := range []*older{a, b} {
		values := []string{literal(o.name) + cast + " as " + sourceColumn}
		for _, c := range both.columns {
			value := "null"
			if own, ok := o.column(c.name); ok {
				value = "o." + quote(own.name)
			}
			values = append(values, value+cast+" as "+quote(c.name))
		}
		parts = append(parts, "select "+strings.Join(values, ", ")+" from "+o.from+" o")
	}
	return strings.Join(parts, " union all ")
}

// literals lists texts of SQL.
func literals(texts []string) string {
	list := make([]string, len(texts))
	for i, text := range texts {
		list[i] = literal(text)
	}
	return strings.Join(list, ", ")
}

// collect reads all rows and closes them.
func collect[T any](rows *sql.Rows, scan func(*sql.Rows, *T) error) ([]T, error) {
	defer func() { _ = rows.Close() }()
	var list []T
	for rows.Next() {
		var v T
		if err := scan(rows, &v); err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}
