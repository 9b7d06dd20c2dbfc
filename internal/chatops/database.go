package chatops

import (
	"context"
	"time"
)

// DatabaseFacts is what a database says of itself.
type DatabaseFacts struct {
	Engine  string // "SQLite" or "PostgreSQL"
	Version string
	Bytes   int64     // that it takes up
	Now     time.Time // its clock, in UTC
}

// DatabaseStore tells what the store is kept in.
type DatabaseStore interface {
	// Database asks the database about itself, in one round trip.
	Database(ctx context.Context) (*DatabaseFacts, error)
}
