package runbook

import (
	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

// newBreakerTrip makes `breaker trip`.
func newBreakerTrip(env *Env) *cobra.Command {
	c := &breakerOrder{mode: chatops.BreakerTripped, verb: "trip", idle: "replicas obey it when they start"}
	return c.command(env, &cobra.Command{
		Use: "trip NAME...", Short: "Keep breakers open: stop calling an integration",
		Long: "Keep the breakers of integrations open in every replica, whatever they answer, until\n" +
			"chatops breaker auto or reset, or until --for has passed. Alerts wait meanwhile and\n" +
			"use up no attempt. It waits until every replica has obeyed, and exits with 6 when\n" +
			"some have not.",
		Example: "  chatops breaker trip slack --for 10m --reason 'Slack maintenance'\n  chatops breaker trip monday email --dry-run",
	})
}
