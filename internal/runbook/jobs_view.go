package runbook

import (
	"time"

	"chatops/internal/chatops"
)

// The states of a job.
const (
	jobIdle        = "idle"
	jobRunning     = "running"
	jobRequested   = "requested"   // an operator wants it run
	jobLate        = "late"        // due, and nobody has begun it
	jobInterrupted = "interrupted" // its replica has gone silent in the middle
	jobPaused      = "paused"
	jobUnknown     = "unknown" // of each process, and no live replica reports it
)

// lateAfter is how long a job that is due may wait. Replicas look once a second;
// a lease of the run before has to pass first where its replica died.
const lateAfter = 2 * time.Minute

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

// view puts together what is known of a job.
func (s *schedule) view(name string) jobView {
	j := s.job(name)
	v := jobView{Name: name, Scope: "fleet", State: jobUnknown, Replicas: []jobReplica{}, now: s.Now}
	if j != nil {
		v.PausedBy, v.PausedReason = j.PausedBy, j.PausedReason
	}
	if j != nil && !j.EachProcess {
		v.ofFleet(j, s.Now)
		return v
	}
	v.Scope = "each_process"
	for i := range s.replicas {
		if r := reportOf(&s.replicas[i], name); r != nil {
			v.add(&s.replicas[i], r)
		}
	}
	if j != nil && j.Paused {
		v.State = jobPaused
	}
	return v
}

// ofFleet takes over what the database says.
func (v *jobView) ofFleet(j *chatops.JobState, now time.Time) {
	v.LastRun, v.LastResult, v.LastInstance = timestamp(j.LastStarted), j.LastResult, j.LastInstance
	v.NextRun, v.Holder, v.LeaseUntil = timestamp(j.NextRun), j.Holder, timestamp(j.LeaseUntil)
	v.RequestedAt = timestamp(j.Requested)
	if took := j.LastFinished.Sub(j.LastStarted).Seconds(); j.Holder == "" && !j.LastFinished.IsZero() {
		v.Duration = &took
	}
	switch {
	case j.Running(now):
		v.State = jobRunning
	case j.Paused:
		v.State = jobPaused
	case j.Holder != "":
		v.State = jobInterrupted
	case !j.Requested.IsZero():
		v.State = jobRequested
	case !j.NextRun.IsZero() && now.Sub(j.NextRun) > lateAfter:
		v.State = jobLate
	default:
		v.State = jobIdle
	}
}

// add takes over what a replica reports of a job of its own.
func (v *jobView) add(i *chatops.Instance, r *chatops.JobReport) {
	v.Replicas = append(v.Replicas, jobReplica{
		Instance: i.Name, LastRun: timestamp(r.LastRun), LastResult: r.LastResult, NextRun: timestamp(r.NextRun), Stale: i.Stale(),
	})
	if i.Stale() {
		return
	}
	v.State = jobIdle
	if !r.LastRun.IsZero() && r.LastRun.After(time.Time(v.LastRun)) {
		v.LastRun, v.LastResult, v.LastInstance = timestamp(r.LastRun), r.LastResult, i.Name
	}
	if next := time.Time(v.NextRun); !r.NextRun.IsZero() && (next.IsZero() || r.NextRun.Before(next)) {
		v.NextRun = timestamp(r.NextRun)
	}
}
