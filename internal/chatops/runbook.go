package chatops

import (
	"context"
	"time"
)

// AlertFilter selects alerts. Zero fields do not restrict.
type AlertFilter struct {
	Statuses    []AlertStatus `json:"statuses,omitempty"`
	Types       []string      `json:"types,omitempty"`
	Targets     []string      `json:"targets,omitempty"`
	Error       string        `json:"error,omitempty"` // text that error_message contains, letter case ignored, taken literally
	Fingerprint string        `json:"fingerprint,omitempty"`
	Since       time.Time     `json:"since,omitzero"`         // created at or after
	Until       time.Time     `json:"until,omitzero"`         // created before
	MinAttempts int           `json:"min_attempts,omitempty"` // retry_count at least
	IDs         []int64       `json:"ids,omitempty"`
	OperationID string        `json:"operation_id,omitempty"`
}

// AlertCursor is a place in the list of alerts: after this alert. The zero
// cursor is the start. The list is ordered by created_at and id, newest first.
type AlertCursor struct {
	CreatedAt time.Time
	ID        int64
}

// AlertCount is the number of alerts of one type and status.
type AlertCount struct {
	EventType string      `json:"event_type"`
	Status    AlertStatus `json:"status"`
	Count     int64       `json:"count"`
}

// QueueStats is a summary of the queue.
type QueueStats struct {
	Counts []AlertCount `json:"counts"` // exact; types and statuses without alerts are left out
	// OldestWaiting is the created_at of the oldest queued or pending alert,
	// OldestFailed of the oldest failed one; zero when there is none.
	OldestWaiting time.Time `json:"oldest_waiting,omitzero"`
	OldestFailed  time.Time `json:"oldest_failed,omitzero"`
	Now           time.Time `json:"now,omitzero"` // the database's clock
}

// Total adds the counts of the given statuses.
func (s *QueueStats) Total(statuses ...AlertStatus) int64 {
	var n int64
	for _, c := range s.Counts {
		for _, st := range statuses {
			if c.Status == st {
				n += c.Count
			}
		}
	}
	return n
}

// OperationKind is what a bulk operation does to the alerts it selected.
type OperationKind string

// The kinds of bulk operation.
const (
	OperationRetry   OperationKind = "retry"
	OperationDiscard OperationKind = "discard"
)

// Statuses are those of the alerts that an operation of the kind may change;
// none for a kind that does not exist.
func (k OperationKind) Statuses() []AlertStatus {
	switch k {
	case OperationRetry, OperationDiscard:
		return []AlertStatus{AlertQueued, AlertPending, AlertFailed}
	}
	return nil
}

// Operation is a bulk change of alerts. Its selection is frozen when it is
// created: alerts that match the filter later are never swept in.
type Operation struct {
	ID        string // "op_" and a sortable unique part
	Kind      OperationKind
	Filter    AlertFilter
	Actor     string
	Reason    string
	Matched   int64 // alerts selected when the operation was created
	Changed   int64 // requeued or discarded so far
	Skipped   int64 // left alone: in flight, or changed since by somebody else
	CreatedAt time.Time
	DoneAt    time.Time // zero while it may change alerts

	State OperationState
	Pace  *OperationPace // nil: as fast as it can be stepped
	Run   OperationRun   // of a paced one
	Note  string         // why it is in its state
	// ChangedBy and ChangedAt are of the last change of state or pace.
	ChangedBy string
	ChangedAt time.Time
	// Holder carries it until LeaseUntil; Fence grows whenever that changes.
	Holder     string
	LeaseUntil time.Time
	Fence      int64
	// Besides are the paced operations that were live when it was created: what
	// they had selected is theirs.
	Besides []string
}

// OperationProgress counts what became of an operation's alerts.
type OperationProgress struct {
	Delivered int64
	Failed    int64 // failed again
	Pending   int64 // tried, will be retried
	Waiting   int64 // not tried yet
	Other     int64 // discarded, cancelled or taken by a later operation
}

// OperatorAction is one change made through the command line or the admin API.
type OperatorAction struct {
	ID       int64
	At       time.Time
	Actor    string
	Host     string
	Command  string // the command as typed, without secrets
	Filter   string // JSON
	Reason   string
	Result   string // "started", then "ok: ..." or "error: ..."
	Finished time.Time
}

// ActionFilter selects operator actions. Zero fields do not restrict.
type ActionFilter struct {
	Actor   string
	Command string    // text that the command holds, as it was typed
	Since   time.Time // begun at or after
	Until   time.Time // begun before
}

// AlertStore is what the runbook commands need of a store.
type AlertStore interface {
	// Alerts returns up to limit alerts after the cursor, and the cursor of
	// the next page (nil on the last one).
	Alerts(ctx context.Context, f AlertFilter, after AlertCursor, limit int) ([]Alert, *AlertCursor, error)
	// Alert returns one alert and its attempts, oldest first, or CodeNotFound.
	Alert(ctx context.Context, id int64) (*Alert, []Attempt, error)
	// CountAlerts returns how many alerts match.
	CountAlerts(ctx context.Context, f AlertFilter) (int64, error)
	// QueueStats returns exact counts at a cost that does not grow with the
	// number of alerts.
	QueueStats(ctx context.Context) (*QueueStats, error)
	// AlertGroups returns the causes of pending and failed alerts, the largest
	// first: at most limit of the first CausesLookedAt(limit), each status counted
	// up to countTo, so that the cost does not grow with the number of alerts.
	AlertGroups(ctx context.Context, limit, countTo int) (*AlertGroups, error)

	// CreateOperation freezes the alerts that match op.Filter and stores the
	// operation with Matched set. It selects only from alerts of the operation's
	// Statuses, and leaves to live paced operations what is theirs. CodeInvalid
	// for a kind that does not exist.
	CreateOperation(ctx context.Context, op *Operation) error
	// StepOperation changes up to limit alerts of the operation's selection
	// in one transaction and returns the operation as it stands; DoneAt is set
	// when none is left. It does nothing to one that is not running or that has a
	// pace. Alerts in flight are skipped. Retried alerts become
	// pending, or stay queued where they were never tried, due now, with
	// retry_count 0 and operation_id set. Safe to call
	// again after a crash and from several processes.
	StepOperation(ctx context.Context, id string, limit int) (*Operation, error)
	// Operation returns an operation, or CodeNotFound.
	Operation(ctx context.Context, id string) (*Operation, error)
	// OperationProgress counts what became of the operation's alerts.
	OperationProgress(ctx context.Context, id string) (*OperationProgress, error)

	// BeginAction stores an operator action and sets its ID; FinishAction its
	// result.
	BeginAction(ctx context.Context, a *OperatorAction) error
	FinishAction(ctx context.Context, id int64, result string) error
	// Actions returns up to limit actions that match, newest first, of those
	// older than the one with the id before (0: of all), and whether there are
	// more.
	Actions(ctx context.Context, f ActionFilter, before int64, limit int) ([]OperatorAction, bool, error)
}

// Store is a whole store.
//
//nolint:interfacebloat // one interface for each noun
type Store interface {
	ConversationStore
	LeadStore
	OnceStore
	PeopleStore
	FollowupStore
	Queue
	AlertStore
	OperationStore
	PreviewStore
	CauseStore
	TransferStore
	EditStore
	ControlStore
	InstanceStore
	JobStore
	DatabaseStore
	QueueAlarmStore
	// Ping makes a round trip to the database.
	Ping(ctx context.Context) error
	// Pools returns how the store's connections do. It waits for nothing.
	Pools() []PoolStats
	// Close releases everything; the store is unusable afterwards.
	Close() error
}

// Migration is one numbered change of the schema.
type Migration struct {
	Version   int64
	Name      string
	AppliedAt time.Time // zero while pending
}

// MigrationStatus is the schema's state.
type MigrationStatus struct {
	Current int64 // 0: nothing applied
	Latest  int64 // what this binary brings
	Pending []Migration
	Applied []Migration
	// Older names the tables of an older application that Up would take over.
	Older []string
	// Adopted says that rows of an older application were taken over, so that
	// Down refuses to drop the tables that hold them.
	Adopted bool
}

// Migrator changes the schema. Several may run at once: one works, the others
// wait and find nothing left to do.
type Migrator interface {
	// Status reads the state and changes nothing.
	Status(ctx context.Context) (*MigrationStatus, error)
	// Up takes over the tables of an older application where there are any,
	// applies what is pending and returns it. CodeConflict when the database
	// is newer than this binary, or cannot be taken over as it is; in that
	// case nothing was changed.
	Up(ctx context.Context) ([]Migration, error)
	// PreviewAdoption returns what Up would take over and changes nothing; nil
	// when there is nothing to take over.
	PreviewAdoption(ctx context.Context) (*Adoption, error)
	// Adopted returns what the last Up of this Migrator took over; nil when
	// that was nothing.
	Adopted() *Adoption
	// Down reverts the newest applied migration and returns it (nil: none).
	// CodeConflict when that would drop rows of an older application.
	Down(ctx context.Context) (*Migration, error)
	// SQL returns the statements of a migration in the given direction.
	SQL(version int64, up bool) (string, error)
	// Close releases the connection.
	Close() error
}
