package runbook

import (
	"slices"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

// newBreakerAuto makes `breaker auto`.
func newBreakerAuto(env *Env) *cobra.Command {
	c := &breakerOrder{
		mode: chatops.BreakerAuto, verb: "give back", idle: "breakers judge by themselves when they start",
		allFunc: trippedBreakers, needless: "no breaker is tripped: nothing to give back",
	}
	return c.command(env, &cobra.Command{
		Use: "auto NAME...", Short: "Give tripped breakers back to their own judgement",
		Long: "Give tripped breakers back to their own judgement: the next call is a probe, and what\n" +
			"it answers closes or opens the breaker. Breakers that are not tripped stay as they\n" +
			"are. --all means every tripped one.",
		Example: "  chatops breaker auto slack",
	})
}

// trippedBreakers are those that an order keeps open, or that a replica still
// keeps open for one.
func trippedBreakers(cfg *config.Config, f *fleet) []string {
	return slices.DeleteFunc(f.breakers(cfg), func(name string) bool {
		return !f.tripped(name) && !slices.ContainsFunc(chatops.Live(f.Replicas), func(i chatops.Instance) bool {
			return slices.ContainsFunc(i.Report.Breakers, func(b chatops.BreakerReport) bool {
				return b.Name == name && b.State == stateForced
			})
		})
	})
}
