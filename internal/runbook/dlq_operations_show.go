package runbook

import (
	"context"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

type operationsShow struct {
	watch bool
}

// newOperationsShow makes `dlq operations show`.
func newOperationsShow(env *Env) *cobra.Command {
	c := &operationsShow{}
	cmd := &cobra.Command{
		Use: "show ID", Short: "Show how far an operation is and what became of its alerts",
		Long: "Show a bulk operation: its state and why, what it selected, released and skipped, what\n" +
			"became of the released alerts, its pace and how long the rest takes. --watch shows it\n" +
			"again every two seconds, until it has ended or Ctrl-C; the operation goes on.",
		Example:           "  chatops dlq operations show op_20260310120000000000_k3x9q\n  chatops dlq operations show op_20260310120000000000_k3x9q --watch",
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), env, args) },
	}
	cmd.Flags().BoolVar(&c.watch, "watch", false, "show it again every two seconds, until it has ended")
	return cmd
}

func (c *operationsShow) run(ctx context.Context, env *Env, words []string) error {
	id, err := oneOperation(words)
	if err != nil {
		return err
	}
	store, cfg, err := env.openStore(ctx)
	if err != nil {
		return err
	}
	defer env.closing(store)
	look := func(ctx context.Context) (result, error) {
		ctx, cancel := env.timeout(ctx, readTimeout)
		defer cancel()
		v, err := env.lookAtOperation(ctx, store, id)
		if err != nil {
			return nil, unreachable(cfg, err)
		}
		return v, nil
	}
	if c.watch {
		return env.watch(ctx, look)
	}
	res, err := look(ctx)
	if err != nil {
		return err
	}
	if v, ok := res.(*operationView); ok && v.State == chatops.OperationRunning {
		if err := env.tellCarriers(ctx, store, v.ID); err != nil {
			return unreachable(cfg, err)
		}
	}
	return env.render(res)
}

// oneOperation is the id that a command was given.
func oneOperation(words []string) (string, error) {
	if len(words) != 1 {
		return "", hint(chatops.Errorf(chatops.CodeUsage, "name one operation, not %d", len(words)), "see what there is: chatops dlq operations list")
	}
	return words[0], nil
}

// tellCarriers says when no replica lives that could carry an operation.
func (e *Env) tellCarriers(ctx context.Context, store chatops.Store, id string) error {
	replicas, err := store.Instances(ctx)
	if err != nil {
		return err
	}
	if len(chatops.Live(replicas)) == 0 {
		e.notef("no replica is running: nobody carries the operation; start chatops serve, or carry it here with: chatops dlq retry --operation %s --now", id)
	}
	return nil
}
