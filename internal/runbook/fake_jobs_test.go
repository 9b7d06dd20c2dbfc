package runbook

import (
	"context"
	"slices"
	"time"

	"chatops/internal/chatops"
)

// fakeSchedule is what a fakeStore knows of jobs, and a replica that runs what
// it is asked to.
type fakeSchedule struct {
	jobs  []chatops.JobState
	err   error                // of every change when set
	begin time.Duration        // how long nobody begins a run that was asked for; negative: forever
	takes time.Duration        // how long a run takes
	ends  map[string]string    // results by name; "ok: 1" without an entry
	asked map[string]time.Time // when runs were asked for, of real time
}

func (f *fakeStore) job(name string) *chatops.JobState {
	at := slices.IndexFunc(f.schedule.jobs, func(j chatops.JobState) bool { return j.Name == name })
	if at < 0 {
		return nil
	}
	return &f.schedule.jobs[at]
}

func (f *fakeStore) Jobs(ctx context.Context) (*chatops.JobList, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, asked := range f.schedule.asked {
		f.advance(f.job(name), time.Since(asked))
	}
	return &chatops.JobList{Jobs: slices.Clone(f.schedule.jobs), Now: noon}, ctx.Err()
}

// advance carries a run that was asked for as far as it is by now.
func (f *fakeStore) advance(j *chatops.JobState, since time.Duration) {
	s := &f.schedule
	if s.begin < 0 || since < s.begin || j.Holder != "" && since < s.begin+s.takes {
		return
	}
	result := s.ends[j.Name]
	if result == "" {
		result = "ok: 1"
	}
	if j.EachProcess {
		for i := range f.fleet.replicas {
			report := &f.fleet.replicas[i].Report
			report.Jobs = slices.Clone(report.Jobs) // somebody may hold the former
			if r := reportOf(&f.fleet.replicas[i], j.Name); r != nil && !f.fleet.replicas[i].Stale() {
				r.LastRun, r.LastResult = noon, result
			}
		}
		return
	}
	if !j.Requested.IsZero() {
		j.Requested, j.Holder, j.LastInstance = time.Time{}, "ops-1:101", "ops-1:101"
		j.Fence++
		j.LastStarted, j.LeaseUntil = noon, noon.Add(time.Minute)
	}
	if since >= s.begin+s.takes && j.Holder != "" {
		j.Holder, j.LeaseUntil, j.LastFinished, j.LastResult = "", time.Time{}, noon.Add(s.takes), result
	}
}

func (f *fakeStore) RequestJob(_ context.Context, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.schedule.err != nil {
		return f.schedule.err
	}
	j := f.job(name)
	if j == nil {
		return chatops.UnknownJobError(name)
	}
	j.Requested = noon
	if f.schedule.asked == nil {
		f.schedule.asked = map[string]time.Time{}
	}
	f.schedule.asked[name] = time.Now()
	return nil
}

func (f *fakeStore) PauseJob(_ context.Context, name string, paused bool, actor, reason string) error {
	if f.schedule.err != nil {
		return f.schedule.err
	}
	f.job(name).Pause(paused, actor, reason)
	return nil
}

// scheduled is a fleet of three replicas, one of them gone, with jobs in every
// state.
func scheduled() *fakeStore {
	f := newFakeFleet("ops-1:101", "ops-2:202", "ops-3:303")
	f.silence("ops-3:303", time.Minute)
	for i, name := range []string{"ops-1:101", "ops-2:202", "ops-3:303"} {
		at := noon.Add(-time.Duration(i+1) * time.Minute)
		f.replica(name).Report.Jobs = []chatops.JobReport{
			{Name: "cache_cleanup", LastRun: at, LastResult: "ok: 2 entries removed", NextRun: at.Add(10 * time.Minute)},
			{Name: "dlq_retry", LastRun: at, LastResult: "ok: of an older replica"},
			{Name: "escalation_digest"},
		}
	}
	started := noon.Add(-90 * time.Second)
	base := chatops.JobState{
		Slot: started, Fence: 7, LastStarted: started, LastFinished: started.Add(2500 * time.Millisecond),
		LastResult: "ok: 3 alerts deleted", LastInstance: "ops-2:202", NextRun: noon.Add(time.Hour),
	}
	with := func(name string, change func(j *chatops.JobState)) chatops.JobState {
		j := base
		j.Name = name
		change(&j)
		return j
	}
	f.schedule.jobs = []chatops.JobState{
		{Name: "cache_cleanup", EachProcess: true},
		with("consent_retention", func(j *chatops.JobState) { j.Paused, j.PausedBy, j.PausedReason = true, "ola", "\x1b[2Jdisk" }),
		with("dlq_cleanup", func(*chatops.JobState) {}),
		with("dlq_retry", func(j *chatops.JobState) { j.Holder, j.LeaseUntil = "ops-1:101", noon.Add(20*time.Second) }),
		with("followups", func(j *chatops.JobState) { j.NextRun = noon.Add(-2*time.Minute - time.Second) }),
		with("instance_cleanup", func(j *chatops.JobState) { j.Holder, j.LeaseUntil = "ops-3:303", noon.Add(-time.Second) }),
		with("request_cleanup", func(j *chatops.JobState) { j.LastResult, j.Requested = "failed: database does not answer", noon }),
	}
	return f
}
