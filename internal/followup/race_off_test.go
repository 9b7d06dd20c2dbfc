//go:build !race

package followup_test

// played is how many histories the model plays.
const played = interleavings
