package chatops

import (
	"context"
	"slices"
	"strings"
	"time"
)

// OperationState is how a bulk operation stands.
type OperationState string

// The states of an operation. The first three are live: what it has selected and
// not changed yet is its own.
const (
	OperationRunning   OperationState = "running"
	OperationPaused    OperationState = "paused"    // by an operator
	OperationHalted    OperationState = "halted"    // by itself, because too much of it failed
	OperationCancelled OperationState = "cancelled" // by an operator: the rest stays as it was
	OperationDone      OperationState = "done"      // nothing of its selection is left
)

// OperationStates lists every state.
func OperationStates() []OperationState {
	return []OperationState{OperationRunning, OperationPaused, OperationHalted, OperationCancelled, OperationDone}
}

// Live reports whether an operation in the state may still change alerts.
func (s OperationState) Live() bool {
	return s == OperationRunning || s == OperationPaused || s == OperationHalted
}

// Statuses are those of the alerts that the operation may change. A paced one
// leaves queued alerts alone: they are on their way, and nobody can slow them.
func (o *Operation) Statuses() []AlertStatus {
	if o.Pace != nil && o.Kind == OperationRetry {
		return []AlertStatus{AlertPending, AlertFailed}
	}
	return o.Kind.Statuses()
}

// Selected is what the operation's filter leaves of its statuses.
func (o *Operation) Selected() []AlertStatus {
	return slices.DeleteFunc(o.Statuses(), func(s AlertStatus) bool {
		return len(o.Filter.Statuses) > 0 && !slices.Contains(o.Filter.Statuses, s)
	})
}

// Left is how many alerts it has selected and not looked at yet.
func (o *Operation) Left() int64 { return max(0, o.Matched-o.Changed-o.Skipped) }

// Settle makes the state of an operation that a store has read agree with what
// older programs write, which know no states.
func (o *Operation) Settle() {
	if !o.DoneAt.IsZero() && o.State.Live() {
		o.State = OperationDone
	}
}

// Validate reports what an operation cannot be created with, as CodeInvalid.
func (o *Operation) Validate() error {
	switch {
	case o.Kind.Statuses() == nil:
		return Errorf(CodeInvalid, "operation kind %q: must be retry or discard", o.Kind)
	case o.Pace != nil && o.Kind != OperationRetry:
		return Errorf(CodeInvalid, "operation kind %q: only a retry has a pace", o.Kind)
	case o.Pace != nil:
		return o.Pace.Validate()
	}
	return nil
}

// OperationChange is what an operator wants of an operation.
type OperationChange struct {
	ID          string
	To          OperationState // running, paused or cancelled; "": as it is
	Rate        *float64       // alerts a second; nil: as it is
	MaxFailures *float64       // share of a window; nil: as it is
	Actor       string
	Reason      string
}

// Change makes a change. It reports false when the operation was so already.
// CodeRefused: it cannot be changed so any more.
func (o *Operation) Change(c *OperationChange, now time.Time) (changed bool, err error) {
	if c.Rate != nil || c.MaxFailures != nil {
		if changed, err = o.changePace(c); err != nil {
			return false, err
		}
	}
	if c.To != "" && c.To != o.State {
		if err := o.moveTo(c.To, now); err != nil {
			return false, err
		}
		changed = true
	}
	if changed {
		o.ChangedBy, o.ChangedAt = c.Actor, now
		if c.To != "" {
			o.Note = c.Reason
		}
	}
	return changed, nil
}

func (o *Operation) changePace(c *OperationChange) (bool, error) {
	switch {
	case !o.State.Live():
		return false, Errorf(CodeRefused, "operation %s is %s: it has no pace any more", o.ID, o.State)
	case o.Pace == nil:
		return false, Errorf(CodeRefused, "operation %s has no pace: it was begun without --rate and --canary", o.ID)
	}
	pace := *o.Pace
	if c.Rate != nil {
		pace.Rate = *c.Rate
	}
	if c.MaxFailures != nil {
		pace.MaxFailures = *c.MaxFailures
	}
	if err := pace.Validate(); err != nil {
		return false, err
	}
	changed := pace != *o.Pace
	o.Pace = &pace
	return changed, nil
}

func (o *Operation) moveTo(to OperationState, now time.Time) error {
	switch {
	case to != OperationRunning && to != OperationPaused && to != OperationCancelled:
		return Errorf(CodeInvalid, "state %q: must be running, paused or cancelled", to)
	case !o.State.Live():
		return Errorf(CodeRefused, "operation %s is %s: it cannot be %s", o.ID, o.State, verbs[to])
	case to == OperationPaused && o.State == OperationHalted:
		return Errorf(CodeRefused, "operation %s has halted by itself: it can be resumed or cancelled", o.ID)
	case to == OperationRunning && o.State == OperationHalted:
		o.Run.Again(o.Changed)
	case to == OperationRunning:
		o.Run.Rest()
	case to == OperationCancelled:
		o.DoneAt = now
	}
	o.State = to
	o.Holder, o.LeaseUntil = "", time.Time{} // whoever held it finds its fence gone
	o.Fence++
	return nil
}

var verbs = map[OperationState]string{
	OperationRunning: "resumed", OperationPaused: "paused", OperationCancelled: "cancelled",
}

// OperationClaim asks for operations to carry.
type OperationClaim struct {
	Holder string        // the process
	Lease  time.Duration // how long they are its own
	// Idle is how long nobody must have stepped an operation without a pace: its
	// command line carries it as long as it lives.
	Idle time.Duration
	Only string // the id of the one operation that is wanted; "": any
}

// Validate reports what a store cannot work with, as CodeInvalid.
func (c *OperationClaim) Validate() error {
	if c.Holder == "" || c.Lease <= 0 || c.Idle < 0 {
		return Errorf(CodeInvalid, "claim operations: needs a holder and a lease")
	}
	return nil
}

// Claim gives a running operation that nobody carries to the holder, under a new
// fence.
func (o *Operation) Claim(c *OperationClaim, steppedAt, now time.Time) bool {
	if o.State != OperationRunning || now.Before(o.LeaseUntil) || c.Only != "" && c.Only != o.ID {
		return false
	}
	if steppedAt.Before(o.CreatedAt) {
		steppedAt = o.CreatedAt
	}
	if o.Pace == nil && now.Sub(steppedAt) < c.Idle {
		return false
	}
	o.Holder, o.LeaseUntil = c.Holder, now.Add(c.Lease)
	o.Fence++
	return true
}

// OperationRelease is one step of an operation that a process carries.
type OperationRelease struct {
	ID    string
	Fence int64
	Lease time.Duration // from now
	Limit int           // at most so many alerts; 0: none
	Run   OperationRun  // what is to be remembered
	Halt  string        // why the operation halts; "": it does not
}

// Admit checks the fence and takes over what the carrier reports. CodeConflict:
// the operation is not the carrier's any more, or does not run.
func (o *Operation) Admit(r *OperationRelease, now time.Time) error {
	if o.State != OperationRunning || o.Holder == "" || o.Fence != r.Fence {
		return Errorf(CodeConflict, "operation %s is %s and carried by somebody else, or by nobody", o.ID, o.State)
	}
	o.LeaseUntil, o.Run = now.Add(r.Lease), r.Run
	if r.Halt != "" {
		o.State, o.Note, o.ChangedBy, o.ChangedAt = OperationHalted, r.Halt, o.Holder, now
		o.Holder, o.LeaseUntil = "", time.Time{}
		o.Fence++
	}
	return nil
}

// OperationOutcomes is what became of the alerts that an operation has released,
// counted at a cost that grows only with those that are not delivered.
type OperationOutcomes struct {
	Released int64
	Failed   int64 // failed again, or tried once and waiting for a retry
	Waiting  int64 // not tried yet
	// Lanes are the lanes of those that wait.
	Lanes []string
}

// Tried is how many have had an attempt.
func (o *OperationOutcomes) Tried() int64 { return max(0, o.Released-o.Waiting) }

// OperationOutcome counts released alerts of one lane that are not delivered.
type OperationOutcome struct {
	Lane    string
	Status  AlertStatus
	Retried bool // retry_count is above 0
	Count   int64
}

// Add counts some more. An alert that is released has no retries behind it: one
// that waits with some has failed since.
func (o *OperationOutcomes) Add(c *OperationOutcome) {
	switch {
	case c.Status == AlertFailed || c.Status == AlertPending && c.Retried:
		o.Failed += c.Count
	case c.Status == AlertPending || c.Status == AlertQueued:
		o.Waiting += c.Count
		if !slices.Contains(o.Lanes, c.Lane) {
			o.Lanes = append(o.Lanes, c.Lane)
			slices.SortFunc(o.Lanes, strings.Compare)
		}
	case c.Status == AlertDelivered, c.Status == AlertDiscarded, c.Status == AlertCancelled:
	}
}

// OperationStore keeps bulk operations while they last. CreateOperation,
// StepOperation, Operation and OperationProgress are AlertStore's.
type OperationStore interface {
	// Operations returns the newest operations first; with live only those that
	// are running, paused or halted.
	Operations(ctx context.Context, live bool, limit int) ([]Operation, error)
	// ChangeOperation pauses, resumes, cancels or paces an operation and returns
	// it as it stands. CodeNotFound; CodeRefused when it cannot be changed so.
	ChangeOperation(ctx context.Context, c OperationChange) (*Operation, error)
	// ClaimOperations returns the running operations that nobody carries, as the
	// holder's: paced ones, and those whose command line is gone.
	ClaimOperations(ctx context.Context, c OperationClaim) ([]Operation, error)
	// ReleaseOperation makes a step of a paced operation in one transaction: it
	// stores what the carrier remembers, renews the lease, and makes up to Limit
	// alerts due. CodeConflict, and nothing has changed, when the fence is gone.
	ReleaseOperation(ctx context.Context, r OperationRelease) (*Operation, error)
	// OperationOutcomes counts what became of the operation's alerts, for its
	// carrier. CodeNotFound.
	OperationOutcomes(ctx context.Context, id string) (*OperationOutcomes, error)
}
