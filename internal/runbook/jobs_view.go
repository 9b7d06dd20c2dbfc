package runbook

import (
	"time"

	"chatops/internal/chatops"
)

// The states of a job.
const (
	jobIdle        = chatops.JobIdle
	jobRunning     = chatops.JobRunning
	jobRequested   = chatops.JobRequested
	jobLate        = chatops.JobLate
	jobInterrupted = chatops.JobInterrupted
	jobPaused      = chatops.JobPaused
	jobUnknown     = chatops.JobUnknown
)

// jobView is a job in the whole fleet.
type jobView struct {
	Name         string       `json:"name"`
	Scope        string       `json:"scope"` // fleet, each_process
	State        string       `json:"state"`
	LastRun      timestamp    `json:"last_run"`
	Duration     *float64     `json:"duration_seconds"` // null while it runs, and of each process
	LastResult   string       `json:"last_result"`
	LastInstance string       `json:"last_instance"`
	NextRun      timestamp    `json:"next_run"`
	Holder       string       `json:"holder"` // the replica that runs it now
	LeaseUntil   timestamp    `json:"lease_until"`
	RequestedAt  timestamp    `json:"requested_at"`
	PausedBy     string       `json:"paused_by"`
	PausedReason string       `json:"paused_reason"`
	Replicas     []jobReplica `json:"replicas"` // of each process

	now time.Time
}

// jobReplica is a job of each process in one replica.
type jobReplica struct {
	Instance   string    `json:"instance"`
	LastRun    timestamp `json:"last_run"`
	LastResult string    `json:"last_result"`
	NextRun    timestamp `json:"next_run"`
	Stale      bool      `json:"stale"`
}

// view is a job as it is shown.
func (s *schedule) view(name string) jobView {
	j := s.FleetJob(name, s.replicas)
	v := jobView{
		Name: name, Scope: "fleet", State: j.State, LastRun: timestamp(j.LastRun), LastResult: j.LastResult, LastInstance: j.LastInstance,
		NextRun: timestamp(j.NextRun), Replicas: make([]jobReplica, len(j.Replicas)), now: s.Now,
	}
	if j.Stored != nil {
		v.PausedBy, v.PausedReason = j.Stored.PausedBy, j.Stored.PausedReason
	}
	if !j.EachProcess {
		v.ofFleet(j.Stored)
		return v
	}
	v.Scope = "each_process"
	for i := range j.Replicas {
		r := &j.Replicas[i]
		v.Replicas[i] = jobReplica{
			Instance: r.Instance.Name, LastRun: timestamp(r.LastRun), LastResult: r.LastResult, NextRun: timestamp(r.NextRun), Stale: r.Instance.Stale(),
		}
	}
	return v
}

// ofFleet takes over what only the database says.
func (v *jobView) ofFleet(j *chatops.JobState) {
	v.Holder, v.LeaseUntil, v.RequestedAt = j.Holder, timestamp(j.LeaseUntil), timestamp(j.Requested)
	if took := j.LastFinished.Sub(j.LastStarted).Seconds(); j.Holder == "" && !j.LastFinished.IsZero() {
		v.Duration = &took
	}
}
