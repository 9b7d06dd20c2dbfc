package consent

import (
	"context"
	"slices"

	"chatops/internal/chatops"
)

// Purger removes what has been kept for long enough: chatops.PersonStore's
// PurgePeople.
type Purger interface {
	PurgePeople(ctx context.Context, r chatops.Retention, limit int, dryRun bool) ([]chatops.ErasedTable, error)
}

// purgeBatch is how many rows of a table one transaction touches: few enough
// that a visitor does not notice.
const purgeBatch = 500

// Purge removes what is older than r allows, in batches, until nothing is left
// or the context ends. It returns what was removed by then, also with an error.
func Purge(ctx context.Context, store Purger, r chatops.Retention) ([]chatops.ErasedTable, error) {
	var all []chatops.ErasedTable
	for {
		if err := ctx.Err(); err != nil {
			return all, err
		}
		some, err := store.PurgePeople(ctx, r, purgeBatch, false)
		if err != nil {
			return all, err
		}
		all = add(all, some)
		if Rows(some) == 0 {
			return all, nil
		}
	}
}

// Rows is how many rows were touched in all.
func Rows(tables []chatops.ErasedTable) int64 {
	var n int64
	for _, t := range tables {
		n += t.Rows
	}
	return n
}

// add adds counts to those of the same table and treatment.
func add(all, some []chatops.ErasedTable) []chatops.ErasedTable {
	for _, t := range some {
		at := slices.IndexFunc(all, func(a chatops.ErasedTable) bool { return a.Table == t.Table && a.How == t.How })
		if at < 0 {
			all = append(all, t)
			continue
		}
		all[at].Rows += t.Rows
	}
	return all
}
