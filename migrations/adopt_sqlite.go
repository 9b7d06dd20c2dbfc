package migrations

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"chatops/internal/chatops"
)

// sqliteMover moves the tables of an SQLite database. Foreign keys and views of
// other tables name ours; with legacy_alter_table they go on naming them.
type sqliteMover struct {
	triggers []string // of the older tables, to be made again
	numbers  map[string]int64
	foreign  []foreignColumn
}

// foreignColumn is a column of another table that refers to the id of ours.
type foreignColumn struct{ table, column, ours string }

const sqliteBusy = 2 * time.Minute

func (*sqliteMover) begin(ctx context.Context, x executor, exclusive bool) error {
	statements := []string{"pragma temp_store = file", "begin"}
	if exclusive {
		statements = []string{
			fmt.Sprintf("pragma busy_timeout = %d", sqliteBusy.Milliseconds()), "pragma temp_store = file",
			"pragma foreign_keys = off", "pragma legacy_alter_table = on", "begin immediate",
		}
	}
	for _, statement := range statements {
		if _, err := x.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

func (m *sqliteMover) find(ctx context.Context, x executor, names []string) (map[string]*older, error) {
	rows, err := x.QueryContext(ctx, `select t.name, t.type, t.wr from pragma_table_list t
		where t.schema = 'main' and lower(t.name) in (`+literals(names)+`)`)
	if err != nil {
		return nil, fmt.Errorf("look for older tables: %w", err)
	}
	type entry struct {
		name, kind   string
		withoutRowid bool
	}
	list, err := collect(rows, func(r *sql.Rows, e *entry) error { return r.Scan(&e.name, &e.kind, &e.withoutRowid) })
	if err != nil {
		return nil, fmt.Errorf("look for older tables: %w", err)
	}
	found := map[string]*older{}
	for _, e := range list {
		name := strings.ToLower(e.name)
		if e.kind != "table" {
			return nil, chatops.Errorf(chatops.CodeConflict,
				"%s is a %s: drop it or give it another name, then run again", e.name, e.kind)
		}
		o := &older{name: e.name, from: quote(e.name), source: literal(e.name), names: []string{e.name}, fold: true}
		if err := m.columns(ctx, x, o); err != nil {
			return nil, err
		}
		if o.rid = rowid(o); o.rid == "" || e.withoutRowid {
			if err := m.copyOut(ctx, x, o); err != nil {
				return nil, err
			}
		}
		found[name] = o
	}
	return found, nil
}

func (*sqliteMover) columns(ctx context.Context, x executor, o *older) error {
	rows, err := x.QueryContext(ctx, `select name, type, coalesce(dflt_value, ''), pk, hidden from pragma_table_xinfo(`+literal(o.name)+`)`)
	if err != nil {
		return fmt.Errorf("look at %s: %w", o.name, err)
	}
	keys, alias := 0, false
	o.columns, err = collect(rows, func(r *sql.Rows, c *olderColumn) error {
		var key, hidden int
		if err := r.Scan(&c.name, &c.kind, &c.initial, &key, &hidden); err != nil {
			return err
		}
		if key > 0 {
			keys++
			alias = alias || strings.EqualFold(c.name, "id") && strings.EqualFold(c.kind, "integer")
		}
		if hidden != 0 {
			c.initial = ""
		}
		return nil
	})
	o.trusted = keys == 1 && alias
	return err
}

// rowid is a name of the row's number that no column has taken.
func rowid(o *older) string {
	for _, name := range []string{"rowid", "_rowid_", "oid"} {
		if _, taken := o.column(name); !taken {
			return name
		}
	}
	return ""
}

// copyOut makes a table whose rows have numbers.
func (*sqliteMover) copyOut(ctx context.Context, x executor, o *older) error {
	name := "chatops_copy_" + strings.ToLower(o.name)
	columns := make([]string, len(o.columns))
	for i, c := range o.columns {
		columns[i] = quote(c.name)
	}
	_, err := x.ExecContext(ctx, "create temporary table "+name+" as select "+strings.Join(columns, ", ")+" from "+o.from)
	o.from, o.rid, o.trusted = name, rowid(o), false
	return err
}

func (*sqliteMover) exists(ctx context.Context, x executor, names []string) ([]string, error) {
	rows, err := x.QueryContext(ctx, `select name from sqlite_schema where lower(name) in (`+literals(names)+`)
		and type in ('table', 'view')
		union select name from sqlite_schema where lower(name) in (`+literals(names)+`) and type in ('index', 'trigger')
		and lower(tbl_name) not in (`+literals(olderNames())+`) order by 1`)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(r *sql.Rows, name *string) error { return r.Scan(name) })
}

// teach does nothing: the connection knows Functions since it was opened.
func (*sqliteMover) teach(context.Context, executor) error { return nil }

func (*sqliteMover) merge(ctx context.Context, x executor, a, b *older) (*older, error) {
	both := mergedColumns(a, b)
	name := "chatops_merged_" + a.spec.table
	if _, err := x.ExecContext(ctx, "create temporary table "+name+" as "+mergedRows(both, a, b, "")); err != nil {
		return nil, err
	}
	both.from, both.rid = name, "rowid"
	return both, nil
}

func (*sqliteMover) ready(ctx context.Context, x executor, table string, columns ...string) error {
	if len(columns) == 0 {
		return nil
	}
	_, err := x.ExecContext(ctx, "create index temp.ix_"+table+" on "+table+" ("+strings.Join(columns, ", ")+")")
	return err
}

func (*sqliteMover) lock(context.Context, executor, []*older) error { return nil } // begin has done it

// aside renames the older tables and remembers what hangs on them.
func (m *sqliteMover) aside(ctx context.Context, x executor, list []*older) error {
	m.numbers = map[string]int64{}
	for _, o := range list {
		for _, name := range o.names {
			if err := m.remember(ctx, x, o, name); err != nil {
				return fmt.Errorf("look at %s: %w", name, err)
			}
		}
	}
	if err := m.findForeign(ctx, x, list); err != nil {
		return err
	}
	for _, o := range list {
		for _, name := range o.names {
			if _, err := x.ExecContext(ctx, "alter table "+quote(name)+" rename to "+quote(asideName(name))); err != nil {
				return fmt.Errorf("move %s: %w", name, err)
			}
		}
		if o.from == quote(o.name) {
			o.from = quote(asideName(o.name))
		}
	}
	return nil
}

func asideName(name string) string { return "chatops_older_" + strings.ToLower(name) }

// remember notes the triggers and the highest number, and drops the indexes and
// triggers: their names are needed.
func (m *sqliteMover) remember(ctx context.Context, x executor, o *older, name string) error {
	rows, err := x.QueryContext(ctx, `select type, name, sql from sqlite_schema
		where type in ('index', 'trigger') and lower(tbl_name) = lower(`+literal(name)+`) and sql is not null`)
	if err != nil {
		return err
	}
	type object struct{ kind, name, sql string }
	objects, err := collect(rows, func(r *sql.Rows, s *object) error { return r.Scan(&s.kind, &s.name, &s.sql) })
	if err != nil {
		return err
	}
	for _, s := range objects {
		if s.kind == "trigger" && !ownTrigger().MatchString(s.name) {
			m.triggers = append(m.triggers, s.sql)
		}
		if _, err := x.ExecContext(ctx, "drop "+s.kind+" "+quote(s.name)); err != nil {
			return err
		}
	}
	var has bool
	if err := x.QueryRowContext(ctx, `select count(*) > 0 from sqlite_schema where name = 'sqlite_sequence'`).Scan(&has); err != nil || !has {
		return err
	}
	var n int64
	err = x.QueryRowContext(ctx, `select coalesce(max(seq), 0) from sqlite_sequence where lower(name) = lower(`+literal(name)+`)`).Scan(&n)
	m.numbers[o.spec.table] = max(n, m.numbers[o.spec.table])
	return err
}

// ownTrigger names the triggers that migrations make.
var ownTrigger = chatops.Pattern(`^dlq_after_`)

// findForeign finds the columns of other tables that refer to ids of ours.
func (m *sqliteMover) findForeign(ctx context.Context, x executor, list []*older) error {
	rows, err := x.QueryContext(ctx, `select t.name, f."from", lower(f."table") from pragma_table_list t, pragma_foreign_key_list(t.name) f
		where t.schema = 'main' and t.type = 'table' and (f."to" is null or lower(f."to") = 'id')
		and not exists (select 1 from pragma_foreign_key_list(t.name) g where g.id = f.id and g.seq > 0)`)
	if err != nil {
		return fmt.Errorf("look for foreign keys: %w", err)
	}
	all, err := collect(rows, func(r *sql.Rows, f *foreignColumn) error { return r.Scan(&f.table, &f.column, &f.ours) })
	for _, f := range all {
		ours := slices.ContainsFunc(list, func(o *older) bool { return o.spec.table == f.ours })
		adopted := slices.ContainsFunc(list, func(o *older) bool { return slices.Contains(o.names, f.table) })
		if ours && !adopted {
			m.foreign = append(m.foreign, f)
		}
	}
	return err
}

func (m *sqliteMover) settle(ctx context.Context, x executor, a *adoption) error {
	for _, o := range slices.Concat(a.tables, a.kept) {
		if slices.Contains(unnumbered, o.spec.table) {
			continue
		}
		if err := m.goOn(ctx, x, o, a); err != nil {
			return fmt.Errorf("numbers of %s: %w", o.spec.table, err)
		}
	}
	for _, f := range m.foreign {
		moved, ok := movedTables[f.ours]
		if !ok {
			continue
		}
		if _, err := x.ExecContext(ctx, "update "+quote(f.table)+" set "+quote(f.column)+" = (select m.new_id from "+moved+
			" m where m.old_key = cast("+quote(f.column)+" as text)) where cast("+quote(f.column)+" as text) in (select old_key from "+moved+")"); err != nil {
			return fmt.Errorf("rows of %s: %w", f.table, err)
		}
	}
	for _, statement := range m.triggers {
		if _, err := x.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("make a trigger of the older tables again: %w", err)
		}
	}
	return nil
}

// unnumbered are tables of our own whose rows have no numbers.
var unnumbered = []string{"dlq_operation", "idempotency_key"}

// movedTables name the temporary tables that say whose rows belong to another.
var movedTables = map[string]string{"chat_conversations": "chatops_moved", "leads": "chatops_moved_lead"}

// goOn lets ids go on after the highest that any row ever had.
func (m *sqliteMover) goOn(ctx context.Context, x executor, o *older, a *adoption) error {
	highest := m.numbers[o.spec.table]
	statement := `select coalesce(max(id), 0) from ` + o.spec.table
	if a.table(o.spec.table) == o {
		statement = `select coalesce(max(id), 0) from ` + stageName(o.spec.table)
	}
	var n int64
	if err := x.QueryRowContext(ctx, statement).Scan(&n); err != nil {
		return err
	}
	highest = max(highest, n)
	for _, statement := range []string{
		fmt.Sprintf(`update sqlite_sequence set seq = %d where name = '%s' and seq < %[1]d`, highest, o.spec.table),
		fmt.Sprintf(`insert into sqlite_sequence (name, seq) select '%s', %d where not exists (select 1 from sqlite_sequence where name = '%[1]s')`, o.spec.table, highest),
	} {
		if _, err := x.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// drop overwrites what the queue held: there were secrets in it.
func (*sqliteMover) drop(ctx context.Context, x executor, list []*older) error {
	for _, o := range list {
		secure := "off"
		if o.spec.guards != nil {
			secure = "on"
		}
		// The pragma answers with a row, which a driver may leave unread.
		var now int
		if err := x.QueryRowContext(ctx, "pragma secure_delete = "+secure).Scan(&now); err != nil {
			return err
		}
		for _, name := range o.names {
			if _, err := x.ExecContext(ctx, "drop table "+quote(asideName(name))); err != nil {
				return fmt.Errorf("drop %s: %w", name, err)
			}
		}
	}
	return nil
}

var plainType = chatops.Pattern(`^[A-Za-z0-9_ (),]*$`)

func (*sqliteMover) extra(table string, c olderColumn) []string {
	statement := "alter table " + table + " add column " + quote(c.name)
	if plainType().MatchString(c.kind) {
		statement += " " + c.kind
	}
	if c.initial != "" {
		statement += " default (" + c.initial + ")"
	}
	return []string{statement}
}

func (*sqliteMover) stamp(t time.Time) string {
	return literal(t.UTC().Format("2006-01-02 15:04:05.000000"))
}
