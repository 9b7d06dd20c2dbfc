//go:build race

package chat

// raceEnabled: the race detector makes everything several times slower.
const raceEnabled = true
