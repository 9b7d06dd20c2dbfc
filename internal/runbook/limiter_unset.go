package runbook

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

type limiterUnset struct{ orders }

// newLimiterUnset makes `limiter unset`.
func newLimiterUnset(env *Env) *cobra.Command {
	c := &limiterUnset{}
	cmd := &cobra.Command{
		Use: "unset NAME...", Short: "Return to the configured value of a rate limit",
		Example:           "  chatops limiter unset chat",
		ValidArgsFunction: completeMany(limitNames),
		RunE:              func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), env, args) },
	}
	c.register(cmd, false)
	return cmd
}

func (c *limiterUnset) run(ctx context.Context, env *Env, words []string) error {
	names, err := choose("limit", words, limitNames)
	if err == nil && len(names) == 0 {
		err = hint(chatops.Errorf(chatops.CodeUsage, "name the limit to unset"), "see what is overridden: chatops limiter status")
	}
	if err != nil {
		return err
	}
	return c.orders.run(ctx, env, func(_ *config.Config, f *fleet) (*orderPlan, error) {
		p := &orderPlan{
			change: fmt.Sprintf("unset %s (%s)", chatops.Count(len(names), "limit"), strings.Join(names, ", ")),
			filter: map[string]any{"limits": names}, idle: "replicas use their settings when they start",
		}
		for _, name := range names {
			o := f.Override(name)
			if o == nil {
				return nil, hint(chatops.Errorf(chatops.CodeNotFound, "limit %s: not overridden; nothing was changed", name), "see: chatops limiter status")
			}
			p.notes = append(p.notes, fmt.Sprintf("note: %s is set to %s %s", name, o.Value, wordBy(o.Actor, o.Until, o.Reason, f.Controls.Now)))
			p.orders = append(p.orders, order{name: name, mode: "unset", giveFunc: func(ctx context.Context, to orderTaker) (int64, time.Time, error) {
				revision, err := to.UnsetLimitOverride(ctx, name)
				return revision, time.Time{}, err
			}})
		}
		return p, nil
	})
}
