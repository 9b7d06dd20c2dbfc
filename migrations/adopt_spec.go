package migrations

import (
	"cmp"
	"fmt"
	"strings"
)

// spec says how the rows of an older table become rows of ours. Statements are
// written in the places of expand.
type spec struct {
	table   string
	version int64 // the migration that makes the table
	// values are "kind column": each becomes a column of the stage, and one that
	// cannot be read a reason to archive the original.
	values []string
	// selects are further columns of the stage, "expression as name".
	selects string
	// layers are common table expressions after b, which has the values and id;
	// the last is z. Empty: z is b.
	layers string
	// keeps are the columns of the stage, where not all of z are needed.
	keeps  string
	checks []check
	// copies are "column = expression" of the copy; s is the stage, o the older
	// table. joins are what the expressions need besides.
	copies []string
	joins  string
	// guards name the conversion that hides secrets in a column of an archived
	// row; "*" is for all other columns.
	guards map[string]string
}

func (s *spec) guard(column string) string {
	if guard, ok := s.guards[strings.ToLower(column)]; ok {
		return guard
	}
	return s.guards["*"]
}

// fate is what becomes of a row that a check finds.
type fate string

const (
	lost fate = "lost" // the row is not kept: it goes to the archive
	note fate = "note" // the row is kept, its original goes to the archive too
	info fate = "info" // nothing of it is lost
)

// check finds rows for which there is a rule.
type check struct {
	fate   fate
	kind   string // of the finding
	reason string // as the archive has it
	cond   string // over z
	rule   string
}

// unreadable are the checks of the values.
func (s *spec) allChecks() []check {
	list := []check{{
		note, "id_replaced", "id: missing, not a number, or used twice", "renumbered and key0 is not null",
		"the row gets a number after the highest one",
	}}
	list = append(list, s.checks...)
	for _, v := range s.values {
		_, column, _ := strings.Cut(v, " ")
		list = append(list, check{
			note, "unreadable_value", column + ": not readable", column + "_given and z." + column + " is null",
			"the value becomes empty, or what new rows have",
		})
	}
	return list
}

func stageName(table string) string { return "chatops_stage_" + table }

// stage makes a temporary table that says of each row of the older table what
// becomes of it. It changes nothing else.
func (s *spec) stage(o *older) string {
	var a strings.Builder
	a.WriteString("select {rid} as rid, {source} as source, {id id} as id0, coalesce(cast({id id} as text), {text id}) as key0")
	for _, v := range s.values {
		_, column, _ := strings.Cut(v, " ")
		fmt.Fprintf(&a, ",\n  {%s} as %s, {given %[2]s} as %[2]s_given", v, column)
	}
	if s.selects != "" {
		a.WriteString(",\n  " + s.selects)
	}
	layers := s.layers
	if layers == "" {
		layers = "z as (select * from b)" //nolint:unqueryvet // all of what the layer below has made
	}
	// Rows that are read once go through without being written down; the fence
	// keeps the engine from converting a value each time it is looked at.
	kind, fence := "not materialized", "{fence}"
	if !o.trusted {
		kind, fence = "materialized", ""
	}
	return "create temporary table " + stageName(s.table) + " as\nwith a as " + kind + " (\n" + a.String() + "\nfrom {older} o" + fence + "),\n" +
		numbering(o) + ",\n" + layers + "\nselect " + cmp.Or(s.keeps, "z.*") + ", " + s.verdicts() + "\nfrom z"
}

// numbering gives every row an id of its own.
func numbering(o *older) string {
	if o.trusted {
		return "b as (select a.*, id0 as id, 1 as nth, false as renumbered from a)"
	}
	return `n as (select a.*, row_number() over (partition by id0 order by rid) as nth from a),
f as (select n.*, case when id0 is not null and nth = 1 then 1 else 0 end as fits from n),
b as materialized (select f.*, case when fits = 1 then id0
    else (select coalesce(max(id0), 0) from a) + row_number() over (partition by fits order by rid) end as id,
  fits = 0 as renumbered from f)`
}

// verdicts are the columns lost, note and info of a stage: the first reason why
// a row is not kept, all reasons to archive it, and all findings besides.
func (s *spec) verdicts() string {
	whens := map[fate][]string{}
	for _, c := range s.allChecks() {
		whens[c.fate] = append(whens[c.fate], "when "+c.cond+" then "+literal(c.reason))
	}
	first := "cast(null as text)"
	if len(whens[lost]) > 0 {
		first = "case " + strings.Join(whens[lost], " ") + " end"
	}
	all := func(list []string) string {
		for i, when := range list {
			list[i] = "case " + when + " end"
		}
		if len(list) == 0 {
			return "cast(null as text)"
		}
		return "nullif(concat_ws('; ', " + strings.Join(list, ", ") + "), '')"
	}
	return first + " as lost, " + all(whens[note]) + " as note, " + all(whens[info]) + " as info"
}

// insert copies the rows that are kept, with the extra columns.
func (s *spec) insert(sp speech, o *older, extras []olderColumn) string {
	return s.into(sp, o, extras) + "\nfrom " + stageName(s.table) + " s join {older} o on {rid} = s.rid " + s.joins +
		"\nwhere s.lost is null" + inOrder(o)
}

// inOrder copies rows in the order of their ids, in which those of a trusted
// table are read anyhow.
func inOrder(o *older) string {
	if o.trusted {
		return ""
	}
	return " order by s.id"
}

// insertAll copies all rows without a stage.
func (s *spec) insertAll(sp speech, o *older, extras []olderColumn) string {
	return s.into(sp, o, extras) + "\nfrom {older} o"
}

func (s *spec) into(sp speech, o *older, extras []olderColumn) string {
	var columns, values []string
	for _, c := range s.copies {
		column, value, _ := strings.Cut(c, " = ")
		columns, values = append(columns, column), append(values, value)
	}
	for _, c := range extras {
		value := "o." + quote(c.name)
		if guard := s.guards["*"]; guard != "" {
			value = sp.guarded(guard, c)
		}
		if len(o.names) > 1 { // the copy of two tables holds text
			value = sp.typed(value, c)
		}
		columns, values = append(columns, quote(c.name)), append(values, value)
	}
	return "insert into " + s.table + " (" + strings.Join(columns, ", ") + ")\nselect " + strings.Join(values, ",\n  ")
}

// archive keeps the originals of the rows that are not kept, or not kept as they
// are.
func (s *spec) archive(lostOnes bool) string {
	reason, which := "s.note", "s.lost is null and s.note is not null"
	if lostOnes {
		reason, which = "concat_ws('; ', s.lost, s.note)", "s.lost is not null"
	}
	return "insert into adoption_archive (table_name, row_id, reason, data)\nselect s.source, s.id, " + reason + ", {row}\nfrom " +
		stageName(s.table) + " s join {older} o on {rid} = s.rid where " + which + " order by s.id"
}
