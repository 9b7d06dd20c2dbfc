package migrations

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"chatops/internal/chatops"
)

// tally reads what the stages say into the report.
func (a *adoption) tally(ctx context.Context, x executor) error {
	for _, o := range slices.Concat(a.tables, a.kept) {
		for _, name := range o.names {
			var n int64
			if err := x.QueryRowContext(ctx, `select count(*) from `+o.place(name)).Scan(&n); err != nil {
				return fmt.Errorf("count rows of %s: %w", name, err)
			}
			a.report.Tables = append(a.report.Tables, chatops.AdoptedTable{
				Table: o.spec.table, From: name, RowsBefore: n, Reasons: []chatops.AdoptionReason{},
			})
		}
	}
	for _, o := range a.tables {
		a.shapes(o)
		if err := a.verdicts(ctx, x, o); err != nil {
			return err
		}
	}
	for _, o := range a.kept {
		t := a.row(o.name)
		t.Kept = t.RowsBefore
	}
	if err := a.reportConsents(ctx, x); err != nil {
		return err
	}
	after := map[string]int64{}
	for _, t := range a.report.Tables {
		after[t.Table] += t.Kept
	}
	for i := range a.report.Tables {
		a.report.Tables[i].RowsAfter = after[a.report.Tables[i].Table]
	}
	return nil
}

// verdicts counts what becomes of the rows of a table.
func (a *adoption) verdicts(ctx context.Context, x executor, o *older) error {
	stage := stageName(o.spec.table)
	rows, err := x.QueryContext(ctx, `select source, coalesce(lost, ''), coalesce(note, ''), coalesce(info, ''), count(*) from `+stage+`
		where lost is not null or note is not null or info is not null group by 1, 2, 3, 4
		union all select source, '', '', '', count(*) from `+stage+`
		where lost is null and note is null and info is null group by 1 order by 1, 2, 3, 4`)
	if err != nil {
		return fmt.Errorf("count what becomes of %s: %w", o.name, err)
	}
	defer func() { _ = rows.Close() }()
	found := map[string]int64{} // by reason
	for rows.Next() {
		var source, lostFor, noted, told string
		var n int64
		if err := rows.Scan(&source, &lostFor, &noted, &told, &n); err != nil {
			return err
		}
		t := a.row(source)
		switch {
		case lostFor != "":
			t.Archived += n
		case noted != "":
			t.Changed += n
			fallthrough
		default:
			t.Kept += n
		}
		for reason := range strings.SplitSeq(strings.Join([]string{lostFor, noted}, "; "), "; ") {
			if reason != "" {
				t.Reasons = addReason(t.Reasons, reason, n)
			}
		}
		for reason := range strings.SplitSeq(strings.Join([]string{lostFor, noted, told}, "; "), "; ") {
			found[reason] += n
		}
	}
	for _, c := range o.spec.allChecks() {
		if n := found[c.reason]; n > 0 {
			a.find(c.kind, o.spec.table, n, c.reason+": "+c.rule)
		}
	}
	return rows.Err()
}

func addReason(list []chatops.AdoptionReason, reason string, n int64) []chatops.AdoptionReason {
	for i := range list {
		if list[i].Reason == reason {
			list[i].Count += n
			return list
		}
	}
	return append(list, chatops.AdoptionReason{Reason: reason, Count: n})
}

func (a *adoption) find(kind, table string, n int64, rule string) {
	a.report.Findings = append(a.report.Findings, chatops.AdoptionFinding{Kind: kind, Table: table, Count: n, Rule: rule})
}

// shapes tells how an older table differs from ours.
func (a *adoption) shapes(o *older) {
	table := o.spec.table
	for _, name := range o.names {
		if !strings.EqualFold(name, table) {
			a.find("table_renamed", table, 1, "rows of "+name+" go to "+table)
		}
	}
	ours := columnsOf(a.pending, table)
	var missing, extra []string
	for _, name := range ours {
		if _, ok := o.column(name); !ok {
			missing = append(missing, name)
		}
	}
	for _, c := range o.extras(ours) {
		extra = append(extra, c.name)
	}
	if len(missing) > 0 {
		a.find("columns_missing", table, int64(len(missing)), "added: "+strings.Join(missing, ", "))
	}
	if len(extra) > 0 {
		a.find("columns_kept", table, int64(len(extra)), "not ours, kept with their values: "+strings.Join(extra, ", "))
	}
	for _, f := range o.findings {
		a.find(f.Kind, table, f.Count, f.Rule)
	}
}

// consentSources are the words for where an answer was found.
var consentSources = []struct {
	kind string
	from int
	rule string
}{
	{"consent_column", saidByColumn, "from a consent column; a no of any row of the session outweighs a yes"},
	{"consent_text", saidByText, "from a text such as marketing_consent:false in notes or context_data; a no outweighs a yes"},
	{"consent_table", saidByTable, "from rodo_consents, by session"},
	{"consent_mode", 0, "nobody said anything: CONSENT_MODE decides"},
}

// reportConsents counts where answers were found.
func (a *adoption) reportConsents(ctx context.Context, x executor) error {
	for _, name := range []string{"chat_conversations", "leads"} {
		if a.table(name) != nil {
			if err := a.countConsents(ctx, x, name); err != nil {
				return err
			}
		}
		var n int64
		if err := x.QueryRowContext(ctx, `select count(*) from chatops_withdrawn_`+name).Scan(&n); err != nil {
			return fmt.Errorf("count withdrawals: %w", err)
		}
		if n > 0 {
			a.find("consent_withdrawn", name, n, "the audit log's last word is a withdrawal: consent is false")
		}
	}
	var n int64
	if err := x.QueryRowContext(ctx, `select count(*) from chatops_withdrawal where who like 'e:%'`).Scan(&n); err != nil {
		return fmt.Errorf("count withdrawals: %w", err)
	}
	if n > 0 {
		a.find("suppressed", "suppression", n, "addresses that withdrew consent get no follow-ups")
	}
	return nil
}

func (a *adoption) countConsents(ctx context.Context, x executor, table string) error {
	for _, flag := range []string{"marketing", "rodo"} {
		counts, err := countSources(ctx, x, flag, table)
		if err != nil {
			return fmt.Errorf("count consents of %s: %w", table, err)
		}
		for _, s := range consentSources {
			if counts[s.from] > 0 {
				a.find(s.kind, table, counts[s.from], flag+"_consent "+s.rule)
			}
		}
	}
	return nil
}

// countSources counts the answers about a consent by where they were found.
func countSources(ctx context.Context, x executor, flag, table string) (map[int]int64, error) {
	rows, err := x.QueryContext(ctx, `select coalesce(`+flag+`, 0), count(*) from chatops_consent_`+table+` group by 1 order by 1`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	counts := map[int]int64{}
	for rows.Next() {
		var said int
		var n int64
		if err := rows.Scan(&said, &n); err != nil {
			return nil, err
		}
		counts[said%10] += n
	}
	return counts, rows.Err()
}
