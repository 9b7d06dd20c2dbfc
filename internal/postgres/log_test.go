package postgres_test

import (
	"log/slog"
	"testing"
)

// testLog writes to the test's own log.
func testLog(tb testing.TB) *slog.Logger {
	tb.Helper()
	return slog.New(slog.NewTextHandler(tb.Output(), nil))
}
