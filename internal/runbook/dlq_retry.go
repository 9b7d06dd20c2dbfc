package runbook

import (
	"github.com/spf13/cobra"

	"chatops/internal/chatops"
)

// newDLQRetry makes `dlq retry`.
func newDLQRetry(env *Env) *cobra.Command {
	b := &bulk{
		kind: chatops.OperationRetry, doing: "retry", done: "requeued",
		eligible: chatops.OperationRetry.Statuses(),
	}
	pace := &paceFlags{}
	cmd := &cobra.Command{
		Use: "retry [ID...]", Short: "Send pending and failed alerts again",
		Long: "Make pending and failed alerts due now, with all their retries before them.\n" +
			"--all means the queued ones too, which were never tried, unless --status says otherwise.\n" +
			"With --now this process delivers them and waits until each has been tried once;\n" +
			"it ends with 0 when all were delivered and with 6 when some were not.\n\n" +
			"With --rate or --canary the replicas release the alerts at a pace: the canary first, and\n" +
			"alone; then 5, 25, 100 a second and on up to --rate, a step after each healthy window;\n" +
			"and they halt by themselves when more than --max-failures of a window fail. The command\n" +
			"returns once that is confirmed, or with --now watches until the end; Ctrl-C leaves it\n" +
			"running. See chatops dlq operations.",
		Example: "  chatops dlq retry 17 18\n  chatops dlq retry --target slack:alerts --since 24h --dry-run\n  chatops dlq retry --all --yes --now\n" +
			"  chatops dlq retry --target webhook:crm --canary 1 --rate 50",
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if b.pace, err = pace.read(cmd, b.operation != ""); err != nil {
				return err
			}
			if b.pace != nil {
				b.eligible = (&chatops.Operation{Kind: b.kind, Pace: b.pace}).Statuses()
			}
			return b.run(cmd.Context(), env, args)
		},
	}
	b.registerBulk(cmd)
	cmd.Flags().BoolVar(&b.now, "now", false, "deliver in this process too, and wait for the outcomes")
	pace.register(cmd)
	return cmd
}

// paceFlags are the flags that give a retry a pace.
type paceFlags struct {
	rate, maxFailures string
	canary            int
}

func (p *paceFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&p.rate, "rate", "", "let replicas release at most so many a second: 50, 50/s, 600/m, or max")
	f.IntVar(&p.canary, "canary", 0, "let replicas send so many first, and wait for what becomes of them")
	f.StringVar(&p.maxFailures, "max-failures", "", "halt when more than this percentage of a window fails (default 20)")
}

// read makes a pace of the flags; nil without any of them.
func (p *paceFlags) read(cmd *cobra.Command, goesOn bool) (*chatops.OperationPace, error) {
	given := func(name string) bool { return cmd.Flags().Changed(name) }
	switch {
	case !given("rate") && !given("canary") && !given("max-failures"):
		return nil, nil //nolint:nilnil // no pace is an answer
	case goesOn:
		return nil, hint(chatops.Errorf(chatops.CodeUsage, "--operation goes on with the pace that it has: give no --rate, --canary and --max-failures"), "change it with: chatops dlq operations rate")
	case !given("rate") && !given("canary"):
		return nil, chatops.Errorf(chatops.CodeUsage, "--max-failures is about retries with a pace: give --rate or --canary too")
	}
	pace := &chatops.OperationPace{Canary: p.canary, MaxFailures: chatops.DefaultMaxFailures}
	var err error
	if given("rate") {
		if pace.Rate, err = parseRate("--rate", p.rate); err != nil {
			return nil, err
		}
	}
	if given("max-failures") {
		if pace.MaxFailures, err = parsePercent(p.maxFailures); err != nil {
			return nil, err
		}
	}
	if given("canary") && p.canary == 0 && !given("rate") || pace.Validate() != nil {
		return nil, chatops.Errorf(chatops.CodeUsage, "--canary %d: must be 1 to 1000 alerts", p.canary)
	}
	return pace, nil
}
