package runbook

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
	"chatops/internal/config"
)

type limiterBlock struct{ orders }

// newLimiterBlock makes `limiter block`.
func newLimiterBlock(env *Env) *cobra.Command {
	c := &limiterBlock{}
	cmd := &cobra.Command{
		Use: "block ADDRESS|NETWORK...", Short: "Refuse every limited request of a client",
		Long: "Refuse every request of a client or network that a limit counts, in every replica,\n" +
			"until chatops limiter unblock or until --for has passed. An IPv6 address stands for\n" +
			"its /64, which counts as one client.",
		Example: "  chatops limiter block 203.0.113.7 --for 2h --reason 'scraping'\n  chatops limiter block 198.51.100.0/24 2001:db8:1::/48",
		RunE:    func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), env, args) },
	}
	c.register(cmd, true)
	return cmd
}

func (c *limiterBlock) run(ctx context.Context, env *Env, words []string) error {
	lasts, err := parseFor(c.period)
	if err != nil {
		return err
	}
	networks, notes, err := parseNetworks("block", words)
	if err != nil {
		return err
	}
	for _, network := range networks {
		switch {
		case network.Bits() == 0:
			return hint(chatops.Errorf(chatops.CodeUsage, "network %s: holds everybody; nothing was blocked", network), "to slow everybody down, see: chatops limiter set --help")
		case large(network):
			notes = append(notes, fmt.Sprintf("warning: %s is large and may hold visitors who did nothing", network))
		}
	}
	return c.orders.run(ctx, env, func(_ *config.Config, f *fleet) (*orderPlan, error) {
		p := planNetworks("block", networks, lasts, func(ctx context.Context, to orderTaker, network string) (int64, time.Time, error) {
			b := &chatops.ClientBlock{Network: network, For: lasts, Reason: env.opts.reason, Actor: env.Actor}
			err := to.BlockClient(ctx, b)
			return b.Revision, b.Until, err
		})
		p.notes = slices.Concat(notes, f.replaced(networks))
		return p, nil
	})
}

// replaced are lines about blocks of the same networks, which new ones replace.
func (f *fleet) replaced(networks []netip.Prefix) []string {
	var lines []string
	for _, b := range f.Controls.Blocks {
		if slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.String() == b.Network }) {
			lines = append(lines, fmt.Sprintf("note: %s is blocked %s: this replaces it", b.Network, wordBy(b.Actor, b.Until, b.Reason, f.Controls.Now)))
		}
	}
	return lines
}
