package sqlite_test

import (
	"strings"
	"testing"
	"time"

	"chatops/internal/chatops"
	"chatops/internal/sqlite"
	"chatops/internal/storetest"
)

func TestConformance_InMemory(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(tb testing.TB) storetest.Harness {
		tb.Helper()
		name := strings.NewReplacer("/", "-", ",", "").Replace(tb.Name())
		migrate(tb, "sqlite::memory:"+name)
		return storetest.Harness{
			OpenFunc: func(tb testing.TB, now func() time.Time) chatops.Store {
				tb.Helper()
				return open(tb, "sqlite::memory:"+name, sqlite.Options{Clock: now})
			},
			SQL: openSQL(tb, "file:/chatops"+name+"?vfs=memdb"),
		}
	})
}
