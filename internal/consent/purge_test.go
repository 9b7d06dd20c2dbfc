package consent

import (
	"context"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"chatops/internal/chatops"
)

// heap is a Purger with rows that are old enough.
type heap struct {
	rows  [2]int64
	calls int
	after func() error // each call
}

func (h *heap) PurgePeople(_ context.Context, _ chatops.Retention, limit int, dryRun bool) ([]chatops.ErasedTable, error) {
	h.calls++
	var tables []chatops.ErasedTable
	for i, name := range []string{"chat_conversations", "leads"} {
		n := min(h.rows[i], int64(limit))
		if !dryRun {
			h.rows[i] -= n
		}
		if n > 0 || i == 0 {
			tables = append(tables, chatops.ErasedTable{Table: name, Rows: n, How: "deleted"})
		}
	}
	if h.after != nil {
		return tables, h.after()
	}
	return tables, nil
}

func TestPurge_EndsWithNothingLeftAndCountsAll(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := &heap{rows: [2]int64{rapid.Int64Range(0, 3*purgeBatch).Draw(t, "a"), rapid.Int64Range(0, 3*purgeBatch).Draw(t, "b")}}
		before := h.rows
		done, err := Purge(t.Context(), h, chatops.Retention{})
		if err != nil || h.rows != [2]int64{} || Rows(done) != before[0]+before[1] || len(done) > 2 {
			t.Fatalf("%v rows: %+v, %v; left %v", before, done, err, h.rows)
		}
	})
}

func TestPurge_StopsWithItsContextAndTellsHowFarItGot(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	h := &heap{rows: [2]int64{10 * purgeBatch, 0}}
	h.after = func() error {
		if h.calls == 3 {
			cancel()
		}
		return nil
	}
	if done, err := Purge(ctx, h, chatops.Retention{}); !errors.Is(err, context.Canceled) || Rows(done) != 3*purgeBatch {
		t.Errorf("%+v, %v", done, err)
	}
	broken := &heap{rows: [2]int64{10, 0}, after: func() error { return errors.New("connection lost") }}
	if done, err := Purge(t.Context(), broken, chatops.Retention{}); err == nil || Rows(done) != 0 {
		t.Errorf("%+v, %v", done, err)
	}
}
