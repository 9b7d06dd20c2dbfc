package runbook

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

// beginTimeout is how long `jobs run` waits for a replica to begin a run, and
// endTimeout for its end, unless --timeout bounds both. A replica looks once a
// second, and reports every two.
const (
	beginTimeout = 6 * time.Second
	endTimeout   = 5 * time.Minute
	jobPoll      = 200 * time.Millisecond
)

// The states of a job that was told to run.
const (
	runOK      = "ok"
	runFailed  = "failed"
	runRunning = "running"
	runWaiting = "waiting" // for a replica
)

// newJobsRun makes `jobs run`.
func newJobsRun(env *Env) *cobra.Command {
	c := &jobChange{
		verb:         "run",
		needlessFunc: func(*chatops.JobState) string { return "" },
		noteFunc: func(j *chatops.JobState) string {
			switch {
			case j.Holder != "":
				return fmt.Sprintf("note: %s runs on %s: it runs once more after that", j.Name, j.Holder)
			case j.Paused:
				return fmt.Sprintf("note: %s is paused %s: it runs once, and stays paused", j.Name, wordPause(j.PausedBy, j.PausedReason))
			}
			return ""
		},
		changeFunc: func(ctx context.Context, r *jobChangeRun) (string, error) { return r.request(ctx) },
	}
	return c.command(env, &cobra.Command{
		Use: "run NAME...", Short: "Run jobs now, and wait for the result",
		Long: "Run jobs now, besides their schedule: a job of the fleet on one replica, a job of each\n" +
			"process on all of them. It waits for the results, and exits with 1 when a run failed,\n" +
			"and with 6 when some have not ended in time; they go on. Without a running replica the\n" +
			"first one to start runs them.",
		Example: "  chatops jobs run dlq_cleanup\n  chatops jobs run cache_cleanup dlq_retry --yes -o json",
	})
}

// request asks for the runs and waits for their results.
func (r *jobChangeRun) request(ctx context.Context) (string, error) {
	for i := range r.jobs {
		asking, cancel := r.env.timeout(ctx, readTimeout)
		err := r.to.RequestJob(asking, r.jobs[i].Name)
		cancel()
		if err != nil {
			return "", err
		}
		r.res.Jobs = append(r.res.Jobs, jobOutcome{Name: r.jobs[i].Name, State: runWaiting})
	}
	if r.dryRun {
		for i := range r.res.Jobs {
			r.res.Jobs[i].State = "dry_run"
		}
		return "dry run", nil
	}
	if len(chatops.Live(r.seen.replicas)) == 0 {
		r.env.notef("no replica is running: the first one to start runs what was asked for")
		return "requested; no replica was running", nil
	}
	if err := r.await(ctx); err != nil {
		return "", err
	}
	return r.verdict()
}

// await looks at the jobs until every one has ended, or until the time is over.
func (r *jobChangeRun) await(ctx context.Context) error {
	start, begin := time.Now(), beginTimeout
	if r.env.opts.timeout > 0 {
		begin = r.env.opts.timeout
	}
	waiting, cancel := r.env.timeout(ctx, beginTimeout+endTimeout)
	defer cancel()
	tick := time.NewTicker(jobPoll)
	defer tick.Stop()
	for {
		now, err := r.env.lookAtJobs(waiting, r.store)
		switch {
		case ctx.Err() != nil:
			return chatops.WrapError(chatops.CodeInterrupted, ctx.Err(), "interrupted: the runs were asked for and are made: chatops jobs list")
		case waiting.Err() != nil:
			return nil
		case err != nil:
			return hint(err, "the runs were asked for; see what came of them with: chatops jobs list")
		}
		if over := r.judge(now); over || r.unbegun() && time.Since(start) >= begin {
			return nil
		}
		select {
		case <-waiting.Done():
		case <-tick.C:
		}
	}
}

// judge sees how far every run is, and reports whether all have ended.
func (r *jobChangeRun) judge(now *schedule) bool {
	over := true
	for i := range r.jobs {
		o, before := &r.res.Jobs[i], &r.jobs[i]
		if before.EachProcess {
			r.judgeLocal(o, now)
		} else if after := now.job(before.Name); after != nil {
			judgeFleet(o, before, after)
		}
		over = over && (o.State == runOK || o.State == runFailed)
	}
	return over
}

// judgeFleet sees how far the run of a job of the fleet is.
func judgeFleet(o *jobOutcome, before, after *chatops.JobState) {
	if !after.Requested.IsZero() || after.Fence == before.Fence {
		return // nobody has begun it
	}
	o.Instance = after.LastInstance
	if after.Holder != "" {
		o.State = runRunning
		return
	}
	took := after.LastFinished.Sub(after.LastStarted).Seconds()
	o.Duration, o.Result, o.State = &took, after.LastResult, stateOfResult(after.LastResult)
}

// judgeLocal sees in how many replicas a job of each process has run since.
func (r *jobChangeRun) judgeLocal(o *jobOutcome, now *schedule) {
	ran, all := 0, 0
	for _, i := range chatops.Live(now.replicas) {
		after := reportOf(&i, o.Name)
		if after == nil {
			continue
		}
		all++
		at := slices.IndexFunc(r.seen.replicas, func(old chatops.Instance) bool { return old.Name == i.Name })
		if at >= 0 {
			if before := reportOf(&r.seen.replicas[at], o.Name); before != nil && before.LastRun.Equal(after.LastRun) {
				continue
			}
		}
		ran++
		if o.State != runFailed {
			o.State = runRunning
		}
		if stateOfResult(after.LastResult) == runFailed {
			o.State, o.Result = runFailed, after.LastResult
		}
	}
	if o.State != runFailed {
		o.Result = fmt.Sprintf("ran on %d of %s", ran, chatops.Count(all, "replica"))
	}
	if ran == all && all > 0 && o.State != runFailed {
		o.State = runOK
	}
}

// reportOf is what a replica says of a job of its own.
func reportOf(i *chatops.Instance, name string) *chatops.JobReport {
	for k := range i.Report.Jobs {
		if i.Report.Jobs[k].Name == name {
			return &i.Report.Jobs[k]
		}
	}
	return nil
}

// unbegun reports whether a run has not begun anywhere.
func (r *jobChangeRun) unbegun() bool {
	return slices.ContainsFunc(r.res.Jobs, func(o jobOutcome) bool { return o.State == runWaiting }) &&
		!slices.ContainsFunc(r.res.Jobs, func(o jobOutcome) bool { return o.State == runRunning })
}

// stateOfResult is how a run ended.
func stateOfResult(result string) string {
	if strings.HasPrefix(result, "ok") {
		return runOK
	}
	return runFailed
}

// verdict tells how the runs ended.
func (r *jobChangeRun) verdict() (string, error) {
	var unfinished, failed, results []string
	for _, o := range r.res.Jobs {
		switch o.State {
		case runFailed:
			failed = append(failed, o.Name+" ("+o.Result+")")
		case runOK:
		default:
			unfinished = append(unfinished, o.Name+" ("+o.State+")")
		}
		results = append(results, o.Name+" "+o.State)
	}
	switch {
	case len(failed) > 0:
		return "", chatops.Errorf(chatops.CodeConflict, "failed: %s", strings.Join(failed, ", "))
	case len(unfinished) > 0:
		err := chatops.Errorf(chatops.CodePartial, "not ended in time: %s", strings.Join(unfinished, ", "))
		return "", hint(err, "see how they end: chatops jobs list; a job that nobody begins needs a replica with SCHEDULER_ENABLED=true")
	}
	return strings.Join(results, ", "), nil
}
