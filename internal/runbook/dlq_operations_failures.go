package runbook

import (
	"context"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

type operationsFailures struct {
	limit int
	after string
}

// newOperationsFailures makes `dlq operations failures`.
func newOperationsFailures(env *Env) *cobra.Command {
	c := &operationsFailures{}
	cmd := &cobra.Command{
		Use: "failures ID", Short: "List the alerts of an operation that failed again",
		Long: "List the alerts that an operation has released and whose newest attempt failed: those\n" +
			"that are given up, and those that will be tried again by themselves.",
		Example:           "  chatops dlq operations failures op_20260310120000000000_k3x9q\n  chatops dlq operations failures op_20260310120000000000_k3x9q -o jsonl",
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), env, args) },
	}
	cmd.Flags().IntVar(&c.limit, "limit", 50, "alerts in a page, 1 to 1000")
	cmd.Flags().StringVar(&c.after, "after", "", "next_cursor of the page before")
	return cmd
}

func (c *operationsFailures) run(ctx context.Context, env *Env, words []string) error {
	id, err := oneOperation(words)
	if err != nil {
		return err
	}
	if err := checkPage(c.limit); err != nil {
		return err
	}
	after, err := decodeCursor(c.after)
	if err != nil {
		return err
	}
	ctx, cancel := env.timeout(ctx, readTimeout)
	defer cancel()
	store, cfg, err := env.openStore(ctx)
	if err != nil {
		return err
	}
	defer env.closing(store)
	page, err := c.page(ctx, store, id, after, cfg.DLQRetries)
	if err != nil {
		return unreachable(cfg, err)
	}
	if err := env.render(page); err != nil {
		return err
	}
	if len(page.Items) == 0 && env.OutTTY {
		env.notef("no alert of operation %s has failed", id)
		return nil
	}
	env.tellPage("alerts", len(page.Items), page.NextCursor)
	return nil
}

// page reads on until the page is full: what waits for its first attempt is no
// failure.
func (c *operationsFailures) page(ctx context.Context, store chatops.Store, id string, after chatops.AlertCursor, retries int) (*alertPage, error) {
	op, err := findOperation(ctx, store, id)
	if err != nil {
		return nil, err
	}
	page := &alertPage{Items: []alertItem{}}
	filter := chatops.AlertFilter{OperationID: op.ID, Statuses: unhappy}
	for len(page.Items) < c.limit {
		list, next, err := store.Alerts(ctx, filter, after, c.limit-len(page.Items))
		if err != nil {
			return nil, err
		}
		for i := range list {
			if a := &list[i]; a.Status == chatops.AlertFailed || a.LastAttemptAt.After(op.CreatedAt) {
				page.Items = append(page.Items, viewAlert(a, retries))
			}
		}
		page.NextCursor = nil
		if next == nil {
			break
		}
		after = *next
		text := encodeCursor(next)
		page.NextCursor = &text
	}
	return page, nil
}
