package runbook

import (
	"strings"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

// newDLQDiscard makes `dlq discard`.
func newDLQDiscard(env *Env) *cobra.Command {
	b := &bulk{
		kind: chatops.OperationDiscard, doing: "discard", done: "discarded",
		eligible: chatops.OperationDiscard.Statuses(),
	}
	cmd := &cobra.Command{
		Use: "discard [ID...]", Short: "Give up alerts: they will not be sent",
		Long: "Give up alerts: they will not be sent, and are deleted with the next cleanup of\n" +
			"their age. The reason is kept in the record of operator actions.",
		Example: "  chatops dlq discard 17 --reason 'test lead'\n  chatops dlq discard --fingerprint 4f2a --reason 'channel was archived' --dry-run",
		RunE: func(cmd *cobra.Command, args []string) error {
			if strings.TrimSpace(env.opts.reason) == "" && !b.dryRun && b.operation == "" {
				env.notef("note: without --reason the record will not tell why")
			}
			return b.run(cmd.Context(), env, args)
		},
	}
	b.registerBulk(cmd)
	return cmd
}
