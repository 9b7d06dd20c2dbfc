//go:build race

package followup_test

// played is how many histories the model plays. It runs in one goroutine, in
// which there is nothing for the race detector to find.
const played = "1000"
