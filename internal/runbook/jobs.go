package runbook

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

// jobStore is what commands about jobs need of a store.
type jobStore interface {
	fleetStore
	jobTaker
	Jobs(ctx context.Context) (*chatops.JobList, error)
}

// jobTaker is what a command needs to change jobs.
type jobTaker interface {
	actionLog
	RequestJob(ctx context.Context, name string) error
	PauseJob(ctx context.Context, name string, paused bool, actor, reason string) error
}

// schedule is what is known of every job at one moment.
type schedule struct {
	*chatops.JobList
	replicas []chatops.Instance
}

// lookAtJobs reads the jobs and what the replicas report of theirs.
func (e *Env) lookAtJobs(ctx context.Context, store jobStore) (*schedule, error) {
	ctx, cancel := e.timeout(ctx, readTimeout)
	defer cancel()
	list, err := store.Jobs(ctx)
	if err != nil {
		return nil, err
	}
	replicas, err := store.Instances(ctx)
	if err != nil {
		return nil, err
	}
	return &schedule{JobList: list, replicas: replicas}, nil
}

// names are those of the jobs that can be told something.
func (s *schedule) names() []string {
	names := make([]string, len(s.Jobs))
	for i := range s.Jobs {
		names[i] = s.Jobs[i].Name
	}
	return names
}

// job is what the database knows of a job, nil when it knows nothing.
func (s *schedule) job(name string) *chatops.JobState {
	for i := range s.Jobs {
		if s.Jobs[i].Name == name {
			return &s.Jobs[i]
		}
	}
	return nil
}

// jobChange is `jobs run`, `pause` or `resume`.
type jobChange struct {
	verb   string // for people
	dryRun bool
	// needlessFunc says why a job needs no change, or "".
	needlessFunc func(j *chatops.JobState) string
	// noteFunc is a line to read before answering the question, or "".
	noteFunc func(j *chatops.JobState) string
	// changeFunc makes the change and reports it.
	changeFunc func(ctx context.Context, r *jobChangeRun) (string, error)
}

// command completes a command of this kind.
func (c *jobChange) command(env *Env, cmd *cobra.Command) *cobra.Command {
	dryRunFlag(cmd, &c.dryRun)
	cmd.ValidArgsFunction = cobra.NoFileCompletions
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), env, args) }
	return cmd
}

// jobChangeRun is one run of such a command.
type jobChangeRun struct {
	*jobChange
	env   *Env
	store jobStore
	to    jobTaker // the store, or its stand-in in a dry run
	jobs  []chatops.JobState
	seen  *schedule // before the change
	res   *jobResult
}

func (c *jobChange) run(ctx context.Context, env *Env, words []string) error {
	if len(words) == 0 {
		return hint(chatops.Errorf(chatops.CodeUsage, "name the jobs to %s", c.verb), "see what there is: chatops jobs list")
	}
	if _, err := env.settingsForChange(c.dryRun); err != nil {
		return err
	}
	store, cfg, err := env.openStore(ctx)
	if err != nil {
		return err
	}
	defer env.closing(store)
	r := &jobChangeRun{jobChange: c, env: env, store: store, to: store, res: &jobResult{Jobs: []jobOutcome{}, DryRun: c.dryRun}}
	if c.dryRun {
		r.to = dryJobs{}
	}
	if err := r.choose(ctx, words); err != nil {
		return unreachable(cfg, err)
	}
	err = r.carryOut(ctx, cfg)
	if len(r.res.Jobs) == 0 && err != nil {
		return unreachable(cfg, err)
	}
	if errRender := env.render(r.res); errRender != nil && err == nil {
		return errRender
	}
	return unreachable(cfg, err)
}

// choose finds the jobs that are to be changed.
func (r *jobChangeRun) choose(ctx context.Context, words []string) (err error) {
	if r.seen, err = r.env.lookAtJobs(ctx, r.store); err != nil {
		return err
	}
	if len(r.seen.Jobs) == 0 {
		return hint(chatops.Errorf(chatops.CodeNotFound, "job %q: not found: there are no jobs yet", words[0]), "a replica makes them known when it starts: chatops serve")
	}
	names, err := choose("job", words, r.seen.names())
	if err != nil {
		return err
	}
	for _, name := range names {
		j := r.seen.job(name)
		if why := r.needlessFunc(j); why != "" {
			r.env.notef("%s", why)
			continue
		}
		if note := r.noteFunc(j); note != "" {
			r.env.notef("%s", note)
		}
		r.jobs = append(r.jobs, *j)
	}
	return nil
}

// carryOut asks and makes the change.
func (r *jobChangeRun) carryOut(ctx context.Context, cfg *config.Config) error {
	if len(r.jobs) == 0 {
		return nil
	}
	names := make([]string, len(r.jobs))
	for i := range r.jobs {
		names[i] = r.jobs[i].Name
	}
	if !r.dryRun {
		change := fmt.Sprintf("%s %s (%s)", r.verb, chatops.Count(len(names), "job"), strings.Join(names, ", "))
		if err := r.env.confirm(ctx, cfg, change); err != nil {
			return err
		}
	}
	return r.env.record(ctx, r.to, map[string]any{"jobs": names, "order": r.verb}, func() (string, error) {
		return r.changeFunc(ctx, r)
	})
}

// dryJobs stands in for a store in a dry run: it changes nothing.
type dryJobs struct{ dryOrders }

// RequestJob asks for nothing.
func (dryJobs) RequestJob(context.Context, string) error { return nil }

// PauseJob pauses nothing.
func (dryJobs) PauseJob(context.Context, string, bool, string, string) error { return nil }

// jobResult is the outcome of a change of jobs.
type jobResult struct {
	Jobs   []jobOutcome `json:"jobs"`
	DryRun bool         `json:"dry_run"`
}

// jobOutcome is what became of one job.
type jobOutcome struct {
	Name     string   `json:"name"`
	State    string   `json:"state"` // paused, resumed, ok, failed, running, waiting, dry_run
	Instance string   `json:"instance,omitempty"`
	Duration *float64 `json:"duration_seconds,omitempty"`
	Result   string   `json:"result,omitempty"`
}

func (r *jobResult) sections(bool) []section {
	s := section{columns: []column{
		{name: "job", whole: true}, {name: "state", whole: true, colorFunc: jobColor}, {name: "took"},
		{name: "result", flex: true}, {name: "replica", flex: true},
	}}
	for _, j := range r.Jobs {
		s.rows = append(s.rows, []string{j.Name, j.State, wordSeconds(j.Duration), j.Result, j.Instance})
	}
	return []section{s}
}
