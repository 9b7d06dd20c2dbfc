package runbook

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
	"chatops/internal/config"
	"chatops/internal/ratelimit"
)

// limitNames are the rate limits.
var limitNames = chatops.UsualLimits()

type limiterSet struct{ orders }

// newLimiterSet makes `limiter set`.
func newLimiterSet(env *Env) *cobra.Command {
	c := &limiterSet{}
	cmd := &cobra.Command{
		Use: "set NAME VALUE", Short: "Change a rate limit in every replica, without a restart",
		Long: "Replace the configured value of a rate limit in every replica, until chatops limiter\n" +
			"unset or until --for has passed. What was counted is kept: a client that is above a\n" +
			"lower limit is refused at once. The limits are " + strings.Join(limitNames, ", ") + ".",
		Example:           "  chatops limiter set chat '100 per minute' --for 30m --reason 'campaign'\n  chatops limiter set api '400 per hour;100 per minute'",
		ValidArgsFunction: completeLimit,
		RunE:              func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), env, args) },
	}
	c.register(cmd, true)
	return cmd
}

// completeLimit completes the name of one limit.
func completeLimit(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return completeMany(limitNames)(cmd, args, word)
}

func (c *limiterSet) run(ctx context.Context, env *Env, words []string) error {
	if len(words) < 2 {
		return hint(chatops.Errorf(chatops.CodeUsage, "give a limit and its value"), "such as: chatops limiter set chat '100 per minute'")
	}
	lasts, err := parseFor(c.period)
	if err != nil {
		return err
	}
	names, err := choose("limit", words[:1], limitNames)
	if err != nil {
		return err
	}
	limit, err := ratelimit.Parse(strings.Join(words[1:], " ")) // quoted or not
	if err != nil {
		return err
	}
	name, value := names[0], limit.String()
	return c.orders.run(ctx, env, func(_ *config.Config, f *fleet) (*orderPlan, error) {
		p := &orderPlan{
			change: fmt.Sprintf("set 1 limit (%s) to %s%s", name, value, lasting(lasts)),
			filter: map[string]any{"limit": name, "value": value, "for_seconds": lasts.Seconds()},
			idle:   "replicas obey it when they start", notes: f.noteLimit(name),
		}
		p.orders = []order{{name: name, mode: "set", value: value, giveFunc: func(ctx context.Context, to orderTaker) (int64, time.Time, error) {
			o := &chatops.LimitOverride{Name: name, Value: value, For: lasts, Reason: env.opts.reason, Actor: env.Actor}
			err := to.SetLimitOverride(ctx, o)
			return o.Revision, o.Until, err
		}}}
		return p, nil
	})
}

// noteLimit are lines about what an override of a limit replaces, and about
// replicas that limit nobody.
func (f *fleet) noteLimit(name string) []string {
	var lines []string
	v := f.viewLimit(name)
	if v.Value != nil {
		lines = append(lines, fmt.Sprintf("note: %s is %s now (%s)", name, *v.Value, v.wordSource(f.Controls.Now)))
	}
	off := 0
	for _, i := range chatops.Live(f.Replicas) {
		if !i.Report.Limiter.Enabled {
			off++
		}
	}
	if off > 0 {
		lines = append(lines, fmt.Sprintf("warning: limits are switched off on %s (RATE_LIMIT_ENABLED=false): nothing will change there", chatops.Count(off, "replica")))
	}
	return lines
}
