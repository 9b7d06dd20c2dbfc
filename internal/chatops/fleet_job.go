package chatops

import (
	"slices"
	"strings"
	"time"
)

// The states of a job.
const (
	JobIdle        = "idle"
	JobRunning     = "running"
	JobRequested   = "requested"   // an operator wants it run
	JobLate        = "late"        // due, and nobody has begun it
	JobInterrupted = "interrupted" // its replica has gone silent in the middle
	JobPaused      = "paused"
	JobUnknown     = "unknown" // of each process, and no live replica reports it
)

// lateAfter is how long a job that is due may wait. Replicas look once a second;
// a lease of the run before has to pass first where its replica died.
const lateAfter = 2 * time.Minute

// FleetJob is a job in the whole fleet: what the database says of a job of the
// fleet, and what the live replicas report of a job of each process.
type FleetJob struct {
	Name         string
	EachProcess  bool
	State        string
	LastRun      time.Time
	LastResult   string
	LastInstance string
	NextRun      time.Time
	Stored       *JobState // nil: the database knows nothing of it
	Replicas     []ReplicaJob
}

// ReplicaJob is a job of each process in one replica.
type ReplicaJob struct {
	Instance *Instance
	JobReport
}

// Failed reports that the last run did not end well.
func (j *FleetJob) Failed() bool { return j.LastResult != "" && !strings.HasPrefix(j.LastResult, "ok") }

// Condition is the state of a job of the fleet.
func (s *JobState) Condition(now time.Time) string {
	switch {
	case s.Running(now):
		return JobRunning
	case s.Paused:
		return JobPaused
	case s.Holder != "":
		return JobInterrupted
	case !s.Requested.IsZero():
		return JobRequested
	case !s.NextRun.IsZero() && now.Sub(s.NextRun) > lateAfter:
		return JobLate
	}
	return JobIdle
}

// JobNames are the names of all jobs that the database or a replica knows.
func (l *JobList) JobNames(replicas []Instance) []string {
	var names []string
	for i := range l.Jobs {
		names = append(names, l.Jobs[i].Name)
	}
	for i := range replicas {
		for _, j := range replicas[i].Report.Jobs {
			names = append(names, j.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// FleetJob puts together what is known of a job.
func (l *JobList) FleetJob(name string, replicas []Instance) FleetJob {
	stored := find(l.Jobs, func(s *JobState) bool { return s.Name == name })
	j := FleetJob{Name: name, State: JobUnknown, Stored: stored}
	if stored != nil && !stored.EachProcess {
		j.State = stored.Condition(l.Now)
		j.LastRun, j.LastResult, j.LastInstance, j.NextRun = stored.LastStarted, stored.LastResult, stored.LastInstance, stored.NextRun
		return j
	}
	j.EachProcess = true
	for i := range replicas {
		if r := find(replicas[i].Report.Jobs, func(r *JobReport) bool { return r.Name == name }); r != nil {
			j.add(&replicas[i], r)
		}
	}
	if stored != nil && stored.Paused {
		j.State = JobPaused
	}
	return j
}

// add takes over what a replica reports of a job of its own.
func (j *FleetJob) add(i *Instance, r *JobReport) {
	j.Replicas = append(j.Replicas, ReplicaJob{i, *r})
	if i.Stale() {
		return
	}
	j.State = JobIdle
	if !r.LastRun.IsZero() && r.LastRun.After(j.LastRun) {
		j.LastRun, j.LastResult, j.LastInstance = r.LastRun, r.LastResult, i.Name
	}
	if !r.NextRun.IsZero() && (j.NextRun.IsZero() || r.NextRun.Before(j.NextRun)) {
		j.NextRun = r.NextRun
	}
}
