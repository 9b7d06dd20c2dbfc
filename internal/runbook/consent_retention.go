package runbook

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
	"chatops/internal/consent"
)

type consentRetention struct{ dryRun bool }

// newConsentRetention makes `consent retention`.
func newConsentRetention(env *Env) *cobra.Command {
	c := &consentRetention{}
	cmd := &cobra.Command{
		Use: "retention", Short: "Delete personal data that has been kept for long enough", Args: noArgs,
		Long: "Delete what RETENTION_MONTHS gives an end to, and nothing has happened to since: in\n" +
			"batches, so that the service goes on beside it. The job consent_retention does the same\n" +
			"every night.",
		Example: "  chatops consent retention --dry-run",
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), env) },
	}
	dryRunFlag(cmd, &c.dryRun)
	return cmd
}

// retentionResult is the result of `consent retention`.
type retentionResult struct {
	Tables []erasedTableView `json:"tables"`
	DryRun bool              `json:"dry_run"`
}

// retentionFilter describes the run in the record of operator actions.
type retentionFilter struct {
	Months string    `json:"months"`
	At     timestamp `json:"at"`
}

func (c *consentRetention) run(ctx context.Context, env *Env) error {
	cfg, err := env.settingsForChange(c.dryRun)
	if err != nil {
		return err
	}
	res := &retentionResult{Tables: []erasedTableView{}, DryRun: c.dryRun}
	if cfg.RetentionMonths == "" {
		env.notef("note: RETENTION_MONTHS is not set: everything is kept until somebody erases it")
		return env.render(res)
	}
	store, cfg, err := env.openStore(ctx)
	if err != nil {
		return err
	}
	defer env.closing(store)
	now := env.NowFunc().UTC()
	old := cfg.Retention(now)
	tables, err := c.plan(ctx, env, store, old)
	if err != nil {
		return unreachable(cfg, err)
	}
	if !c.dryRun && consent.Rows(tables) > 0 {
		if err := env.confirm(ctx, cfg, "delete what is older than "+cfg.RetentionMonths+" months: "+wordErased(tables)); err != nil {
			return err
		}
		err = env.record(ctx, store, retentionFilter{cfg.RetentionMonths, timestamp(now.Truncate(time.Second))}, func() (string, error) {
			tables, err = consent.Purge(ctx, store, old)
			return wordErased(tables), err
		})
		if err != nil {
			err = hint(err, "until then: %s; running it again goes on", wordErased(tables))
		}
	}
	for _, t := range tables {
		res.Tables = append(res.Tables, erasedTableView(t))
	}
	if errRender := env.render(res); errRender != nil && err == nil {
		return errRender
	}
	return err
}

// plan counts what would go.
func (c *consentRetention) plan(ctx context.Context, env *Env, store consent.Purger, old chatops.Retention) ([]chatops.ErasedTable, error) {
	ctx, cancel := env.timeout(ctx, eraseTimeout)
	defer cancel()
	return store.PurgePeople(ctx, old, 0, true)
}

func (r *retentionResult) sections(bool) []section {
	s := section{columns: []column{{name: "table", whole: true}, {name: "rows", right: true}, {name: "how"}}}
	for _, t := range r.Tables {
		s.rows = append(s.rows, []string{t.Table, strconv.FormatInt(t.Rows, 10), t.How})
	}
	return []section{s, fields("dry_run", fmt.Sprint(r.DryRun))}
}
