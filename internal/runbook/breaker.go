package runbook

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

// breakerOrder is `breaker trip`, `reset` or `auto`.
type breakerOrder struct {
	orders
	mode chatops.BreakerMode
	verb string // for people
	idle string // what becomes of the order when no replica runs
	// allFunc are the breakers that --all means; nil: there is no --all.
	allFunc  func(*config.Config, *fleet) []string
	needless string // what to say when those are none
	all      bool
}

// command completes a command of this kind.
func (c *breakerOrder) command(env *Env, cmd *cobra.Command) *cobra.Command {
	c.register(cmd, c.mode == chatops.BreakerTripped)
	if c.allFunc != nil {
		cmd.Use += "|--all"
		cmd.Flags().BoolVar(&c.all, "all", false, "every breaker that this concerns")
	}
	cmd.ValidArgsFunction = completeMany(integrations)
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), env, args) }
	return cmd
}

func (c *breakerOrder) run(ctx context.Context, env *Env, words []string) error {
	lasts, err := parseFor(c.period)
	switch {
	case err != nil:
		return err
	case len(words) > 0 && c.all:
		return chatops.Errorf(chatops.CodeUsage, "give names of breakers or --all, not both")
	case len(words) == 0 && !c.all && c.allFunc == nil:
		return hint(chatops.Errorf(chatops.CodeUsage, "name the breakers to %s", c.verb), "see what there is: chatops breaker status")
	case len(words) == 0 && !c.all:
		return hint(chatops.Errorf(chatops.CodeUsage, "name the breakers to %s, or give --all", c.verb), "see what there is: chatops breaker status")
	}
	return c.orders.run(ctx, env, func(cfg *config.Config, f *fleet) (*orderPlan, error) {
		var names []string
		if c.all {
			names = c.allFunc(cfg, f)
		} else if names, err = choose("breaker", words, f.breakers(cfg)); err != nil {
			return nil, err
		}
		return c.plan(env, f, names, lasts), nil
	})
}

// plan makes the orders.
func (c *breakerOrder) plan(env *Env, f *fleet, names []string, lasts time.Duration) *orderPlan {
	p := &orderPlan{
		change: fmt.Sprintf("%s %s (%s)%s", c.verb, chatops.Count(len(names), "breaker"), strings.Join(names, ", "), lasting(lasts)),
		filter: map[string]any{"breakers": names, "mode": c.mode, "for_seconds": lasts.Seconds()},
		idle:   c.idle, needless: c.needless,
	}
	end := "this ends it"
	if c.mode == chatops.BreakerTripped {
		end = "this replaces it"
	}
	for _, name := range names {
		if o := f.Order(name); f.tripped(name) {
			p.notes = append(p.notes, fmt.Sprintf("note: %s is tripped %s: %s", name, wordBy(o.Actor, o.Until, o.Reason, f.Controls.Now), end))
		}
		p.orders = append(p.orders, order{name: name, mode: string(c.mode), giveFunc: func(ctx context.Context, to orderTaker) (int64, time.Time, error) {
			o := &chatops.BreakerOrder{Name: name, Mode: c.mode, For: lasts, Reason: env.opts.reason, Actor: env.Actor}
			err := to.OrderBreaker(ctx, o)
			return o.Revision, o.Until, err
		}})
	}
	return p
}

// lasting words the end of an order, for the question.
func lasting(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return " for " + chatops.Span(d)
}

// wordBy words who ordered something, until when and why.
func wordBy(actor string, until time.Time, reason string, now time.Time) string {
	text := "by " + actor
	if !until.IsZero() {
		text += ", " + chatops.Span(until.Sub(now)) + " left"
	}
	if reason != "" {
		text += " (" + reason + ")"
	}
	return text
}

// completeMany completes arguments from a list, each of them once.
func completeMany(names []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var left []cobra.Completion
		for _, name := range names {
			if !slices.Contains(args, name) {
				left = append(left, name)
			}
		}
		return left, cobra.ShellCompDirectiveNoFileComp
	}
}
