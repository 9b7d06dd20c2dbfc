//go:build !race

package chat

// raceEnabled: times can be judged.
const raceEnabled = false
