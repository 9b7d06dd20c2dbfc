package postgres

import (
	"context"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

// leadBatch is how many leads EachLead holds at a time.
const leadBatch = 500

// leadOrder are the expressions that leads are sorted by, before "asc" or
// "desc". Texts are compared by code point, as SQLite does, so that both
// engines list leads in one order; the columns without a case for nulls have
// none, and are spared it because the index could not serve it.
var leadOrder = map[chatops.LeadSort]struct{ expr, nulls string }{
	"":                      {"l.created_at", ""},
	chatops.SortLeadCreated: {"l.created_at", ""},
	chatops.SortLeadUpdated: {"l.updated_at", ""},
	chatops.SortLeadName:    {`nullif(l.name, '') collate "C"`, " nulls last"},
	chatops.SortLeadEmail:   {`nullif(l.email, '') collate "C"`, " nulls last"},
	chatops.SortLeadStatus:  {`l.status collate "C"`, ""},
	chatops.SortLeadScore:   {"l.lead_score", ""},
}

// leadQuery is a filter as SQL.
type leadQuery struct {
	where []string
	order string
	args  []any
}

func newLeadQuery(f *chatops.LeadFilter) (*leadQuery, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	direction := " desc"
	if f.Ascending {
		direction = " asc"
	}
	by := leadOrder[f.Sort]
	q := &leadQuery{order: " order by " + by.expr + direction + by.nulls + ", l.id" + direction}
	if f.Status != "" {
		q.and("l.status = ", string(f.Status), "text")
	}
	if f.Package != "" {
		q.and(`lower(l.interested_package collate "C") = `, foldASCII(chatops.CleanText(f.Package)), "text")
	}
	if !f.Since.IsZero() {
		q.and("l.created_at >= ", f.Since.UTC(), "timestamptz")
	}
	if !f.Until.IsZero() {
		q.and("l.created_at < ", f.Until.UTC(), "timestamptz")
	}
	return q, nil
}

func (q *leadQuery) param(v any, cast string) string {
	q.args = append(q.args, v)
	return "$" + strconv.Itoa(len(q.args)) + "::" + cast
}

func (q *leadQuery) and(condition string, v any, cast string) {
	q.where = append(q.where, condition+q.param(v, cast))
}

func (q *leadQuery) conditions() string {
	if len(q.where) == 0 {
		return ""
	}
	return " where " + strings.Join(q.where, " and ")
}

func (q *leadQuery) count() (string, []any) {
	return "select count(*) from leads l" + q.conditions(), q.args
}

func (q *leadQuery) ids() (string, []any) {
	return "select l.id from leads l" + q.conditions() + q.order, q.args
}

// page adds parameters to the query, so it comes last.
func (q *leadQuery) page(offset, limit int) (string, []any) {
	sql := "select " + leadColumns + " from leads l" + q.conditions() + q.order
	return sql + " limit " + q.param(max(limit, 0), "bigint") + " offset " + q.param(max(offset, 0), "bigint"), q.args
}

// foldASCII folds the case of ASCII letters, as lower() does in the C locale.
func foldASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// Leads returns one page of the leads that match, and how many match, in one
// round trip.
func (s *Store) Leads(ctx context.Context, f chatops.LeadFilter, offset, limit int) (page []chatops.Lead, total int64, err error) {
	q, err := newLeadQuery(&f)
	if err != nil {
		return nil, 0, err
	}
	count, countArgs := q.count()
	list, args := q.page(offset, limit)
	err = s.batch(ctx, func(b *pgx.Batch) {
		b.Queue(count, countArgs...).QueryRow(func(row pgx.Row) error { return row.Scan(&total) })
		b.Queue(list, args...).Query(func(rows pgx.Rows) (err error) {
			page, err = collectLeads(rows)
			return err
		})
	})
	if err != nil {
		return nil, 0, err
	}
	return page, total, nil
}

func collectLeads(rows pgx.Rows) ([]chatops.Lead, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (l chatops.Lead, err error) {
		return l, scanLead(row, &l)
	})
}

// EachLead calls visit for every lead that matches. The ids are read first, in
// order, eight bytes each; the leads follow in batches. So no connection and no
// snapshot is held while visit works, however long it takes, and no lead is
// visited twice or left out because another one changed its place meanwhile. A
// lead that is gone, or does not match any more when its turn comes, is left out.
func (s *Store) EachLead(ctx context.Context, f chatops.LeadFilter, visit func(*chatops.Lead) error) error {
	q, err := newLeadQuery(&f)
	if err != nil {
		return err
	}
	var ids []int64
	sql, args := q.ids()
	err = s.do(ctx, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		ids, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		return err
	})
	if err != nil {
		return err
	}
	q.and("l.id = any (", nil, "bigint[])")
	sql = "select " + leadColumns + " from leads l" + q.conditions()
	for len(ids) > 0 {
		n := min(leadBatch, len(ids))
		q.args[len(q.args)-1] = ids[:n]
		if err := s.visitLeads(ctx, sql, q.args, ids[:n], visit); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

// visitLeads reads the leads of a batch and visits them in the order of ids.
func (s *Store) visitLeads(
	ctx context.Context, sql string, args []any, ids []int64, visit func(*chatops.Lead) error,
) error {
	var list []chatops.Lead
	err := s.do(ctx, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		list, err = collectLeads(rows)
		return err
	})
	if err != nil {
		return err
	}
	byID := make(map[int64]*chatops.Lead, len(list))
	for i := range list {
		byID[list[i].ID] = &list[i]
	}
	for _, id := range ids {
		if l := byID[id]; l != nil {
			if err := visit(l); err != nil {
				return err
			}
		}
	}
	return nil
}
