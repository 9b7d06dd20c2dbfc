package runbook

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

// newOperationsRate makes `dlq operations rate`.
func newOperationsRate(env *Env) *cobra.Command {
	c := &operationChange{done: "changed the pace of"}
	var most string
	cmd := c.command(env, &cobra.Command{
		Use: "rate ID RATE", Short: "Change the pace of an operation while it runs",
		Long: "Change how many alerts a second an operation releases at most: a number, 50/s, 600/m,\n" +
			"or max for what the receiver can take. A lower rate holds at once, a higher one is\n" +
			"reached step by step. --max-failures changes what share of a window may fail.",
		Example: "  chatops dlq operations rate op_20260310120000000000_k3x9q 20\n  chatops dlq operations rate op_20260310120000000000_k3x9q max --max-failures 50",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return chatops.Errorf(chatops.CodeUsage, "give one operation and one rate, not %d words", len(args))
			}
			rate, err := parseRate("rate", args[1])
			if err != nil {
				return err
			}
			c.rate, c.verb = &rate, "set the rate to "+args[1]
			if cmd.Flags().Changed("max-failures") {
				share, err := parsePercent(most)
				if err != nil {
					return err
				}
				c.most = &share
			}
			return c.run(cmd.Context(), env, args[:1])
		},
	})
	cmd.Flags().StringVar(&most, "max-failures", "", "percent of a window's attempts that may fail")
	return cmd
}

// parseRate reads alerts a second: a number, with /s or /m, or max, which is 0.
func parseRate(name, text string) (float64, error) {
	if text == "max" {
		return 0, nil
	}
	digits, perMinute := strings.CutSuffix(text, "/m")
	rate, err := strconv.ParseFloat(strings.TrimSuffix(digits, "/s"), 64)
	if perMinute {
		rate /= 60
	}
	pace := chatops.OperationPace{Rate: rate}
	if err != nil || rate == 0 || pace.Validate() != nil || strings.ContainsAny(text, "eExXpP_") {
		return 0, chatops.Errorf(chatops.CodeUsage, "%s %q: must be alerts a second such as 50, 50/s or 600/m, from 0.01 to 20000 a second, or max", name, text)
	}
	return rate, nil
}

// parsePercent reads a share: 20 or 20%.
func parsePercent(text string) (float64, error) {
	percent, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(text, "%")), 64)
	pace := chatops.OperationPace{MaxFailures: percent / 100}
	if err != nil || pace.Validate() != nil {
		return 0, chatops.Errorf(chatops.CodeUsage, "--max-failures %q: must be a percentage from 0 to 100, such as 20", text)
	}
	return percent / 100, nil
}
