package runbook

import (
	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

// newDLQRetry makes `dlq retry`.
func newDLQRetry(env *Env) *cobra.Command {
	b := &bulk{
		kind: chatops.OperationRetry, doing: "retry", done: "requeued",
		eligible: chatops.OperationRetry.Statuses(),
	}
	cmd := &cobra.Command{
		Use: "retry [ID...]", Short: "Send pending and failed alerts again",
		Long: "Make pending and failed alerts due now, with all their retries before them.\n" +
			"--all means the queued ones too, which were never tried, unless --status says otherwise.\n" +
			"With --now this process delivers them and waits until each has been tried once;\n" +
			"it ends with 0 when all were delivered and with 6 when some were not.",
		Example: "  chatops dlq retry 17 18\n  chatops dlq retry --target slack:alerts --since 24h --dry-run\n  chatops dlq retry --all --yes --now",
		RunE:    func(cmd *cobra.Command, args []string) error { return b.run(cmd.Context(), env, args) },
	}
	b.registerBulk(cmd)
	cmd.Flags().BoolVar(&b.now, "now", false, "deliver in this process too, and wait for the outcomes")
	return cmd
}
