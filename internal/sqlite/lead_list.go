package sqlite

import (
	"context"
	"slices"

	"chatops/internal/chatops"
)

// leadBatch is how many leads EachLead holds at a time.
const leadBatch = 500

// leadOrder are the expressions that leads are sorted by, before "asc" or
// "desc". Texts are compared by code point. Only these two columns may be
// missing.
var leadOrder = map[chatops.LeadSort]struct{ expr, nulls string }{
	"":                      {"created_at", ""},
	chatops.SortLeadCreated: {"created_at", ""},
	chatops.SortLeadUpdated: {"updated_at", ""},
	chatops.SortLeadName:    {"nullif(name, '')", " nulls last"},
	chatops.SortLeadEmail:   {"nullif(email, '')", " nulls last"},
	chatops.SortLeadStatus:  {"status", ""},
	chatops.SortLeadScore:   {"lead_score", ""},
}

// leadQuery is a filter as SQL.
type leadQuery struct {
	where string // with " where ", or empty
	order string
	args  []any
}

func newLeadQuery(f *chatops.LeadFilter) (*leadQuery, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	var list []condition
	if f.Status != "" {
		list = append(list, condition{"status = ?", []any{string(f.Status)}})
	}
	if f.Package != "" {
		list = append(list, condition{"lower(interested_package) = lower(?)", []any{text(f.Package)}})
	}
	if !f.Since.IsZero() {
		list = append(list, condition{"created_at >= ?", []any{stamp(f.Since)}})
	}
	if !f.Until.IsZero() {
		list = append(list, condition{"created_at < ?", []any{stamp(f.Until)}})
	}
	direction := " desc"
	if f.Ascending {
		direction = " asc"
	}
	q := &leadQuery{}
	q.where, q.args = conjunction(list)
	by := leadOrder[f.Sort]
	q.order = " order by " + by.expr + direction + by.nulls + ", id" + direction
	return q, nil
}

func (q *leadQuery) count() string { return "select count(*) from leads" + q.where }
func (q *leadQuery) ids() string   { return "select id from leads" + q.where + q.order }
func (q *leadQuery) page() string {
	return "select " + leadColumns + " from leads" + q.where + q.order + " limit ? offset ?"
}

// among selects the leads of a list of ids that still match.
func (q *leadQuery) among() string {
	among := " id in (select value from json_each(?))"
	if q.where == "" {
		return "select " + leadColumns + " from leads where" + among
	}
	return "select " + leadColumns + " from leads" + q.where + " and" + among
}

// Leads returns one page of the leads that match, and how many match.
func (s *Store) Leads(ctx context.Context, f chatops.LeadFilter, offset, limit int) (page []chatops.Lead, total int64, err error) {
	q, err := newLeadQuery(&f)
	if err != nil {
		return nil, 0, err
	}
	err = s.read(ctx, func(r *readTx) error {
		if err := r.eachOnce(q.count(), func(row scanner) error { return row.Scan(&total) }, q.args...); err != nil {
			return err
		}
		page, err = r.leads(q.page(), append(slices.Clip(q.args), max(limit, 0), max(offset, 0))...)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return page, total, nil
}

func (r *readTx) leads(query string, args ...any) ([]chatops.Lead, error) {
	var list []chatops.Lead
	err := r.eachOnce(query, func(row scanner) error {
		list = append(list, chatops.Lead{})
		return scanLead(row, &list[len(list)-1])
	}, args...)
	return list, err
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
	err = s.read(ctx, func(r *readTx) error {
		return r.eachOnce(q.ids(), func(row scanner) error {
			var id int64
			err := row.Scan(&id)
			ids = append(ids, id)
			return err
		}, q.args...)
	})
	if err != nil {
		return err
	}
	for len(ids) > 0 {
		n := min(leadBatch, len(ids))
		if err := s.visitLeads(ctx, q, ids[:n], visit); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

// visitLeads reads the leads of a batch and visits them in the order of ids.
func (s *Store) visitLeads(ctx context.Context, q *leadQuery, ids []int64, visit func(*chatops.Lead) error) error {
	var list []chatops.Lead
	err := s.read(ctx, func(r *readTx) (err error) {
		list, err = r.leads(q.among(), append(slices.Clip(q.args), jsonArray(ids))...)
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
