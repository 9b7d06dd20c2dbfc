package chatops

import "time"

// PoolStats is how the connections of a store do.
type PoolStats struct {
	Name  string // tells the pools of a store apart: "main", or "read" and "write"
	Max   int    // connections that there may be
	Open  int    // connections that there are
	InUse int    // connections that work for somebody now
	// Waits counts the calls that had to wait for a connection since the store
	// was opened, and Waited is how long they waited together. Calls that gave up
	// are not all counted.
	Waits  int64
	Waited time.Duration
}
