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
	storetest.Run(t, func(t testing.TB) storetest.Harness {
		t.Helper()
		name := strings.NewReplacer("/", "-", ",", "").Replace(t.Name())
		migrate(t, "sqlite::memory:"+name)
		return storetest.Harness{
			OpenFunc: func(t testing.TB, now func() time.Time) chatops.Store {
				t.Helper()
				return open(t, "sqlite::memory:"+name, sqlite.Options{Clock: now})
			},
			SQL: openSQL(t, "file:/chatops"+name+"?vfs=memdb"),
		}
	})
}
