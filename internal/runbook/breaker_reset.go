package runbook

import (
	"github.com/spf13/cobra"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

// newBreakerReset makes `breaker reset`.
func newBreakerReset(env *Env) *cobra.Command {
	c := &breakerOrder{
		mode: chatops.BreakerReset, verb: "reset", idle: "breakers are closed anyway when they start",
		allFunc: func(cfg *config.Config, f *fleet) []string { return f.breakers(cfg) },
	}
	return c.command(env, &cobra.Command{
		Use: "reset NAME...", Short: "Close breakers at once, with their failures forgotten",
		Long: "Close breakers in every replica and forget their failures, tripped ones included.\n" +
			"From then on they judge by themselves: an integration that is still down opens its\n" +
			"breaker again.",
		Example: "  chatops breaker reset slack --reason 'Slack is back'\n  chatops breaker reset --all --yes",
	})
}
