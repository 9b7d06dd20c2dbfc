package runbook

import (
	"context"

	"github.com/spf13/cobra"
)

type operationsList struct {
	all   bool
	limit int
}

// newOperationsList makes `dlq operations list`.
func newOperationsList(env *Env) *cobra.Command {
	c := &operationsList{}
	cmd := &cobra.Command{
		Use: "list", Short: "List the bulk operations that run, wait or were halted", Args: noArgs,
		Long: "List bulk operations, the newest first: those that are running, paused or halted, and\n" +
			"with --all those that are done or cancelled too.",
		Example: "  chatops dlq operations list\n  chatops dlq operations list --all -o json",
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), env) },
	}
	cmd.Flags().BoolVar(&c.all, "all", false, "those that have ended too")
	cmd.Flags().IntVar(&c.limit, "limit", 50, "operations, 1 to 1000")
	return cmd
}

func (c *operationsList) run(ctx context.Context, env *Env) error {
	if err := checkLimit(c.limit); err != nil {
		return err
	}
	ctx, cancel := env.timeout(ctx, readTimeout)
	defer cancel()
	store, cfg, err := env.openStore(ctx)
	if err != nil {
		return err
	}
	defer env.closing(store)
	ops, err := store.Operations(ctx, !c.all, c.limit)
	if err != nil {
		return unreachable(cfg, err)
	}
	list := &operationList{Operations: make([]operationView, len(ops))}
	for i := range ops {
		list.Operations[i] = viewOperation(&ops[i], nil, env.NowFunc())
	}
	if err := env.render(list); err != nil {
		return err
	}
	if len(ops) == 0 && env.OutTTY {
		text := "no operation runs, is paused or has halted; --all shows those that have ended"
		if c.all {
			text = "there has been no operation yet"
		}
		env.notef("%s", text)
	}
	return nil
}
