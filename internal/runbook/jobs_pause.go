package runbook

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

// newJobsPause makes `jobs pause`.
func newJobsPause(env *Env) *cobra.Command {
	c := &jobChange{
		verb:         "pause",
		needlessFunc: func(*chatops.JobState) string { return "" },
		noteFunc: func(j *chatops.JobState) string {
			switch {
			case j.Paused:
				return fmt.Sprintf("note: %s is paused %s: this replaces it", j.Name, wordPause(j.PausedBy, j.PausedReason))
			case j.Holder != "":
				return fmt.Sprintf("note: %s runs on %s: that run goes on", j.Name, j.Holder)
			}
			return ""
		},
		changeFunc: func(ctx context.Context, r *jobChangeRun) (string, error) { return r.pause(ctx, true, "paused") },
	}
	return c.command(env, &cobra.Command{
		Use: "pause NAME...", Short: "Keep jobs from running until they are resumed",
		Long: "Keep jobs from running in every replica until chatops jobs resume. A run that has\n" +
			"begun goes on; chatops jobs run works meanwhile. dlq_retry only backs up what every\n" +
			"replica does by itself: to stop deliveries, trip a breaker.",
		Example: "  chatops jobs pause followups --reason 'wrong text in the mail'\n  chatops jobs pause dlq_cleanup --dry-run",
	})
}

// pause stops every job of the change, or lets it run again.
func (r *jobChangeRun) pause(ctx context.Context, paused bool, state string) (string, error) {
	for i := range r.jobs {
		if err := r.pauseOne(ctx, r.jobs[i].Name, paused); err != nil {
			return "", err
		}
		o := jobOutcome{Name: r.jobs[i].Name, State: state, Result: r.env.opts.reason}
		if r.dryRun {
			o.State = "dry_run"
		}
		r.res.Jobs = append(r.res.Jobs, o)
	}
	return state, nil
}

func (r *jobChangeRun) pauseOne(ctx context.Context, name string, paused bool) error {
	ctx, cancel := r.env.timeout(ctx, readTimeout)
	defer cancel()
	return r.to.PauseJob(ctx, name, paused, r.env.Actor, r.env.opts.reason)
}

// wordPause words who paused a job and why.
func wordPause(actor, reason string) string {
	text := "by " + actor
	if reason != "" {
		text += " (" + reason + ")"
	}
	return text
}
