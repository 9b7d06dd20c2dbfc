package runbook

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

type jobsList struct {
	watch, check bool
}

// newJobsList makes `jobs list`.
func newJobsList(env *Env) *cobra.Command {
	c := &jobsList{}
	cmd := &cobra.Command{
		Use: "list [NAME...]", Short: "Show when jobs ran, what came of it, and when they run next",
		Long: "Show every job: when it ran last, how long that took and what came of it, when it runs\n" +
			"next, and which replica runs it now. A job of the fleet runs on one replica for each\n" +
			"scheduled time, a job of each process on all; with names, or -o wide, also what each\n" +
			"replica reports of those. late: nobody has begun it although it is due; interrupted:\n" +
			"its replica is gone, and another takes it over. --check exits with 4 when a job is\n" +
			"late, interrupted or paused, or when its last run failed.",
		Example:           "  chatops jobs list\n  chatops jobs list followups --watch\n  chatops jobs list --check -o json",
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), env, args) },
	}
	cmd.Flags().BoolVar(&c.watch, "watch", false, "show it again every two seconds, until Ctrl-C")
	cmd.Flags().BoolVar(&c.check, "check", false, "exit with 4 unless every job runs as it should")
	return cmd
}

func (c *jobsList) run(ctx context.Context, env *Env, words []string) error {
	if c.watch && c.check {
		return chatops.Errorf(chatops.CodeUsage, "--watch never ends by itself, --check does: give one of them")
	}
	store, cfg, err := env.openStore(ctx)
	if err != nil {
		return err
	}
	defer env.closing(store)
	look := func(ctx context.Context) (result, error) {
		s, err := env.lookAtJobs(ctx, store)
		if err != nil {
			return nil, unreachable(cfg, err)
		}
		return s.list(words)
	}
	if c.watch {
		return env.watch(ctx, look)
	}
	res, err := look(ctx)
	if err == nil {
		err = env.render(res)
	}
	if err != nil {
		return err
	}
	list, _ := res.(*jobList)
	if c.check {
		return list.verdict()
	}
	if len(list.Jobs) == 0 && env.OutTTY {
		env.notef("no jobs are known yet: a replica makes them known when it starts, with chatops serve")
	}
	return nil
}

// jobList is the result of `jobs list`.
type jobList struct {
	Jobs []jobView `json:"jobs"`

	named bool
}

// list views jobs by name; no words mean all of them.
func (s *schedule) list(words []string) (*jobList, error) {
	names := s.JobNames(s.replicas)
	if len(words) > 0 {
		var err error
		if names, err = choose("job", words, names); err != nil {
			return nil, err
		}
	}
	list := &jobList{Jobs: make([]jobView, 0, len(names)), named: len(words) > 0}
	for _, name := range names {
		list.Jobs = append(list.Jobs, s.view(name))
	}
	return list, nil
}

// verdict is the answer to --check.
func (l *jobList) verdict() error {
	if len(l.Jobs) == 0 {
		return hint(chatops.Errorf(chatops.CodeFinding, "no jobs are known"), "is chatops serve running, with this database? See: chatops config view --show-origin")
	}
	var bad []string
	for i := range l.Jobs {
		j := &l.Jobs[i]
		switch {
		case j.State == jobLate || j.State == jobInterrupted || j.State == jobPaused:
			bad = append(bad, j.Name+" ("+j.State+")")
		case j.LastResult != "" && stateOfResult(j.LastResult) == runFailed:
			bad = append(bad, j.Name+" (its last run failed)")
		}
	}
	if len(bad) > 0 {
		return chatops.Errorf(chatops.CodeFinding, "not as they should be: %s", strings.Join(bad, ", "))
	}
	return nil
}

func (l *jobList) elements() []any { return pointers(l.Jobs) }
