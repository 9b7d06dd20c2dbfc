package dashboard

import (
	"context"
	"io"
	"time"

	"chatops/internal/chatops"
)

// Store is what the dashboard reads of a store.
type Store interface {
	QueueStats(ctx context.Context) (*chatops.QueueStats, error)
	AlertGroups(ctx context.Context, limit, countTo int) (*chatops.AlertGroups, error)
	Alerts(ctx context.Context, f chatops.AlertFilter, after chatops.AlertCursor, limit int) ([]chatops.Alert, *chatops.AlertCursor, error)
	Alert(ctx context.Context, id int64) (*chatops.Alert, []chatops.Attempt, error)
	Controls(ctx context.Context) (*chatops.Controls, error)
	Instances(ctx context.Context) ([]chatops.Instance, error)
	Jobs(ctx context.Context) (*chatops.JobList, error)
}

// Options is what the dashboard is made of.
type Options struct {
	Store Store
	// PingRedisFunc asks Redis for an answer; nil where none is configured.
	PingRedisFunc func(ctx context.Context) error
	// RunFunc carries out a command of the runbook, given without the program's
	// name. tell is called with each line that it says meanwhile.
	RunFunc func(ctx context.Context, args []string, tell func(line string)) Outcome

	Database    string // the kind of database, for people: "postgresql"
	Host        string // where it is, without a password
	Environment string // what the place is called
	// ConfirmWord has to be typed before a change of a protected place; "" asks
	// for a y only.
	ConfirmWord string
	Write       bool // actions are allowed
	MaxRetries  int  // of an alert
	Refresh     time.Duration
	Colour      bool // sixteen colours; otherwise none
	ASCII       bool // the terminal shows no others

	In      io.Reader
	Out     io.Writer
	NowFunc func() time.Time
	// Version is the program's, and Record where everything that the sources tell
	// is written down; nil: nowhere.
	Version string
	Record  io.Writer
	// JitterFunc is a number of [0, 1) that spreads the polls of several
	// dashboards.
	JitterFunc func() float64

	replay  *Record
	startAt time.Time // in it
}

// Outcome is how a command ended.
type Outcome struct {
	Code int
	Out  []byte // its JSON
	Err  string // the last thing that it said
}
