package runbook

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

type breakerStatus struct {
	watch, check bool
}

// newBreakerStatus makes `breaker status`.
func newBreakerStatus(env *Env) *cobra.Command {
	c := &breakerStatus{}
	cmd := &cobra.Command{
		Use: "status [NAME...]", Short: "Show which breakers are open, in which replica, and why",
		Long: "Show the circuit breaker of every integration: the worst state that a replica reports,\n" +
			"since when, the next probe, and why. With names, or -o wide, also what each replica\n" +
			"reports; one that has stopped reporting is stale, and what it said last no longer\n" +
			"counts. forced_open is what an operator has tripped; unknown is what no running\n" +
			"replica reports. --check exits with 4 unless every breaker that is reported is closed.",
		Example:           "  chatops breaker status\n  chatops breaker status slack --watch\n  chatops breaker status --check -o json",
		ValidArgsFunction: completeMany(integrations),
		RunE:              func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), env, args) },
	}
	cmd.Flags().BoolVar(&c.watch, "watch", false, "show it again every two seconds, until Ctrl-C")
	cmd.Flags().BoolVar(&c.check, "check", false, "exit with 4 unless every breaker is closed")
	return cmd
}

// breakerList is the result of `breaker status`.
type breakerList struct {
	Breakers []breakerView `json:"breakers"`

	named    bool
	reported bool // by any live replica
}

func (c *breakerStatus) run(ctx context.Context, env *Env, words []string) error {
	if c.watch && c.check {
		return chatops.Errorf(chatops.CodeUsage, "--watch never ends by itself, --check does: give one of them")
	}
	res, err := env.showFleet(ctx, c.watch, func(cfg *config.Config, f *fleet) (result, error) {
		names := f.breakers(cfg)
		if len(words) > 0 {
			var err error
			if names, err = choose("breaker", words, names); err != nil {
				return nil, err
			}
		}
		return f.listBreakers(names, len(words) > 0), nil
	})
	if err != nil {
		return err
	}
	list, _ := res.(*breakerList)
	if c.check {
		return list.verdict()
	}
	if !list.reported {
		env.tellNobody()
	}
	return nil
}

// listBreakers views breakers by name.
func (f *fleet) listBreakers(names []string, named bool) *breakerList {
	list := &breakerList{Breakers: make([]breakerView, 0, len(names)), named: named}
	for _, name := range names {
		v := f.viewBreaker(name)
		fresh, _, _ := v.reporting()
		list.reported = list.reported || fresh > 0
		list.Breakers = append(list.Breakers, v)
	}
	return list
}

// verdict is the answer to --check.
func (l *breakerList) verdict() error {
	if !l.reported {
		return hint(chatops.Errorf(chatops.CodeFinding, "no running replica reports a breaker"), "is chatops serve running, with this database? See: chatops config view --show-origin")
	}
	var bad []string
	for i := range l.Breakers {
		v := &l.Breakers[i]
		fresh, same, _ := v.reporting()
		if fresh > 0 && v.State != stateClosed {
			bad = append(bad, fmt.Sprintf("%s (%s on %d of %d)", v.Name, v.State, same, fresh))
		}
	}
	if len(bad) > 0 {
		return chatops.Errorf(chatops.CodeFinding, "not closed: %s", strings.Join(bad, ", "))
	}
	return nil
}

func (l *breakerList) elements() []any { return pointers(l.Breakers) }
