//go:build race

package sqlite_test

// randomHistories is how many random histories each property test plays. The
// race detector makes SQLite, which is Go code here, some twenty times slower.
const randomHistories = "10"
