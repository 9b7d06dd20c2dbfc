package sqlite_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/sqlite"
	"chatops/internal/storetest"
)

var memories atomic.Int64

func TestConformance_InMemory(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(tb testing.TB) storetest.Harness {
		tb.Helper()
		// Another run of the same test, as with -count, needs another database.
		name := fmt.Sprintf("%s-%d", strings.NewReplacer("/", "-", ",", "").Replace(tb.Name()), memories.Add(1))
		migrate(tb, "sqlite::memory:"+name)
		return storetest.Harness{
			OpenFunc: func(tb testing.TB, now func() time.Time) chatops.Store {
				tb.Helper()
				return open(tb, "sqlite::memory:"+name, sqlite.Options{Clock: now, EmailMarks: storetest.Marks})
			},
			SQL: openSQL(tb, "file:/chatops"+name+"?vfs=memdb"),
		}
	})
}
