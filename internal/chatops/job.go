package chatops

import (
	"context"
	"time"
)

// JobState is a row of scheduled_job.
type JobState struct {
	Name string `json:"name"`
	// EachProcess: every replica runs it by its own clock and reports it in its
	// heartbeat; of what follows only the pause and the request concern it.
	EachProcess bool `json:"each_process,omitempty"`
	// Slot is the scheduled moment that ran last or is running: a job runs once
	// for each slot, whichever replica runs it.
	Slot         time.Time `json:"slot,omitzero"`
	Holder       string    `json:"holder,omitempty"`     // the instance that runs it; "" when none does
	LeaseUntil   time.Time `json:"lease_until,omitzero"` // when another may take a run over; zero: not held
	Fence        int64     `json:"fence"`                // grows with every claim; a stale holder's is refused
	LastStarted  time.Time `json:"last_started,omitzero"`
	LastFinished time.Time `json:"last_finished,omitzero"`
	LastResult   string    `json:"last_result,omitempty"` // "ok ...", or "failed: " and why, without personal data
	LastInstance string    `json:"last_instance,omitempty"`
	NextRun      time.Time `json:"next_run,omitzero"`
	Paused       bool      `json:"paused,omitempty"`
	PausedBy     string    `json:"paused_by,omitempty"`
	PausedReason string    `json:"paused_reason,omitempty"`
	// Requested is when an operator asked for a run; zero once it has begun. A
	// job of each process keeps the latest request.
	Requested time.Time `json:"requested,omitzero"`
}

// JobList is every known job, by name, at one moment.
type JobList struct {
	Jobs []JobState `json:"jobs"`
	Now  time.Time  `json:"now,omitzero"` // the database's clock, which says what is due
}

// JobClaim asks for a run of a job.
type JobClaim struct {
	Name     string
	Instance string
	// Slot is the newest scheduled moment that is not in the future. It is
	// claimed when no later or equal slot was, when its holder's lease has
	// passed, or when an operator has asked for a run.
	Slot  time.Time
	Next  time.Time // the slot after it, shown as the next run
	Lease time.Duration
	// EachProcess: the job is made known, for pauses and requests, and never
	// claimed.
	EachProcess bool
}

// JobRun is a run that was claimed.
type JobRun struct {
	Name, Instance string
	Slot           time.Time
	Fence          int64
	// TakenOver is the instance whose run of this slot was not finished; "" for
	// the first attempt. Requested: an operator asked for it.
	TakenOver string
	Requested bool
}

// JobStore keeps the jobs of the fleet. Time is the database's: hosts may
// disagree about it.
type JobStore interface {
	// ClaimJob claims a run, or returns nil when there is nothing to run: the
	// slot was claimed or lies in the database's future, the job is paused
	// (unless requested), or it is running.
	// A job that is not known yet is made, with its slot as good as done: a new
	// installation does not run everything at once.
	ClaimJob(ctx context.Context, c JobClaim) (*JobRun, error)
	// ExtendJob keeps a run's lease alive; without a lease the run is given up,
	// and another replica begins it anew. CodeConflict: it was taken over.
	ExtendJob(ctx context.Context, r *JobRun, lease time.Duration) error
	// FinishJob records the result and frees the job. CodeConflict: the run was
	// taken over, and its result is not recorded.
	FinishJob(ctx context.Context, r *JobRun, result string) error
	// Jobs returns every known job by name.
	Jobs(ctx context.Context) (*JobList, error)
	// RequestJob asks for a run now. CodeNotFound: no such job.
	RequestJob(ctx context.Context, name string) error
	// PauseJob stops a job from running until it is resumed. CodeNotFound: no
	// such job.
	PauseJob(ctx context.Context, name string, paused bool, actor, reason string) error
}
