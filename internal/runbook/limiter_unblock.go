package runbook

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

type limiterUnblock struct{ orders }

// newLimiterUnblock makes `limiter unblock`.
func newLimiterUnblock(env *Env) *cobra.Command {
	c := &limiterUnblock{}
	cmd := &cobra.Command{
		Use: "unblock ADDRESS|NETWORK...", Short: "Let a blocked client in again",
		Long: "Remove blocks, in every replica. The network has to be the one that was blocked; a\n" +
			"block that holds it is left alone, and named.",
		Example: "  chatops limiter unblock 203.0.113.7",
		RunE:    func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), env, args) },
	}
	c.register(cmd, false)
	return cmd
}

func (c *limiterUnblock) run(ctx context.Context, env *Env, words []string) error {
	networks, notes, err := parseNetworks("unblock", words)
	if err != nil {
		return err
	}
	return c.orders.run(ctx, env, func(_ *config.Config, f *fleet) (*orderPlan, error) {
		for _, network := range networks {
			if err := f.blocked(network); err != nil {
				return nil, err
			}
		}
		p := planNetworks("unblock", networks, 0, func(ctx context.Context, to orderTaker, network string) (int64, time.Time, error) {
			revision, err := to.UnblockClient(ctx, network)
			return revision, time.Time{}, err
		})
		p.notes = notes
		return p, nil
	})
}

// blocked is an error when no block is about exactly this network. It names
// those that overlap.
func (f *fleet) blocked(network netip.Prefix) error {
	var near []string
	for _, b := range f.Controls.Blocks {
		if b.Network == network.String() {
			return nil
		}
		if other, err := netip.ParsePrefix(b.Network); err == nil && other.Overlaps(network) {
			near = append(near, b.Network)
		}
	}
	err := chatops.Errorf(chatops.CodeNotFound, "%s: not blocked; nothing was changed", network)
	if len(near) > 0 {
		slices.Sort(near)
		return hint(err, "these blocks overlap it: %s", strings.Join(near, ", "))
	}
	return hint(err, "see what is blocked: chatops limiter status")
}
