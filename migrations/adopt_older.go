package migrations

import (
	"cmp"
	"fmt"
	"strings"

	"chatops/internal/chatops"
)

// older is a table that an older application made, or a copy of one that has
// the same columns.
type older struct {
	spec    *spec
	name    string // as the database has it
	columns []olderColumn
	// trusted: id is a number, present and unique, by the table's own rules.
	trusted bool
	// from is what to select from, under the alias o; it changes when the table
	// is renamed. rid names the row there.
	from, rid string
	// source is an expression for the older table's name: a table may hold the
	// rows of two.
	source string
	// names are the older tables whose rows from holds.
	names []string
	fold  bool // names of columns are equal whatever their case
	// findings are what the engine has to say about the table.
	findings []chatops.AdoptionFinding
	held     *held // what hangs on the table, PostgreSQL
}

// place is what to select the rows of one of the names from.
func (o *older) place(name string) string {
	if len(o.names) == 1 {
		return o.from
	}
	return "(select 1 from " + o.from + " o where " + o.source + " = " + literal(name) + ") counted"
}

// olderColumn is a column of an older table.
type olderColumn struct {
	name     string // as the database has it
	kind     string // the type in the engine's words
	initial  string // the default's expression; "": none
	sequence string // PostgreSQL: the sequence that belongs to the column
	original string // the type before a merge made text of it; "": kind
}

// column returns a column by our name for it.
func (o *older) column(name string) (olderColumn, bool) {
	for _, c := range o.columns {
		if c.name == name || o.fold && strings.EqualFold(c.name, name) {
			return c, true
		}
	}
	return olderColumn{}, false
}

// extras are the columns that our table has not.
func (o *older) extras(ours []string) []olderColumn {
	var list []olderColumn
	for _, c := range o.columns {
		known := false
		for _, name := range ours {
			known = known || c.name == name || o.fold && strings.EqualFold(c.name, name)
		}
		if !known {
			list = append(list, c)
		}
	}
	return list
}

// quote makes an identifier of any name.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// literal makes a text of SQL.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// speech is how the two engines say the same.
type speech interface {
	// value converts a column of the older table, alias o, to a kind: text, id,
	// time, flag, whole, session, email or json. A value that cannot be read is
	// null.
	value(o *older, kind, column string) string
	// given tells whether a column holds anything to be read.
	given(o *older, column string) string
	// function is the name by which a conversion is called.
	function(name string) string
	// greatest is the function that returns the greater of two values.
	greatest() string
	// fence ends a query that must not become part of another.
	fence() string
	// random is a text that nobody can guess.
	random() string
	// document makes JSON of an expression that is valid JSON as text.
	document(expression string) string
	// guarded is an extra column, alias o, without secrets in its text.
	guarded(guard string, c olderColumn) string
	// typed is an expression of a merged column, with its type from before.
	typed(expression string, c olderColumn) string
	// row renders a row of the older table, alias o, as JSON.
	row(o *older) string
}

// sqliteSpeech speaks to SQLite, which was taught Functions.
type sqliteSpeech struct{}

func (sqliteSpeech) function(name string) string { return "adopt_" + name }
func (sqliteSpeech) greatest() string            { return "max" }
func (sqliteSpeech) fence() string               { return " limit -1" }
func (sqliteSpeech) random() string              { return "lower(hex(randomblob(16)))" }
func (sqliteSpeech) document(e string) string    { return e }

func (sqliteSpeech) typed(e string, _ olderColumn) string { return e }

func (sqliteSpeech) guarded(guard string, c olderColumn) string {
	return fmt.Sprintf("case when typeof(o.%s) = 'text' then adopt_%s(o.%[1]s) else o.%[1]s end", quote(c.name), guard)
}

func (sqliteSpeech) value(o *older, kind, column string) string {
	c, ok := o.column(column)
	if !ok {
		return "null"
	}
	call := fmt.Sprintf("adopt_%s(o.%s)", kind, quote(c.name))
	switch kind {
	case "raw":
		return "o." + quote(c.name)
	case "id":
		return fmt.Sprintf("case when typeof(o.%s) = 'integer' then o.%[1]s else %s end", quote(c.name), call)
	case "flag":
		return fmt.Sprintf("case when typeof(o.%s) = 'integer' and o.%[1]s in (0, 1) then o.%[1]s else %s end", quote(c.name), call)
	}
	return call
}

func (sqliteSpeech) given(o *older, column string) string {
	c, ok := o.column(column)
	if !ok {
		return "false"
	}
	return fmt.Sprintf("(o.%s is not null and trim(o.%[1]s, char(9, 10, 13, 32)) <> '')", quote(c.name))
}

// row concatenates objects of few columns: a function has a limit of arguments.
func (sqliteSpeech) row(o *older) string {
	const few = 40
	var parts, args []string
	flush := func() {
		if len(args) > 0 {
			parts = append(parts, "trim(json_object("+strings.Join(args, ", ")+"), '{}')")
		}
		args = nil
	}
	for _, c := range o.columns {
		if c.name == sourceColumn {
			continue
		}
		value := "adopt_value(o." + quote(c.name) + ")"
		if guard := o.spec.guard(c.name); guard != "" {
			value = "adopt_value(" + sqliteSpeech{}.guarded(guard, c) + ")"
		}
		args = append(args, literal(c.name)+", "+value)
		if len(args) == few {
			flush()
		}
	}
	flush()
	return "'{' || " + strings.Join(parts, " || ',' || ") + " || '}'"
}

// postgresSpeech speaks to PostgreSQL, which was taught adopt/functions.sql.
type postgresSpeech struct{}

func (postgresSpeech) function(name string) string { return "pg_temp.adopt_" + name }
func (postgresSpeech) greatest() string            { return "greatest" }
func (postgresSpeech) fence() string               { return " offset 0" }
func (postgresSpeech) random() string              { return "gen_random_uuid()::text" }
func (postgresSpeech) document(e string) string    { return e + "::json" }

func (postgresSpeech) typed(e string, c olderColumn) string {
	return e + "::" + cmp.Or(c.original, c.kind)
}

func (postgresSpeech) guarded(guard string, c olderColumn) string {
	name := "o." + quote(c.name)
	if strings.HasPrefix(c.kind, "text") || strings.HasPrefix(c.kind, "char") || strings.HasPrefix(c.kind, "json") {
		return fmt.Sprintf("pg_temp.adopt_%s(%s::text)::%s", guard, name, c.kind)
	}
	return name
}

// postgresTypes are the types of the conversions' results.
var postgresTypes = map[string]string{
	"text": "text", "id": "bigint", "time": "timestamptz", "flag": "boolean", "whole": "integer",
	"session": "text", "email": "text", "json": "text", "raw": "text",
}

func (postgresSpeech) value(o *older, kind, column string) string {
	c, ok := o.column(column)
	if !ok {
		return "null::" + postgresTypes[kind]
	}
	name := "o." + quote(c.name)
	switch {
	case kind == "raw":
		return name
	case kind == "text":
		return name + "::text"
	case kind == "time" && strings.HasPrefix(c.kind, "timestamp"), kind == "time" && c.kind == "date":
		if !strings.Contains(c.kind, " with time zone") {
			name += "::timestamp at time zone 'UTC'"
		}
		return fmt.Sprintf("case when %s >= '0001-01-01 00:00:00+00' and %[1]s < '10000-01-01 00:00:00+00' then %[1]s end", name)
	case kind == "flag" && c.kind == "boolean":
		return name
	case (kind == "whole" || kind == "id") && (c.kind == "integer" || c.kind == "smallint"),
		kind == "id" && c.kind == "bigint":
		return name + "::" + postgresTypes[kind]
	}
	return fmt.Sprintf("pg_temp.adopt_%s(%s::text)", kind, name)
}

func (postgresSpeech) given(o *older, column string) string {
	c, ok := o.column(column)
	if !ok {
		return "false"
	}
	name := "o." + quote(c.name)
	if strings.HasPrefix(c.kind, "text") || strings.HasPrefix(c.kind, "char") {
		return fmt.Sprintf("(coalesce(btrim(%s, E' \\t\\r\\n'), '') <> '')", name)
	}
	return "(" + name + " is not null)"
}

func (p postgresSpeech) row(o *older) string {
	var parts []string
	for _, c := range o.columns {
		if c.name == sourceColumn {
			continue
		}
		value := "o." + quote(c.name)
		if guard := o.spec.guard(c.name); guard != "" {
			value = p.guarded(guard, c)
		}
		parts = append(parts, value+" as "+quote(c.name))
	}
	return "(select row_to_json(r) from (select " + strings.Join(parts, ", ") + ") r)"
}

// sourceColumn says which table a row of a copy of two tables is from.
const sourceColumn = "chatops_source"
