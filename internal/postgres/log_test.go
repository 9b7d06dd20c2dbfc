package postgres_test

import (
	"log/slog"
	"testing"
)

// testLog writes to the test's own log.
func testLog(t testing.TB) *slog.Logger {
	t.Helper()
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}
