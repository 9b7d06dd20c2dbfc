package postgres

import (
	"context"
	"reflect"

	"github.com/jackc/pgx/v5"

	"chatops/internal/chatops"
)

const newestFirst = "created_at desc, id desc"

// listQuery is the query of one page.
func listQuery(f chatops.AlertFilter, after chatops.AlertCursor, limit int) (string, []any) {
	s := selectAlerts(f, chatops.AlertStatuses(), func(s *selection) []string {
		if after == (chatops.AlertCursor{}) {
			return nil
		}
		return []string{"(d.created_at, d.id) < (" + s.param(after.CreatedAt.UTC(), "timestamptz") +
			", " + s.param(after.ID, "bigint") + ")"}
	})
	return s.list(alertColumnList, newestFirst, limit+1), s.args
}

// Alerts returns a page of alerts, newest first, and the cursor of the next one.
func (s *Store) Alerts(
	ctx context.Context, f chatops.AlertFilter, after chatops.AlertCursor, limit int,
) ([]chatops.Alert, *chatops.AlertCursor, error) {
	if limit <= 0 {
		return nil, nil, nil
	}
	query, args := listQuery(f, after, limit)
	var page []chatops.Alert
	err := s.do(ctx, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, query, adhoc(args)...)
		if err != nil {
			return err
		}
		page, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (a chatops.Alert, err error) {
			return a, scanAlert(row, &a)
		})
		return err
	})
	if err != nil || len(page) <= limit {
		return page, nil, err
	}
	last := page[limit-1]
	return page[:limit], &chatops.AlertCursor{CreatedAt: last.CreatedAt, ID: last.ID}, nil
}

// adhoc marks a statement that is put together for this call: it is planned for
// its own parameters and not kept prepared.
func adhoc(args []any) []any { return append([]any{pgx.QueryExecModeExec}, args...) }

// CountAlerts returns how many alerts match. Filters by status and type alone
// are answered by the counters, whatever the size of the queue.
func (s *Store) CountAlerts(ctx context.Context, f chatops.AlertFilter) (int64, error) {
	if reflect.DeepEqual(f, chatops.AlertFilter{Statuses: f.Statuses, Types: f.Types}) {
		return s.countByCounters(ctx, f)
	}
	var n int64
	err := s.do(ctx, func(ctx context.Context) error {
		sel := selectAlerts(f, chatops.AlertStatuses(), nil)
		return s.pool.QueryRow(ctx, sel.count(), adhoc(sel.args)...).Scan(&n)
	})
	return n, err
}

const sumCounts = `
select coalesce(sum(n), 0)::bigint from dlq_count
where (cardinality($1::text[]) = 0 or status = any ($1::text[]))
  and (cardinality($2::text[]) = 0 or event_type = any ($2::text[]))`

func (s *Store) countByCounters(ctx context.Context, f chatops.AlertFilter) (int64, error) {
	statuses := make([]string, 0, len(f.Statuses))
	for _, status := range f.Statuses {
		statuses = append(statuses, chatops.CleanText(string(status)))
	}
	var n int64
	err := s.do(ctx, func(ctx context.Context) error {
		return s.pool.QueryRow(ctx, sumCounts, statuses, cleanAll(f.Types)).Scan(&n)
	})
	return n, err
}
