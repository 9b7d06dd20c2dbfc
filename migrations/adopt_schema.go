package migrations

import (
	"regexp"
	"slices"
	"strings"

	"chatops/internal/chatops"
)

var (
	createTable = chatops.Pattern(`(?m)^create table (\w+) \(`)
	createOther = chatops.Pattern(`(?m)^create (?:unique )?(?:index|function|view|trigger) (\w+)`)
)

// createdTables are the tables that a migration makes.
func createdTables(sql string) []string { return firstGroups(createTable(), sql) }

// createdOthers are the indexes, functions and triggers that it makes.
func createdOthers(sql string) []string { return firstGroups(createOther(), sql) }

func firstGroups(form *regexp.Regexp, text string) []string {
	var names []string
	for _, m := range form.FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	return names
}

// tableColumns are the columns of a table that a migration makes, nil when it
// does not make that table. It relies on how the migrations are written: one
// column a line, four spaces in.
func tableColumns(sql, table string) []string {
	_, rest, found := strings.Cut(sql, "\ncreate table "+table+" (\n")
	if !found {
		if _, rest, found = strings.Cut("\n"+sql, "\ncreate table "+table+" (\n"); !found {
			return nil
		}
	}
	var columns []string
	for line := range strings.Lines(rest) {
		if strings.HasPrefix(line, ")") {
			break
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(line, "    "), " ")
		if !strings.HasPrefix(line, "     ") && !slices.Contains([]string{"constraint", "primary", "unique", "--"}, name) {
			columns = append(columns, name)
		}
	}
	return columns
}
