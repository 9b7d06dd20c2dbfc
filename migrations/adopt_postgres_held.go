package migrations

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// What hangs on an older table.
const (
	heldTriggers = `
select tgname, pg_get_triggerdef(oid), tgenabled::text from pg_trigger
where tgrelid = $1::bigint::oid and not tgisinternal and tgname not like 'dlq\_after\_%' order by tgname`

	heldForeigns = `
select c.conrelid::regclass::text, c.conname, pg_get_constraintdef(c.oid),
  coalesce((select a.attname from pg_attribute a where a.attrelid = c.conrelid and a.attnum = c.conkey[1]
    and cardinality(c.conkey) = 1 and c.confkey[1] = $2::integer), '')
from pg_constraint c where c.contype = 'f' and c.confrelid = $1::bigint::oid and c.conparentid = 0
  and c.conrelid <> all ($3::bigint[]::oid[]) order by c.conname`

	heldSequences = `
select s.objid::regclass::text from pg_depend s join pg_class q on q.oid = s.objid and q.relkind = 'S'
where s.classid = 'pg_class'::regclass and s.refclassid = 'pg_class'::regclass and s.refobjid = $1::bigint::oid
  and s.refobjsubid = $2::integer and s.deptype in ('a', 'i')`

	heldIndexes = `
select i.indexrelid::regclass::text, i.indexrelid::bigint from pg_index i where i.indrelid = $1::bigint::oid`

	// heldGrants are statements that grant to others what they may do now.
	heldGrants = `
select format('grant %s on table %s to %s%s', string_agg(g.privilege_type, ', '), $3::text,
  case when g.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end,
  case when g.is_grantable then ' with grant option' else '' end)
from pg_class c, aclexplode(c.relacl) g where c.oid = $1::bigint::oid and g.grantee <> c.relowner
group by g.grantee, g.is_grantable
union all
select format('grant %s (%s) on table %s to %s%s', g.privilege_type, string_agg(quote_ident(a.attname), ', '), $3::text,
  case when g.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end,
  case when g.is_grantable then ' with grant option' else '' end)
from pg_class c join pg_attribute a on a.attrelid = c.oid, aclexplode(a.attacl) g
where c.oid = $1::bigint::oid and g.grantee <> c.relowner and not a.attisdropped
group by g.grantee, g.is_grantable, g.privilege_type
union all
select format('grant %s on sequence SEQUENCE to %s%s', string_agg(g.privilege_type, ', '),
  case when g.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end,
  case when g.is_grantable then ' with grant option' else '' end)
from pg_depend s join pg_class q on q.oid = s.objid and q.relkind = 'S', aclexplode(q.relacl) g
where s.classid = 'pg_class'::regclass and s.refclassid = 'pg_class'::regclass and s.refobjid = $1::bigint::oid
  and s.refobjsubid = $2::integer and s.deptype in ('a', 'i') and g.grantee <> q.relowner
group by g.grantee, g.is_grantable
union all
-- Who changes the queue must be able to run its triggers.
select format('grant select, insert, update, delete on dlq_lane, dlq_count, delivery_attempt to %s',
  case when g.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end)
from pg_class c, aclexplode(c.relacl) g where c.oid = $1::bigint::oid and g.grantee <> c.relowner
  and c.relname = 'dead_letter_queue' and g.privilege_type in ('INSERT', 'UPDATE', 'DELETE')
group by g.grantee`
)

// aside remembers what hangs on the older tables and renames them, their indexes
// and the sequences of their ids.
func (m *postgresMover) aside(ctx context.Context, x executor, list []*older) error {
	if err := m.inSchema(ctx, x); err != nil {
		return err
	}
	var all []*older
	var oids []int64
	for _, o := range list {
		for _, part := range o.parts() {
			part.spec = o.spec
			all, oids = append(all, part), append(oids, part.held.oid)
		}
	}
	for _, part := range all {
		if err := part.remember(ctx, x, oids); err != nil {
			return fmt.Errorf("look at %s: %w", part.name, err)
		}
	}
	m.made = map[string]bool{}
	existing, err := m.relations(ctx, x)
	if err != nil {
		return err
	}
	for _, name := range existing {
		m.made[name] = false
	}
	for _, part := range all {
		if err := m.rename(ctx, x, part); err != nil {
			return fmt.Errorf("move %s: %w", part.name, err)
		}
	}
	return nil
}

func (o *older) remember(ctx context.Context, x executor, oids []int64) error {
	h := o.held
	rows, err := x.QueryContext(ctx, heldTriggers, h.oid)
	if err != nil {
		return err
	}
	if h.triggers, err = collect(rows, func(r *sql.Rows, t *heldTrigger) error {
		return r.Scan(&t.name, &t.definition, &t.enabled)
	}); err != nil {
		return err
	}
	if rows, err = x.QueryContext(ctx, heldForeigns, h.oid, h.idAttnum, oids); err != nil {
		return err
	}
	if h.foreign, err = collect(rows, func(r *sql.Rows, f *heldForeign) error {
		return r.Scan(&f.table, &f.name, &f.definition, &f.column)
	}); err != nil {
		return err
	}
	if rows, err = x.QueryContext(ctx, heldGrants, h.oid, h.idAttnum, o.spec.table); err != nil {
		return err
	}
	if h.grants, err = collect(rows, func(r *sql.Rows, s *string) error { return r.Scan(s) }); err != nil {
		return err
	}
	if rows, err = x.QueryContext(ctx, heldSequences, h.oid, h.idAttnum); err != nil {
		return err
	}
	if h.sequences, err = collect(rows, func(r *sql.Rows, s *string) error { return r.Scan(s) }); err != nil {
		return err
	}
	for _, sequence := range h.sequences {
		var n int64
		if err := x.QueryRowContext(ctx, `select last_value from `+sequence).Scan(&n); err != nil {
			return err
		}
		h.highest = max(h.highest, n)
	}
	return nil
}

func (m *postgresMover) rename(ctx context.Context, x executor, o *older) error {
	for _, f := range o.held.foreign {
		if _, err := x.ExecContext(ctx, "alter table "+f.table+" drop constraint "+quote(f.name)); err != nil {
			return fmt.Errorf("foreign key %s of %s: %w", f.name, f.table, err)
		}
	}
	rows, err := x.QueryContext(ctx, heldIndexes, o.held.oid)
	if err != nil {
		return err
	}
	type index struct {
		name string
		oid  int64
	}
	indexes, err := collect(rows, func(r *sql.Rows, i *index) error { return r.Scan(&i.name, &i.oid) })
	if err != nil {
		return err
	}
	var statements []string
	for _, i := range indexes {
		statements = append(statements, fmt.Sprintf("alter index %s rename to chatops_older_%d", i.name, i.oid))
	}
	for i, sequence := range o.held.sequences {
		statements = append(statements, fmt.Sprintf("alter sequence %s rename to chatops_older_%d_%d", sequence, o.held.oid, i))
	}
	statements = append(statements, "alter table "+o.from+" rename to "+asideName(o.name))
	for _, statement := range statements {
		if _, err := x.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	o.from = m.schema + "." + asideName(o.name)
	return nil
}

// relations lists the tables and functions of the schema.
func (m *postgresMover) relations(ctx context.Context, x executor) ([]string, error) {
	rows, err := x.QueryContext(ctx, `
		select 'table ' || c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where quote_ident(n.nspname) = $1::text and c.relkind = 'r' and pg_get_userbyid(c.relowner) = current_user
		union all select 'function ' || p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
		where quote_ident(n.nspname) = $1::text and p.prokind = 'f' and pg_get_userbyid(p.proowner) = current_user order by 1`, m.schema)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(r *sql.Rows, name *string) error { return r.Scan(name) })
}

// settle completes the new tables.
func (m *postgresMover) settle(ctx context.Context, x executor, a *adoption) error {
	for _, o := range slices.Concat(a.tables, a.kept) {
		var statements []string
		for _, part := range o.parts() {
			more, err := m.restore(ctx, x, a, part)
			if err != nil {
				return fmt.Errorf("complete %s: %w", o.spec.table, err)
			}
			statements = append(statements, more...)
		}
		statements = append(statements, "analyze "+o.spec.table)
		for _, statement := range statements {
			if _, err := x.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("complete %s: %w", o.spec.table, err)
			}
		}
	}
	if m.owner == "" {
		return nil
	}
	now, err := m.relations(ctx, x)
	if err != nil {
		return err
	}
	for _, name := range now {
		if _, before := m.made[name]; before {
			continue
		}
		if _, err := x.ExecContext(ctx, "alter "+name+" owner to "+m.owner); err != nil {
			return fmt.Errorf("give the new tables to %s: %w", m.owner, err)
		}
	}
	return nil
}

// restore lets ids go on after the highest that any row ever had, and hangs on
// the new table what hung on the older one.
func (m *postgresMover) restore(ctx context.Context, x executor, a *adoption, o *older) ([]string, error) {
	table := o.spec.table
	sequence := ""
	if !slices.Contains(unnumbered, table) {
		highest := `select coalesce(max(id), 0) from ` + table
		if a.table(table) != nil {
			highest = `select coalesce(max(id), 0) from ` + stageName(table)
		}
		var n, last int64
		if err := x.QueryRowContext(ctx, highest).Scan(&n); err != nil {
			return nil, err
		}
		if err := x.QueryRowContext(ctx, `select pg_get_serial_sequence($1::text, 'id')`, table).Scan(&sequence); err != nil {
			return nil, err
		}
		if err := x.QueryRowContext(ctx, `select last_value from `+sequence).Scan(&last); err != nil {
			return nil, err
		}
		if n = max(n, o.held.highest, last); n > 1 {
			if _, err := x.ExecContext(ctx, fmt.Sprintf(`select setval('%s', %d)`, sequence, n)); err != nil {
				return nil, err
			}
		}
	}
	var list []string
	for _, t := range o.held.triggers {
		list = append(list, t.definition)
		switch t.enabled {
		case "D":
			list = append(list, "alter table "+table+" disable trigger "+quote(t.name))
		case "A":
			list = append(list, "alter table "+table+" enable always trigger "+quote(t.name))
		case "R":
			list = append(list, "alter table "+table+" enable replica trigger "+quote(t.name))
		}
	}
	for _, f := range o.held.foreign {
		if moved, ok := movedTables[table]; ok && f.column != "" {
			list = append(list, fmt.Sprintf("update %s t set %s = m.new_id from %s m where m.old_key = t.%[2]s::text", f.table, quote(f.column), moved))
		}
		list = append(list, "alter table "+f.table+" add constraint "+quote(f.name)+" "+f.definition)
	}
	for _, grant := range o.held.grants {
		list = append(list, strings.Replace(grant, " on sequence SEQUENCE ", " on sequence "+sequence+" ", 1))
	}
	return list, nil
}
