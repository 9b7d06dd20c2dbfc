package chatops

import "time"

// Validate returns CodeInvalid when a claim lacks a name or an instance, or when
// its lease is none.
func (c *JobClaim) Validate() error {
	switch {
	case c.Name == "":
		return Errorf(CodeInvalid, "claim of a job: its name is missing")
	case c.Instance == "":
		return Errorf(CodeInvalid, "claim of job %s: the instance is missing", c.Name)
	case c.Lease <= 0 && !c.EachProcess:
		return Errorf(CodeInvalid, "claim of job %s: a lease of %s is none", c.Name, c.Lease)
	}
	return nil
}

// NewJobState is a job that nobody knew before: its slot is as good as done, so
// that a new installation does not run everything at once.
func NewJobState(c *JobClaim, now time.Time) JobState {
	s := JobState{Name: c.Name, EachProcess: c.EachProcess, Slot: now}
	if !c.EachProcess {
		s.NextRun = c.Next
		if c.Slot.Before(now) {
			s.Slot = c.Slot
		}
	}
	return s
}

// Running reports whether a replica runs the job and has not gone silent.
func (s *JobState) Running(now time.Time) bool { return s.Holder != "" && s.LeaseUntil.After(now) }

// Claim begins the run that is due, and returns nil when none is. changed says
// whether the state has changed at all. It is the rule of JobStore.ClaimJob;
// stores call it while they hold the job.
func (s *JobState) Claim(c *JobClaim, now time.Time) (run *JobRun, changed bool) {
	if changed = s.EachProcess != c.EachProcess; changed {
		s.EachProcess = c.EachProcess
	}
	if c.EachProcess {
		return nil, changed
	}
	slot := c.Slot
	if slot.After(now) || slot.Before(s.Slot) {
		slot = s.Slot
	}
	if slot.Equal(s.Slot) && !c.Slot.After(now) && !s.NextRun.Equal(c.Next) {
		s.NextRun, changed = c.Next, true // its schedule is another one now
	}
	requested := !s.Requested.IsZero()
	due := slot.After(s.Slot) || s.Holder != ""
	if s.Running(now) || !requested && (s.Paused || !due) {
		return nil, changed
	}
	run = &JobRun{
		Name: s.Name, Instance: c.Instance, Slot: slot, Fence: s.Fence + 1, TakenOver: s.Holder, Requested: requested,
	}
	if !c.Slot.After(now) {
		s.NextRun = c.Next
	}
	s.Slot, s.Fence, s.Holder, s.LeaseUntil = slot, run.Fence, c.Instance, now.Add(c.Lease)
	s.LastStarted, s.LastInstance, s.Requested = now, c.Instance, time.Time{}
	return run, true
}

// Extend keeps a run's lease alive, or ends it now when lease is none. False: the
// run is not the job's any more.
func (s *JobState) Extend(r *JobRun, lease time.Duration, now time.Time) bool {
	if !s.holds(r) {
		return false
	}
	s.LeaseUntil = now.Add(max(lease, 0))
	return true
}

// Finish frees the job of a run and keeps its result. False: the run is not the
// job's any more.
func (s *JobState) Finish(r *JobRun, result string, now time.Time) bool {
	if !s.holds(r) {
		return false
	}
	s.Holder, s.LeaseUntil = "", time.Time{}
	s.LastFinished, s.LastResult = now, result
	return true
}

func (s *JobState) holds(r *JobRun) bool { return s.Holder == r.Instance && s.Fence == r.Fence }

// Pause stops a job, or lets it run again.
func (s *JobState) Pause(paused bool, actor, reason string) {
	s.Paused, s.PausedBy, s.PausedReason = paused, actor, reason
	if !paused {
		s.PausedBy, s.PausedReason = "", ""
	}
}

// TakenOverError says that a run belongs to another replica by now.
func TakenOverError(r *JobRun) error {
	return Errorf(CodeConflict, "job %s: run %d was taken over", r.Name, r.Fence)
}

// UnknownJobError says that no replica has made a job known.
func UnknownJobError(name string) error {
	return Errorf(CodeNotFound, "job %q: not found", name)
}
