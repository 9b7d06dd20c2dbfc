//go:build !race

package sqlite_test

// randomHistories is how many random histories each property test plays.
const randomHistories = "100"
