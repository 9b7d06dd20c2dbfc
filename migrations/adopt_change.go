package migrations

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"chatops/internal/chatops"
)

// reportReason marks the row of adoption_archive that holds the report; Down
// looks for it.
const reportReason = "adoption report"

// change moves the older tables aside, makes the new ones, and fills them. All
// of it is one transaction of the caller's.
func (a *adoption) change(ctx context.Context, x executor, pending []step) error {
	all := slices.Concat(a.tables, a.kept)
	if err := a.moves.aside(ctx, x, all); err != nil {
		return err
	}
	for _, s := range pending {
		if _, err := x.ExecContext(ctx, s.sql); err != nil {
			return fmt.Errorf("migration %s: %w", s.Name, err)
		}
	}
	if err := a.addExtras(ctx, x, all, pending); err != nil {
		return err
	}
	for _, o := range a.kept {
		if err := a.keep(ctx, x, o, pending); err != nil {
			return fmt.Errorf("copy rows of %s: %w", o.name, err)
		}
	}
	for _, o := range a.tables {
		if err := a.copy(ctx, x, o, pending); err != nil {
			return fmt.Errorf("copy rows of %s: %w", o.name, err)
		}
	}
	if err := a.withdraw(ctx, x); err != nil {
		return err
	}
	if err := a.moves.settle(ctx, x, a); err != nil {
		return err
	}
	if err := a.reconcile(ctx, x); err != nil {
		return err
	}
	if err := a.writeReport(ctx, x); err != nil {
		return err
	}
	return a.moves.drop(ctx, x, all)
}

// step is a migration that an adoption applies.
type step struct {
	chatops.Migration
	sql string
}

// columnsOf are the columns that our table has once the steps are applied.
func columnsOf(pending []step, table string) []string {
	for _, s := range pending {
		if columns := tableColumns(s.sql, table); columns != nil {
			return columns
		}
	}
	return nil
}

func (a *adoption) addExtras(ctx context.Context, x executor, all []*older, pending []step) error {
	for _, o := range all {
		for _, c := range o.extras(columnsOf(pending, o.spec.table)) {
			for _, statement := range a.moves.extra(o.spec.table, c) {
				if _, err := x.ExecContext(ctx, statement); err != nil {
					return fmt.Errorf("keep column %s of %s: %w", c.name, o.name, err)
				}
			}
		}
	}
	return nil
}

// keep copies a table of our own, which an earlier chatops has filled.
func (a *adoption) keep(ctx context.Context, x executor, o *older, pending []step) error {
	s := spec{table: o.spec.table}
	for _, column := range columnsOf(pending, s.table) {
		if !slices.Contains(generatedColumns, column) {
			s.copies = append(s.copies, column+" = {raw "+column+"}")
		}
	}
	n, err := a.count(ctx, x, o, s.insertAll(a.speech, o, o.extras(columnsOf(pending, s.table))))
	row := a.row(o.name)
	row.Kept = n
	return err
}

// generatedColumns cannot be written.
var generatedColumns = []string{"lane"}

func (a *adoption) copy(ctx context.Context, x executor, o *older, pending []step) error {
	inserted, err := a.count(ctx, x, o, o.spec.insert(a.speech, o, o.extras(columnsOf(pending, o.spec.table))))
	if err != nil {
		return err
	}
	archived, err := a.count(ctx, x, o, o.spec.archive(true))
	if err != nil {
		return err
	}
	changed, err := a.count(ctx, x, o, o.spec.archive(false))
	if err != nil {
		return err
	}
	var judged chatops.AdoptedTable
	for _, name := range o.names {
		row := a.row(name)
		judged.Kept += row.Kept
		judged.Archived += row.Archived
		judged.Changed += row.Changed
	}
	if inserted != judged.Kept || archived != judged.Archived || changed != judged.Changed {
		return chatops.Errorf(chatops.CodeInternal,
			"%d rows were copied, %d archived and %d changed, where %d, %d and %d were expected",
			inserted, archived, changed, judged.Kept, judged.Archived, judged.Changed)
	}
	return nil
}

// withdraw applies what the audit log says last.
func (a *adoption) withdraw(ctx context.Context, x executor) error {
	for _, w := range withdrawnTables {
		o := &older{spec: &spec{table: w.table}}
		if err := a.run(ctx, x, o, withdraw); err != nil {
			return fmt.Errorf("withdraw consent of %s: %w", w.table, err)
		}
	}
	if err := a.run(ctx, x, nil, suppress); err != nil {
		return fmt.Errorf("suppress addresses: %w", err)
	}
	return a.foldSuppressed(ctx, x)
}

// row returns the report's row of an older table.
func (a *adoption) row(from string) *chatops.AdoptedTable {
	i := slices.IndexFunc(a.report.Tables, func(t chatops.AdoptedTable) bool { return t.From == from })
	return &a.report.Tables[i]
}

// reconcile compares the rows of before with those of after.
func (a *adoption) reconcile(ctx context.Context, x executor) error {
	kept := map[string]int64{}
	for _, t := range a.report.Tables {
		kept[t.Table] += t.Kept
		if t.RowsBefore != t.Kept+t.Archived {
			return chatops.Errorf(chatops.CodeInternal, "%s had %d rows, but %d were kept and %d archived",
				t.From, t.RowsBefore, t.Kept, t.Archived)
		}
	}
	for i := range a.report.Tables {
		t := &a.report.Tables[i]
		if err := x.QueryRowContext(ctx, `select count(*) from `+t.Table).Scan(&t.RowsAfter); err != nil {
			return fmt.Errorf("count rows of %s: %w", t.Table, err)
		}
		grows := slices.Contains(growingTables, t.Table)
		if t.RowsAfter < kept[t.Table] || t.RowsAfter > kept[t.Table] && !grows {
			return chatops.Errorf(chatops.CodeInternal, "%s has %d rows, where %d were kept", t.Table, t.RowsAfter, kept[t.Table])
		}
	}
	return nil
}

// growingTables get further rows from the adoption itself.
var growingTables = []string{"suppression", "adoption_archive"}

func (a *adoption) writeReport(ctx context.Context, x executor) error {
	raw, err := json.Marshal(&a.report)
	if err != nil {
		return err
	}
	_, err = x.ExecContext(ctx, `insert into adoption_archive (table_name, reason, data) values ('chatops', `+
		literal(reportReason)+`, `+a.speech.document(literal(string(raw)))+`)`)
	return err
}
