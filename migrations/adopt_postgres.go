package migrations

import (
	"context"
	"database/sql"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"time"

	"chatops/internal/chatops"
)

//go:embed adopt/functions.sql
var postgresFunctions string

// postgresMover moves the tables of a PostgreSQL database.
type postgresMover struct {
	schema string // the older tables', quoted
	owner  string // of the older tables, quoted; "": the user who adopts
	made   map[string]bool
}

// held is what hangs on an older table and must hang on the new one.
type held struct {
	oid       int64
	idAttnum  int
	triggers  []heldTrigger
	foreign   []heldForeign
	grants    []string // statements
	highest   int64    // of the sequence of id
	sequences []string // that belong to id
	parts     []*older // of a copy of two tables
}

type heldTrigger struct{ name, definition, enabled string }

// heldForeign is a foreign key of another table; column is set when it is one
// column that refers to id.
type heldForeign struct{ table, name, definition, column string }

// lockWait is how long an adoption waits for tables that others use. Meanwhile
// all who come later wait too.
const lockWait = "10s"

func (*postgresMover) begin(ctx context.Context, x executor, exclusive bool) error {
	level := "repeatable read"
	if exclusive {
		level = "read committed" // what others did while the lock was awaited must be seen
	}
	_, err := x.ExecContext(ctx, "begin isolation level "+level+`;
		set local timezone = 'UTC'; set local lock_timeout = '`+lockWait+`'; set local statement_timeout = 0;
		set local idle_in_transaction_session_timeout = 0; set local client_min_messages = warning;
		set local work_mem = '64MB'; set local maintenance_work_mem = '128MB'; set local temp_buffers = '32MB'`)
	return err
}

// postgresTables finds the tables that a name stands for on the search path.
const postgresTables = `
select c.oid::bigint, c.relname, c.relkind::text, quote_ident(n.nspname), c.relrowsecurity, pg_get_userbyid(c.relowner) = current_user,
  quote_ident(pg_get_userbyid(c.relowner)),
  exists (select from pg_inherits i where c.oid in (i.inhrelid, i.inhparent)),
  coalesce((select string_agg(distinct v.oid::regclass::text, ', ') from pg_depend d
    join pg_rewrite r on r.oid = d.objid join pg_class v on v.oid = r.ev_class
    where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid and v.oid <> c.oid), ''),
  coalesce((select string_agg(p.pubname, ', ') from pg_publication_rel r join pg_publication p on p.oid = r.prpubid where r.prrelid = c.oid), '')
from unnest($1::text[]) t (name) join pg_class c on c.oid = to_regclass(quote_ident(t.name)) join pg_namespace n on n.oid = c.relnamespace
order by c.relname`

// postgresColumns reads the columns of a table.
const postgresColumns = `
select a.attname, a.attnum,
  format_type(case when t.typtype = 'd' then t.typbasetype else a.atttypid end, case when t.typtype = 'd' then t.typtypmod else a.atttypmod end),
  coalesce(case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end, ''),
  coalesce((select s.objid::regclass::text from pg_depend s join pg_class q on q.oid = s.objid and q.relkind = 'S'
    where s.classid = 'pg_class'::regclass and s.refclassid = 'pg_class'::regclass and s.refobjid = a.attrelid
      and s.refobjsubid = a.attnum and s.deptype in ('a', 'i') limit 1), ''),
  a.attnotnull and exists (select from pg_index i where i.indrelid = a.attrelid and i.indisunique and i.indisvalid
    and i.indpred is null and i.indnkeyatts = 1 and i.indkey[0] = a.attnum)
from pg_attribute a join pg_type t on t.oid = a.atttypid
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attrelid = $1::bigint::oid and a.attnum > 0 and not a.attisdropped order by a.attnum`

func (m *postgresMover) find(ctx context.Context, x executor, names []string) (map[string]*older, error) {
	rows, err := x.QueryContext(ctx, postgresTables, names)
	if err != nil {
		return nil, fmt.Errorf("look for older tables: %w", err)
	}
	type entry struct {
		oid                                            int64
		name, kind, schema, owner, views, publications string
		security, mine, inherits                       bool
	}
	list, err := collect(rows, func(r *sql.Rows, e *entry) error {
		return r.Scan(&e.oid, &e.name, &e.kind, &e.schema, &e.security, &e.mine, &e.owner, &e.inherits, &e.views, &e.publications)
	})
	if err != nil {
		return nil, fmt.Errorf("look for older tables: %w", err)
	}
	found := map[string]*older{}
	for _, e := range list {
		problem := ""
		switch {
		case e.kind != "r":
			problem = "is not an ordinary table: drop it or give it another name"
		case e.inherits:
			problem = "is a partition, or inherits: make an ordinary table of it"
		case e.security:
			problem = "has row security, which would be lost: disable it, and enable it again afterwards"
		case e.views != "":
			problem = "is used by " + e.views + ": drop that (pg_get_viewdef keeps its text), and create it again afterwards"
		case m.schema != "" && m.schema != e.schema:
			problem = "is in schema " + e.schema + " and other tables in " + m.schema + ": move them into one schema"
		}
		if problem != "" && e.name != consentsSpec.table {
			return nil, chatops.Errorf(chatops.CodeConflict, "table %s %s, then run again", e.name, problem)
		}
		if e.name != consentsSpec.table {
			m.schema = e.schema
		}
		if !e.mine && e.name != consentsSpec.table {
			m.owner = e.owner
		}
		o := &older{
			name: e.name, from: e.schema + "." + quote(e.name), rid: "ctid", source: literal(e.name) + "::text",
			names: []string{e.name}, held: &held{oid: e.oid},
		}
		if err := o.readColumns(ctx, x); err != nil {
			return nil, err
		}
		if e.publications != "" {
			o.findings = append(o.findings, chatops.AdoptionFinding{
				Kind: "publication_left", Count: 1, Rule: "the table leaves the publication " + e.publications + ": add it again",
			})
		}
		found[e.name] = o
	}
	return found, nil
}

func (o *older) readColumns(ctx context.Context, x executor) error {
	rows, err := x.QueryContext(ctx, postgresColumns, o.held.oid)
	if err != nil {
		return fmt.Errorf("look at %s: %w", o.name, err)
	}
	o.columns, err = collect(rows, func(r *sql.Rows, c *olderColumn) error {
		var number int
		var unique bool
		if err := r.Scan(&c.name, &number, &c.kind, &c.initial, &c.sequence, &unique); err != nil {
			return err
		}
		if c.name == "id" {
			o.held.idAttnum = number
			o.trusted = unique && slices.Contains([]string{"smallint", "integer", "bigint"}, c.kind)
		}
		return nil
	})
	return err
}

func (m *postgresMover) exists(ctx context.Context, x executor, names []string) ([]string, error) {
	schema := m.schema
	if schema == "" {
		schema = "current_schema()"
	} else {
		schema = "(select nspname from pg_namespace where quote_ident(nspname) = " + literal(schema) + ")"
	}
	rows, err := x.QueryContext(ctx, `
		select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where n.nspname = `+schema+` and c.relname = any ($1::text[]) and not exists (
		  select from pg_index i join pg_class t on t.oid = i.indrelid where i.indexrelid = c.oid and t.relname = any ($2::text[]))
		union select p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
		where n.nspname = `+schema+` and p.proname = any ($1::text[]) order by 1`, names, olderNames())
	if err != nil {
		return nil, err
	}
	return collect(rows, func(r *sql.Rows, name *string) error { return r.Scan(name) })
}

func (*postgresMover) teach(ctx context.Context, x executor) error {
	if _, err := x.ExecContext(ctx, postgresFunctions); err != nil {
		return fmt.Errorf("make temporary functions: %w", err)
	}
	return nil
}

func (*postgresMover) merge(ctx context.Context, x executor, a, b *older) (*older, error) {
	both := mergedColumns(a, b)
	name := "chatops_merged_" + a.spec.table
	if _, err := x.ExecContext(ctx, "create temporary table "+name+" on commit drop as "+mergedRows(both, a, b, "::text")); err != nil {
		return nil, err
	}
	for i := range both.columns {
		c := &both.columns[i]
		c.original, c.kind = c.kind, "text"
	}
	both.from, both.rid = name, "ctid"
	both.held = &held{}
	both.held.parts = []*older{a, b}
	return both, nil
}

func (*postgresMover) ready(ctx context.Context, x executor, table string, _ ...string) error {
	_, err := x.ExecContext(ctx, "analyze "+table)
	return err
}

func (m *postgresMover) lock(ctx context.Context, x executor, list []*older) error {
	for _, o := range list {
		for _, part := range o.parts() {
			if _, err := x.ExecContext(ctx, "lock table "+part.from+" in access exclusive mode"); err != nil {
				return fmt.Errorf("wait for table %s: %w", part.name, err)
			}
		}
	}
	return nil
}

func (*postgresMover) drop(ctx context.Context, x executor, list []*older) error {
	var tables []string
	for _, o := range list {
		for _, part := range o.parts() {
			tables = append(tables, part.from)
		}
	}
	if _, err := x.ExecContext(ctx, "drop table "+strings.Join(tables, ", ")); err != nil {
		return fmt.Errorf("drop the older tables: %w", err)
	}
	return nil
}

func (*postgresMover) extra(table string, c olderColumn) []string {
	kind := c.kind
	if c.original != "" {
		kind = c.original
	}
	statement := "alter table " + table + " add column " + quote(c.name) + " " + kind
	if c.initial != "" {
		statement += " default " + c.initial
	}
	list := []string{statement}
	if c.sequence != "" {
		list = append(list, "alter sequence "+c.sequence+" owned by "+table+"."+quote(c.name))
	}
	return list
}

func (*postgresMover) stamp(t time.Time) string {
	return "timestamptz " + literal(t.UTC().Format("2006-01-02 15:04:05.000000")+"+00")
}

// parts are the tables whose rows o holds.
func (o *older) parts() []*older {
	if o.held != nil && o.held.parts != nil {
		return o.held.parts
	}
	return []*older{o}
}

// inSchema makes the older tables' schema the one in which tables are made.
func (m *postgresMover) inSchema(ctx context.Context, x executor) error {
	_, err := x.ExecContext(ctx, "select set_config('search_path', "+literal(m.schema)+" || ', ' || current_setting('search_path'), true)")
	return err
}
