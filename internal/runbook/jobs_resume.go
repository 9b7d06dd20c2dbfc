package runbook

import (
	"context"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

// newJobsResume makes `jobs resume`.
func newJobsResume(env *Env) *cobra.Command {
	c := &jobChange{
		verb: "resume",
		needlessFunc: func(j *chatops.JobState) string {
			if !j.Paused {
				return "note: " + j.Name + " is not paused"
			}
			return ""
		},
		noteFunc: func(j *chatops.JobState) string {
			return "note: " + j.Name + " is paused " + wordPause(j.PausedBy, j.PausedReason)
		},
		changeFunc: func(ctx context.Context, r *jobChangeRun) (string, error) { return r.pause(ctx, false, "resumed") },
	}
	return c.command(env, &cobra.Command{
		Use: "resume NAME...", Short: "Let paused jobs run again",
		Long: "Let jobs run again that chatops jobs pause has stopped. Of the runs that were missed\n" +
			"meanwhile, the newest is made up for at once.",
		Example: "  chatops jobs resume followups --reason 'text is right again'",
	})
}
